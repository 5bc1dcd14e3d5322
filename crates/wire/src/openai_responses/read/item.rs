//! One item of a stream: its deltas become pieces, and what no delta told is taken from the finished item.

use serde_json::value::RawValue;

use super::out::Out;
use crate::chat::{Event, Part, PartId, PartKind, Piece, ToolKind, Undo};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::openai_responses::response::{self, Gathered, read};
use crate::openai_responses::shape::{Call, Head, Reasoning, StreamEvent};
use crate::openai_responses::{citation, request};

const THIS: Dialect = Dialect::OpenAiResponses;

/// State of one item.
#[derive(Debug)]
pub(super) enum Item {
    Message {
        /// The open part: one at a time.
        open: Option<(u64, PartId)>,
        /// Some part was told.
        told: bool,
    },
    Reasoning {
        /// Opened by the first word, or by the seal at the end.
        part: Option<PartId>,
        /// Where the words come from: summaries or the thought itself, whichever came first.
        source: Option<Source>,
        paragraph: u64,
        id: Option<String>,
    },
    Call {
        part: PartId,
        argued: bool,
    },
    /// Known when it is done.
    Opaque,
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Summary,
    Content,
}

impl Item {
    /// An item begins.
    pub(super) fn added(raw: &RawValue, undo: &Undo, out: &mut Out) -> Result<Self, Fault> {
        let head: Head = read(raw)?;
        Ok(match head.kind.as_deref() {
            Some("message") => Item::Message { open: None, told: false },
            Some("reasoning") => {
                let Reasoning { id, .. } = read(raw)?;
                Item::Reasoning { part: None, source: None, paragraph: 0, id }
            }
            Some("function_call") => Item::call(read(raw)?, ToolKind::Function, undo, out),
            Some("custom_tool_call") => Item::call(read(raw)?, ToolKind::Custom, undo, out),
            _ => Item::Opaque,
        })
    }

    fn call(call: Call, kind: ToolKind, undo: &Undo, out: &mut Out) -> Self {
        let Part::ToolCall { id, name, kind, .. } = response::call(call, kind, undo) else {
            return Item::Opaque;
        };
        let part = out.open(PartKind::ToolCall { id, name, kind });
        Item::Call { part, argued: false }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Item::Done)
    }

    /// An event between the beginning and the end of the item.
    pub(super) fn read(&mut self, event: &StreamEvent<'_>, out: &mut Out) {
        let delta = event.delta.as_deref().unwrap_or_default();
        match (&*event.kind, self) {
            ("response.output_text.delta", item) => {
                if let Some(tokens) = event.logprobs.as_ref().filter(|tokens| !tokens.is_empty()) {
                    out.push(Event::Logprobs { choice: 0, raw: response::logprobs(tokens.clone()) });
                }
                item.say(PartKind::Text, event.content_index, delta, out);
            }
            ("response.refusal.delta", item) => item.say(PartKind::Refusal, event.content_index, delta, out),
            ("response.output_text.annotation.added", item) => {
                if let Some(annotation) = event.annotation.clone()
                    && let Some(part) = item.prose(&PartKind::Text, event.content_index, out)
                {
                    out.piece(part, Piece::Citation(citation::decode(annotation)));
                }
            }
            ("response.content_part.done", Item::Message { open, .. }) => {
                open.take().into_iter().for_each(|(_, part)| out.close(part));
            }
            ("response.reasoning_summary_text.delta", item) => {
                item.think(Source::Summary, event.summary_index, delta, out);
            }
            ("response.reasoning_text.delta", item) => {
                item.think(Source::Content, event.content_index, delta, out);
            }
            (
                "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta",
                Item::Call { part, argued },
            ) if !delta.is_empty() => {
                *argued = true;
                out.piece(*part, Piece::ToolInput(delta.to_owned()));
            }
            _ => {}
        }
    }

    fn say(&mut self, kind: PartKind, place: u64, text: &str, out: &mut Out) {
        if text.is_empty() {
            return;
        }
        if let Some(part) = self.prose(&kind, place, out) {
            out.piece(part, Piece::Text(text.to_owned()));
        }
    }

    /// The open part of the message at that place; the one before it is closed first.
    fn prose(&mut self, kind: &PartKind, place: u64, out: &mut Out) -> Option<PartId> {
        let Item::Message { open, told } = self else { return None };
        if let Some((at, part)) = *open
            && at == place
        {
            return Some(part);
        }
        open.take().into_iter().for_each(|(_, part)| out.close(part));
        let part = out.open(kind.clone());
        (*open, *told) = (Some((place, part)), true);
        Some(part)
    }

    fn think(&mut self, from: Source, place: u64, text: &str, out: &mut Out) {
        let Item::Reasoning { part, source, paragraph, id } = self else { return };
        if text.is_empty() || *source.get_or_insert(from) != from {
            return;
        }
        let thought = *part.get_or_insert_with(|| {
            *paragraph = place;
            out.open(PartKind::Thinking { id: id.clone(), origin: Some(THIS.into()) })
        });
        if place != *paragraph {
            *paragraph = place;
            out.piece(thought, Piece::Text(request::PARAGRAPH.to_owned()));
        }
        out.piece(thought, Piece::Text(text.to_owned()));
    }

    /// The item is complete.
    pub(super) fn done(&mut self, raw: &RawValue, undo: &Undo, out: &mut Out) -> Result<(), Fault> {
        match self {
            Item::Done => return Ok(()),
            Item::Message { told: true, .. } => {}
            Item::Reasoning { part: Some(part), .. } => {
                let thought: Reasoning = read(raw)?;
                let sealed = thought.encrypted_content.filter(|sealed| !sealed.is_empty());
                sealed.into_iter().for_each(|sealed| out.piece(*part, Piece::Encrypted(sealed)));
            }
            Item::Call { argued: true, .. } => {}
            Item::Call { part, .. } => {
                let call: Call = read(raw)?;
                let args = call.arguments.or(call.input).filter(|args| !args.is_empty());
                args.into_iter().for_each(|args| out.piece(*part, Piece::ToolInput(args)));
            }
            Item::Message { .. } | Item::Reasoning { .. } | Item::Opaque => {
                let mut gathered = Gathered::default();
                gathered.item(raw, undo)?;
                out.gathered(gathered);
            }
        }
        self.close(out);
        Ok(())
    }

    /// Closes what is open.
    pub(super) fn close(&mut self, out: &mut Out) {
        let open = match self {
            Item::Message { open, .. } => open.take().map(|(_, part)| part),
            Item::Reasoning { part, .. } => part.take(),
            Item::Call { part, .. } => Some(*part),
            Item::Opaque | Item::Done => None,
        };
        open.into_iter().for_each(|part| out.close(part));
        *self = Item::Done;
    }
}
