//! The formats, their names and their addresses. The two halves of a codec are in `halves`.

use std::borrow::Cow;

use crate::chat::MaxTokensField;
use crate::count::{self, Counting};
use crate::embed::gemini::GeminiEmbeddings;
use crate::embed::ollama::OllamaEmbeddings;
use crate::embed::openai::OpenAiEmbeddings;
use crate::embed::{EmbedSurface, EmbedWire};
use crate::{anthropic_messages, gemini, generate, ollama, openai_chat, openai_responses};

mod halves;
mod output_limit;

pub use halves::{
    Echo, Glance, GlanceWhole, Head, Peek, SoFar, StreamReader, StreamWriter, Surface, Thoughts, Wire,
};
pub use output_limit::OutputLimit;

/// A format family, spoken to us, by us or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI Chat Completions and the many servers that speak it.
    OpenAiChat,
    /// Anthropic Messages.
    AnthropicMessages,
    /// OpenAI Responses.
    OpenAiResponses,
    /// Gemini `generateContent`.
    Gemini,
}

/// A format that clients speak to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SurfaceId {
    /// `POST /v1/chat/completions`
    OpenAiChat,
    /// `POST /v1/responses`
    OpenAiResponses,
    /// `POST /v1/generate`, the gateway's own one-prompt form.
    Generate,
    /// `POST /v1/messages`
    AnthropicMessages,
    /// `GET /v1/ws`: OpenAI Chat over a WebSocket.
    Socket,
    /// `POST /v1beta/models/{model}:generateContent`, streamed by `:streamGenerateContent`
    Gemini,
}

/// A format that we speak to providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireId {
    /// `openai_chat`
    OpenAiChat,
    /// `anthropic_messages`
    AnthropicMessages,
    /// `gemini`
    Gemini,
    /// `openai_responses`
    OpenAiResponses,
    /// `ollama_chat`: its native format; no dialect, for no client speaks it to us.
    Ollama,
}

impl SurfaceId {
    /// All surfaces, in the order of their introduction.
    pub const ALL: [SurfaceId; 6] = [
        SurfaceId::OpenAiChat,
        SurfaceId::OpenAiResponses,
        SurfaceId::Generate,
        SurfaceId::AnthropicMessages,
        SurfaceId::Socket,
        SurfaceId::Gemini,
    ];

    /// The codec half that faces clients.
    pub fn surface(self) -> &'static dyn Surface {
        match self {
            SurfaceId::OpenAiChat | SurfaceId::Socket => &openai_chat::OpenAiChat,
            SurfaceId::OpenAiResponses => &openai_responses::OpenAiResponses,
            SurfaceId::Generate => &generate::Generate,
            SurfaceId::AnthropicMessages => &anthropic_messages::AnthropicMessages,
            SurfaceId::Gemini => &gemini::Gemini,
        }
    }

    /// The dialect, for surfaces that are one: a wire of the same dialect is carried.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            SurfaceId::OpenAiChat | SurfaceId::Socket => Some(Dialect::OpenAiChat),
            SurfaceId::OpenAiResponses => Some(Dialect::OpenAiResponses),
            SurfaceId::Generate => None,
            SurfaceId::AnthropicMessages => Some(Dialect::AnthropicMessages),
            SurfaceId::Gemini => Some(Dialect::Gemini),
        }
    }

    /// Its embeddings, for surfaces that have them.
    pub fn embeds(self) -> Option<&'static dyn EmbedSurface> {
        match self {
            SurfaceId::OpenAiChat => Some(&OpenAiEmbeddings),
            SurfaceId::Gemini => Some(&GeminiEmbeddings),
            SurfaceId::OpenAiResponses
            | SurfaceId::Generate
            | SurfaceId::AnthropicMessages
            | SurfaceId::Socket => None,
        }
    }

    /// Its token counting, for surfaces that have it.
    pub fn counts(self) -> Option<&'static Counting> {
        match self {
            SurfaceId::Gemini => Some(&count::GEMINI),
            SurfaceId::AnthropicMessages => Some(&count::ANTHROPIC_MESSAGES),
            SurfaceId::OpenAiResponses => Some(&count::OPENAI_RESPONSES),
            SurfaceId::OpenAiChat | SurfaceId::Generate | SurfaceId::Socket => None,
        }
    }

    /// The name in the ledger, in logs and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            SurfaceId::OpenAiChat => "openai_chat",
            SurfaceId::OpenAiResponses => "openai_responses",
            SurfaceId::Generate => "generate",
            SurfaceId::AnthropicMessages => "anthropic_messages",
            SurfaceId::Socket => "ws",
            SurfaceId::Gemini => "gemini",
        }
    }
}

