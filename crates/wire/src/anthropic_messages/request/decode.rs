//! Requests of clients, in canonical form.
//!
//! Places in errors are those that users of the dialect know: `messages.2.content.0.tool_use_id`.

mod blocks;
mod steering;
mod tools;
mod turns;

use serde_json::{Map, Value};

use super::peek;
use crate::chat::{ChatRequest, Extra, Sampling};
use crate::dialect::Dialect;
use crate::{Fault, RawObject, gateway_fields};

const THIS: Dialect = Dialect::AnthropicMessages;

/// Fields that have a canonical name. All others survive in `Extra`.
const NAMED: &[&str] = &[
    "model",
    "messages",
    "system",
    "tools",
    "mcp_servers",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "stream",
    "metadata",
    "service_tier",
    "cache_control",
];

/// The whole request in canonical form.
pub(in crate::anthropic_messages) fn decode(body: &RawObject) -> Result<ChatRequest, Fault> {
    let peek = peek::peek(body)?;
    let (tool_choice, parallel_tool_calls) = tools::choice(body)?;
    let (end_user, metadata) = metadata(body)?;
    let steering = steering::decode(body)?;
    Ok(ChatRequest {
        model: peek.model.unwrap_or_default(),
        messages: turns::decode(body)?,
        tools: tools::decode(body)?,
        tool_choice,
        parallel_tool_calls,
        sampling: sampling(body)?,
        max_output: peek.max_output,
        stop: body.get("stop_sequences")?.unwrap_or_default(),
        thinking: steering.thinking,
        format: steering.format,
        stream: peek.stream,
        include_usage: peek.include_usage,
        end_user,
        metadata,
        service_tier: body.get("service_tier")?,
        extra: extra(body, steering.rest)?,
        ..ChatRequest::default()
    })
}

fn sampling(body: &RawObject) -> Result<Sampling, Fault> {
    Ok(Sampling {
        temperature: body.get("temperature")?,
        top_p: body.get("top_p")?,
        top_k: body.get("top_k")?,
        ..Sampling::default()
    })
}

/// The end user's id, and whatever labels stand beside it.
fn metadata(body: &RawObject) -> Result<(Option<String>, Option<Value>), Fault> {
    let user: super::super::shape::asked::Metadata = body.get("metadata")?.unwrap_or_default();
    let mut labels: Map<String, Value> = body.get("metadata")?.unwrap_or_default();
    labels.remove("user_id");
    Ok((user.user_id, (!labels.is_empty()).then_some(Value::Object(labels))))
}

/// Fields without a canonical name; `output_config` is left with those of its members that have none.
fn extra(body: &RawObject, output_config: Map<String, Value>) -> Result<Extra, Fault> {
    let mut fields = Map::new();
    for key in body.keys() {
        if !NAMED.contains(&key)
            && !gateway_fields::is_ours(body, key)
            && let Some(value) = body.get::<Value>(key)?
        {
            fields.insert(key.to_owned(), value);
        }
    }
    if !output_config.is_empty() {
        fields.insert("output_config".to_owned(), Value::Object(output_config));
    }
    Ok(Extra::new(THIS, fields))
}
