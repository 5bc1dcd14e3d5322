//! The format as it is written.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

/// One turn.
#[derive(Debug, Default, Serialize)]
pub(in crate::ollama) struct Message<'a> {
    pub(in crate::ollama) role: &'static str,
    pub(in crate::ollama) content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::ollama) thinking: String,
    /// Base64 without a head.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::ollama) images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::ollama) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::ollama) tool_name: Option<&'a str>,
    /// Newer servers know it; older ones go by name and order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::ollama) tool_call_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(in crate::ollama) struct ToolCall<'a> {
    pub(in crate::ollama) id: &'a str,
    pub(in crate::ollama) function: Called<'a>,
}

#[derive(Debug, Serialize)]
pub(in crate::ollama) struct Called<'a> {
    pub(in crate::ollama) name: &'a str,
    pub(in crate::ollama) arguments: Box<RawValue>,
}

#[derive(Debug, Serialize)]
pub(in crate::ollama) struct Tool<'a> {
    #[serde(rename = "type")]
    pub(in crate::ollama) kind: &'static str,
    pub(in crate::ollama) function: Declared<'a>,
}

#[derive(Debug, Serialize)]
pub(in crate::ollama) struct Declared<'a> {
    pub(in crate::ollama) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::ollama) description: Option<&'a str>,
    pub(in crate::ollama) parameters: Cow<'a, RawValue>,
}
