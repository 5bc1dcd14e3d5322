//! Thoughts of one family in the hands of clients of another.
//!
//! Clients of Responses and of Messages keep a text that they do not understand (`encrypted_content`, `signature`) and
//! send it back as it came. A thought of another family travels in it: a mark that names the family, a colon, and base64
//! of a JSON object. So the thought returns whole to those who made it, and to nobody else. The marks are not secret and
//! prove nothing: what a client changes in there is for the upstream to refuse.
//!
//! The cache for clients that can carry nothing does not live here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::{Origin, Part, ToolKind};
use crate::dialect::Dialect;

/// Marks of thoughts and of signed calls. Source: DIALECTS, section 5.3, for `am1` and `gg1`.
const MARKS: &[(&str, Dialect)] = &[
    ("am1:", Dialect::AnthropicMessages),
    ("gg1:", Dialect::Gemini),
    ("rs1:", Dialect::OpenAiResponses),
    ("cc1:", Dialect::OpenAiChat),
];

/// The mark of thoughts that only their family can read. Source: DIALECTS, section 5.3.
const REDACTED: (&str, Dialect) = ("amr1:", Dialect::AnthropicMessages);

/// Every mark, for a quick look whether there may be wrappers in a text.
pub const MARKED: &[&str] = &["am1:", "gg1:", "rs1:", "cc1:", "amr1:"];

/// What stands behind the mark.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Wrapped {
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Of a redacted thought.
    #[serde(skip_serializing_if = "String::is_empty")]
    data: String,
    /// Id of the call that the signature belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

/// A thought, or the signature of a call, as an opaque text for clients of another family. `origin_dialect` is the family
/// that made it. `None`: this is neither a thought nor a signed call.
///
/// Thoughts without a seal are wrapped too: some families take them back, and no other may mistake them for its own. A
/// caller that shows the text beside the wrapper may leave it out of `thought`, and reads it again from what was shown.
pub fn wrap(origin_dialect: Dialect, thought: &Part) -> Option<String> {
    let wrapped = match thought.clone() {
        Part::Thinking { text, signature, encrypted, id, origin } => {
            Wrapped { thinking: text, signature, encrypted, id, ..Wrapped::by(origin) }
        }
        Part::RedactedThinking { data, origin } if origin_dialect == REDACTED.1 => {
            return Some(written(REDACTED.0, &Wrapped { data, ..Wrapped::by(origin) }));
        }
        Part::ToolCall { id, signature: Some(signature), .. } => {
            Wrapped { signature: Some(signature), call: Some(id), ..Wrapped::default() }
        }
        _ => return None,
    };
    let (mark, _) = MARKS.iter().find(|(_, dialect)| *dialect == origin_dialect)?;
    Some(written(mark, &wrapped))
}

/// What was wrapped, with its origin. `None`: this is no wrapper, but a text of the client's own family.
///
/// The signature of a call comes back as a [`Part::ToolCall`] with its id and without a name; [`reunite`] puts it where
/// it belongs.
pub fn unwrap(text: &str) -> Option<Part> {
    if let Some(encoded) = text.strip_prefix(REDACTED.0) {
        let wrapped = read(encoded)?;
        let origin = Some(wrapped.origin(REDACTED.1));
        return Some(Part::RedactedThinking { data: wrapped.data, origin });
    }
    let (encoded, dialect) =
        MARKS.iter().find_map(|(mark, dialect)| Some((text.strip_prefix(mark)?, *dialect)))?;
    let wrapped = read(encoded)?;
    let origin = Some(wrapped.origin(dialect));
    let Wrapped { thinking, signature, encrypted, id, call, .. } = wrapped;
    Some(match call {
        Some(id) => signed_call(id, signature),
        None => Part::Thinking { text: thinking, signature, encrypted, id, origin },
    })
}

/// Whether there is a wrapper in a JSON text. A request with one is not for any upstream as it stands.
pub fn is_in(json: &[u8]) -> bool {
    let is_mark = |before: &[u8]| {
        let mark = MARKS.iter().chain([&REDACTED]).find_map(|(mark, _)| before.strip_suffix(mark.as_bytes()));
        // The mark begins a string, and no quote inside of one is meant.
        mark.is_some_and(|before| before.ends_with(b"\"") && !before.ends_with(b"\\\""))
    };
    memchr::memmem::find_iter(json, b"1:").any(|at| is_mark(&json[..at + 2]))
}

