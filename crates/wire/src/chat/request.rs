//! The canonical request: turns of parts, tools, sampling and limits.

use serde_json::Value;
use serde_json::value::RawValue;

use super::Extra;
use crate::dialect::Dialect;

/// A conversation to continue.
#[derive(Debug, Clone, Default)]
pub struct ChatRequest {
    /// The model as the client named it.
    pub model: String,
    /// All turns in order, system and developer turns included.
    pub messages: Vec<Message>,
    /// Tools that the model may call.
    pub tools: Vec<Tool>,
    /// `None`: the dialect's default (`auto` when there are tools).
    pub tool_choice: Option<ToolChoice>,
    /// `Some(false)` asks for at most one call a turn.
    pub parallel_tool_calls: Option<bool>,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// Upper bound of generated tokens, thinking included.
    pub max_output: Option<u64>,
    /// Texts at which generation stops.
    pub stop: Vec<String>,
    /// How much the model should think, and whether its thoughts are wanted.
    pub thinking: Option<Thinking>,
    /// The form that the text of the answer must have.
    pub format: Option<OutputFormat>,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// Whether a streamed answer ends with a usage report (`stream_options.include_usage` in OpenAI Chat).
    pub include_usage: bool,
    /// Stable id of the end user, as the client gave it.
    pub end_user: Option<String>,
    /// Labels of the client; never forwarded across dialects.
    pub metadata: Option<Value>,
    /// Service tier in the words of the dialect it came from.
    pub service_tier: Option<String>,
    /// Cache hint for the whole prompt (`prompt_cache_key`).
    pub cache_key: Option<String>,
    /// Desired length of the answer (`verbosity`).
    pub verbosity: Option<String>,
    /// The request uses OpenAI Chat's legacy `functions` and wants its answer in that shape.
    pub legacy_functions: bool,
    /// Top-level fields that have no canonical name.
    pub extra: Extra,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Whose turn it is.
    pub role: Role,
    /// What it consists of, in order; the order is meaning.
    pub parts: Vec<Part>,
    /// Participant name (OpenAI Chat `name`).
    pub name: Option<String>,
    /// Fields of the message that have no canonical name.
    pub extra: Extra,
}

/// Whose turn a message is. A tool result is a turn of its own here, whatever the dialect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// A piece of a turn, of a request or of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Visible text.
    Text {
        #[allow(missing_docs)]
        text: String,
        /// Sources of the text; only in answers.
        citations: Vec<Citation>,
        /// The prompt up to and including this part should be cached.
        cache: Option<CacheMark>,
    },
    /// A picture.
    Image {
        #[allow(missing_docs)]
        source: MediaSource,
        #[allow(missing_docs)]
        detail: Option<ImageDetail>,
        #[allow(missing_docs)]
        cache: Option<CacheMark>,
    },
    /// A document, PDF or plain text.
    File {
        #[allow(missing_docs)]
        source: MediaSource,
        /// File name or title.
        name: Option<String>,
        #[allow(missing_docs)]
        cache: Option<CacheMark>,
    },
    /// Sound, base64.
    Audio {
        /// Base64 in the plain alphabet.
        data: String,
        /// `wav`, `mp3` and the like.
        format: String,
    },
    /// What the model thought. Signed or encrypted thoughts go back to the family they came from, verbatim, or are
    /// dropped; they are never turned into visible text.
    Thinking {
        #[allow(missing_docs)]
        text: String,
        /// Proof of origin (Anthropic `signature`, Gemini `thoughtSignature`).
        signature: Option<String>,
        /// Opaque thoughts (OpenAI Responses `encrypted_content`).
        encrypted: Option<String>,
        /// Id of the reasoning item, where the dialect has one.
        id: Option<String>,
        #[allow(missing_docs)]
        origin: Option<Origin>,
    },
    /// Thoughts that the provider shows in encrypted form only.
    RedactedThinking {
        #[allow(missing_docs)]
        data: String,
        #[allow(missing_docs)]
        origin: Option<Origin>,
    },
    /// The model calls a tool of the client.
    ToolCall {
        /// Id by which the result names its call; opaque.
        id: String,
        #[allow(missing_docs)]
        name: String,
        /// Arguments as text, as received; parsed only where a dialect needs an object.
        args: String,
        /// Proof that belongs to the call (Gemini 3).
        signature: Option<String>,
        #[allow(missing_docs)]
        kind: ToolKind,
    },
    /// What a tool answered.
    ToolResult {
        #[allow(missing_docs)]
        call_id: String,
        /// Name of the tool, where the dialect states it.
        name: Option<String>,
        #[allow(missing_docs)]
        parts: Vec<Part>,
        #[allow(missing_docs)]
        is_error: bool,
        #[allow(missing_docs)]
        cache: Option<CacheMark>,
    },
    /// The model declined in words.
    Refusal {
        #[allow(missing_docs)]
        text: String,
    },
    /// A step of a tool that the provider runs itself (web search, code execution); opaque.
    ServerTool {
        /// The block as received.
        raw: Value,
        #[allow(missing_docs)]
        origin: Origin,
    },
    /// A part that has no canonical form; returns to the dialect it came from, elsewhere it is a loss.
    Foreign {
        /// The part as received.
        raw: Value,
        #[allow(missing_docs)]
        origin: Origin,
    },
}

