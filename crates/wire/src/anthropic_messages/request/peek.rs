//! What is looked at in every request, carried ones too.

use super::super::shape::asked::{Display, ThinkingAsked, ThinkingMode};
use crate::Fault;
use crate::RawObject;
use crate::dialect::{Peek, Thoughts};
use crate::gateway_fields;
use crate::raw::check::{self, Type, positive};

/// Roles of a turn; `system` in mid conversation is of recent models. Source: DIALECTS, section 2.
const ROLES: &[&str] = &["user", "assistant", "system"];

/// Fields that, when present, must be of a type. Source: Anthropic's API reference, Messages.
const TYPED: &[(&str, Type)] = &[
    ("temperature", Type::Number(0.0, 1.0)),
    ("top_p", Type::Number(0.0, 1.0)),
    ("top_k", Type::Number(0.0, f64::MAX)),
    ("stop_sequences", Type::Texts),
    ("tools", Type::List),
    ("mcp_servers", Type::List),
    ("tool_choice", Type::Object),
    ("thinking", Type::Object),
    ("output_config", Type::Object),
    ("output_format", Type::Object),
    ("context_management", Type::Object),
    ("cache_control", Type::Object),
    ("metadata", Type::Object),
];

/// Checks the top level and the roles, and reads what routing needs. A missing `max_tokens` is for the upstream to
/// refuse: not all of them want one, and counting tokens goes without.
pub(in crate::anthropic_messages) fn peek(body: &RawObject) -> Result<Peek, Fault> {
    check::types(body, TYPED)?;
    check::turns(body, ROLES)?;
    Ok(Peek {
        model: body.get("model")?,
        stream: body.get("stream")?.unwrap_or(false),
        // Streams of this dialect report usage unasked.
        include_usage: true,
        max_output: positive(body, "max_tokens")?,
        ..gateway_fields::peek(body)?
    })
}

/// What the client wants to see of thoughts. Who did not ask for thinking reads the first block as the answer.
pub(in crate::anthropic_messages) fn thoughts(body: &RawObject) -> Thoughts {
    match body.get::<ThinkingAsked>("thinking") {
        Ok(Some(ThinkingAsked { mode: ThinkingMode::Disabled, .. })) | Ok(None) | Err(_) => Thoughts::Hidden,
        Ok(Some(ThinkingAsked { display: Some(Display::Omitted), .. })) => Thoughts::Sealed,
        Ok(Some(_)) => Thoughts::Shown,
    }
}