/// Puts signatures that came back on their own on the calls of the same turn that they belong to. One whose call is not
/// there goes with it.
pub fn reunite(parts: &mut Vec<Part>) {
    let is_loose = |part: &Part| matches!(part, Part::ToolCall { name, .. } if name.is_empty());
    for loose in parts.extract_if(.., |part| is_loose(part)).collect::<Vec<_>>() {
        let Part::ToolCall { id: of, signature: found, .. } = loose else { continue };
        for part in parts.iter_mut() {
            if let Part::ToolCall { id, signature, .. } = part
                && *id == of
            {
                signature.clone_from(&found);
            }
        }
    }
}

impl Wrapped {
    fn by(origin: Option<Origin>) -> Self {
        let (provider, model) = origin.map(|origin| (origin.provider, origin.model)).unwrap_or_default();
        Self { provider, model, ..Self::default() }
    }

    fn origin(&self, dialect: Dialect) -> Origin {
        Origin { dialect, provider: self.provider.clone(), model: self.model.clone() }
    }
}

fn signed_call(id: String, signature: Option<String>) -> Part {
    Part::ToolCall { id, name: String::new(), args: String::new(), signature, kind: ToolKind::Function }
}

fn written(mark: &str, wrapped: &Wrapped) -> String {
    let json = serde_json::to_vec(wrapped).expect("an object of texts can be written as JSON");
    format!("{mark}{}", BASE64.encode(json))
}

fn read(encoded: &str) -> Option<Wrapped> {
    serde_json::from_slice(&BASE64.decode(encoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thought(dialect: Dialect, signature: Option<&str>, encrypted: Option<&str>) -> Part {
        Part::Thinking {
            text: "hm — 嗯".into(),
            signature: signature.map(str::to_owned),
            encrypted: encrypted.map(str::to_owned),
            id: Some("rs_1".into()),
            origin: Some(Origin { model: Some("m".into()), ..dialect.into() }),
        }
    }

    #[test]
    fn a_thought_of_each_family_comes_back_as_it_was() {
        for (mark, dialect) in MARKS {
            for part in [thought(*dialect, Some("sig"), None), thought(*dialect, None, Some("enc"))] {
                let text = wrap(*dialect, &part).unwrap();
                assert!(text.starts_with(mark), "{text}");
                assert_eq!(unwrap(&text), Some(part));
            }
        }
    }

    #[test]
    fn a_redacted_thought_comes_back_as_it_was() {
        let part =
            Part::RedactedThinking { data: "EmwK".into(), origin: Some(Dialect::AnthropicMessages.into()) };
        let text = wrap(Dialect::AnthropicMessages, &part).unwrap();
        assert!(text.starts_with("amr1:"), "{text}");
        assert_eq!(unwrap(&text), Some(part));
    }

    #[test]
    fn the_signature_of_a_call_finds_its_call_again() {
        let call = |signature: Option<&str>| Part::ToolCall {
            id: "c".into(),
            name: "f".into(),
            args: "{}".into(),
            signature: signature.map(str::to_owned),
            kind: ToolKind::Function,
        };
        let text = wrap(Dialect::Gemini, &call(Some("sig"))).unwrap();
        assert!(text.starts_with("gg1:"), "{text}");
        let mut parts = vec![unwrap(&text).unwrap(), Part::text("so"), call(None)];
        reunite(&mut parts);
        assert_eq!(parts, [Part::text("so"), call(Some("sig"))]);
        let mut without = vec![unwrap(&text).unwrap(), Part::text("so")];
        reunite(&mut without);
        assert_eq!(without, [Part::text("so")]);
    }

    #[test]
    fn only_thoughts_and_signed_calls_are_wrapped() {
        let plain = thought(Dialect::OpenAiChat, None, None);
        assert_eq!(unwrap(&wrap(Dialect::OpenAiChat, &plain).unwrap()), Some(plain));
        assert_eq!(wrap(Dialect::Gemini, &Part::text("hm")), None);
        assert_eq!(wrap(Dialect::Gemini, &signed_call("c".into(), None)), None);
    }

    #[test]
    fn wrappers_are_found_in_a_body() {
        assert!(is_in(br#"{"signature":"gg1:e30="}"#));
        assert!(is_in(br#"{"data": "amr1:e30="}"#));
        for text in
            [&br#"{"text":"say \"gg1:e30=\""}"#[..], br#"{"text":"gg1 gg1: 1:1"}"#, br#"{"m1":1}"#, b"1:"]
        {
            assert!(!is_in(text), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn what_is_no_wrapper_is_left_alone() {
        for text in ["", "am1:", "am1:!!", "am1:bm8=", "gg1:WzFd", "EqMBCkYIChgC", "zz1:e30="] {
            assert_eq!(unwrap(text), None, "{text}");
        }
    }
}
