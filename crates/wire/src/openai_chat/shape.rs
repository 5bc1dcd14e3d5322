//! What is read of this wire: serde structs, nothing else. One struct serves requests, answers and stream deltas where
//! they agree, for servers mix them anyway.
//!
//! Source: OpenAI API reference, chat; the servers' own pages and recorded traffic for what goes beyond.

pub(crate) mod out;

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::rest::keeps_rest;

/// Fields of answers, choices and messages that say nothing of their own.
/// Source: the recorded answers.
pub(super) const IDLE: &[&str] = &[
    "object",
    // Padding, against those who count bytes.
    "obfuscation",
    "p",
    // Ids of requests, and other places of usage.
    "request_id",
    "x_groq",
    "usage_breakdown",
    // Of a message: which of its choices it is, and whether it is a thought, which its own field says.
    "index",
    "channel",
];

/// A whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(crate) struct Answer {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    /// Not always an integer.
    pub(crate) created: Option<Value>,
    pub(crate) choices: Option<Vec<Choice>>,
    /// Read by hand: the numbers may be odd.
    pub(crate) usage: Option<Value>,
    pub(crate) service_tier: Option<String>,
    pub(crate) error: Option<Value>,
    #[serde(skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

/// A chunk of a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(crate) struct Chunk {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) created: Option<Value>,
    pub(crate) choices: Option<Vec<Choice>>,
    pub(crate) usage: Option<Value>,
    /// Groq's place for usage in streams.
    pub(crate) x_groq: Option<Value>,
    pub(crate) service_tier: Option<String>,
    pub(crate) error: Option<Value>,
    #[serde(skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(crate) struct Choice {
    pub(crate) index: Option<u32>,
    /// Boxed, as the delta: it is large, and moved through several hands.
    pub(crate) message: Option<Box<Message>>,
    pub(crate) delta: Option<Box<Message>>,
    pub(crate) finish_reason: Option<String>,
    /// OpenRouter: the word of the provider behind it.
    pub(crate) native_finish_reason: Option<String>,
    pub(crate) logprobs: Option<Value>,
    /// OpenRouter: this choice failed.
    pub(crate) error: Option<Value>,
    #[serde(skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

/// A turn of a request, the message of an answer, or a delta.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(crate) struct Message {
    pub(crate) role: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) content: Option<Content>,
    pub(crate) refusal: Option<String>,
    pub(crate) tool_calls: Option<Vec<ToolCall>>,
    /// The older form of one call.
    pub(crate) function_call: Option<Called>,
    pub(crate) tool_call_id: Option<String>,
    /// DeepSeek, xAI, Z.ai, Moonshot, Alibaba, vLLM.
    pub(crate) reasoning_content: Option<Value>,
    /// Groq, Cerebras, Ollama, OpenRouter.
    pub(crate) reasoning: Option<Value>,
    /// OpenRouter, Vercel.
    pub(crate) reasoning_details: Option<Vec<ReasoningDetail>>,
    pub(crate) annotations: Option<Vec<Value>>,
    /// OpenRouter: pictures made by the model.
    pub(crate) images: Option<Vec<ContentPart>>,
    #[serde(skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

/// Text or a list of parts.
#[derive(Debug)]
pub(crate) enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

/// A part of a content list; which fields it has depends on `type`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub(crate) struct ContentPart {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_url: Option<ImageUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_audio: Option<InputAudio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<String>,
    /// Mistral's thoughts: a list of text parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thinking: Option<Content>,
    /// OpenRouter's form of Anthropic's cache marks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<CacheControl>,
    #[serde(flatten, skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

/// Mistral also takes the bare URL.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct ImageUrl {
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InputAudio {
    pub(crate) data: String,
    pub(crate) format: String,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filename: Option<String>,
    /// A `data:` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_id: Option<String>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CacheControl {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ToolCall {
    /// In streams; Mistral may leave it out.
    pub(crate) index: Option<u32>,
    pub(crate) id: Option<String>,
    pub(crate) function: Option<Called>,
    pub(crate) custom: Option<CustomCalled>,
    /// Google: holds the thought signature of the call.
    pub(crate) extra_content: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Called {
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "text_or_json")]
    pub(crate) arguments: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CustomCalled {
    pub(crate) name: Option<String>,
    pub(crate) input: Option<String>,
}

/// OpenRouter's form of a thought: `reasoning.text`, `reasoning.summary` or `reasoning.encrypted`.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ReasoningDetail {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Whose thought it is, as `anthropic-claude-v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u32>,
}

/// A function's definition, in `tools` and in the older `functions`.
#[derive(Debug, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) parameters: Option<Box<RawValue>>,
    pub(crate) strict: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ToolHead {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) cache_control: Option<CacheControl>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FunctionTool {
    pub(crate) function: Function,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ResponseFormat {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) json_schema: Option<JsonSchema>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct JsonSchema {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) schema: Option<Box<RawValue>>,
    pub(crate) strict: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StreamOptions {
    pub(crate) include_usage: Option<bool>,
}

/// OpenRouter's `reasoning`, and the `thinking` of servers that take Anthropic's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReasoningAsked {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) effort: Option<String>,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) budget_tokens: Option<u64>,
    pub(crate) exclude: Option<bool>,
    pub(crate) enabled: Option<bool>,
}

/// One text or several.
#[derive(Debug)]
pub(crate) struct Texts(pub(crate) Vec<String>);

keeps_rest!(Message, ContentPart);
keeps_rest!(Answer, Chunk, Choice; but &[IDLE]);

/// Arguments are text, but some servers send the object itself.
fn text_or_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

impl Serialize for ContentPart {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl Serialize for Content {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Content::Text(text) => text.serialize(serializer),
            Content::Parts(parts) => parts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of parts")
            }
            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut all = Vec::new();
                while let Some(part) = parts.next_element()? {
                    all.push(part);
                }
                Ok(Content::Parts(all))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for ImageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            url: String,
            detail: Option<String>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ImageUrl;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a url")
            }
            fn visit_str<E>(self, url: &str) -> Result<ImageUrl, E> {
                Ok(ImageUrl { url: url.to_owned(), detail: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ImageUrl, A::Error> {
                let Fields { url, detail } = Fields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ImageUrl { url, detail })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }
            fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Texts, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = texts.next_element()? {
                    all.push(text);
                }
                Ok(Texts(all))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
