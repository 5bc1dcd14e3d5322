//! How mcp-llm-bridge seals: AES-256-GCM under one key, no associated data, the tag in a column of its own.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use store::Secret;
use zeroize::Zeroizing;

use super::rows::Sealed;

/// The key of a vault.
pub(super) struct MasterKey(LessSafeKey);

impl MasterKey {
    /// 64 hexadecimal digits, with white space around them; `None`: something else.
    pub(super) fn parse(text: &Secret) -> Option<Self> {
        let digits = text.expose().trim();
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut bytes = Zeroizing::new([0_u8; 32]);
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
        }
        UnboundKey::new(&AES_256_GCM, bytes.as_slice()).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// The text; `None`: it was sealed under another key, or changed since.
    pub(super) fn open(&self, sealed: &Sealed) -> Option<Secret> {
        let nonce: [u8; NONCE_LEN] = sealed.iv.as_slice().try_into().ok()?;
        let mut body = Zeroizing::new(sealed.value.clone());
        body.extend_from_slice(&sealed.tag);
        let opened =
            self.0.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut body).ok()?;
        std::str::from_utf8(opened).ok().map(|text| Secret::new(text.to_owned()))
    }
}
