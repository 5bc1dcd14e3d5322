//! Steps of a streamed answer.

use bytes::Bytes;
use serde_json::Value;

use super::{Citation, Extra, Origin, Stop, ToolKind, Usage};
use crate::dialect::Dialect;

/// One step.
///
/// Grammar: `Start (Open | Delta | Close | Logprobs | Usage | Fields | Foreign)* Stop+`, one `Stop` a choice. Every
/// `Delta` names an open part, every part is closed before the `Stop` of its choice. `Usage` and `Fields` are
/// cumulative: the last value counts, field by field, and they may also follow `Stop`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The upstream accepted the request; no content yet.
    Start {
        #[allow(missing_docs)]
        id: Option<String>,
        #[allow(missing_docs)]
        model: Option<String>,
        /// Seconds since 1970, when the upstream states it.
        created: Option<u64>,
    },
    /// A part begins.
    Open {
        #[allow(missing_docs)]
        part: PartId,
        /// Which answer it belongs to; 0 unless the client asked for several.
        choice: u32,
        #[allow(missing_docs)]
        kind: PartKind,
    },
    /// More of an open part.
    Delta {
        #[allow(missing_docs)]
        part: PartId,
        #[allow(missing_docs)]
        piece: Piece,
    },
    /// A part is complete.
    Close {
        #[allow(missing_docs)]
        part: PartId,
    },
    /// OpenAI's `logprobs` object of one chunk, as received; the text that it is of follows.
    Logprobs {
        #[allow(missing_docs)]
        choice: u32,
        #[allow(missing_docs)]
        raw: Value,
    },
    /// Token counts so far.
    Usage(Usage),
    /// The service tier that answered, in the upstream's words.
    ServiceTier(String),
    /// Fields of the answer that have no canonical name; those of a choice by their path, as in
    /// [`ChatResponse::extra`](super::ChatResponse::extra).
    Fields(Extra),
    /// An event that has no canonical form, kept for its own dialect.
    Foreign {
        #[allow(missing_docs)]
        from: Dialect,
        /// The data of the frame.
        data: Bytes,
    },
    /// A choice is complete.
    Stop {
        #[allow(missing_docs)]
        choice: u32,
        #[allow(missing_docs)]
        stop: Stop,
    },
}

/// Names a part within one stream; counts up from 0 in order of opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartId(pub u32);

/// What an open part is.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum PartKind {
    Text,
    Thinking {
        id: Option<String>,
        origin: Option<Origin>,
    },
    /// Complete at its opening.
    RedactedThinking {
        data: String,
        origin: Option<Origin>,
    },
    Refusal,
    ToolCall {
        id: String,
        name: String,
        kind: ToolKind,
    },
    /// Complete at its opening.
    ServerTool {
        raw: Value,
        origin: Origin,
    },
    /// An image or a sound made by the model; complete at its opening, base64.
    Media {
        mime: String,
        data: String,
    },
}

/// A fragment of an open part.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Of a text, a thought or a refusal.
    Text(String),
    /// Of the arguments of a call; a fragment of JSON text, not a value.
    ToolInput(String),
    /// The signature of a thought or of a call, whole.
    Signature(String),
    /// Opaque thoughts that belong to this thinking part, whole.
    Encrypted(String),
    /// A source of the text.
    Citation(Citation),
}
