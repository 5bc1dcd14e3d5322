//! What all chunks of a stream share: how they are framed, which model answers, and the id of the answer.

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::chat::Extra;
use crate::dialect::{Dialect, Echo};
use crate::frame::{Framing, JsonArrayWriter};
use crate::gemini::shape::out;
use crate::json_writer::write_json;

#[derive(Debug)]
pub(super) struct Envelope {
    framing: Framing,
    array: JsonArrayWriter,
    begun: bool,
    /// `"modelVersion": ..., "responseId": ...}`: the same in every chunk.
    tail: Vec<u8>,
}

/// A candidate of the last chunk.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Last {
    pub(super) index: u32,
    pub(super) finish_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finish_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grounding_metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs_result: Option<Value>,
    /// Fields of this dialect that have no canonical name.
    #[serde(flatten)]
    pub(super) extra: Map<String, Value>,
}

impl Envelope {
    pub(super) fn new(echo: &Echo) -> Self {
        let array = JsonArrayWriter::default();
        Self { framing: echo.framing, array, begun: false, tail: tail(echo, None, None) }
    }

    /// The upstream says who answers. Later words change nothing: all chunks have the same id.
    pub(super) fn start(&mut self, echo: &Echo, id: Option<&str>, model: Option<&str>) {
        if !self.begun {
            self.tail = tail(echo, id, model);
        }
    }

    /// A chunk with new parts of one candidate.
    pub(super) fn chunk(&mut self, candidate: u32, parts: &[out::Part<'_>], out: &mut BytesMut) {
        self.open(out);
        out.put_slice(b"{\"candidates\":[{\"content\":{\"parts\":");
        write_json(out, parts);
        out.put_slice(b",\"role\":\"model\"},\"index\":");
        write_json(out, &candidate);
        out.put_slice(b"}],");
        out.put_slice(&self.tail);
        self.close(out);
    }

    /// The last chunk. Each candidate has an empty text: SDKs take one without parts for no answer.
    pub(super) fn last(
        &mut self,
        candidates: &[Last],
        usage: Option<&Map<String, Value>>,
        extra: &Extra,
        out: &mut BytesMut,
    ) {
        self.open(out);
        out.put_slice(b"{\"candidates\":[");
        for (place, candidate) in candidates.iter().enumerate() {
            out.put_slice(if place == 0 { b"" } else { b"," });
            out.put_slice(b"{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},");
            let start = out.len();
            write_json(out, candidate);
            join(out, start);
        }
        out.put_slice(b"],");
        if let Some(usage) = usage {
            member(out, "usageMetadata", usage);
        }
        extra.outer(Dialect::Gemini).for_each(|(name, value)| member(out, name, value));
        out.put_slice(&self.tail);
        self.close(out);
        if self.framing == Framing::JsonArray {
            self.array.finish(out);
        }
    }

    /// The error that ends a stream; an array is left open, so that nobody takes it for complete.
    pub(super) fn fail(&mut self, error: &Value, out: &mut BytesMut) {
        fail(self.framing, self.begun, error, out);
    }

    fn open(&mut self, out: &mut BytesMut) {
        self.begun = true;
        match self.framing {
            Framing::Sse => out.put_slice(b"data: "),
            Framing::JsonArray => self.array.element(out),
            Framing::JsonLines => {}
        }
    }

    fn close(&self, out: &mut BytesMut) {
        match self.framing {
            Framing::Sse => out.put_slice(b"\n\n"),
            Framing::JsonArray => {}
            Framing::JsonLines => out.put_u8(b'\n'),
        }
    }
}

/// A member of an object, with more to follow.
fn member(out: &mut BytesMut, name: &str, value: &impl Serialize) {
    write_json(out, name);
    out.put_u8(b':');
    write_json(out, value);
    out.put_u8(b',');
}

/// Joins an object that was written at `start` to the one that is open before it.
fn join(out: &mut BytesMut, start: usize) {
    let object = out.split_off(start);
    out.put_slice(&object[1..]);
}

pub(super) fn fail(framing: Framing, begun: bool, error: &Value, out: &mut BytesMut) {
    let (before, after): (&[u8], &[u8]) = match (framing, begun) {
        (Framing::Sse, _) => (b"data: ", b"\n\n"),
        (Framing::JsonArray, true) => (b",\r\n", b""),
        (Framing::JsonArray, false) => (b"[", b""),
        (Framing::JsonLines, _) => (b"", b"\n"),
    };
    out.put_slice(before);
    write_json(out, error);
    out.put_slice(after);
}

fn tail(echo: &Echo, id: Option<&str>, model: Option<&str>) -> Vec<u8> {
    let mut tail = b"\"modelVersion\":".to_vec();
    write_json(&mut tail, model.unwrap_or(&echo.resolved_model));
    tail.extend_from_slice(b",\"responseId\":");
    write_json(&mut tail, id.unwrap_or(&echo.request_id));
    tail.push(b'}');
    tail
}
