//! Frames: the units in which a streamed answer arrives.

mod json_array;
mod json_lines;
mod sse;

pub use json_array::{JsonArraySplitter, JsonArrayWriter};
pub use json_lines::JsonLinesSplitter;
pub use sse::{SseEvent, SseSplitter, write_sse};

/// How a stream is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// One JSON array, sent element by element (Gemini without `alt=sse`).
    JsonArray,
    /// A JSON value a line (native Ollama).
    JsonLines,
}

/// One frame: the joined data of one server-sent event, without its framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// `event:` of a server-sent event; empty when absent.
    pub event: &'a str,
    /// The joined `data:` lines.
    pub data: &'a str,
}
