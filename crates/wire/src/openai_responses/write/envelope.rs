//! The answer as an object: who answers, what the request was, how it stands.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::chat::{Extra, Usage};
use crate::dialect::{Dialect, Echo};
use crate::json_writer::ObjectWriter;
use crate::openai_responses::usage;
use crate::raw::RawObject;

/// Fields of every answer that repeat the request, and what stands there if the request does not say. SDKs demand most
/// of them. Source: recorded answers of OpenAI, and openai-python 3.54.
const REPEATED: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("prompt_cache_key", "null"),
    ("prompt_cache_retention", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "null"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
];

/// What all objects of one answer share.
#[derive(Debug)]
pub(super) struct Envelope {
    id: String,
    created: u64,
    model: String,
    service_tier: Option<String>,
    /// Fields of this format that have no canonical name.
    extra: Extra,
    request: Option<RawObject>,
}

impl Envelope {
    pub(super) fn new(echo: &Echo) -> Self {
        let request = echo.request_fields.clone().and_then(|fields: Bytes| RawObject::parse(fields).ok());
        Self {
            id: answer_id(&echo.request_id),
            created: echo.created,
            model: echo.resolved_model.clone(),
            service_tier: None,
            extra: Extra::default(),
            request,
        }
    }

    /// The upstream says who answers.
    pub(super) fn start(&mut self, id: Option<&str>, model: Option<&str>, created: Option<u64>) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.id = answer_id(id);
        }
        if let Some(model) = model {
            model.clone_into(&mut self.model);
        }
        self.created = created.unwrap_or(self.created);
    }

    pub(super) fn service_tier(&mut self, tier: &str) {
        self.service_tier = Some(tier.to_owned());
    }

    pub(super) fn extra(&mut self, fields: &Extra) {
        self.extra.update(fields);
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The text of the request's `tools`.
    pub(super) fn tools(&self) -> Option<&str> {
        self.request.as_ref()?.raw("tools")
    }

    /// The answer while it is under way.
    pub(super) fn object(
        &self,
        status: &str,
        output: &[u8],
        usage: Option<&Usage>,
        error: Option<(&str, &str)>,
    ) -> Vec<u8> {
        self.ended(status, output, usage, error, None)
    }

    /// The answer as it ended. `output` is the JSON text of its items, `error` a code and a message, `incomplete` the
    /// reason for an early end.
    pub(super) fn ended(
        &self,
        status: &str,
        output: &[u8],
        usage: Option<&Usage>,
        error: Option<(&str, &str)>,
        incomplete: Option<&str>,
    ) -> Vec<u8> {
        let mut object = ObjectWriter::new();
        object.put("id", &self.id);
        object.put("object", "response");
        object.put("created_at", &self.created);
        object.put("status", status);
        object.put("background", &false);
        object.put("error", &error.map(|(code, message)| json!({"code": code, "message": message})));
        object.put("incomplete_details", &incomplete.map(|reason| json!({"reason": reason})));
        object.put("model", &self.model);
        object.put_text("output", &[b"[", output, b"]"].concat());
        object.put("previous_response_id", &Value::Null);
        object.put("service_tier", &self.service_tier);
        object.put("store", &false);
        object.put("usage", &usage.map(usage::encode));
        for (key, otherwise) in REPEATED {
            let given = self.request.as_ref().and_then(|request| request.raw(key));
            object.put_text(key, given.unwrap_or(otherwise).as_bytes());
        }
        for (name, value) in self.extra.outer(Dialect::OpenAiResponses) {
            object.put(name, value);
        }
        object.finish().into()
    }
}

/// The id of an answer: the upstream's as suffix, so that logs can be joined.
fn answer_id(id: &str) -> String {
    if id.starts_with("resp_") { id.to_owned() } else { format!("resp_{id}") }
}
