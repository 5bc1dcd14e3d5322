//! Thinking, effort and the form of the answer: `thinking`, `output_config` and its older forms.

use serde_json::{Map, Value};

use super::super::super::shape::asked::{
    Display, Effort, Format, FormatKind, OutputConfig, ThinkingAsked, ThinkingMode,
};
use crate::chat::{self, OutputFormat, Thinking};
use crate::{Fault, RawObject};

/// How the model is to think and to answer.
pub(super) struct Steering {
    pub(super) thinking: Option<Thinking>,
    pub(super) format: Option<OutputFormat>,
    /// Members of `output_config` without a canonical name (`task_budget`).
    pub(super) rest: Map<String, Value>,
}

pub(super) fn decode(body: &RawObject) -> Result<Steering, Fault> {
    let config: OutputConfig = body.get("output_config")?.unwrap_or_default();
    let mut rest: Map<String, Value> = body.get("output_config")?.unwrap_or_default();
    rest.retain(|name, value| !matches!(name.as_str(), "effort" | "format") && !value.is_null());
    let format = config.format.or(body.get("output_format")?);
    let thinking = thinking(body.get("thinking")?, config.effort.map(effort))?;
    Ok(Steering { thinking, format: format.map(output_format), rest })
}

/// Effort alone asks for no thoughts to be shown, but for as much of them.
fn thinking(asked: Option<ThinkingAsked>, effort: Option<chat::Effort>) -> Result<Option<Thinking>, Fault> {
    let Some(asked) = asked else {
        return Ok(effort.map(|effort| Thinking { effort: Some(effort), budget: None, show: Some(false) }));
    };
    let show = asked.display.map(|display| display == Display::Summarized);
    Ok(Some(match asked.mode {
        ThinkingMode::Disabled => {
            Thinking { effort: Some(chat::Effort::None), budget: None, show: Some(false) }
        }
        ThinkingMode::Adaptive => Thinking { effort, budget: None, show },
        ThinkingMode::Enabled => Thinking { effort: None, budget: Some(budget(asked.budget_tokens)?), show },
    }))
}

fn budget(tokens: Option<u64>) -> Result<u64, Fault> {
    let at = "thinking.budget_tokens";
    tokens.ok_or_else(|| Fault::malformed(at.to_owned(), format!("'{at}' is missing")))
}

fn effort(word: Effort) -> chat::Effort {
    match word {
        Effort::Low => chat::Effort::Low,
        Effort::Medium => chat::Effort::Medium,
        Effort::High => chat::Effort::High,
        Effort::Xhigh => chat::Effort::Xhigh,
        Effort::Max => chat::Effort::Max,
    }
}

fn output_format(format: Format) -> OutputFormat {
    match format.kind {
        FormatKind::JsonSchema => {
            OutputFormat::JsonSchema { name: None, description: None, schema: format.schema, strict: None }
        }
    }
}
