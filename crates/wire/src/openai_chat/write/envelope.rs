//! What all chunks of a stream share: id, time, model; and the role in front of each choice.

use std::collections::HashSet;

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::chat::{Extra, Usage};
use crate::dialect::{Dialect, Echo};
use crate::json_writer::write_json;
use crate::openai_chat::shape::out;
use crate::openai_chat::{response, usage};

#[derive(Debug)]
pub(super) struct Envelope {
    /// `data: {"id": ..., "choices": [`: the same in every chunk.
    head: Vec<u8>,
    /// Choices whose role has been written.
    opened: HashSet<u32>,
    service_tier: Option<String>,
    /// Fields of this dialect that have no canonical name, each after a comma.
    extra: Vec<u8>,
}

/// How a choice ends.
pub(super) struct Ending<'a> {
    pub(super) finish_reason: &'static str,
    pub(super) native: Option<&'a str>,
    /// Fields of this dialect that have no canonical name.
    pub(super) extra: Map<String, Value>,
}

impl Envelope {
    pub(super) fn new(echo: &Echo) -> Self {
        Self {
            head: head(echo, None, None, None),
            opened: HashSet::new(),
            service_tier: None,
            extra: Vec::new(),
        }
    }

    /// The upstream says who answers. Later words change nothing: all chunks have the same id.
    pub(super) fn start(&mut self, echo: &Echo, id: Option<&str>, model: Option<&str>, created: Option<u64>) {
        if self.opened.is_empty() {
            self.head = head(echo, id, model, created);
        }
    }

    pub(super) fn service_tier(&mut self, tier: &str) {
        self.service_tier = Some(tier.to_owned());
    }

    /// The fields without a canonical name, so far.
    pub(super) fn extra(&mut self, extra: &Extra) {
        self.extra.clear();
        extra.outer(Dialect::OpenAiChat).for_each(|(name, value)| member(&mut self.extra, name, value));
    }

    /// A chunk of one choice; its first one states the role.
    pub(super) fn chunk(
        &mut self,
        choice: u32,
        delta: &out::Message<'_>,
        ending: Option<&Ending<'_>>,
        logprobs: Option<&Value>,
        out: &mut BytesMut,
    ) {
        out.put_slice(&self.head);
        out.put_slice(b"{\"index\":");
        write_json(out, &choice);
        out.put_slice(b",\"delta\":");
        self.delta(choice, delta, out);
        out.put_slice(b",\"logprobs\":");
        write_json(out, &logprobs);
        out.put_slice(b",\"finish_reason\":");
        write_json(out, &ending.map(|ending| ending.finish_reason));
        if let Some(native) = ending.and_then(|ending| ending.native) {
            member(out, "native_finish_reason", native);
        }
        for (name, value) in ending.iter().flat_map(|ending| &ending.extra) {
            member(out, name, value);
        }
        out.put_slice(b"}]");
        if ending.is_some() {
            self.tail(out);
        }
        out.put_slice(b"}\n\n");
    }

    /// The usage chunk: no choices.
    pub(super) fn usage(&self, counts: &Usage, out: &mut BytesMut) {
        out.put_slice(&self.head);
        out.put_slice(b"],\"usage\":");
        write_json(out, &usage::encode(counts));
        self.tail(out);
        out.put_slice(b"}\n\n");
    }

    fn delta(&mut self, choice: u32, delta: &out::Message<'_>, out: &mut BytesMut) {
        if !self.opened.insert(choice) {
            return write_json(out, delta);
        }
        out.put_slice(b"{\"role\":\"assistant\"");
        let start = out.len();
        write_json(out, delta);
        // Joins the two objects: a comma in place of the second brace, or nothing left of it.
        if out.len() - start == 2 {
            out.truncate(start);
            out.put_u8(b'}');
        } else {
            out[start] = b',';
        }
    }

    fn tail(&self, out: &mut BytesMut) {
        if let Some(tier) = &self.service_tier {
            member(out, "service_tier", tier);
        }
        out.put_slice(&self.extra);
    }
}

/// One more member of an object that has some.
fn member(out: &mut impl BufMut, name: &str, value: &(impl Serialize + ?Sized)) {
    out.put_u8(b',');
    write_json(out, name);
    out.put_u8(b':');
    write_json(out, value);
}

fn head(echo: &Echo, id: Option<&str>, model: Option<&str>, created: Option<u64>) -> Vec<u8> {
    let mut head = b"data: {\"id\":".to_vec();
    write_json(&mut head, &response::answer_id(id, echo));
    head.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
    write_json(&mut head, &created.unwrap_or(echo.created));
    head.extend_from_slice(b",\"model\":");
    write_json(&mut head, model.unwrap_or(&echo.resolved_model));
    head.extend_from_slice(b",\"choices\":[");
    head
}
