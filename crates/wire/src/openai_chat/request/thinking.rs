//! How much the model should think, decoded.

use crate::chat::{Effort, Thinking};
use crate::fault::Fault;
use crate::openai::effort;
use crate::openai_chat::shape::ReasoningAsked;
use crate::raw::RawObject;

/// Groq's word for the model's own choice.
const AS_THE_MODEL_LIKES: &str = "default";

/// `reasoning_effort`, OpenRouter's `reasoning`, and `thinking` of servers that took over Anthropic's.
pub(super) fn decode(body: &RawObject) -> Result<Option<Thinking>, Fault> {
    let word: Option<String> = body.get("reasoning_effort")?;
    let mut asked: ReasoningAsked = body.get("reasoning")?.or(body.get("thinking")?).unwrap_or_default();
    let at = if asked.effort.is_some() { "reasoning.effort" } else { "reasoning_effort" };
    let word = asked.effort.take().or(word).filter(|word| word != AS_THE_MODEL_LIKES);
    let off = asked.enabled == Some(false) || asked.kind.as_deref() == Some("disabled");
    let effort = match word {
        _ if off => Some(Effort::None),
        Some(word) => Some(effort::decode(&word, at)?),
        None => None,
    };
    let budget = asked.max_tokens.or(asked.budget_tokens);
    if effort.is_none() && budget.is_none() && asked.enabled.is_none() && asked.kind.is_none() {
        return Ok(None);
    }
    // Who asks for effort in this dialect gets the thoughts as far as the upstream shows them.
    Ok(Some(Thinking { effort, budget, show: Some(asked.exclude != Some(true)) }))
}
