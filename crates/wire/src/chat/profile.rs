//! What an encoder knows of its target, and what it hands back.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::{Effort, Loss};

/// What is known of a target: provider quirks and the model's abilities. Built once for each (provider, model) and
/// shared by all requests.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Catalogue or configuration id of the provider.
    pub provider: Arc<str>,
    /// The model id that goes upstream.
    pub model: Arc<str>,
    /// Output limit of the model in tokens.
    pub max_output: Option<u64>,
    #[allow(missing_docs)]
    pub abilities: Abilities,
    /// How thinking is steered; empty: unknown or not at all.
    pub reasoning: Vec<ReasoningOption>,
    /// Which field carries the output limit in OpenAI Chat.
    pub max_tokens_field: MaxTokensField,
    /// The server knows the role `developer`.
    pub developer_role: bool,
    /// The server takes `stream_options.include_usage`.
    pub stream_options: bool,
    /// The server takes `top_k` and other sampling fields beyond OpenAI's.
    pub open_sampling: bool,
    /// The server takes `web_search_options` (OpenAI Chat).
    pub web_search_options: bool,
    /// The server refuses calls of the tool loop under way that come without a thought (OpenAI Chat, DeepSeek): one that
    /// is lost is said to be empty.
    pub thoughts_with_calls: bool,
    /// The model takes `role: "system"` in mid conversation (Anthropic Messages).
    pub system_in_messages: bool,
    /// The server takes schemas in a subset of OpenAPI only, not in JSON Schema (older targets of Gemini).
    pub open_api_schemas: bool,
}

impl Profile {
    /// A target of which nothing is known: everything is taken to be possible.
    pub fn unknown(provider: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            max_output: None,
            abilities: Abilities::default(),
            reasoning: Vec::new(),
            max_tokens_field: MaxTokensField::AsGiven,
            developer_role: false,
            stream_options: true,
            open_sampling: true,
            web_search_options: false,
            thoughts_with_calls: false,
            system_in_messages: false,
            open_api_schemas: false,
        }
    }
}

/// What a model can do. An unknown model is taken to be able to do everything: the upstream will say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Takes images.
    pub image: bool,
    /// Takes PDF documents.
    pub pdf: bool,
    /// Takes sound.
    pub audio: bool,
    /// Calls tools.
    pub tools: bool,
    /// Takes `temperature`, `top_p` and the like.
    pub temperature: bool,
    /// Answers by a JSON schema natively.
    pub structured_output: bool,
    /// Thinks.
    pub reasoning: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            image: true,
            pdf: true,
            audio: true,
            tools: true,
            temperature: true,
            structured_output: true,
            reasoning: true,
        }
    }
}

/// A way in which thinking is steered (`reasoning_options` of the catalogue).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReasoningOption {
    /// On or off.
    Toggle,
    /// By a word, one of these.
    Effort(Vec<Effort>),
    /// By a number of tokens.
    Budget {
        #[allow(missing_docs)]
        min: Option<u64>,
        #[allow(missing_docs)]
        max: Option<u64>,
    },
}

/// Which field carries the output limit in OpenAI Chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaxTokensField {
    /// The one that the client used; translated requests use `max_tokens`.
    #[default]
    AsGiven,
    /// `max_tokens` only.
    MaxTokens,
    /// `max_completion_tokens` only (OpenAI's reasoning models refuse the other).
    MaxCompletionTokens,
}

/// A request ready to be sent.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Headers that the wire itself asks for (version, beta); never credentials.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    #[allow(missing_docs)]
    pub body: Bytes,
    /// What could not be carried.
    pub losses: Vec<Loss>,
    /// What has to be reversed on the way back.
    pub undo: Undo,
}

/// What an encoder changed and a decoder of the answer must reverse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undo {
    /// Alias sent upstream -> the client's tool name.
    pub tool_names: HashMap<String, String>,
    /// Tools that are free-text at the client and functions with one string parameter `input` at the target.
    pub custom_tools: Vec<String>,
    /// The forced tool whose arguments are the text of the answer (structured output by a tool).
    pub json_tool: Option<String>,
    /// Texts at which the answer ends, for wires that cannot say so: the reader cuts it off there.
    pub stops: Vec<String>,
}

impl Undo {
    /// The client's name of a tool that the upstream calls `name`.
    pub fn tool_name(&self, name: &str) -> String {
        self.tool_names.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }
}
