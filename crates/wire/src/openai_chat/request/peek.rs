//! What is looked at in every request, carried ones too.

use crate::dialect::Peek;
use crate::fault::Fault;
use crate::gateway_fields;
use crate::openai_chat::shape::StreamOptions;
use crate::raw::RawObject;
use crate::raw::check::{self, Type, positive};

/// Roles of a turn. Source: OpenAI API reference, chat.
const ROLES: &[&str] = &["system", "developer", "user", "assistant", "tool", "function"];

/// Fields that, when present, must be of a type.
const TYPED: &[(&str, Type)] = &[
    ("temperature", Type::Number(0.0, 2.0)),
    ("top_p", Type::Number(f64::MIN, f64::MAX)),
    ("frequency_penalty", Type::Number(f64::MIN, f64::MAX)),
    ("presence_penalty", Type::Number(f64::MIN, f64::MAX)),
    ("n", Type::Positive),
    ("logprobs", Type::Bool),
    ("parallel_tool_calls", Type::Bool),
];

/// Checks the top level and the roles, and reads what routing needs.
pub(super) fn peek(body: &RawObject) -> Result<Peek, Fault> {
    check::types(body, TYPED)?;
    check::turns(body, ROLES)?;
    let options: Option<StreamOptions> = body.get("stream_options")?;
    let older = positive(body, "max_tokens")?;
    Ok(Peek {
        model: body.get("model")?,
        stream: body.get("stream")?.unwrap_or(false),
        include_usage: options.and_then(|options| options.include_usage).unwrap_or(false),
        max_output: positive(body, "max_completion_tokens")?.or(older),
        keeps: body.get("store").ok().flatten().unwrap_or(false),
        ..gateway_fields::peek(body)?
    })
}
