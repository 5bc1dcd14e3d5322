//! `:countTokens`: the request around a conversation, and the answer, both ways.
//! Source: Google's reference, `models.countTokens`; the recorded exchanges.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{fault, request};
use crate::chat::{ChatRequest, Encoded, Profile};
use crate::dialect::Head;
use crate::fault::Fault;
use crate::json_writer::ObjectWriter;
use crate::raw::RawObject;

/// What a client wants counted: `contents`, alone or with the rest of a request beside it (Vertex AI), or a whole
/// `generateContentRequest`.
pub fn decode_request(head: &Head, body: &RawObject) -> Result<ChatRequest, Fault> {
    let inner = body.raw("generateContentRequest").or_else(|| body.raw("generate_content_request"));
    match inner.filter(|text| *text != "null") {
        Some(text) => {
            let inner = RawObject::parse(Bytes::copy_from_slice(text.as_bytes()))?;
            request::decode(head, &inner)
        }
        None => request::decode(head, body),
    }
}

/// A request for the provider's own count, with all that counts: system prompt and tools too.
pub fn encode_request(request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault> {
    let encoded = request::encode(request, profile)?;
    let mut inner = RawObject::parse(encoded.body)?;
    inner.set("model", &format!("models/{}", profile.model));
    let inner = inner.into_bytes();
    let inner: &serde_json::value::RawValue = serde_json::from_slice(&inner).map_err(Fault::internal)?;
    let mut body = ObjectWriter::new();
    body.put("generateContentRequest", inner);
    Ok(Encoded { body: body.finish(), ..encoded })
}

/// The number of tokens in a provider's answer.
pub fn decode_answer(body: &[u8]) -> Result<u64, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        total_tokens: u64,
    }
    let answer: Answer =
        serde_json::from_slice(body).map_err(|error| fault::bad_answer(error.to_string()))?;
    Ok(answer.total_tokens)
}

/// The answer for a client.
pub fn encode_answer(total_tokens: u64) -> Bytes {
    Bytes::from(json!({"totalTokens": total_tokens}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &'static str) -> ChatRequest {
        let body = RawObject::parse(Bytes::from_static(body.as_bytes())).unwrap();
        decode_request(&Head { model: Some("m".into()), ..Head::default() }, &body).unwrap()
    }

    #[test]
    fn both_forms_of_the_request_are_read() {
        let plain = request(r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#);
        let whole = request(
            r#"{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"hi"}]}],
            "systemInstruction":{"parts":[{"text":"be brief"}]}}}"#,
        );
        assert_eq!((plain.messages.len(), whole.messages.len()), (1, 2));
        assert_eq!(whole.model, "m");
    }

    #[test]
    fn all_that_counts_is_sent() {
        let asked = request(r#"{"contents":[{"parts":[{"text":"hi"}]}],"systemInstruction":"be brief"}"#);
        let encoded = encode_request(&asked, &Profile::unknown("p", "g")).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&encoded.body).unwrap();
        let inner = &body["generateContentRequest"];
        assert_eq!(inner["model"], "models/g");
        assert_eq!(inner["systemInstruction"]["parts"][0]["text"], "be brief");
        assert_eq!(inner["contents"][0]["parts"][0]["text"], "hi");
    }

    #[test]
    fn the_answer_is_a_number() {
        assert_eq!(decode_answer(&encode_answer(31)).unwrap(), 31);
        assert!(matches!(decode_answer(b"{}"), Err(Fault::BadAnswer { .. })));
    }
}
