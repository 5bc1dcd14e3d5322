//! What a request asks for, read from any wire: the little that an answer depends on.

use serde_json::Value;

/// A request that passed its wire's judge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) stream: bool,
    /// A stream should tell its usage.
    pub(crate) usage: bool,
    /// How many answers (OpenAI's `n`).
    pub(crate) choices: u64,
    /// The text of the last user turn.
    pub(crate) text: String,
    /// The MIME type of each image, or `url` for one sent by address.
    pub(crate) images: Vec<String>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) forced: Forced,
    /// The results that came since the last assistant turn.
    pub(crate) results: Vec<ToolResult>,
    pub(crate) format: Format,
    /// Thoughts are not wanted.
    pub(crate) thoughtless: bool,
    /// Reasoning is given in its encrypted form too (Responses' `include`).
    pub(crate) encrypted: bool,
    /// Calls have ids (Gemini and Ollama give them only to some).
    pub(crate) call_ids: bool,
    /// What the answer repeats of the request (Responses, legacy completions).
    pub(crate) echo: Value,
    /// Tells this request's ids from other requests'.
    pub(crate) serial: usize,
}

/// A tool on offer.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) schema: Value,
    /// It takes free text instead of arguments.
    pub(crate) custom: bool,
}

/// Whether a tool must be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Forced {
    #[default]
    No,
    /// None may be.
    Never,
    Any,
    Named(String),
}

/// What a call returned.
#[derive(Clone, Debug)]
pub(crate) struct ToolResult {
    pub(crate) call: String,
    pub(crate) text: String,
    pub(crate) is_error: bool,
}

/// The form the answer's text must have.
#[derive(Clone, Debug, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Schema(Value),
}
