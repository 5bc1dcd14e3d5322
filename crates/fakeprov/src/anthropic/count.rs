//! The token counting endpoint. Source: the provider's API reference for counting tokens.

use serde_json::{Value, json};

use crate::http::Request;
use crate::tokens;
use crate::wire::{Refusal, list, require, unknown};

/// Unlike a message, nothing that says how to answer.
const FIELDS: &[&str] = &[
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "mcp_servers",
    "output_config",
    "output_format",
    "context_management",
    "cache_control",
    "speed",
];

/// Counts what a message would cost to read.
pub(crate) fn count_tokens(request: &Request, body: &Value) -> Result<Value, Refusal> {
    require(request.header("anthropic-version").is_some(), "", "anthropic-version: header is required")?;
    require(body["model"].is_string(), "", "model: Field required")?;
    require(!list(&body["messages"]).is_empty(), "", "messages: at least one message is required")?;
    if let Some(name) = unknown(body, FIELDS) {
        return Err(Refusal::new(400, format!("{name}: Extra inputs are not permitted")));
    }
    let counted = [&body["system"], &body["messages"], &body["tools"]].map(tokens::count);
    Ok(json!({"input_tokens": counted.iter().sum::<usize>()}))
}
