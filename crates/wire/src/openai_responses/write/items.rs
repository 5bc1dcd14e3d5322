//! Parts to items: one item is open at a time, and its id stays the same from beginning to end.

use std::borrow::Cow;

use bytes::BytesMut;
use serde_json::Value;

use super::THIS;
use super::emit::{Emitter, Step};
use super::open::{Call, Open, Spoken, Thought, message};
use super::tell::{at, call_done, call_on, speak_on, spoken_done, think_on, thought_done};
use crate::chat::{Loss, Origin, Part, PartId, PartKind, Piece, ToolKind, custody};
use crate::json_writer::write_json;
use crate::openai::names;
use crate::openai_responses::namespace::Namespaces;
use crate::openai_responses::shape::out;
use crate::openai_responses::stop::Status;

/// The items of one answer.
#[derive(Debug)]
pub(super) struct Items {
    answer_id: String,
    namespaces: Namespaces,
    /// Items that are done, as JSON text with commas.
    done: Vec<u8>,
    count: u64,
    /// Id of the open item.
    id: String,
    open: Option<Open>,
    refused: bool,
    /// Ids of thoughts that came with one: no two items share an id.
    thoughts: Vec<String>,
    /// Probabilities of the tokens that the next piece of text tells.
    logprobs: Vec<Value>,
    losses: Vec<Loss>,
}

impl Items {
    pub(super) fn new(namespaces: Namespaces) -> Self {
        Self {
            answer_id: String::new(),
            namespaces,
            done: Vec::new(),
            count: 0,
            id: String::new(),
            open: None,
            refused: false,
            thoughts: Vec::new(),
            logprobs: Vec::new(),
            losses: Vec::new(),
        }
    }

    /// Ids that are made up follow from the id of the answer.
    pub(super) fn answer_id(&mut self, id: &str) {
        id.clone_into(&mut self.answer_id);
    }

    /// The finished items as JSON text, with commas between them.
    pub(super) fn done(&self) -> &[u8] {
        &self.done
    }

    pub(super) fn losses(&mut self) -> &mut Vec<Loss> {
        &mut self.losses
    }

    fn lose(&mut self, code: &'static str) {
        self.losses.push(Loss::at(code, format!("output[{}]", self.count)));
    }

    /// A part begins.
    pub(super) fn open(&mut self, part: PartId, kind: &PartKind, emitter: &mut Emitter, out: &mut BytesMut) {
        match kind {
            PartKind::Text => self.speak(part, false, emitter, out),
            PartKind::Refusal => self.speak(part, true, emitter, out),
            PartKind::Thinking { id, origin } => {
                let thought = Thought {
                    part,
                    text: String::new(),
                    signature: None,
                    encrypted: None,
                    id: id.clone(),
                    origin: origin.clone(),
                };
                self.think(thought, emitter, out);
            }
            PartKind::ToolCall { id, name, kind } => self.call(part, id, name, *kind, emitter, out),
            PartKind::RedactedThinking { data, origin } => self.redacted(data, origin.as_ref(), emitter, out),
            PartKind::ServerTool { raw, origin } if origin.dialect == THIS => {
                self.end_item("completed", emitter, out);
                self.whole(&out::Item::Raw(raw), &out::Item::Raw(raw), emitter, out);
            }
            PartKind::ServerTool { .. } => self.lose("server_tool"),
            PartKind::Media { mime, data } if mime.starts_with("image/") => self.picture(data, emitter, out),
            PartKind::Media { .. } => self.lose("audio_out"),
        }
    }

    /// A new item begins; the one before it is done.
    fn begin(&mut self, prefix: &str, emitter: &mut Emitter, out: &mut BytesMut) {
        self.end_item("completed", emitter, out);
        self.id = names::item_id(prefix, &self.answer_id, self.count);
    }

