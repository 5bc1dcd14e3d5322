//! The formats, their names and their addresses. The two halves of a codec are in `halves`.

use std::borrow::Cow;

use crate::{anthropic_messages, generate, openai_chat};

mod halves;

pub use halves::{Echo, Glance, GlanceWhole, Head, Peek, SoFar, StreamReader, StreamWriter, Surface, Wire};

/// A format family, spoken to us, by us or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI Chat Completions and the many servers that speak it.
    OpenAiChat,
    /// Anthropic Messages.
    AnthropicMessages,
}

/// A format that clients speak to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SurfaceId {
    /// `POST /v1/chat/completions`
    OpenAiChat,
    /// `POST /v1/generate`, the gateway's own one-prompt form.
    Generate,
}

/// A format that we speak to providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireId {
    /// `openai_chat`
    OpenAiChat,
    /// `anthropic_messages`
    AnthropicMessages,
}

impl SurfaceId {
    /// All surfaces, in the order of their introduction.
    pub const ALL: [SurfaceId; 2] = [SurfaceId::OpenAiChat, SurfaceId::Generate];

    /// The codec half that faces clients.
    pub fn surface(self) -> &'static dyn Surface {
        match self {
            SurfaceId::OpenAiChat => &openai_chat::OpenAiChat,
            SurfaceId::Generate => &generate::Generate,
        }
    }

    /// The dialect, for surfaces that are one: a wire of the same dialect is carried.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            SurfaceId::OpenAiChat => Some(Dialect::OpenAiChat),
            SurfaceId::Generate => None,
        }
    }

    /// The name in the ledger, in logs and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            SurfaceId::OpenAiChat => "openai_chat",
            SurfaceId::Generate => "generate",
        }
    }
}

impl WireId {
    /// All wires, in the order of their introduction.
    pub const ALL: [WireId; 2] = [WireId::OpenAiChat, WireId::AnthropicMessages];

    /// The codec half that faces providers.
    pub fn wire(self) -> &'static dyn Wire {
        match self {
            WireId::OpenAiChat => &openai_chat::OpenAiChat,
            WireId::AnthropicMessages => &anthropic_messages::AnthropicMessages,
        }
    }

    /// The dialect, for wires that are one.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            WireId::OpenAiChat => Some(Dialect::OpenAiChat),
            WireId::AnthropicMessages => Some(Dialect::AnthropicMessages),
        }
    }

    /// The name in the catalogue, the ledger and in logs.
    pub fn name(self) -> &'static str {
        match self {
            WireId::OpenAiChat => "openai_chat",
            WireId::AnthropicMessages => "anthropic_messages",
        }
    }

    /// What every endpoint of this wire ends in.
    pub fn operation_path(self) -> &'static str {
        match self {
            WireId::OpenAiChat => "/chat/completions",
            WireId::AnthropicMessages => "/messages",
        }
    }

    /// The path where a server of this wire usually has it.
    pub fn usual_path(self) -> &'static str {
        match self {
            WireId::OpenAiChat => "/v1/chat/completions",
            WireId::AnthropicMessages => "/v1/messages",
        }
    }

    /// Path and query of an operation at an endpoint; `chat` are those of the endpoint itself, as in
    /// `/v1/chat/completions?api-version=1`. `None`: this wire does not have the operation.
    pub fn target<'a>(
        self,
        chat: &'a str,
        operation: Operation,
        _model: &str,
        _stream: bool,
    ) -> Option<Cow<'a, str>> {
        match (self, operation) {
            (WireId::OpenAiChat | WireId::AnthropicMessages, Operation::Chat) => Some(chat.into()),
            (WireId::OpenAiChat, Operation::Embed) => beside(chat, self.operation_path(), "/embeddings"),
            (WireId::OpenAiChat, Operation::Complete) => beside(chat, self.operation_path(), "/completions"),
            (WireId::AnthropicMessages, Operation::CountTokens) => {
                beside(chat, self.operation_path(), "/messages/count_tokens")
            }
            _ => None,
        }
    }

    /// Whether this wire has the operation.
    pub fn has(self, operation: Operation) -> bool {
        self.target(self.operation_path(), operation, "", false).is_some()
    }

    /// Whether the root of a server may go on after its version, as in `/v1beta/openai`; where not, a root is complete
    /// only if it ends in one.
    pub fn roots_go_on_after_version(self) -> bool {
        match self {
            WireId::OpenAiChat => true,
            // Anthropic's clients append `/v1/messages` to any root.
            WireId::AnthropicMessages => false,
        }
    }

    /// The header that carries the key where nobody says otherwise, and what stands before the key in it.
    pub fn usual_auth(self) -> (&'static str, &'static str) {
        match self {
            WireId::OpenAiChat => ("authorization", "Bearer "),
            WireId::AnthropicMessages => ("x-api-key", ""),
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
    /// Continue a text: OpenAI's legacy completions.
    Complete,
}

impl Operation {
    /// The name in the ledger and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Chat => "chat",
            Operation::CountTokens => "count_tokens",
            Operation::Embed => "embed",
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
