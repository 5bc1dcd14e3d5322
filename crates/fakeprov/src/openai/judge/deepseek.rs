//! What DeepSeek's chat asks of thoughts that come back: those of the tool loop under way, and no others.
//! Source: the provider's guide to thinking mode with tool calls.

use serde_json::Value;

use crate::wire::{Refusal, list, require};

/// Judges the thoughts in a history.
pub(super) fn thoughts(messages: &[Value]) -> Result<(), Refusal> {
    let asked = messages.iter().rposition(|message| message["role"] == "user").unwrap_or(0);
    for (place, message) in messages.iter().enumerate().filter(|(_, message)| message["role"] == "assistant")
    {
        let thought = message["reasoning_content"].is_string();
        let called = !list(&message["tool_calls"]).is_empty();
        let missing = place > asked && called && !thought;
        let at = format!("messages[{place}].reasoning_content");
        let message =
            format!("Missing `reasoning_content` field in the assistant message at message index {place}");
        require(!missing, &at, &message)?;
        let old = place < asked && thought;
        require(!old, &at, "`reasoning_content` is not allowed in the messages of finished turns")?;
    }
    Ok(())
}
