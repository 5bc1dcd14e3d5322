//! The system prompt decoded: `systemInstruction`, in all the forms that clients send it in.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{fields, member};
use crate::chat::Part;
use crate::fault::Fault;
use crate::raw::RawObject;

/// The parts of the system prompt. `None`: there are none.
pub(super) fn decode(body: &RawObject) -> Result<Option<Vec<Part>>, Fault> {
    let at = fields::either(body, "systemInstruction").unwrap_or_default();
    let given: Option<System> = member(body, "systemInstruction")
        .map_err(|_| Fault::malformed(at.clone(), format!("'{at}' must be a turn whose parts are text")))?;
    let texts = given.map(|System(texts)| texts).unwrap_or_default();
    let parts: Vec<Part> = texts.into_iter().map(|Words(text)| Part::text(text)).collect();
    Ok((!parts.is_empty()).then_some(parts))
}

/// A turn, a list of parts, one part, or plain text.
struct System(Vec<Words>);

/// A part that is text: plain, or as an object.
struct Words(String);

/// A turn; or a part, which has a text.
#[derive(Deserialize)]
struct Object {
    text: Option<Value>,
    parts: Option<Vec<Words>>,
}

#[derive(Deserialize)]
struct TextPart {
    text: String,
}

impl<'de> Deserialize<'de> for System {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = System;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a turn, parts or text")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<System, E> {
                Ok(System(vec![Words(text.to_owned())]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<System, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(parts)).map(System)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<System, A::Error> {
                let object = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(System(match object.text {
                    Some(Value::String(text)) => vec![Words(text)],
                    _ => object.parts.unwrap_or_default(),
                }))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Words;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a part that is text")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Words, E> {
                Ok(Words(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Words, A::Error> {
                TextPart::deserialize(MapAccessDeserializer::new(map)).map(|part| Words(part.text))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn texts(system: &Value) -> Result<Vec<String>, Fault> {
        let body = json!({"system_instruction": system}).to_string();
        let parts = decode(&RawObject::parse(Bytes::from(body)).unwrap())?.unwrap_or_default();
        let text = |part| match part {
            Part::Text { text, .. } => text,
            other => panic!("no text: {other:?}"),
        };
        Ok(parts.into_iter().map(text).collect())
    }

    #[test]
    fn a_prompt_is_read_in_every_form() {
        for (form, expected) in [
            (json!("a"), vec!["a"]),
            (json!(["a", {"text": "b", "thought": false}]), vec!["a", "b"]),
            (json!({"text": "a"}), vec!["a"]),
            (json!({"role": "system", "parts": [{"text": "a"}, "b"]}), vec!["a", "b"]),
            (json!({"text": null, "parts": ["a"]}), vec!["a"]),
            (json!({"role": "system"}), vec![]),
            (json!([]), vec![]),
            (json!(null), vec![]),
        ] {
            assert_eq!(texts(&form).unwrap(), expected, "{form}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused_by_the_name_that_the_client_gave_it() {
        for form in [json!(1), json!({"parts": [{"inlineData": {}}]}), json!({"parts": "a"}), json!([1])] {
            let fault = texts(&form).unwrap_err();
            assert_eq!(fault.param(), Some("system_instruction"), "{form}");
        }
    }
}
