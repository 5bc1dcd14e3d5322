//! The vault's cryptography, without storage: root key, subkeys, key check, and the envelope around each secret.
//!
//! Every write gets a data key of its own, which seals one message and is itself wrapped by a key-encryption key
//! (KEK). So a nonce cannot repeat under a data key, and rotation rewrites 60 bytes a row. Where rows live and
//! where the root key comes from is not known here.

mod aad;
mod aead;
mod entropy;
mod locked;
mod macs;
mod responses;
mod sealer;

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use thiserror::Error;
use uuid::Uuid;

use crate::secret::Secret;

pub(crate) use aad::Place;
pub(crate) use aead::{KEY_LEN, Key, KeyBytes, TAG_LEN};
pub(crate) use entropy::{Entropy, SystemEntropy, fresh};
pub(crate) use macs::{Digest, Macs, MaskedSum, Sum};
pub(crate) use responses::{ResponseKeys, ResponsePlace, ResponseText};
pub use sealer::Sealer;

use aead::{Seed, derive};
use locked::Locked;

/// The format of the vault; part of the key check, so that an older program cannot misread a newer vault. Format 2
/// added the MACs over rows, whole and audit log.
pub(crate) const FORMAT: u32 = 2;

/// Wraps that one KEK may do. Random 96-bit nonces are safe for 2^32 messages a key (NIST SP 800-38D section 8.3);
/// half of that leaves room to rotate.
pub(crate) const MAX_WRAPS: i64 = 1 << 31;

/// Why the vault could not seal or open.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum VaultError {
    #[error("the sealed value does not belong to its row, or was changed")]
    Tampered,
    #[error("the system's random number generator failed")]
    NoEntropy,
    #[error("the value is too long to be sealed")]
    TooLong,
}

/// The 32 bytes from which every other key is derived.
pub(crate) struct RootKey(Locked<KeyBytes>);

impl RootKey {
    pub(crate) fn new(bytes: KeyBytes) -> Self {
        Self(Locked::new(bytes))
    }

    /// A new root key.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, VaultError> {
        fresh_key(entropy).map(Self::new)
    }

    /// For writing the key file, nothing else.
    pub(crate) fn bytes(&self) -> &KeyBytes {
        &self.0
    }

    /// A value that only this root key gives for this vault: stored, it tells a wrong key before anything is written.
    pub(crate) fn check(&self, vault: Uuid, format: u32) -> [u8; TAG_LEN] {
        let key = Key::new(&derive(&self.0, vault.as_bytes(), "kcv"));
        let aad = aad::encode(&[b"gwv1", b"key-check", vault.as_bytes(), &format.to_be_bytes()]);
        // The nonce may be fixed: this key seals no other message, and a tag alone is kept of this one.
        let sealed = key.seal([0; 12], &aad, b"llm-gateway key check").expect("a short text can be sealed");
        *sealed.last_chunk().expect("a sealed text ends in its tag")
    }

    /// Whether `check` was made by this key for this vault; takes the same time whatever the answer.
    pub(crate) fn matches(&self, vault: Uuid, format: u32, check: &[u8]) -> bool {
        verify_slices_are_equal(&self.check(vault, format), check).is_ok()
    }
}

/// A secret as it is stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// `nonce | ciphertext | tag` under the data key.
    pub body: Vec<u8>,
    /// `nonce | data key | tag` under the KEK: 60 bytes.
    pub wrapped_key: Vec<u8>,
    /// The KEK that wraps the data key.
    pub kek_no: u32,
}

/// Seals and opens secrets under one root key. It holds what KEKs are derived from, but not the root.
pub(crate) struct Vault {
    id: Uuid,
    seed: Locked<Seed>,
    entropy: Arc<dyn Entropy>,
}

impl Vault {
    pub(crate) fn new(id: Uuid, root: &RootKey, entropy: Arc<dyn Entropy>) -> Self {
        Self { id, seed: Locked::new(Seed::new(&root.0, id.as_bytes())), entropy }
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// Seals `secret` for `place` under a fresh data key, which KEK `kek_no` wraps.
    pub(crate) fn seal(&self, kek_no: u32, place: &Place<'_>, secret: &Secret) -> Result<Sealed, VaultError> {
        let data_key = fresh_key(&*self.entropy)?;
        let body_aad = aad::of_body(self.id, place);
        let body = Key::new(&data_key).seal(self.nonce()?, &body_aad, secret.expose().as_bytes())?;
        let wrapped_key = self.wrap(kek_no, place, &data_key)?;
        Ok(Sealed { body, wrapped_key, kek_no })
    }

    /// The secret that was sealed for exactly this `place`.
    pub(crate) fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
        let data_key = self.unwrap_key(place, sealed)?;
        let plain = Key::new(&data_key).open(&aad::of_body(self.id, place), &sealed.body)?;
        let text = std::str::from_utf8(&plain).map_err(|_| VaultError::Tampered)?;
        Ok(Secret::new(text.to_owned()))
    }

    /// The data key of a sealed value under KEK `kek_no` of `to`; the value itself stays as it is.
    pub(crate) fn rewrap(
        &self,
        to: &Vault,
        kek_no: u32,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, VaultError> {
        to.wrap(kek_no, place, &self.unwrap_key(place, sealed)?)
    }

    fn wrap(&self, kek_no: u32, place: &Place<'_>, data_key: &KeyBytes) -> Result<Vec<u8>, VaultError> {
        let aad = aad::of_wrapped_key(self.id, place, kek_no);
        self.kek(kek_no).seal(self.nonce()?, &aad, data_key.as_slice())
    }

    fn unwrap_key(&self, place: &Place<'_>, sealed: &Sealed) -> Result<KeyBytes, VaultError> {
        let aad = aad::of_wrapped_key(self.id, place, sealed.kek_no);
        let data_key = self.kek(sealed.kek_no).open(&aad, &sealed.wrapped_key)?;
        key_from(&data_key).ok_or(VaultError::Tampered)
    }

    /// Derived anew each time: two microseconds, and no key of the past stays in memory.
    fn kek(&self, kek_no: u32) -> Key {
        Key::new(&self.seed.subkey(&format!("kek/{kek_no}")))
    }

    fn nonce(&self) -> Result<[u8; 12], VaultError> {
        fresh(&*self.entropy)
    }
}

/// A random (version 4) id.
pub(crate) fn fresh_id(entropy: &dyn Entropy) -> Result<Uuid, VaultError> {
    Ok(uuid::Builder::from_random_bytes(fresh(entropy)?).into_uuid())
}

/// A new key, filled in place so that no copy of it stays behind.
fn fresh_key(entropy: &dyn Entropy) -> Result<KeyBytes, VaultError> {
    let mut key = KeyBytes::new([0; KEY_LEN]);
    entropy.fill(key.as_mut_slice())?;
    Ok(key)
}

/// `bytes` as a key, if they have a key's length.
fn key_from(bytes: &[u8]) -> Option<KeyBytes> {
    let mut key = KeyBytes::new([0; KEY_LEN]);
    (bytes.len() == KEY_LEN).then(|| key.copy_from_slice(bytes))?;
    Some(key)
}

#[cfg(test)]
mod tests;