    /// A text or a refusal: in the message that is open, or in a new one.
    fn speak(&mut self, part: PartId, refusal: bool, emitter: &mut Emitter, out: &mut BytesMut) {
        self.refused |= refusal;
        if !matches!(self.open, Some(Open::Message { .. })) {
            self.begin("msg", emitter, out);
            let item = message(&self.id, "in_progress", &[]);
            emitter.item("response.output_item.added", self.count, &item, out);
            self.open = Some(Open::Message { parts: Vec::new(), part: None });
        }
        let Some(Open::Message { parts, part: open }) = &mut self.open else { return };
        *open = Some(part);
        parts.push(Spoken { refusal, ..Spoken::default() });
        let spoken = parts.last().map(Spoken::part);
        let step = at(&self.id, self.count, parts.len());
        emitter.event("response.content_part.added", &Step { part: spoken, ..step }, out);
    }

    fn think(&mut self, thought: Thought, emitter: &mut Emitter, out: &mut BytesMut) {
        self.begin("rs", emitter, out);
        let own = thought.origin.as_ref().is_some_and(|origin| origin.dialect == THIS);
        let given = thought.id.as_ref().filter(|id| own && !id.is_empty() && !self.thoughts.contains(id));
        if let Some(id) = given {
            self.id.clone_from(id);
            self.thoughts.push(id.clone());
        }
        let empty = out::Item::Reasoning(out::Reasoning { id: Some(&self.id), ..Default::default() });
        emitter.item("response.output_item.added", self.count, &empty, out);
        self.open = Some(Open::Thought(thought));
    }

    fn call(
        &mut self,
        part: PartId,
        id: &str,
        name: &str,
        kind: ToolKind,
        emitter: &mut Emitter,
        out: &mut BytesMut,
    ) {
        let prefix = if kind == ToolKind::Custom { "ctc" } else { "fc" };
        self.begin(prefix, emitter, out);
        let (namespace, name) = match self.namespaces.split(name) {
            Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
            None => (None, name.to_owned()),
        };
        let call_id = match id {
            "" => names::item_id("call", &self.answer_id, self.count),
            id => id.to_owned(),
        };
        let call = Call { part, call_id, name, namespace, kind, args: String::new(), signature: None };
        emitter.item("response.output_item.added", self.count, &call.item(&self.id, "in_progress"), out);
        self.open = Some(Open::Call(call));
    }

    fn redacted(&mut self, data: &str, origin: Option<&Origin>, emitter: &mut Emitter, out: &mut BytesMut) {
        let part = Part::RedactedThinking { data: data.to_owned(), origin: origin.cloned() };
        let sealed = origin.and_then(|origin| custody::wrap(origin.dialect, &part));
        match sealed {
            Some(sealed) => self.seal(sealed, emitter, out),
            None => self.lose("thinking_dropped"),
        }
    }

    /// A thought without words: only its family can read it.
    fn seal(&mut self, sealed: String, emitter: &mut Emitter, out: &mut BytesMut) {
        self.begin("rs", emitter, out);
        let id = std::mem::take(&mut self.id);
        let item = |encrypted_content| {
            let (id, encrypted_content) = (Some(id.as_str()), encrypted_content);
            out::Item::Reasoning(out::Reasoning { id, encrypted_content, ..Default::default() })
        };
        self.whole(&item(None), &item(Some(Cow::Owned(sealed))), emitter, out);
    }

    fn picture(&mut self, data: &str, emitter: &mut Emitter, out: &mut BytesMut) {
        self.begin("ig", emitter, out);
        let id = std::mem::take(&mut self.id);
        let item = |status, result| out::Item::ImageGenerationCall { id: &id, status, result };
        self.whole(&item("in_progress", None), &item("completed", Some(data)), emitter, out);
    }

    /// An item that comes at once.
    fn whole(
        &mut self,
        begun: &out::Item<'_>,
        done: &out::Item<'_>,
        emitter: &mut Emitter,
        out: &mut BytesMut,
    ) {
        emitter.item("response.output_item.added", self.count, begun, out);
        self.item_done(done, emitter, out);
    }

