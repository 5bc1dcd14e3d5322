//! A stream on paper: what its events mean, and the forms in which providers put them on the wire. How a server-sent
//! event is spelled is told in `sse`.

use bytes::Bytes;
use serde_json::Value;

use crate::script::Spelling;
use crate::sse;

/// What an event means to a stream, whatever its wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// Opens or closes the stream or a part, or pads it.
    Open,
    /// A piece of the answer.
    Content,
    /// Says why the answer ended.
    Finish,
    /// Tells usage, and nothing else.
    Usage,
    /// The stream's last word.
    Done,
}

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) tag: Tag,
    pub(crate) name: Option<&'static str>,
    pub(crate) data: String,
}

impl Event {
    /// An event without a name.
    pub(crate) fn plain(tag: Tag, data: &Value) -> Self {
        Self { tag, name: None, data: data.to_string() }
    }
}

/// An event as bytes.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) tag: Tag,
    pub(crate) bytes: Bytes,
}

/// How events become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Server-sent events.
    Sse,
    /// One JSON text a line.
    Lines,
    /// One JSON array, its elements as they come: Gemini without `alt=sse`.
    Array,
}

impl Form {
    /// The media type of such a body.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream; charset=utf-8",
            Self::Lines => "application/x-ndjson",
            Self::Array => "application/json; charset=UTF-8",
        }
    }

    /// A whole stream.
    pub(crate) fn frames(self, events: &[Event], spelling: Spelling) -> Vec<Frame> {
        match self {
            Self::Sse => sse::frames(events, spelling),
            Self::Lines => events.iter().map(|event| frame(event.tag, &event.data, "\n")).collect(),
            Self::Array => array(events),
        }
    }

    /// Events that end a stream which is under way.
    pub(crate) fn last_frames(self, events: &[Event], spelling: Spelling) -> Vec<Frame> {
        match self {
            Self::Sse | Self::Lines => self.frames(events, spelling),
            Self::Array => array(events).into_iter().map(behind_another).collect(),
        }
    }

    /// Bytes in the place of an event's data, whatever they are.
    pub(crate) fn raw(self, data: &[u8]) -> Bytes {
        let (before, after): (&[u8], &[u8]) = match self {
            Self::Sse => (b"data: ", b"\n\n"),
            Self::Lines => (b"", b"\n"),
            Self::Array => (b",\r\n", b""),
        };
        [before, data, after].concat().into()
    }

    /// What stands before the data of an event that has no end.
    pub(crate) fn opening(self) -> &'static str {
        match self {
            Self::Sse => "data: ",
            Self::Lines => "",
            Self::Array => ",\r\n\"",
        }
    }
}

fn frame(tag: Tag, data: &str, end: &str) -> Frame {
    Frame { tag, bytes: [data, end].concat().into() }
}

/// Elements with what parts them before each, and the closing bracket as a frame of its own.
fn array(events: &[Event]) -> Vec<Frame> {
    let element = |(place, event): (usize, &Event)| {
        let before = if place == 0 { "[" } else { ",\r\n" };
        Frame { tag: event.tag, bytes: [before, event.data.as_str()].concat().into() }
    };
    events.iter().enumerate().map(element).chain([frame(Tag::Open, "]", "\n")]).collect()
}

/// The same element, when it is not the first of the array.
fn behind_another(frame: Frame) -> Frame {
    match frame.bytes.strip_prefix(b"[") {
        Some(data) => Frame { tag: frame.tag, bytes: [b",\r\n", data].concat().into() },
        None => frame,
    }
}
