//! A vector as text: an array of numbers, or base64 of its bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use super::VectorForm;

/// A vector to be written in one of the forms.
pub(super) struct Written<'a> {
    pub(super) vector: &'a [f32],
    pub(super) form: VectorForm,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.form {
            VectorForm::Floats => self.vector.serialize(serializer),
            VectorForm::Base64 => serializer.serialize_str(&to_base64(self.vector)),
        }
    }
}

fn to_base64(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// The numbers of a base64 text; `None` when it is none, or no whole number of floats.
pub(super) fn from_base64(text: &str) -> Option<Vec<f32>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_gives_back_the_very_same_numbers() {
        let vector = [0.0, -1.5, f32::MIN_POSITIVE, 0.013_168_523];
        assert_eq!(from_base64(&to_base64(&vector)).as_deref(), Some(&vector[..]));
    }

    /// As OpenAI's clients read it: `np.frombuffer(base64.b64decode(data), dtype="float32")`.
    #[test]
    fn the_low_byte_comes_first() {
        assert_eq!(to_base64(&[1.0]), "AACAPw==");
    }

    #[test]
    fn what_is_no_row_of_floats_is_refused() {
        assert_eq!(from_base64("AACA"), None);
        assert_eq!(from_base64("?"), None);
    }
}
