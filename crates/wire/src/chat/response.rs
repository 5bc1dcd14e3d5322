//! The canonical whole answer.

use serde_json::Value;

use super::{Extra, Part, Usage};

/// A finished answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatResponse {
    /// The upstream's id, verbatim.
    pub id: Option<String>,
    /// The model that the upstream says has answered.
    pub model: Option<String>,
    /// Seconds since 1970, when the upstream states it.
    pub created: Option<u64>,
    /// Usually one; more only when the client asked for `n`.
    pub choices: Vec<Choice>,
    /// `None`: the upstream reported none.
    pub usage: Option<Usage>,
    /// Service tier in the upstream's words.
    pub service_tier: Option<String>,
    /// Fields of the answer that have no canonical name; those of a choice by their path, as
    /// `choices[0].content_filter_results`.
    pub extra: Extra,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choice {
    #[allow(missing_docs)]
    pub index: u32,
    #[allow(missing_docs)]
    pub parts: Vec<Part>,
    #[allow(missing_docs)]
    pub stop: Stop,
    /// OpenAI's `logprobs` object as received.
    pub logprobs: Option<Value>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stop {
    #[allow(missing_docs)]
    pub reason: StopReason,
    /// The upstream's own word, where it differs from the canonical one.
    pub native: Option<String>,
    /// The stop text that matched, when `reason` is `StopSequence`.
    pub sequence: Option<String>,
    /// The provider's words about a refusal.
    pub explanation: Option<String>,
}

impl StopReason {
    /// For its content policy: the model declined, or a safety system stepped in.
    pub fn declines(self) -> bool {
        matches!(self, StopReason::Refusal | StopReason::Filter)
    }
}

impl From<StopReason> for Stop {
    fn from(reason: StopReason) -> Self {
        Self { reason, ..Self::default() }
    }
}

/// The canonical reasons. `ToolUse` holds whenever the turn has a call to a client's tool, whatever the upstream says
/// (but for `Length` and `Filter`, which win).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopReason {
    /// The model was done.
    #[default]
    End,
    /// The output limit was reached.
    Length,
    /// The context window was full.
    Context,
    /// The model waits for tool results.
    ToolUse,
    /// A stop text matched.
    StopSequence,
    /// The model declined in words.
    Refusal,
    /// A safety system cut the answer off.
    Filter,
    /// A long server-side turn was paused; send it back to go on.
    Pause,
    /// The model tried to call a tool, and what it wrote was no call, or called no tool that it has. What it said
    /// otherwise stands.
    BadCall,
    /// The upstream says it failed.
    Error,
}
