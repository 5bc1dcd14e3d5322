//! What clients send: turns, blocks and tools of a request, with what they hold still as text.
//!
//! Source: Anthropic's API reference for Messages, as the recorded requests and the agents of CLIENTS show it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::rest::keeps_rest;

/// A turn. Fields of tomorrow are kept.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub role: Cow<'a, str>,
    pub content: Option<&'a RawValue>,
    pub rest: Map<String, Value>,
}

/// A block with all the fields of the kinds that most blocks are of, read in one pass. Where that fails, it may still be in
/// order: in another kind the same names mean something else. [`BlockHead`] tells.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Common<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    pub cache_control: Option<CacheControl>,
    pub text: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
    pub tool_use_id: Option<String>,
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
    pub is_error: Option<bool>,
}

/// What kind of block it is; decides how the rest is read.
#[derive(Debug, Deserialize)]
pub(crate) struct BlockHead<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    pub cache_control: Option<CacheControl>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Text {
    pub text: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Image {
    pub source: Source,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Document<'a> {
    #[serde(borrow)]
    pub source: DocumentSource<'a>,
    pub title: Option<String>,
    pub context: Option<String>,
    pub citations: Option<Citing>,
}

/// Whether the answer should cite the document.
#[derive(Debug, Deserialize)]
pub(crate) struct Citing {
    #[serde(default)]
    pub enabled: bool,
}

/// A result of the client's own search: a document in texts.
#[derive(Debug, Deserialize)]
pub(crate) struct SearchResult {
    pub source: String,
    pub title: String,
    pub content: Vec<Text>,
}

/// Where the bytes of an image are.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Source {
    Base64 {
        #[serde(default)]
        media_type: String,
        data: String,
    },
    Url {
        url: String,
    },
    File {
        file_id: String,
    },
}

/// Where the bytes of a document are. Flat, for a tagged enum cannot hold text as received.
#[derive(Debug, Deserialize)]
pub(crate) struct DocumentSource<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    pub media_type: Option<String>,
    pub data: Option<String>,
    pub url: Option<String>,
    pub file_id: Option<String>,
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Thinking {
    pub thinking: String,
    #[serde(default)]
    pub signature: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RedactedThinking {
    pub data: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ToolUse<'a> {
    pub id: String,
    pub name: String,
    #[serde(borrow)]
    pub input: &'a RawValue,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ToolResult<'a> {
    pub tool_use_id: String,
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
    pub is_error: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CacheControl {
    pub ttl: Option<String>,
}

/// What tells a client's own tool from one that Anthropic defines.
#[derive(Debug, Deserialize)]
pub(crate) struct ToolHead {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub name: Option<String>,
    pub cache_control: Option<CacheControl>,
}

/// A client's own tool; what the head has read is passed over.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self")]
pub(crate) struct ClientTool {
    #[serde(rename = "type")]
    _kind: Option<IgnoredAny>,
    pub name: String,
    pub description: Option<String>,
    pub input_schema: Box<RawValue>,
    pub strict: Option<bool>,
    #[serde(rename = "cache_control")]
    _cache_control: Option<IgnoredAny>,
    #[serde(skip_deserializing)]
    pub rest: Map<String, Value>,
}

keeps_rest!(ClientTool);

#[derive(Debug, Deserialize)]
pub(crate) struct ToolChoice {
    #[serde(rename = "type")]
    pub mode: ToolMode,
    pub name: Option<String>,
    #[serde(default)]
    pub disable_parallel_tool_use: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ToolMode {
    Auto,
    Any,
    Tool,
    None,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ThinkingAsked {
    #[serde(rename = "type")]
    pub mode: ThinkingMode,
    pub budget_tokens: Option<u64>,
    pub display: Option<Display>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ThinkingMode {
    Adaptive,
    Enabled,
    Disabled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Display {
    Summarized,
    Omitted,
}

/// `output_config`. What is neither effort nor form is kept.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct OutputConfig {
    pub effort: Option<Effort>,
    pub format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Effort {
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// The form of the answer. Flat, for a tagged enum cannot hold text as received.
#[derive(Debug, Deserialize)]
pub(crate) struct Format {
    #[serde(rename = "type")]
    pub kind: FormatKind,
    pub schema: Box<RawValue>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormatKind {
    JsonSchema,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    pub user_id: Option<String>,
}

impl<'a> From<BlockHead<'a>> for Common<'a> {
    fn from(head: BlockHead<'a>) -> Self {
        Self { kind: head.kind, cache_control: head.cache_control, ..Self::default() }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Turn<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Turn<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Turn<'de>, A::Error> {
                let mut turn = Turn { role: Cow::Borrowed(""), content: None, rest: Map::new() };
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    match &*key {
                        "role" => turn.role = map.next_value()?,
                        "content" => turn.content = map.next_value()?,
                        _ => drop(turn.rest.insert(key.into_owned(), map.next_value()?)),
                    }
                }
                Ok(turn)
            }
        }
        deserializer.deserialize_map(Members)
    }
}
