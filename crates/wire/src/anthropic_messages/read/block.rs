//! One content block of a stream, from its start to its stop.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::answer::{CallForm, citation, compact, free_text, origin};
use super::super::fault;
use super::super::shape::{AnswerBlock, Delta};
use crate::Fault;
use crate::chat::{Event, PartId, PartKind, Piece, Undo};

/// What blocks need to know of their stream, and what the stream learns from its blocks.
#[derive(Debug)]
pub(super) struct Context {
    undo: Undo,
    pub(super) model: Option<String>,
    /// A tool of the client was called.
    pub(super) called: bool,
    next: u32,
}

impl Context {
    pub(super) fn new(undo: Undo) -> Self {
        Self { undo, model: None, called: false, next: 0 }
    }
}

/// Where a block writes its events.
pub(super) struct Out<'a> {
    pub(super) context: &'a mut Context,
    pub(super) events: &'a mut Vec<Event>,
}

impl Out<'_> {
    fn open(&mut self, kind: PartKind) -> PartId {
        let part = PartId(self.context.next);
        self.context.next += 1;
        self.events.push(Event::Open { part, choice: 0, kind });
        part
    }
}

/// A block that has begun.
#[derive(Debug)]
pub(super) enum Block {
    /// Citations come before the text they hold for, so they wait for its end.
    Text {
        part: PartId,
        length: u64,
        citations: Vec<Value>,
    },
    Thinking {
        part: PartId,
    },
    /// Complete at its opening.
    Whole {
        part: PartId,
    },
    /// `given`: arguments at the opening, which stand if no others come. Those of a custom tool wait in `args`.
    Call {
        part: PartId,
        form: CallForm,
        given: String,
        args: String,
        written: bool,
    },
    /// Passed on whole at its end.
    Opaque {
        raw: Map<String, Value>,
        input: String,
    },
}

impl Block {
    /// Opens the part of a block; a block that may hold something already writes it.
    pub(super) fn open(raw: &RawValue, out: &mut Out<'_>) -> Result<Self, Fault> {
        let start: AnswerBlock<'_> = fault::parse(raw.get())?;
        let mut block = match &*start.kind {
            "text" => Block::Text {
                part: out.open(PartKind::Text),
                length: 0,
                citations: start.citations.unwrap_or_default(),
            },
            "thinking" => Block::thinking(out),
            "redacted_thinking" => Block::redacted(start.data.unwrap_or_default(), out),
            "tool_use" => {
                return Ok(Block::call(start.id, start.name, start.input, out));
            }
            _ => return Ok(Block::Opaque { raw: fault::parse(raw.get())?, input: String::new() }),
        };
        block.write(start.text.or(start.thinking), Piece::Text, out.events);
        block.write(start.signature, Piece::Signature, out.events);
        Ok(block)
    }

    fn thinking(out: &mut Out<'_>) -> Self {
        let origin = Some(origin(out.context.model.as_deref()));
        Block::Thinking { part: out.open(PartKind::Thinking { id: None, origin }) }
    }

    fn redacted(data: String, out: &mut Out<'_>) -> Self {
        let origin = Some(origin(out.context.model.as_deref()));
        Block::Whole { part: out.open(PartKind::RedactedThinking { data, origin }) }
    }

    fn call(id: Option<String>, name: Option<String>, input: Option<&RawValue>, out: &mut Out<'_>) -> Self {
        let name = name.unwrap_or_default();
        let form = CallForm::of(&name, &out.context.undo);
        let part = if form == CallForm::Text {
            out.open(PartKind::Text)
        } else {
            out.context.called = true;
            let name = out.context.undo.tool_name(&name);
            out.open(PartKind::ToolCall { id: id.unwrap_or_default(), name, kind: form.tool_kind() })
        };
        let given = input.map_or_else(|| "{}".to_owned(), |input| compact(input.get()));
        Block::Call { part, form, given, args: String::new(), written: false }
    }

    /// More of the block. Deltas of an unknown kind, or for another kind of block, are left out.
    pub(super) fn extend(&mut self, delta: Delta<'_>, events: &mut Vec<Event>) {
        match self {
            Block::Opaque { raw, input } => {
                input.push_str(&delta.partial_json.unwrap_or_default());
                raw.extend(delta.content.map(|content| ("content".to_owned(), content)));
            }
            Block::Text { citations, .. } => {
                citations.extend(delta.citation);
                self.write(delta.text, Piece::Text, events);
            }
            Block::Thinking { .. } => {
                self.write(delta.thinking, Piece::Text, events);
                self.write(delta.signature, Piece::Signature, events);
            }
            Block::Call { .. } => self.argue(delta.partial_json.unwrap_or_default(), events),
            Block::Whole { .. } => {}
        }
    }

    /// More of the arguments of a call.
    fn argue(&mut self, more: String, events: &mut Vec<Event>) {
        let Block::Call { part, form, args, written, .. } = self else { return };
        if more.is_empty() {
            return;
        }
        *written = true;
        match form {
            CallForm::Custom => args.push_str(&more),
            CallForm::Function => events.push(Event::Delta { part: *part, piece: Piece::ToolInput(more) }),
            CallForm::Text => events.push(Event::Delta { part: *part, piece: Piece::Text(more) }),
        }
    }

    fn write(&mut self, words: Option<String>, piece: fn(String) -> Piece, events: &mut Vec<Event>) {
        let Some(words) = words.filter(|words| !words.is_empty()) else { return };
        let part = match self {
            Block::Text { part, length, .. } => {
                *length += words.chars().count() as u64;
                *part
            }
            Block::Thinking { part } => *part,
            _ => return,
        };
        events.push(Event::Delta { part, piece: piece(words) });
    }

    /// The block is complete.
    pub(super) fn close(mut self, out: &mut Out<'_>) {
        if let Block::Call { given, written: false, .. } = &mut self {
            let given = std::mem::take(given);
            self.argue(given, out.events);
        }
        let part = match self {
            Block::Text { part, length, citations } => {
                let pieces = citations.into_iter().map(|raw| Piece::Citation(citation(raw, length)));
                out.events.extend(pieces.map(|piece| Event::Delta { part, piece }));
                part
            }
            Block::Call { part, form: CallForm::Custom, args, .. } => {
                out.events.push(Event::Delta { part, piece: Piece::ToolInput(free_text(&args)) });
                part
            }
            Block::Opaque { raw, input } => opaque(raw, &input, out),
            Block::Call { part, .. } | Block::Thinking { part } | Block::Whole { part } => part,
        };
        out.events.push(Event::Close { part });
    }
}

/// Opens the part of an opaque block, its streamed input put where a whole answer has it.
fn opaque(mut raw: Map<String, Value>, input: &str, out: &mut Out<'_>) -> PartId {
    if let Ok(input) = serde_json::from_str::<Value>(input) {
        raw.insert("input".into(), input);
    }
    let origin = origin(out.context.model.as_deref());
    out.open(PartKind::ServerTool { raw: Value::Object(raw), origin })
}
