//! The format itself, nothing else: what a request consists of, and what an answer may hold.
//!
//! Source: DIALECTS and the recorded requests and answers.

pub(super) mod asked;
pub(super) mod told;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::rest::keeps_rest;

/// Body of `POST /v1/messages`.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub model: &'a str,
    /// Only counting tokens goes without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<Block<'a>>,
    pub messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mcp_servers: Vec<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<CacheControl<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// Fields of the same dialect that have no canonical name.
    #[serde(flatten)]
    pub extra: Option<&'a Map<String, Value>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Turn<'a> {
    pub role: Role,
    pub content: Vec<Block<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    User,
    Assistant,
    /// In mid conversation; recent models only.
    System,
}

/// A content block that we write.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: Cow<'a, str>,
        input: Box<RawValue>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    /// A block as received, of the same dialect.
    #[serde(untagged)]
    Opaque(&'a Value),
}

/// Where the bytes of an image or a document are.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 { media_type: Cow<'a, str>, data: Cow<'a, str> },
    Url { url: &'a str },
    Text { media_type: &'static str, data: Cow<'a, str> },
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "type", rename = "ephemeral")]
pub(super) struct CacheControl<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    Client(ClientTool<'a>),
    /// A tool that the provider runs.
    BuiltIn(Cow<'a, Value>),
}

#[derive(Debug, Serialize)]
pub(super) struct ClientTool<'a> {
    pub name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'a, str>>,
    pub input_schema: Cow<'a, RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<CacheControl<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolChoice<'a> {
    #[serde(flatten)]
    pub mode: ToolMode<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_parallel_tool_use: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ToolMode<'a> {
    Auto,
    None,
    Any,
    Tool { name: Cow<'a, str> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Thinking {
    Adaptive {
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Enabled {
        budget_tokens: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Disabled,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "json_schema")]
pub(super) struct Format {
    pub schema: Value,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    pub user_id: Cow<'a, str>,
}

/// Fields of answers that say nothing: what it is, and who speaks.
pub(super) const IDLE: &[&str] = &["type", "role"];

/// A whole answer, its blocks still as text.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub(super) struct Answer<'a> {
    pub id: Option<String>,
    pub model: Option<String>,
    #[serde(borrow)]
    pub content: Option<Vec<&'a RawValue>>,
    pub stop_reason: Option<String>,
    pub stop_sequence: Option<String>,
    pub stop_details: Option<StopDetails>,
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    #[serde(skip_deserializing)]
    pub rest: Map<String, Value>,
}

/// A block of an answer. Flat, because arguments stay text and an unknown kind is kept as received.
#[derive(Debug, Deserialize)]
pub(super) struct AnswerBlock<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    pub text: Option<String>,
    pub thinking: Option<String>,
    pub signature: Option<String>,
    pub data: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
    pub citations: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StopDetails {
    pub explanation: Option<String>,
}

/// An event of a stream; which fields are there depends on its type, and what they hold on it too.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub(super) struct StreamEvent<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub message: Option<&'a RawValue>,
    pub index: Option<u64>,
    #[serde(borrow)]
    pub content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    pub delta: Option<&'a RawValue>,
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    #[serde(skip_deserializing)]
    pub rest: Map<String, Value>,
}

/// `delta` of `content_block_delta`.
#[derive(Debug, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(rename = "type", borrow, default)]
    pub kind: Cow<'a, str>,
    pub text: Option<String>,
    pub thinking: Option<String>,
    pub signature: Option<String>,
    pub partial_json: Option<String>,
    pub citation: Option<Value>,
    /// Of a block whose kind we do not know (`compaction_delta`).
    pub content: Option<Value>,
}

/// `delta` of `message_delta`.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(super) struct Ending {
    pub stop_reason: Option<String>,
    pub stop_sequence: Option<String>,
    pub stop_details: Option<StopDetails>,
    #[serde(skip_deserializing)]
    pub rest: Map<String, Value>,
}

keeps_rest!(StreamEvent<'a>, Ending);
keeps_rest!(Answer<'a>; but &[IDLE]);

/// Token counts as text, so that an absurd number is absent instead of an error.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Counts<'a> {
    #[serde(borrow)]
    pub input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    pub output_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    pub cache_read_input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    pub cache_creation_input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    pub cache_creation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub output_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    pub service_tier: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CacheCreation<'a> {
    #[serde(borrow)]
    pub ephemeral_5m_input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    pub ephemeral_1h_input_tokens: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct OutputDetails<'a> {
    #[serde(borrow)]
    pub thinking_tokens: Option<&'a RawValue>,
}

/// An error: a whole body, or the data of an `error` event.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub error: ErrorObject,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorObject {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub message: Option<String>,
}
