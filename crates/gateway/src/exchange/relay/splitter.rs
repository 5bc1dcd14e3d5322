//! Cuts what an upstream sends into frames, however it frames them.

use wire::Fault;
use wire::frame::{Frame, Framing, JsonArraySplitter, JsonLinesSplitter, SseEvent, SseSplitter};

/// One frame, as it was cut out.
pub(super) struct Cut<'a> {
    pub(super) frame: Frame<'a>,
    /// The bytes received, when they are a server-sent event.
    pub(super) event: Option<&'a [u8]>,
}

/// A splitter for each framing.
#[derive(Debug)]
pub(super) enum Splitter {
    Sse(SseSplitter),
    Lines(JsonLinesSplitter),
    Array(JsonArraySplitter),
}

impl Splitter {
    /// Frames larger than `limit` bytes are refused.
    pub(super) fn new(framing: Framing, limit: usize) -> Self {
        match framing {
            Framing::Sse => Self::Sse(SseSplitter::new(limit)),
            Framing::JsonLines => Self::Lines(JsonLinesSplitter::new(limit)),
            Framing::JsonArray => Self::Array(JsonArraySplitter::new(limit)),
        }
    }

    /// The next bytes. Call [`next`](Self::next) until it yields `None` before pushing more.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sse(splitter) => splitter.push(bytes),
            Self::Lines(splitter) => splitter.push(bytes),
            Self::Array(splitter) => splitter.push(bytes),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Cut<'_>>, Fault> {
        Ok(match self {
            Self::Sse(splitter) => splitter.next()?.map(Cut::from),
            Self::Lines(splitter) => splitter.next()?.map(Cut::from),
            Self::Array(splitter) => splitter.next()?.map(Cut::from),
        })
    }

    /// The stream has ended. `Err`: in the middle of an array.
    pub(super) fn finish(&mut self) -> Result<Option<Cut<'_>>, Fault> {
        match self {
            Self::Sse(splitter) => Ok(splitter.finish()?.map(Cut::from)),
            Self::Lines(splitter) => Ok(splitter.finish()?.map(Cut::from)),
            Self::Array(splitter) if splitter.is_complete() => Ok(None),
            Self::Array(_) => {
                let why = "its array ended without its last bracket".to_owned();
                Err(Fault::Cut { provider: String::new(), why })
            }
        }
    }
}

impl<'a> From<SseEvent<'a>> for Cut<'a> {
    fn from(event: SseEvent<'a>) -> Self {
        Self { frame: event.frame(), event: Some(event.raw) }
    }
}

impl<'a> From<Frame<'a>> for Cut<'a> {
    fn from(frame: Frame<'a>) -> Self {
        Self { frame, event: None }
    }
}
