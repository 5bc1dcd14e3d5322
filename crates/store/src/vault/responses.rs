//! Seals stored responses. Each row has a key of its own, which is derived and not kept: it seals two texts, so that a
//! nonce does not repeat, and the vault's own key, from which all are derived, is the only one that a rotation re-wraps.

use uuid::Uuid;
use zeroize::Zeroizing;

use super::aad::encode;
use super::aead::{KEY_LEN, Key, KeyBytes, derive};
use super::entropy::{Entropy, fresh};
use super::{VaultError, locked::Locked};
use crate::secret::Secret;

/// What the keys of all rows are derived from.
pub(crate) struct ResponseKeys {
    vault: Uuid,
    root: Locked<KeyBytes>,
}

/// What a sealed text is bound to.
pub(crate) struct ResponsePlace<'a> {
    pub row: Uuid,
    pub key: Option<&'a str>,
    pub project: &'a str,
    pub id: &'a str,
    pub previous: Option<i64>,
    pub created_at: i64,
}

/// One of the two texts of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ResponseText {
    Input,
    Answer,
}

impl ResponseKeys {
    /// From the vault's own key, in the form in which it is sealed.
    pub(crate) fn new(vault: Uuid, own: &Secret) -> Result<Self, VaultError> {
        let mut bytes = KeyBytes::new([0; KEY_LEN]);
        hex::decode_to_slice(own.expose(), bytes.as_mut_slice()).map_err(|_| VaultError::Tampered)?;
        Ok(Self { vault, root: Locked::new(derive(&bytes, vault.as_bytes(), "responses")) })
    }

    pub(crate) fn seal(
        &self,
        place: &ResponsePlace<'_>,
        which: ResponseText,
        plain: &str,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, VaultError> {
        self.key(place).seal(fresh(entropy)?, &self.bound(place, which), plain.as_bytes())
    }

    /// The text that was sealed for exactly this place.
    pub(crate) fn open(
        &self,
        place: &ResponsePlace<'_>,
        which: ResponseText,
        sealed: &[u8],
    ) -> Result<String, VaultError> {
        let plain: Zeroizing<Vec<u8>> = self.key(place).open(&self.bound(place, which), sealed)?;
        str::from_utf8(&plain).map(str::to_owned).map_err(|_| VaultError::Tampered)
    }

    fn key(&self, place: &ResponsePlace<'_>) -> Key {
        Key::new(&derive(&self.root, place.row.as_bytes(), "response"))
    }

    fn bound(&self, place: &ResponsePlace<'_>, which: ResponseText) -> Vec<u8> {
        let which: &[u8] = match which {
            ResponseText::Input => b"response-input",
            ResponseText::Answer => b"response-answer",
        };
        encode(&[
            b"gwv1",
            which,
            self.vault.as_bytes(),
            place.row.as_bytes(),
            &[u8::from(place.key.is_some())],
            place.key.unwrap_or_default().as_bytes(),
            place.project.as_bytes(),
            place.id.as_bytes(),
            &place.previous.unwrap_or_default().to_be_bytes(),
            &place.created_at.to_be_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Macs, SystemEntropy};
    use super::*;

    fn place(row: u128) -> ResponsePlace<'static> {
        let row = Uuid::from_u128(row);
        ResponsePlace {
            row,
            key: Some("ci"),
            project: "blue",
            id: "resp_1",
            previous: Some(3),
            created_at: 5,
        }
    }

    #[test]
    fn a_text_opens_at_its_place_and_at_no_other() {
        let keys = ResponseKeys::new(Uuid::from_u128(7), &Macs::generate(&SystemEntropy).unwrap()).unwrap();
        let sealed = keys.seal(&place(1), ResponseText::Input, "hi", &SystemEntropy).unwrap();
        assert_eq!(keys.open(&place(1), ResponseText::Input, &sealed).as_deref(), Ok("hi"));
        let others = [
            (place(2), ResponseText::Input),
            (place(1), ResponseText::Answer),
            (ResponsePlace { key: None, ..place(1) }, ResponseText::Input),
            (ResponsePlace { key: Some("other"), ..place(1) }, ResponseText::Input),
            (ResponsePlace { project: "red", ..place(1) }, ResponseText::Input),
            (ResponsePlace { id: "resp_2", ..place(1) }, ResponseText::Input),
            (ResponsePlace { previous: None, ..place(1) }, ResponseText::Input),
            (ResponsePlace { created_at: 6, ..place(1) }, ResponseText::Input),
        ];
        for (other, which) in others {
            assert_eq!(keys.open(&other, which, &sealed), Err(VaultError::Tampered));
        }
    }
}
