//! Counting the tokens of a conversation without answering it: what a request to count has of a chat request, and where
//! the number stands in the answer.
//!
//! All dialects count the same conversation that they would answer, so that this is a table and not a codec. Estimating
//! where nobody counts is not done here: it takes a vocabulary.

use std::borrow::Cow;

use bytes::Bytes;

use crate::chat::{ChatRequest, Loss, Profile};
use crate::dialect::{Head, Peek, Surface, Wire};
use crate::fault::Fault;
use crate::json_writer::ObjectWriter;
use crate::raw::RawObject;

/// How a dialect counts.
#[derive(Debug)]
pub struct Counting {
    /// Fields of a chat request that a request to count may have; servers refuse the others.
    fields: &'static [&'static str],
    /// The output limit, where chat demands one; counting has none.
    output_limit: Option<&'static str>,
    /// Names of the member in which a whole chat request may stand; the first is the one that is sent.
    wrapper: &'static [&'static str],
    /// What stands before the model's name in the wrapped request.
    model_prefix: &'static str,
    /// What the answer says it is: `object`, where the dialect has that.
    object: Option<&'static str>,
    /// Where the number stands in the answer.
    total: &'static str,
    /// Clients take fields in the answer that they do not know.
    tolerant: bool,
}

/// `POST /v1/messages/count_tokens`.
/// Source: <https://docs.anthropic.com/en/api/messages-count-tokens>, and recorded traffic.
pub static ANTHROPIC_MESSAGES: Counting = Counting {
    fields: &[
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "cache_control",
        "output_config",
        "mcp_servers",
        "context_management",
    ],
    output_limit: Some("max_tokens"),
    wrapper: &[],
    model_prefix: "",
    object: None,
    total: "input_tokens",
    tolerant: true,
};

