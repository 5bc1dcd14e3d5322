//! The format as it is read. What is written is in `out`.
//! Source: Ollama's docs/api.md and api/types.go, read 2026-11-25.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chat::Usage;
use crate::fault::Fault;
use crate::openai::fault;

pub(super) mod out;

/// A line of a stream, or a whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line<'a> {
    pub(super) model: Option<String>,
    /// To the nanosecond; answers have no other id.
    pub(super) created_at: Option<String>,
    #[serde(borrow)]
    pub(super) message: Option<Message<'a>>,
    pub(super) done: Option<bool>,
    pub(super) done_reason: Option<String>,
    #[serde(borrow)]
    prompt_eval_count: Option<&'a RawValue>,
    #[serde(borrow)]
    eval_count: Option<&'a RawValue>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    pub(super) content: Option<String>,
    pub(super) thinking: Option<String>,
    #[serde(borrow)]
    pub(super) tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolCall<'a> {
    /// Newer servers give one.
    pub(super) id: Option<String>,
    #[serde(borrow)]
    pub(super) function: Function<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function<'a> {
    pub(super) name: Option<String>,
    /// An object.
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}

impl<'a> Line<'a> {
    /// Reads a line. `Err`: it is none, or it is an error.
    pub(super) fn read(text: &'a str) -> Result<Self, Fault> {
        let line: Self = serde_json::from_str(text).map_err(|error| fault::bad_answer(error.to_string()))?;
        match &line.error {
            Some(error) => Err(fault::in_band(error)),
            None => Ok(line),
        }
    }

    /// Token counts, on the last line. A prompt that was wholly in the cache is not counted: absent is not zero.
    /// Source: DIALECTS, section 7.
    pub(super) fn usage(&self) -> Option<Usage> {
        let mut usage = Usage::default();
        for (mine, stated) in
            [(&mut usage.input, self.prompt_eval_count), (&mut usage.output, self.eval_count)]
        {
            let Some(stated) = stated else { continue };
            *mine = stated.get().parse().ok();
            usage.odd |= mine.is_none();
        }
        (usage != Usage::default()).then_some(usage)
    }
}
