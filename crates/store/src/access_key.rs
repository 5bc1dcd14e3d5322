//! The text of access keys: `gw_<id>_<secret><checksum>`, and how one is recognised. Where they are kept is not known
//! here.
//!
//! The secret part has 256 bits, so a keyed digest of it is kept and no slow hash: that would be a gift to whoever
//! wants to keep the gateway busy.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::types::AccessKey;
use crate::vault::{Digest, Entropy, Macs, VaultError, fresh};

const PREFIX: &str = "gw_";
/// Characters of an id.
const ID: usize = 8;
/// Characters of 32 bytes in base64.
const SECRET: usize = 43;
/// Characters of the checksum, by which a scanner for leaked keys knows one without asking.
const CHECKSUM: usize = 6;
/// Of an id: 32 characters that are not mistaken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new id.
pub(crate) fn mint_id(entropy: &dyn Entropy) -> Result<String, VaultError> {
    let bytes: [u8; ID] = fresh(entropy)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// A new key with this id.
pub(crate) fn mint(id: &str, entropy: &dyn Entropy) -> Result<Secret, VaultError> {
    let bytes = Zeroizing::new(fresh::<32>(entropy)?);
    let mut text = String::with_capacity(PREFIX.len() + ID + 1 + SECRET + CHECKSUM);
    text.push_str(PREFIX);
    text.push_str(id);
    text.push('_');
    URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
    let checksum = checksum(&text);
    text.push_str(&checksum);
    Ok(Secret::new(text))
}

/// The last characters of a key, by which people tell two of the same id apart.
pub(crate) fn ending(key: &Secret) -> String {
    let text = key.expose();
    text[text.len().saturating_sub(4)..].to_owned()
}

fn checksum(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let mut checksum = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..6]);
    checksum.truncate(CHECKSUM);
    checksum
}

/// The id in a key that is formed like one of ours.
fn id_of(presented: &str) -> Option<&str> {
    let rest = presented.strip_prefix(PREFIX)?;
    let well_formed = presented.len() == PREFIX.len() + ID + 1 + SECRET + CHECKSUM && presented.is_ascii();
    let (text, sum) = well_formed.then(|| presented.split_at(presented.len() - CHECKSUM))?;
    (rest.as_bytes()[ID] == b'_' && checksum(text) == sum).then(|| &rest[..ID])
}

/// The digests of one key.
pub(crate) struct Held {
    pub key: AccessKey,
    pub mac: Vec<u8>,
    pub old_mac: Option<Vec<u8>>,
}

/// All access keys as they were at one moment, for the door.
pub struct IssuedKeys {
    macs: Arc<Macs>,
    by_id: HashMap<String, Held>,
}

impl IssuedKeys {
    pub(crate) fn new(macs: Arc<Macs>, held: impl IntoIterator<Item = Held>) -> Self {
        Self { macs, by_id: held.into_iter().map(|held| (held.key.id.clone(), held)).collect() }
    }

    /// Whether a text is meant to be one of these keys, valid or not.
    pub fn is_ours(presented: &str) -> bool {
        presented.starts_with(PREFIX)
    }

    /// The key that this text is, if it opens the door now. An unknown id takes as long as a wrong secret.
    pub fn find(&self, presented: &str, now: Timestamp) -> Option<&AccessKey> {
        let held = self.by_id.get(id_of(presented)?);
        let mac = self.macs.token(presented);
        let fits = |stored: &[u8]| verify_slices_are_equal(stored, &mac).is_ok();
        let Some(held) = held else {
            // The dummy differs from every digest by being all zeros; the comparison takes its time all the same.
            let _ = fits(&Digest::default());
            return None;
        };
        let is_old = || {
            let accepted = held.key.old_until.is_some_and(|until| now < until);
            accepted && held.old_mac.as_deref().is_some_and(fits)
        };
        ((fits(&held.mac) || is_old()) && held.key.is_valid(now)).then_some(&held.key)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &AccessKey> {
        self.by_id.values().map(|held| &held.key)
    }

    /// The key of that id, whatever its state.
    pub fn get(&self, id: &str) -> Option<&AccessKey> {
        self.by_id.get(id).map(|held| &held.key)
    }
}

impl std::fmt::Debug for IssuedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedKeys").field("keys", &self.by_id.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::SystemEntropy;

    #[test]
    fn a_minted_key_carries_its_id_and_a_checksum() {
        let id = mint_id(&SystemEntropy).unwrap();
        let key = mint(&id, &SystemEntropy).unwrap();
        assert_eq!(key.expose().len(), 3 + 8 + 1 + 43 + 6);
        assert_eq!(id_of(key.expose()), Some(&*id));
        assert_eq!(ending(&key).len(), 4);
    }

    #[test]
    fn what_is_not_formed_like_a_key_has_no_id() {
        let key = mint("abcdefgh", &SystemEntropy).unwrap();
        let key = key.expose();
        let flipped = key.replacen('_', "-", 2).replacen('-', "_", 1);
        for text in
            ["", "gw_", "gw_abcdefgh_", "sk-abc", &key[..60], &format!("{key}x"), &flipped, &"ключ".repeat(9)]
        {
            assert_eq!(id_of(text), None, "{text}");
        }
        for at in 12..key.len() {
            let mut bent = key.to_owned().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(id_of(std::str::from_utf8(&bent).unwrap()), None, "character {at}");
        }
    }
}
