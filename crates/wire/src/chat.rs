//! The canonical conversation: what every dialect is translated into and out of.
//!
//! It is ours, not OpenAI's chunk, because a chunk has no part boundaries: a writer for a dialect that has them would
//! grow flags such as "has the text block started". Here a stream is a sequence of [`Event`]s with explicit opens and
//! closes, and a whole answer is a list of [`Part`]s; `fold` turns one into the other.

pub mod custody;
mod event;
mod extra;
mod fold;
mod guard;
mod leftover;
mod loss;
mod profile;
pub mod recall;
mod request;
mod response;
mod sequence;
pub mod stop_text;
mod usage;

pub use event::{Event, PartId, PartKind, Piece};
pub use extra::Extra;
pub(crate) use extra::MODALITIES;
pub use fold::{Fold, unfold};
pub(crate) use fold::{opening, pieces};
pub use guard::Guard;
pub(crate) use leftover::Leftover;
pub use loss::Loss;
pub use profile::{Abilities, Encoded, MaxTokensField, Profile, ReasoningOption, Undo};
pub use request::{
    CacheMark, ChatRequest, Citation, Effort, ImageDetail, MediaSource, Message, Origin, OutputFormat, Part,
    Role, Sampling, Thinking, Tool, ToolChoice, ToolKind,
};
pub use response::{ChatResponse, Choice, Stop, StopReason};
pub use sequence::Sequence;
pub use usage::Usage;