impl WireId {
    /// All wires, in the order of their introduction.
    pub const ALL: [WireId; 5] = [
        WireId::OpenAiChat,
        WireId::AnthropicMessages,
        WireId::Gemini,
        WireId::OpenAiResponses,
        WireId::Ollama,
    ];

    /// The codec half that faces providers.
    pub fn wire(self) -> &'static dyn Wire {
        match self {
            WireId::OpenAiChat => &openai_chat::OpenAiChat,
            WireId::AnthropicMessages => &anthropic_messages::AnthropicMessages,
            WireId::Gemini => &gemini::Gemini,
            WireId::OpenAiResponses => &openai_responses::OpenAiResponses,
            WireId::Ollama => &ollama::Ollama,
        }
    }

    /// The dialect, for wires that are one.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            WireId::OpenAiChat => Some(Dialect::OpenAiChat),
            WireId::AnthropicMessages => Some(Dialect::AnthropicMessages),
            WireId::Gemini => Some(Dialect::Gemini),
            WireId::OpenAiResponses => Some(Dialect::OpenAiResponses),
            WireId::Ollama => None,
        }
    }

    /// Its embeddings, for wires that have them.
    pub fn embeds(self) -> Option<&'static dyn EmbedWire> {
        match self {
            WireId::OpenAiChat => Some(&OpenAiEmbeddings),
            WireId::Gemini => Some(&GeminiEmbeddings),
            WireId::Ollama => Some(&OllamaEmbeddings),
            WireId::AnthropicMessages | WireId::OpenAiResponses => None,
        }
    }

    /// Its token counting, for wires that have it.
    pub fn counts(self) -> Option<&'static Counting> {
        match self {
            WireId::OpenAiChat | WireId::Ollama => None,
            WireId::AnthropicMessages => Some(&count::ANTHROPIC_MESSAGES),
            WireId::Gemini => Some(&count::GEMINI),
            WireId::OpenAiResponses => Some(&count::OPENAI_RESPONSES),
        }
    }

    /// The name in the catalogue, the ledger and in logs.
    pub fn name(self) -> &'static str {
        match self {
            WireId::OpenAiChat => "openai_chat",
            WireId::AnthropicMessages => "anthropic_messages",
            WireId::Gemini => "gemini",
            WireId::OpenAiResponses => "openai_responses",
            WireId::Ollama => "ollama_chat",
        }
    }

    /// What every endpoint of this wire ends in.
    pub fn operation_path(self) -> &'static str {
        match self {
            WireId::OpenAiChat => "/chat/completions",
            WireId::AnthropicMessages => "/messages",
            WireId::Gemini => "/models",
            WireId::OpenAiResponses => "/responses",
            WireId::Ollama => "/api/chat",
        }
    }

    /// The path where a server of this wire usually has it.
    pub fn usual_path(self) -> &'static str {
        match self {
            WireId::OpenAiChat => "/v1/chat/completions",
            WireId::AnthropicMessages => "/v1/messages",
            WireId::Gemini => "/v1beta/models",
            WireId::OpenAiResponses => "/v1/responses",
            WireId::Ollama => "/api/chat",
        }
    }

    /// Path and query of an operation at an endpoint; `chat` are those of the endpoint itself, as in
    /// `/v1/chat/completions?api-version=1`. `None`: this wire does not have the operation.
    pub fn target<'a>(
        self,
        chat: &'a str,
        operation: Operation,
        model: &str,
        stream: bool,
    ) -> Option<Cow<'a, str>> {
        match (self, operation) {
            (
                WireId::OpenAiChat | WireId::OpenAiResponses | WireId::AnthropicMessages | WireId::Ollama,
                Operation::Chat,
            ) => Some(chat.into()),
            (WireId::OpenAiChat, Operation::Embed | Operation::EmbedOne) => {
                beside(chat, self.operation_path(), "/embeddings")
            }
            (WireId::Ollama, Operation::Embed | Operation::EmbedOne) => {
                beside(chat, self.operation_path(), "/api/embed")
            }
            (WireId::OpenAiChat, Operation::Complete) => beside(chat, self.operation_path(), "/completions"),
            (WireId::AnthropicMessages, Operation::CountTokens) => {
                beside(chat, self.operation_path(), "/messages/count_tokens")
            }
            (WireId::OpenAiResponses, Operation::CountTokens) => {
                beside(chat, self.operation_path(), "/responses/input_tokens")
            }
            (WireId::Gemini, operation) => {
                let method = gemini::method(operation, stream)?;
                Some(gemini::target(chat, model, method).into())
            }
            _ => None,
        }
    }

    /// Path and query of the list of models at an endpoint; `chat` as for [`target`](Self::target). `None`: the endpoint
    /// does not end as is usual for the wire.
    /// Source of the largest page: Anthropic's reference for listing models, read 2026-11-26.
    pub fn list_target(self, chat: &str) -> Option<Cow<'_, str>> {
        match self {
            WireId::OpenAiChat | WireId::OpenAiResponses => beside(chat, self.operation_path(), "/models"),
            WireId::Ollama => beside(chat, self.operation_path(), "/api/tags"),
            WireId::Gemini => Some(chat.to_owned().into()),
            WireId::AnthropicMessages => {
                let list = beside(chat, self.operation_path(), "/models")?;
                let joint = if list.contains('?') { '&' } else { '?' };
                Some(format!("{list}{joint}limit=1000").into())
            }
        }
    }

    /// Where its requests state the output limit; `field` is what the target takes, where servers of this wire differ.
    pub fn output_limit(self, field: MaxTokensField) -> OutputLimit {
        let (within, names): (&[&str], &[&str]) = match (self, field) {
            (WireId::OpenAiChat, MaxTokensField::MaxCompletionTokens) => {
                (&[], &["max_completion_tokens", "max_tokens"])
            }
            (WireId::OpenAiChat, MaxTokensField::AsGiven | MaxTokensField::MaxTokens) => {
                (&[], &["max_tokens", "max_completion_tokens"])
            }
            (WireId::OpenAiResponses, _) => (&[], &["max_output_tokens"]),
            (WireId::AnthropicMessages, _) => (&[], &["max_tokens"]),
            (WireId::Gemini, _) => {
                (&["generationConfig", "generation_config"], &["maxOutputTokens", "max_output_tokens"])
            }
            (WireId::Ollama, _) => (&["options"], &["num_predict"]),
        };
        OutputLimit { within, names }
    }

    /// Whether this wire has the operation.
    pub fn has(self, operation: Operation) -> bool {
        self.target(self.operation_path(), operation, "", false).is_some()
    }

    /// Whether the root of a server may go on after its version, as in `/v1beta/openai`; where not, a root is complete
    /// only if it ends in one.
    pub fn roots_go_on_after_version(self) -> bool {
        match self {
            WireId::OpenAiChat | WireId::OpenAiResponses => true,
            // Anthropic's clients append `/v1/messages` to any root.
            WireId::AnthropicMessages | WireId::Gemini | WireId::Ollama => false,
        }
    }

    /// The header that carries the key where nobody says otherwise, and what stands before the key in it.
    pub fn usual_auth(self) -> (&'static str, &'static str) {
        match self {
            WireId::OpenAiChat | WireId::OpenAiResponses | WireId::Ollama => ("authorization", "Bearer "),
            WireId::AnthropicMessages => ("x-api-key", ""),
            WireId::Gemini => ("x-goog-api-key", ""),
        }
    }

    /// The wire of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wire| wire.name() == name)
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Continue a conversation.
    Chat,
    /// Say how many tokens a conversation has.
    CountTokens,
    /// Turn texts into vectors.
    Embed,
    /// Turn one text into a vector, where that has a path of its own.
    EmbedOne,
    /// Continue a text: OpenAI's legacy completions.
    Complete,
}

