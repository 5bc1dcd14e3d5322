//! AES-256-GCM and HKDF-SHA256 as the vault uses them: one sealed message is nonce, ciphertext and tag in one piece.
//! What is bound as associated data is decided in `aad`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use zeroize::Zeroizing;

use super::VaultError;

/// Bytes of every symmetric key here.
pub(crate) const KEY_LEN: usize = 32;
/// Bytes of a GCM tag.
pub(crate) const TAG_LEN: usize = 16;

/// A key that is wiped when dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; KEY_LEN]>;

/// An AES-256-GCM key ready for use.
pub(crate) struct Key(LessSafeKey);

impl Key {
    pub(crate) fn new(bytes: &KeyBytes) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice()).expect("the key has the length of AES-256");
        Self(LessSafeKey::new(key))
    }

    /// `nonce | ciphertext | tag`. The nonce must never have been used with this key.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        // The whole length is reserved first: a growing buffer would leave copies of the plaintext behind.
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut sealed[NONCE_LEN..]);
        sealed.extend_from_slice(tag.map_err(|_| VaultError::TooLong)?.as_ref());
        Ok(sealed)
    }

    /// The plaintext of what `seal` made with the same key and associated data.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, body) = sealed.split_first_chunk().ok_or(VaultError::Tampered)?;
        let (cipher, tag) = body.split_last_chunk::<TAG_LEN>().ok_or(VaultError::Tampered)?;
        let mut plain = Zeroizing::new(vec![0; cipher.len()]);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_separate_gather(nonce, Aad::from(aad), cipher, tag, &mut plain);
        opened.map_err(|_| VaultError::Tampered)?;
        Ok(plain)
    }
}

/// What subkeys are expanded from.
pub(crate) struct Seed(Prk);

impl Seed {
    pub(crate) fn new(root: &KeyBytes, salt: &[u8]) -> Self {
        Self(Salt::new(HKDF_SHA256, salt).extract(root.as_slice()))
    }

    /// The subkey for one purpose. One key, one purpose: `purpose` must be different for every use.
    pub(crate) fn subkey(&self, purpose: &str) -> KeyBytes {
        expand(&self.0, purpose)
    }
}

/// The subkey of `root` for one purpose.
pub(crate) fn derive(root: &KeyBytes, salt: &[u8], purpose: &str) -> KeyBytes {
    Seed::new(root, salt).subkey(purpose)
}

fn expand(seed: &Prk, purpose: &str) -> KeyBytes {
    let mut subkey = KeyBytes::new([0; KEY_LEN]);
    seed.expand(&[purpose.as_bytes()], HKDF_SHA256)
        .and_then(|output| output.fill(subkey.as_mut_slice()))
        .expect("HKDF-SHA256 yields one digest's length");
    subkey
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        let mut out = vec![0; text.len() / 2];
        hex::decode_to_slice(text, &mut out).unwrap();
        out
    }

    struct Vector {
        key: &'static str,
        nonce: &'static str,
        aad: &'static str,
        plain: &'static str,
        cipher: &'static str,
        tag: &'static str,
    }

    /// Source: McGrew and Viega, "The Galois/Counter Mode of Operation", as submitted to NIST, test cases 13 to 16
    /// (256-bit keys, 96-bit nonces).
    const NIST: [Vector; 4] = [
        Vector {
            key: "0000000000000000000000000000000000000000000000000000000000000000",
            nonce: "000000000000000000000000",
            aad: "",
            plain: "",
            cipher: "",
            tag: "530f8afbc74536b9a963b4f1c4cb738b",
        },
        Vector {
            key: "0000000000000000000000000000000000000000000000000000000000000000",
            nonce: "000000000000000000000000",
            aad: "",
            plain: "00000000000000000000000000000000",
            cipher: "cea7403d4d606b6e074ec5d3baf39d18",
            tag: "d0d1c8a799996bf0265b98b5d48ab919",
        },
        Vector {
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: "cafebabefacedbaddecaf888",
            aad: "",
            plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
            cipher: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
            tag: "b094dac5d93471bdec1a502270e3cc6c",
        },
        Vector {
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: "cafebabefacedbaddecaf888",
            aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            cipher: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            tag: "76fc6ece0f4e1768cddf8853bb2d551b",
        },
    ];

    fn key(text: &str) -> Key {
        Key::new(&KeyBytes::new(bytes(text).try_into().unwrap()))
    }

    #[test]
    fn sealing_gives_the_published_answers() {
        for vector in &NIST {
            let nonce = bytes(vector.nonce).try_into().unwrap();
            let sealed = key(vector.key).seal(nonce, &bytes(vector.aad), &bytes(vector.plain)).unwrap();
            let expected = [vector.nonce, vector.cipher, vector.tag].concat();
            assert_eq!(sealed, bytes(&expected));
        }
    }

    #[test]
    fn opening_gives_the_published_plaintext() {
        for vector in &NIST {
            let sealed = bytes(&[vector.nonce, vector.cipher, vector.tag].concat());
            let plain = key(vector.key).open(&bytes(vector.aad), &sealed).unwrap();
            assert_eq!(*plain, bytes(vector.plain));
        }
    }

    #[test]
    fn a_single_flipped_bit_anywhere_is_refused() {
        let key = key(NIST[3].key);
        let aad = bytes(NIST[3].aad);
        let sealed = key.seal([7; NONCE_LEN], &aad, b"sk-live").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bent = sealed.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(key.open(&aad, &bent), Err(VaultError::Tampered)), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(&aad, &sealed[..length]).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn subkeys_are_hkdf_sha256_of_the_root() {
        // Computed by the two HMAC steps of RFC 5869 with Python's hmac module: 16 zero bytes of salt, a zero root.
        let expected = bytes("e015930024e2895afb3cad372458cfe0085ffdd1391b20f034ae68faf978d6d9");
        assert_eq!(derive(&KeyBytes::new([0; KEY_LEN]), &[0; 16], "kek/1").as_slice(), expected);
    }
}
