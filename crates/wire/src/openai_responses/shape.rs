//! What is read of this format: serde structs, nothing else. One struct serves requests, answers and events where they
//! agree.
//!
//! Source: OpenAI API reference, responses; recorded traffic for what goes beyond.

pub(super) mod out;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::request::ECHOED;
use crate::rest::keeps_rest;

/// Fields of answers that say nothing of their own: what it is, who pays, what the gateway decides; usage of built-in
/// tools; the text once more; and what the request said, besides [`ECHOED`].
/// Source: OpenAI API reference, the response object, and the recorded answers.
pub(super) const IDLE: &[&str] = &[
    "object",
    "completed_at",
    "billing",
    "tool_usage",
    "output_text",
    "background",
    "conversation",
    "previous_response_id",
    "store",
    // Repeated from requests by OpenAI, and not by the gateway.
    "frequency_penalty",
    "presence_penalty",
    "prompt",
];

/// Fields of messages that have no canonical name, since they say what it is and that it is whole. [`Head`] reads the kind
/// and the role.
const OF_EVERY_MESSAGE: &[&str] = &["type", "role", "id", "status"];

/// A whole answer, or the `response` of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(super) struct Answer<'a> {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    /// Not always an integer.
    pub(super) created_at: Option<f64>,
    pub(super) status: Option<String>,
    #[serde(borrow)]
    pub(super) output: Option<Vec<&'a RawValue>>,
    pub(super) incomplete_details: Option<IncompleteDetails>,
    pub(super) error: Option<Value>,
    #[serde(borrow)]
    pub(super) usage: Option<&'a RawValue>,
    pub(super) service_tier: Option<String>,
    #[serde(skip_deserializing)]
    pub(super) rest: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct IncompleteDetails {
    pub(super) reason: Option<String>,
}

/// An event of a stream; which fields it has depends on `type`.
#[derive(Debug, Deserialize)]
pub(super) struct StreamEvent<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(default)]
    pub(super) output_index: u64,
    #[serde(default)]
    pub(super) content_index: u64,
    #[serde(default)]
    pub(super) summary_index: u64,
    #[serde(default)]
    pub(super) delta: Option<String>,
    #[serde(default)]
    pub(super) logprobs: Option<Vec<Value>>,
    #[serde(default)]
    pub(super) annotation: Option<Value>,
    #[serde(default, borrow)]
    pub(super) item: Option<&'a RawValue>,
    #[serde(default, borrow)]
    pub(super) response: Option<&'a RawValue>,
}

/// Enough of an item to know what it is.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) role: Option<String>,
}

/// A message, of a request or an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(super) struct Message {
    pub(super) content: Option<TextOrList<ContentPart>>,
    #[serde(skip_deserializing)]
    pub(super) rest: Map<String, Value>,
}

/// A part of a content list; which fields it has depends on `type`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub(super) struct ContentPart {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_audio: Option<InputAudio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<Vec<Value>>,
    #[serde(flatten, skip_deserializing)]
    pub(super) rest: Map<String, Value>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct InputAudio {
    pub(super) data: String,
    pub(super) format: String,
}

/// `function_call` and `custom_tool_call`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call {
    pub(super) call_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    /// Of a function.
    pub(super) arguments: Option<String>,
    /// Of a custom tool.
    pub(super) input: Option<String>,
}

/// `function_call_output` and `custom_tool_call_output`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CallOutput {
    pub(super) call_id: Option<String>,
    pub(super) output: Option<TextOrList<ContentPart>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reasoning {
    pub(super) id: Option<String>,
    pub(super) summary: Option<Vec<ThoughtText>>,
    pub(super) content: Option<Vec<ThoughtText>>,
    pub(super) encrypted_content: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ThoughtText {
    pub(super) text: String,
}

/// A picture made by the model.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ImageCall {
    /// Base64; some servers put a URL here.
    pub(super) result: Option<String>,
    pub(super) output_format: Option<String>,
}

/// Tools that an item adds in mid conversation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AdditionalTools<'a> {
    #[serde(borrow)]
    pub(super) tools: Vec<&'a RawValue>,
}

/// A tool's definition; which fields it has depends on `type`.
#[derive(Debug, Deserialize)]
pub(super) struct Tool<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) parameters: Option<Box<RawValue>>,
    pub(super) strict: Option<bool>,
    /// Of a namespace.
    #[serde(default, borrow)]
    pub(super) tools: Vec<&'a RawValue>,
}

/// `text`: form and length of the answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TextAsked {
    pub(super) format: Option<Format>,
    pub(super) verbosity: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Format {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) schema: Option<Box<RawValue>>,
    pub(super) strict: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReasoningAsked {
    pub(super) effort: Option<String>,
    pub(super) summary: Option<String>,
    /// The older name of `summary`.
    pub(super) generate_summary: Option<String>,
}

keeps_rest!(ContentPart);
keeps_rest!(Message; but &[OF_EVERY_MESSAGE]);
keeps_rest!(Answer<'a>; but &[IDLE, ECHOED]);

impl Serialize for ContentPart {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Text, or a list.
#[derive(Debug)]
pub(super) enum TextOrList<T> {
    Text(String),
    List(Vec<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOrList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either(PhantomData))
    }
}

struct Either<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
    type Value = TextOrList<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOrList::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(TextOrList::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(element) = elements.next_element()? {
            all.push(element);
        }
        Ok(TextOrList::List(all))
    }
}
