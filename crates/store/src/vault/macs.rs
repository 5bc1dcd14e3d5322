//! Keyed digests: of rows, of access keys, of the audit log, and of the vault as a whole. Their keys come from one
//! sealed key of their own rather than from the master key, so that a new master key does not make them worthless.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use uuid::Uuid;

use super::aad::encode;
use super::aead::{KEY_LEN, KeyBytes, derive};
use super::entropy::{Entropy, fresh};
use super::{VaultError, fresh_key};
use crate::secret::Secret;

/// A keyed digest.
pub(crate) type Digest = [u8; 32];

/// The keys of all MACs of a vault. One key, one purpose.
pub(crate) struct Macs {
    row: Key,
    whole: Key,
    audit: Key,
    token: Key,
}

impl Macs {
    /// A new key of keys, in the form in which it is sealed.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Secret, VaultError> {
        let bytes = fresh_key(entropy)?;
        let mut text = zeroize::Zeroizing::new([0; 2 * KEY_LEN]);
        hex::encode_to_slice(bytes.as_slice(), text.as_mut_slice()).expect("there are two digits a byte");
        let text = std::str::from_utf8(text.as_slice()).expect("hexadecimal digits are ASCII");
        Ok(Secret::new(text.to_owned()))
    }

    /// From what `generate` made.
    pub(crate) fn new(vault: Uuid, key: &Secret) -> Result<Self, VaultError> {
        let mut bytes = KeyBytes::new([0; KEY_LEN]);
        hex::decode_to_slice(key.expose(), bytes.as_mut_slice()).map_err(|_| VaultError::Tampered)?;
        let of = |purpose| Key::new(HMAC_SHA256, derive(&bytes, vault.as_bytes(), purpose).as_slice());
        Ok(Self {
            row: of("row-mac"),
            whole: of("state-mac"),
            audit: of("audit-mac"),
            token: of("token-mac"),
        })
    }

    /// What one row is: which, in which version, with which content (`tag`).
    pub(crate) fn row(&self, table: &str, id: &[u8], version: i64, tag: &[u8]) -> Digest {
        mac(&self.row, &[table.as_bytes(), id, &version.to_be_bytes(), tag])
    }

    /// The link of an audit entry to the one before it.
    pub(crate) fn link(&self, before: &[u8], entry: &[&[u8]]) -> Digest {
        mac(&self.audit, &[before, &encode(entry)])
    }

    /// What is stored of an access key.
    pub(crate) fn token(&self, key: &str) -> Digest {
        sign(&self.token, key.as_bytes()).as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    /// What hides the sum of all rows. Without it, sums from two moments would give away the digest of a row.
    fn mask(&self, nonce: &[u8], rows: i64, link: &[u8]) -> Digest {
        mac(&self.whole, &[nonce, &rows.to_be_bytes(), link])
    }
}

fn mac(key: &Key, fields: &[&[u8]]) -> Digest {
    sign(key, &encode(fields)).as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
}

/// All rows of a vault together, as a sum that a change of one row changes in constant time: the multiset hash
/// MSet-XOR-Hash (Clarke, Devadas, van Dijk, Gassend, Suh: "Incremental Multiset Hash Functions", Asiacrypt 2003).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub rows: i64,
    digests: Digest,
}

/// A sum as it is stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MaskedSum {
    pub nonce: Vec<u8>,
    pub sum: Vec<u8>,
    pub rows: i64,
}

impl Sum {
    /// With one row more.
    pub(crate) fn add(&mut self, row: &Digest) {
        xor(&mut self.digests, row);
        self.rows = self.rows.saturating_add(1);
    }

    /// With one row less.
    pub(crate) fn remove(&mut self, row: &Digest) {
        xor(&mut self.digests, row);
        self.rows = self.rows.saturating_sub(1);
    }

    /// For storing beside the last link of the audit log, which is bound too.
    pub(crate) fn mask(
        self,
        macs: &Macs,
        link: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<MaskedSum, VaultError> {
        let nonce: [u8; 16] = fresh(entropy)?;
        let mut sum = macs.mask(&nonce, self.rows, link);
        xor(&mut sum, &self.digests);
        Ok(MaskedSum { nonce: nonce.to_vec(), sum: sum.to_vec(), rows: self.rows })
    }

    /// What `mask` was made from; garbage if anything was changed, which shows when it is compared.
    pub(crate) fn unmask(masked: &MaskedSum, macs: &Macs, link: &[u8]) -> Self {
        let mut digests = macs.mask(&masked.nonce, masked.rows, link);
        if let Ok(sum) = masked.sum.as_slice().try_into() {
            xor(&mut digests, sum);
        }
        Self { rows: masked.rows, digests }
    }

    /// Whether two sums are the same; takes the same time whatever the answer.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.rows == other.rows && verify_slices_are_equal(&self.digests, &other.digests).is_ok()
    }
}

fn xor(into: &mut Digest, other: &Digest) {
    for (byte, other) in into.iter_mut().zip(other) {
        *byte ^= other;
    }
}

#[cfg(test)]
mod tests {
    use super::super::entropy::SystemEntropy;
    use super::*;

    fn macs() -> Macs {
        Macs::new(Uuid::from_u128(7), &Macs::generate(&SystemEntropy).unwrap()).unwrap()
    }

    fn sum(rows: &[Digest]) -> Sum {
        let mut sum = Sum::default();
        rows.iter().for_each(|row| sum.add(row));
        sum
    }

    #[test]
    fn a_sum_does_not_depend_on_the_order_and_forgets_what_was_removed() {
        let macs = macs();
        let [a, b, c] = [b"a", b"b", b"c"].map(|id| macs.row("credentials", id, 1, b"tag"));
        let mut with_c = sum(&[c, a, b]);
        with_c.remove(&c);
        assert!(with_c.matches(&sum(&[b, a])));
        assert!(!with_c.matches(&sum(&[a, c])));
    }

    #[test]
    fn a_stored_sum_comes_back_only_with_everything_that_was_bound() {
        let macs = macs();
        let sum = sum(&[macs.row("files", b"a", 1, b"tag")]);
        let masked = sum.mask(&macs, b"link", &SystemEntropy).unwrap();
        assert!(Sum::unmask(&masked, &macs, b"link").matches(&sum));
        assert!(!Sum::unmask(&masked, &macs, b"other").matches(&sum));
        let fewer = MaskedSum { rows: 0, sum: masked.sum.clone(), nonce: masked.nonce.clone() };
        assert!(!Sum::unmask(&fewer, &macs, b"link").matches(&sum));
        let again = sum.mask(&macs, b"link", &SystemEntropy).unwrap();
        assert_ne!(masked.sum, again.sum, "the same sum never looks the same twice");
    }

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let macs = macs();
        let all = [
            macs.token("x"),
            mac(&macs.token, &[b"x"]),
            mac(&macs.row, &[b"x"]),
            mac(&macs.whole, &[b"x"]),
            mac(&macs.audit, &[b"x"]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one));
        }
    }
}