    fn item_done(&mut self, item: &out::Item<'_>, emitter: &mut Emitter, out: &mut BytesMut) {
        emitter.item("response.output_item.done", self.count, item, out);
        if self.count > 0 {
            self.done.push(b',');
        }
        write_json(&mut self.done, item);
        self.count = self.count.saturating_add(1);
    }

    /// More of a part.
    pub(super) fn extend(&mut self, id: PartId, piece: &Piece, emitter: &mut Emitter, out: &mut BytesMut) {
        let place = (self.id.as_str(), self.count);
        match (&mut self.open, piece) {
            (Some(Open::Message { parts, part: Some(part) }), piece) if *part == id => {
                let index = parts.len();
                let Some(spoken) = parts.last_mut() else { return };
                let step = at(place.0, place.1, index);
                let less = speak_on(spoken, piece, &mut self.logprobs, step, emitter, out);
                if less {
                    self.lose("citations");
                }
            }
            (Some(Open::Thought(thought)), piece) if thought.part == id => {
                think_on(thought, piece, place, emitter, out);
            }
            (Some(Open::Call(call)), piece) if call.part == id => call_on(call, piece, place, emitter, out),
            _ => {}
        }
    }

    /// A part is complete. A message waits for more.
    pub(super) fn close(&mut self, id: PartId, emitter: &mut Emitter, out: &mut BytesMut) {
        match &mut self.open {
            Some(Open::Message { parts, part }) if *part == Some(id) => {
                *part = None;
                let step = at(&self.id, self.count, parts.len());
                if let Some(spoken) = parts.last_mut() {
                    spoken_done(spoken, step, emitter, out);
                }
            }
            Some(Open::Thought(thought)) if thought.part == id => self.end_item("completed", emitter, out),
            Some(Open::Call(call)) if call.part == id => self.end_item("completed", emitter, out),
            _ => {}
        }
    }

    /// The open item is done.
    fn end_item(&mut self, status: &'static str, emitter: &mut Emitter, out: &mut BytesMut) {
        let (open, id) = (self.open.take(), std::mem::take(&mut self.id));
        match open {
            None => {}
            Some(Open::Message { parts, .. }) => {
                self.item_done(&message(&id, status, &parts), emitter, out);
            }
            Some(Open::Thought(thought)) => {
                thought_done(&thought, (&id, self.count), emitter, out);
                self.item_done(&thought.item(&id), emitter, out);
            }
            Some(Open::Call(mut call)) => {
                call_done(&mut call, (&id, self.count), emitter, out);
                self.item_done(&call.item(&id, status), emitter, out);
                if let Some(sealed) = call.sealed() {
                    self.seal(sealed, emitter, out);
                }
            }
        }
    }

    /// Probabilities of the tokens that follow.
    pub(super) fn logprobs(&mut self, raw: &Value) {
        let tokens = raw.get("content").and_then(Value::as_array);
        self.logprobs.extend(tokens.into_iter().flatten().cloned());
    }

    /// The provider's words about an answer that was cut off.
    pub(super) fn explain(&mut self, words: &str, emitter: &mut Emitter, out: &mut BytesMut) {
        // No part of the stream has this id: all of them are closed by now.
        let part = PartId(u32::MAX);
        if !self.refused {
            self.speak(part, true, emitter, out);
            self.extend(part, &Piece::Text(words.to_owned()), emitter, out);
            self.close(part, emitter, out);
        }
    }

    /// The answer is over.
    pub(super) fn finish(&mut self, status: Status, emitter: &mut Emitter, out: &mut BytesMut) {
        let incomplete = matches!(status, Status::Incomplete(_));
        self.end_item(if incomplete { "incomplete" } else { "completed" }, emitter, out);
    }
}
