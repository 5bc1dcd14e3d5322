//! Events as they stand in the stream: named, typed and numbered.

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::Value;

use crate::json_writer::write_json;
use crate::openai_responses::shape::out;

/// Numbers events and writes them.
#[derive(Debug, Default)]
pub(super) struct Emitter {
    next: u64,
    /// Nothing is written: the answer is wanted whole.
    muted: bool,
}

/// What most events say; each type of event has some of the fields.
#[derive(Debug, Default, Serialize)]
pub(super) struct Step<'a> {
    pub(super) item_id: &'a str,
    pub(super) output_index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<out::Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<&'a [Value]>,
}

#[derive(Serialize)]
struct ItemStep<'a> {
    output_index: u64,
    item: &'a out::Item<'a>,
}

impl Emitter {
    /// Goes on counting from `next`.
    pub(super) fn from(next: u64) -> Self {
        Self { next, muted: false }
    }

    pub(super) fn mute(&mut self) {
        self.muted = true;
    }

    /// An event whose fields are those of `body`, which has some.
    pub(super) fn event(&mut self, kind: &str, body: &impl Serialize, out: &mut BytesMut) {
        if self.muted {
            return;
        }
        self.begin(kind, out);
        let joint = out.len();
        write_json(out, body);
        // Joins the two objects: a comma in place of the second brace.
        out[joint] = b',';
        out.put_slice(b"\n\n");
    }

    /// An event with one field, whose value is JSON text already.
    pub(super) fn text(&mut self, kind: &str, field: &str, json: &[u8], out: &mut BytesMut) {
        if self.muted {
            return;
        }
        self.begin(kind, out);
        out.put_u8(b',');
        write_json(out, field);
        out.put_u8(b':');
        out.put_slice(json);
        out.put_slice(b"}\n\n");
    }

    /// An item at its place among the others.
    pub(super) fn item(&mut self, kind: &str, output_index: u64, item: &out::Item<'_>, out: &mut BytesMut) {
        self.event(kind, &ItemStep { output_index, item }, out);
    }

    fn begin(&mut self, kind: &str, out: &mut BytesMut) {
        out.put_slice(b"event: ");
        out.put_slice(kind.as_bytes());
        out.put_slice(b"\ndata: {\"type\":\"");
        out.put_slice(kind.as_bytes());
        out.put_slice(b"\",\"sequence_number\":");
        write_json(out, &self.next);
        self.next = self.next.saturating_add(1);
    }
}