impl Operation {
    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        use Operation::{Chat, Complete, CountTokens, Embed};
        [Chat, CountTokens, Embed, Complete].into_iter().find(|operation| operation.name() == name)
    }

    /// The operation of which it is a form: to embed one text is to embed.
    pub fn family(self) -> Self {
        match self {
            Operation::EmbedOne => Operation::Embed,
            other => other,
        }
    }

    /// In words that follow "does not offer".
    pub fn in_words(self) -> &'static str {
        match self {
            Operation::Chat => "chat completions",
            Operation::CountTokens => "token counting",
            Operation::Embed | Operation::EmbedOne => "embeddings",
            Operation::Complete => "legacy completions (/v1/completions); /v1/chat/completions works",
        }
    }

    /// The name in the ledger and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Chat => "chat",
            Operation::CountTokens => "count_tokens",
            Operation::Embed | Operation::EmbedOne => "embed",
            Operation::Complete => "complete",
        }
    }
}

/// The path of a sibling: `from`, at the end of the path, is replaced.
fn beside<'a>(chat: &'a str, from: &str, to: &str) -> Option<Cow<'a, str>> {
    let (path, query) = chat.split_once('?').map_or((chat, None), |(path, query)| (path, Some(query)));
    let root = path.strip_suffix(from)?;
    Some(query.map_or_else(|| format!("{root}{to}"), |query| format!("{root}{to}?{query}")).into())
}