/// `POST /v1beta/models/{model}:countTokens`: `contents` alone, or a whole request in `generateContentRequest`.
/// Source: <https://ai.google.dev/api/tokens>. `google-genai` refuses answers with unknown fields.
pub static GEMINI: Counting = Counting {
    fields: &["contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "cachedContent"],
    output_limit: None,
    wrapper: &["generateContentRequest", "generate_content_request"],
    model_prefix: "models/",
    object: None,
    total: "totalTokens",
    tolerant: false,
};

/// `POST /v1/responses/input_tokens`.
/// Source: <https://platform.openai.com/docs/api-reference/responses/input-tokens>.
pub static OPENAI_RESPONSES: Counting = Counting {
    fields: &[
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "previous_response_id",
        "conversation",
        "truncation",
    ],
    output_limit: None,
    wrapper: &[],
    model_prefix: "",
    object: Some("response.input_tokens"),
    total: "input_tokens",
    tolerant: true,
};

/// An output limit that no thinking budget exceeds.
const ANY_OUTPUT: u32 = u32::MAX;

impl Counting {
    /// What admission and the plan need.
    ///
    /// # Errors
    /// `Malformed`, naming the field.
    pub fn peek(&self, surface: &dyn Surface, head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        surface.peek(head, &self.as_chat(body)?)
    }

    /// The conversation.
    ///
    /// # Errors
    /// `Malformed`, naming the field.
    pub fn decode_request(
        &self,
        surface: &dyn Surface,
        head: &Head,
        body: &RawObject,
    ) -> Result<ChatRequest, Fault> {
        let request = surface.decode_request(head, &self.as_chat(body)?)?;
        Ok(ChatRequest { max_output: None, ..request })
    }

    /// The request as one to chat.
    fn as_chat(&self, body: &RawObject) -> Result<RawObject, Fault> {
        if let Some((_, whole)) = self.wrapped(body)? {
            return Ok(whole);
        }
        let mut chat = body.clone();
        if let Some(field) = self.output_limit.filter(|field| !body.has(field)) {
            chat.set(field, &ANY_OUTPUT);
        }
        Ok(chat)
    }

    /// Edits a carried body for its target: the model.
    ///
    /// # Errors
    /// `Malformed`, naming the field.
    pub fn retarget(&self, body: &mut RawObject, model: &str) -> Result<(), Fault> {
        let named = format!("{}{model}", self.model_prefix);
        if self.wrapper.is_empty() {
            return name(body, &named);
        }
        if let Some((wrapper, mut whole)) = self.wrapped(body)? {
            name(&mut whole, &named)?;
            let whole = String::from_utf8_lossy(&whole.into_bytes()).into_owned();
            body.set_raw(wrapper, whole);
        }
        Ok(())
    }

    /// The whole chat request in a body, and the name of the member where it stands.
    fn wrapped(&self, body: &RawObject) -> Result<Option<(&'static str, RawObject)>, Fault> {
        let stands = |wrapper: &&'static str| body.raw(wrapper).filter(|text| *text != "null");
        let Some(wrapper) = self.wrapper.iter().find(|wrapper| stands(wrapper).is_some()) else {
            return Ok(None);
        };
        let text = stands(wrapper).unwrap_or_default();
        Ok(Some((wrapper, RawObject::parse(Bytes::copy_from_slice(text.as_bytes()))?)))
    }

    /// A request to count in this format, and what it lacks of the conversation.
    ///
    /// # Errors
    /// As the wire's own requests.
    pub fn encode_request(
        &self,
        wire: &dyn Wire,
        request: &ChatRequest,
        profile: &Profile,
    ) -> Result<(RawObject, Vec<Loss>), Fault> {
        let encoded = wire.encode_request(request, profile)?;
        let mut body = RawObject::parse(encoded.body)?;
        let foreign: Vec<String> =
            body.keys().filter(|key| !self.fields.contains(key)).map(str::to_owned).collect();
        foreign.iter().for_each(|key| body.remove(key));
        let Some(wrapper) = self.wrapper.first() else { return Ok((body, encoded.losses)) };
        body.set("model", &format!("{}{}", self.model_prefix, profile.model));
        let whole = String::from_utf8_lossy(&body.into_bytes()).into_owned();
        let mut wrapped = RawObject::parse(Bytes::from_static(b"{}"))?;
        wrapped.set_raw(wrapper, whole);
        Ok((wrapped, encoded.losses))
    }

    /// The number in an answer.
    ///
    /// # Errors
    /// `BadAnswer`: there is none.
    pub fn decode_response(&self, body: &RawObject) -> Result<u64, Fault> {
        let none = || Fault::BadAnswer { provider: String::new(), why: format!("it has no {}", self.total) };
        body.get(self.total).ok().flatten().ok_or_else(none)
    }

    /// The number as an answer; an estimate says so where clients take it.
    pub fn encode_response(&self, tokens: u64, estimated: bool) -> Bytes {
        let mut out = ObjectWriter::new();
        out.put_some("object", self.object);
        out.put(self.total, &tokens);
        if estimated && self.tolerant {
            out.put("estimated", &true);
        }
        out.finish()
    }
}

/// Names the model, unless it is named so already.
fn name(body: &mut RawObject, model: &str) -> Result<(), Fault> {
    if body.get::<Cow<'_, str>>("model")?.as_deref() != Some(model) {
        body.set("model", model);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::gemini::Gemini;

    fn object(value: &Value) -> RawObject {
        RawObject::parse(Bytes::from(value.to_string())).unwrap()
    }

    fn request(body: &Value) -> ChatRequest {
        let head = Head { model: Some("m".into()), ..Head::default() };
        GEMINI.decode_request(&Gemini, &head, &object(body)).unwrap()
    }

    #[test]
    fn both_forms_of_geminis_request_are_read_in_both_spellings() {
        let plain = json!({"contents": [{"parts": [{"text": "hi"}]}]});
        let inner = json!({"model": "models/m", "contents": [{"parts": [{"text": "hi"}]}],
            "systemInstruction": {"parts": [{"text": "be brief"}]}});
        assert_eq!(request(&plain).messages.len(), 1);
        for name in GEMINI.wrapper {
            let whole = request(&json!({*name: inner}));
            assert_eq!((whole.messages.len(), whole.model.as_str()), (2, "m"), "{name}");
        }
        let beside = json!({"generateContentRequest": null, "contents": plain["contents"]});
        assert_eq!(request(&beside).messages.len(), 1);
    }

    #[test]
    fn all_that_counts_is_sent() {
        let asked =
            request(&json!({"contents": [{"parts": [{"text": "hi"}]}], "systemInstruction": "be brief"}));
        let (sent, _) = GEMINI.encode_request(&Gemini, &asked, &Profile::unknown("p", "g")).unwrap();
        let sent: Value = serde_json::from_slice(&sent.into_bytes()).unwrap();
        let inner = &sent["generateContentRequest"];
        assert_eq!(inner["model"], "models/g");
        assert_eq!(inner["systemInstruction"]["parts"][0]["text"], "be brief");
        assert_eq!(inner["contents"][0]["parts"][0]["text"], "hi");
    }

    #[test]
    fn a_carried_request_is_named_where_it_names_its_model() {
        for name in GEMINI.wrapper {
            let mut body = object(&json!({*name: {"model": "models/ours", "contents": []}}));
            GEMINI.retarget(&mut body, "theirs").unwrap();
            let sent: Value = serde_json::from_slice(&body.into_bytes()).unwrap();
            assert_eq!(sent, json!({*name: {"model": "models/theirs", "contents": []}}));
        }
    }

    #[test]
    fn the_answer_is_a_number() {
        let read = |bytes: Bytes| GEMINI.decode_response(&RawObject::parse(bytes).unwrap());
        assert_eq!(read(GEMINI.encode_response(31, true)).unwrap(), 31);
        assert!(matches!(read(Bytes::from_static(b"{}")), Err(Fault::BadAnswer { .. })));
    }
}
