//! Signatures of thoughts, ours and those of other families, as clients of this dialect keep them.
//!
//! `thoughtSignature` holds bytes, so a wrapped thought of another family is encoded once more: an SDK that decodes the
//! field and encodes it again, in either alphabet, gives it back.

use base64::Engine;

use super::media;
use crate::chat::{Origin, Part, custody};
use crate::dialect::Dialect;

/// What clients and gateways send for a call whose signature they do not have, in plain and in base64.
/// Source: DIALECTS, section 5.3; Google's page on thought signatures; the recorded requests have the second form.
const BYPASS: [&str; 2] =
    ["skip_thought_signature_validator", "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="];

/// The value for a call without a signature.
pub(super) fn bypass() -> &'static str {
    BYPASS[0]
}

/// Whether a thought comes from this family.
pub(super) fn is_ours(origin: Option<&Origin>) -> bool {
    origin.is_some_and(|origin| origin.dialect == Dialect::Gemini)
}

/// A signature that says something. The bypass value and the empty one do not.
pub(super) fn stated(signature: Option<String>) -> Option<String> {
    signature.filter(|text| !text.is_empty() && !BYPASS.contains(&text.as_str()))
}

/// A signature that the field can hold, which is bytes in base64. Another is none of this family's, and an SDK would fail
/// on it.
pub(super) fn legible(signature: Option<&str>) -> Option<&str> {
    let legible = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    signature.filter(|text| !text.is_empty() && text.trim_end_matches('=').bytes().all(legible))
}

/// The text that carries a thought of another family. `None`: it has nothing that its family could use again.
pub(super) fn wrap(thought: &Part) -> Option<String> {
    let origin = match thought {
        Part::Thinking { origin, .. } | Part::RedactedThinking { origin, .. } => origin.as_ref()?,
        _ => return None,
    };
    let wrapped = custody::wrap(origin.dialect, thought)?;
    Some(media::BASE64.encode(wrapped))
}

/// The thought of another family that a signature carries.
pub(super) fn unwrap(signature: &str) -> Option<Part> {
    let plain = media::plain_alphabet(signature);
    let text = String::from_utf8(media::BASE64.decode(plain.as_bytes()).ok()?).ok()?;
    custody::unwrap(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thought_of_another_family_survives_either_alphabet() {
        let thought = Part::Thinking {
            text: "??>>~~ 嗯".into(),
            signature: Some("EqM+/Y".into()),
            encrypted: None,
            id: None,
            origin: Some(Dialect::AnthropicMessages.into()),
        };
        let carried = wrap(&thought).unwrap();
        assert_eq!(unwrap(&carried), Some(thought.clone()));
        let url_safe = carried.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
        assert_eq!(unwrap(&url_safe), Some(thought));
    }

    #[test]
    fn signatures_of_this_family_are_no_wrappers() {
        for signature in ["CiMBjz1rX25K", "skip_thought_signature_validator", "", "!"] {
            assert_eq!(unwrap(signature), None, "{signature}");
        }
    }

    #[test]
    fn what_is_no_base64_is_not_passed_on() {
        assert_eq!(legible(Some("CiM_-+/=")), Some("CiM_-+/="));
        for text in ["", "a b", "\"", "sig.1"] {
            assert_eq!(legible(Some(text)), None, "{text}");
        }
    }

    #[test]
    fn the_bypass_value_is_no_signature() {
        assert_eq!(stated(Some(BYPASS[1].into())), None);
        assert_eq!(stated(Some("CiMB".into())).as_deref(), Some("CiMB"));
        assert_eq!(media::BASE64.decode(BYPASS[1]).unwrap(), BYPASS[0].as_bytes());
    }
}