impl Part {
    /// Plain text without citations or cache mark.
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text { text: text.into(), citations: Vec::new(), cache: None }
    }
}

/// Who produced a part: decides whether an opaque part may be sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    #[allow(missing_docs)]
    pub dialect: Dialect,
    /// Catalogue id of the provider, when known.
    pub provider: Option<String>,
    #[allow(missing_docs)]
    pub model: Option<String>,
}

impl From<Dialect> for Origin {
    fn from(dialect: Dialect) -> Self {
        Self { dialect, provider: None, model: None }
    }
}

/// Where the bytes of an image or a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MediaSource {
    Url(String),
    /// Base64 in the plain alphabet, and the MIME type (sniffed when the client gave none).
    Base64 {
        mime: String,
        data: String,
    },
    /// What only a provider of that dialect can read, as an id in one account of it; cannot cross dialects.
    FileId {
        of: Dialect,
        id: String,
    },
    /// Plain text that stands for a file.
    Text(String),
}

/// How closely an image is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDetail(pub String);

/// Prompt caching ends here (Anthropic `cache_control`, also honoured inside OpenAI Chat parts, OpenRouter's form).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CacheMark {
    /// `5m` or `1h`; `None`: the provider's default.
    pub ttl: Option<String>,
}

/// A source of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    #[allow(missing_docs)]
    pub url: Option<String>,
    #[allow(missing_docs)]
    pub title: Option<String>,
    /// Range in the text of its part, in Unicode code points.
    pub span: Option<(u64, u64)>,
    /// The citation as received, with the dialect it came from.
    pub raw: Option<(Dialect, Value)>,
}

/// A tool that the model may call.
#[derive(Debug, Clone)]
pub struct Tool {
    #[allow(missing_docs)]
    pub name: String,
    #[allow(missing_docs)]
    pub description: Option<String>,
    #[allow(missing_docs)]
    pub kind: ToolKind,
    /// JSON Schema of the arguments, as received. `None`: the client gave none.
    pub parameters: Option<Box<RawValue>>,
    /// Arguments must match the schema exactly.
    pub strict: Option<bool>,
    #[allow(missing_docs)]
    pub cache: Option<CacheMark>,
    /// The definition as received, for kinds that are not functions (built-in tools, custom formats).
    pub raw: Option<(Dialect, Value)>,
}

/// What kind of tool it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ToolKind {
    /// Takes a JSON object.
    #[default]
    Function,
    /// Takes free text.
    Custom,
    /// Run by the provider; only its own dialect knows it. The definition is in `raw`.
    BuiltIn,
}

/// Which tools may or must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ToolChoice {
    Auto,
    None,
    /// At least one call.
    Any,
    One(String),
    /// Only these; `must` asks for at least one call.
    Some {
        names: Vec<String>,
        must: bool,
    },
}

/// How tokens are drawn. Absent means the provider's default.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Sampling {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub seed: Option<i64>,
    pub logit_bias: Option<Value>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<u64>,
    /// Number of answers wanted.
    pub n: Option<u64>,
}

/// How much the model should think.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thinking {
    /// In words; `None` with `budget` absent too: adaptive, as much as the model sees fit.
    pub effort: Option<Effort>,
    /// In tokens.
    pub budget: Option<u64>,
    /// Whether thoughts are shown. `None`: the dialect's default.
    pub show: Option<bool>,
}

/// Canonical steps of thinking effort, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// The form that the text of the answer must have.
#[derive(Debug, Clone)]
pub enum OutputFormat {
    /// Any JSON object.
    JsonObject,
    /// JSON that matches a schema.
    JsonSchema {
        #[allow(missing_docs)]
        name: Option<String>,
        #[allow(missing_docs)]
        description: Option<String>,
        #[allow(missing_docs)]
        schema: Box<RawValue>,
        #[allow(missing_docs)]
        strict: Option<bool>,
    },
}
