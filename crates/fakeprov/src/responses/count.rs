//! The token counting endpoint. Source: the provider's API reference for counting input tokens.

use serde_json::{Value, json};

use crate::http::Request;
use crate::tokens;
use crate::wire::{Refusal, list, require, unknown};

/// Unlike a response, little that says how to answer.
const FIELDS: &[&str] = &[
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "text",
    "reasoning",
    "parallel_tool_calls",
    "previous_response_id",
    "conversation",
    "truncation",
];

/// Counts what a response would cost to read.
pub(crate) fn count_tokens(_request: &Request, body: &Value) -> Result<Value, Refusal> {
    if let Some(name) = unknown(body, FIELDS) {
        return Err(Refusal::field(name, format!("Unknown parameter: '{name}'.")));
    }
    let input = &body["input"];
    let said = input.is_string() || !list(input).is_empty();
    require(said, "input", "Missing required parameter: 'input'.")?;
    let counted = [&body["instructions"], input, &body["tools"]].map(tokens::count);
    Ok(json!({"object": "response.input_tokens", "input_tokens": counted.iter().sum::<usize>()}))
}
