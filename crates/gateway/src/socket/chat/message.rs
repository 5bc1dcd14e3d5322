//! What a client says, as far as it is read before anything is done about it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Bytes of an id, as JSON text.
const LONGEST_ID: usize = 128;

/// One message.
pub(super) struct Message<'a> {
    pub(super) kind: Option<Cow<'a, str>>,
    /// A string or a number, as JSON text.
    pub(super) id: Option<&'a str>,
    pub(super) api_key: Option<Cow<'a, str>>,
    pub(super) project: Option<Cow<'a, str>>,
    pub(super) payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    api_key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    project: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// A sentence: not JSON, not an object, a field of the wrong type, an id that cannot be one.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        if !text.trim_ascii_start().starts_with('{') {
            return Err("a message must be a JSON object".to_owned());
        }
        let envelope: Envelope<'a> =
            serde_json::from_str(text).map_err(|error| format!("the message cannot be read: {error}"))?;
        let Envelope { kind, id, api_key, project, payload } = envelope;
        let id = id.map(|id| checked(id.get())).transpose()?;
        Ok(Self { kind, id, api_key, project, payload })
    }
}

fn checked(id: &str) -> Result<&str, String> {
    let is_scalar = id.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit());
    if is_scalar && id.len() <= LONGEST_ID {
        return Ok(id);
    }
    Err(format!("'id' must be a string or a number of at most {LONGEST_ID} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_told_why() {
        for (text, why) in [
            ("", "object"),
            ("[]", "object"),
            ("{", "cannot be read"),
            (r#"{"type":7}"#, "cannot be read"),
            (r#"{"type":"ping","type":"ping"}"#, "cannot be read"),
            (r#"{"type":"ping","id":[1]}"#, "'id'"),
            (r#"{"type":"ping","id":true}"#, "'id'"),
        ] {
            let told = Message::parse(text).err().unwrap();
            assert!(told.contains(why), "{text}: {told}");
        }
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(LONGEST_ID));
        assert!(Message::parse(&long).is_err());
    }

    #[test]
    fn an_id_is_kept_as_it_was_written() {
        for id in [r#""a""#, "7", "-1.5", r#""\u0061""#] {
            let text = format!(r#"{{"type":"ping","id":{id}}}"#);
            assert_eq!(Message::parse(&text).unwrap().id, Some(id));
        }
        assert_eq!(Message::parse(r#"{"id":null}"#).unwrap().id, None);
    }
}
