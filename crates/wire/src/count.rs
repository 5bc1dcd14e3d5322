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
    /// The member in which a whole chat request may stand.
    wrapper: Option<&'static str>,
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
    wrapper: None,
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
    wrapper: Some("generateContentRequest"),
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
    wrapper: None,
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
        if let Some(whole) = self.wrapper.and_then(|wrapper| body.raw(wrapper)) {
            return RawObject::parse(Bytes::copy_from_slice(whole.as_bytes()));
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
        if let Some(wrapper) = self.wrapper {
            if let Some(whole) = body.raw(wrapper) {
                let mut whole = RawObject::parse(Bytes::copy_from_slice(whole.as_bytes()))?;
                name(&mut whole, &named)?;
                let whole = String::from_utf8_lossy(&whole.into_bytes()).into_owned();
                body.set_raw(wrapper, whole);
            }
            return Ok(());
        }
        name(body, &named)
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
        let Some(wrapper) = self.wrapper else { return Ok((body, encoded.losses)) };
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
