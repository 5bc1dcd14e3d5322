//! One content block of a stream, from its start to its stop.
//!
//! A block is begun with its first piece: clients send back what they got, and an empty text or thought would be
//! refused then.

use std::borrow::Cow;

use bytes::BytesMut;
use serde_json::value::RawValue;

use super::frames;
use crate::anthropic_messages::say;
use crate::anthropic_messages::shape::told::{self, Delta, Event};
use crate::chat::{Loss, Part, PartKind, Piece, ToolKind};
use crate::dialect::{Dialect, Echo};

const THIS: Dialect = Dialect::AnthropicMessages;

/// Where blocks are written, and what is counted over the whole stream.
pub(super) struct Out<'a> {
    pub(super) echo: &'a Echo,
    pub(super) next: &'a mut u32,
    pub(super) losses: &'a mut Vec<Loss>,
    pub(super) out: &'a mut BytesMut,
}

/// A block that is being written; `index` once it has begun.
#[derive(Debug)]
pub(super) enum Block {
    Text {
        index: Option<u32>,
    },
    /// `thought` gathers what goes back to its family: seals, and text that is not shown.
    Thinking {
        index: Option<u32>,
        thought: Part,
    },
    /// `call` gathers arguments, to be judged at the end, and the signature.
    Call {
        index: Option<u32>,
        call: Part,
        signed: bool,
    },
}

impl Block {
    /// The block of a part; `None`: it was written whole, is not wanted or cannot be said.
    pub(super) fn open(kind: &PartKind, out: &mut Out<'_>) -> Option<Self> {
        match kind {
            PartKind::Text | PartKind::Refusal => return Some(Block::Text { index: None }),
            PartKind::Thinking { .. } if say::hides(out.echo) => {}
            PartKind::Thinking { id, origin } => {
                let (id, origin) = (id.clone(), origin.clone());
                let thought =
                    Part::Thinking { text: String::new(), signature: None, encrypted: None, id, origin };
                return Some(Block::Thinking { index: None, thought });
            }
            PartKind::ToolCall { id, name, kind } => {
                let (id, name, args) = (id.clone(), name.clone(), String::new());
                let call = Part::ToolCall { id, name, args, signature: None, kind: *kind };
                return Some(Block::Call { index: None, call, signed: false });
            }
            PartKind::RedactedThinking { origin: Some(origin), .. } if origin.dialect != THIS => {
                out.lose("thinking_dropped");
            }
            PartKind::RedactedThinking { .. } if say::hides(out.echo) => {}
            PartKind::RedactedThinking { data, .. } => out.whole(told::Block::RedactedThinking { data }),
            PartKind::ServerTool { raw, origin } if origin.dialect == THIS => {
                out.whole(told::Block::Opaque(raw));
            }
            PartKind::ServerTool { .. } => out.lose("server_tool"),
            PartKind::Media { mime, .. } if mime.starts_with("image/") => {
                out.lose("image_out");
                let mut picture = Block::Text { index: None };
                picture.extend(&Piece::Text(say::PICTURE.to_owned()), out);
                return Some(picture);
            }
            PartKind::Media { mime, .. } if mime.starts_with("audio/") => out.lose("audio_out"),
            PartKind::Media { .. } => out.lose("file_out"),
        }
        None
    }

    /// More of the block. A piece that does not belong to its kind is left out.
    pub(super) fn extend(&mut self, piece: &Piece, out: &mut Out<'_>) {
        match (self, piece) {
            (Block::Text { index }, Piece::Text(text)) if !text.is_empty() => {
                let index =
                    out.begun(index, || told::Block::Text { text: Cow::Borrowed(""), citations: Vec::new() });
                out.delta(index, Delta::Text { text });
            }
            (Block::Text { index }, Piece::Citation(cited)) => {
                let (written, less) = say::citations(std::slice::from_ref(cited));
                if less {
                    out.lose("citations");
                }
                // Without a text there is nothing to cite for.
                if let (Some(index), Some(citation)) = (*index, written.first()) {
                    out.delta(index, Delta::Citation { citation });
                }
            }
            (Block::Thinking { index, thought }, piece) => think(index, thought, piece, out),
            (Block::Call { index, call, signed }, piece) => argue(index, call, signed, piece, out),
            _ => {}
        }
    }

    /// The block is complete.
    pub(super) fn close(&mut self, out: &mut Out<'_>) {
        match self {
            Block::Text { index } => {
                if let Some(index) = *index {
                    out.stop(index);
                }
            }
            Block::Thinking { index, thought } => seal(index, thought, out),
            Block::Call { index, call, signed } => {
                conclude(index, call, signed, out);
                // The signature came after the arguments had been sent.
                sign(call, signed, out);
            }
        }
    }
}

fn begin_thought(index: &mut Option<u32>, out: &mut Out<'_>) -> u32 {
    out.begun(index, || told::Block::Thinking { thinking: "", signature: Cow::Borrowed("") })
}

fn think(index: &mut Option<u32>, thought: &mut Part, piece: &Piece, out: &mut Out<'_>) {
    let Part::Thinking { text, signature, encrypted, .. } = thought else { return };
    match piece {
        Piece::Text(more) if more.is_empty() => {}
        Piece::Text(more) if say::shows(out.echo) => {
            let index = begin_thought(index, out);
            out.delta(index, Delta::Thinking { thinking: more });
        }
        Piece::Text(more) => text.push_str(more),
        Piece::Signature(whole) => *signature = Some(whole.clone()),
        Piece::Encrypted(whole) => *encrypted = Some(whole.clone()),
        _ => {}
    }
}

/// The seal comes last, as one piece. A thought without text and seal was none.
fn seal(index: &mut Option<u32>, thought: &Part, out: &mut Out<'_>) {
    let empty =
        matches!(thought, Part::Thinking { text, signature: None, encrypted: None, .. } if text.is_empty());
    if empty && index.is_none() {
        return;
    }
    let index = begin_thought(index, out);
    if let Some(signature) = say::signature(thought, out.echo).filter(|signature| !signature.is_empty()) {
        out.delta(index, Delta::Signature { signature: &signature });
    }
    out.stop(index);
}

fn argue(index: &mut Option<u32>, call: &mut Part, signed: &mut bool, piece: &Piece, out: &mut Out<'_>) {
    if let Piece::ToolInput(more) = piece
        && !more.is_empty()
    {
        let begun = begin_call(index, call, signed, out);
        let Part::ToolCall { args, kind, .. } = call else { return };
        args.push_str(more);
        if *kind != ToolKind::Custom {
            out.delta(begun, Delta::Input { partial_json: more });
        }
    }
    if let (Piece::Signature(whole), Part::ToolCall { signature, .. }) = (piece, call) {
        *signature = Some(whole.clone());
    }
}

/// Begins the block of a call, after its signature if that is known by now.
fn begin_call(index: &mut Option<u32>, call: &Part, signed: &mut bool, out: &mut Out<'_>) -> u32 {
    if index.is_none() {
        sign(call, signed, out);
    }
    let Part::ToolCall { id, name, .. } = call else { return 0 };
    let input: Cow<'_, RawValue> = Cow::Owned(say::input("", ToolKind::Function).0);
    out.begun(index, || told::Block::ToolUse { id, name, input })
}

/// The signature of a call, as a thought without text.
fn sign(call: &Part, signed: &mut bool, out: &mut Out<'_>) {
    if !std::mem::replace(signed, true) {
        match say::signature(call, out.echo) {
            Some(signature) => {
                let index = begin_thought(&mut None, out);
                out.delta(index, Delta::Signature { signature: &signature });
                out.stop(index);
            }
            None => *signed = false,
        }
    }
}

/// Free text is written as one piece; other arguments have been, and cannot be taken back if they are none.
fn conclude(index: &mut Option<u32>, call: &Part, signed: &mut bool, out: &mut Out<'_>) {
    let begun = begin_call(index, call, signed, out);
    let Part::ToolCall { args, kind, .. } = call else { return };
    let (input, invalid) = say::input(args, *kind);
    if invalid {
        out.lose("tool_args_invalid");
    }
    if *kind == ToolKind::Custom {
        out.delta(begun, Delta::Input { partial_json: input.get() });
    }
    out.stop(begun);
}

impl Out<'_> {
    /// The index of a block, which is begun if it has not yet been.
    fn begun<'b>(&mut self, index: &mut Option<u32>, block: impl FnOnce() -> told::Block<'b>) -> u32 {
        *index.get_or_insert_with(|| {
            let index = *self.next;
            *self.next += 1;
            frames::write(&Event::ContentBlockStart { index, content_block: block() }, self.out);
            index
        })
    }

    fn delta(&mut self, index: u32, delta: Delta<'_>) {
        frames::write(&Event::ContentBlockDelta { index, delta }, self.out);
    }

    fn stop(&mut self, index: u32) {
        frames::write(&Event::ContentBlockStop { index }, self.out);
    }

    /// A block that is complete at its start.
    fn whole(&mut self, block: told::Block<'_>) {
        let index = self.begun(&mut None, || block);
        self.stop(index);
    }

    fn lose(&mut self, code: &'static str) {
        self.losses.push(Loss::at(code, format!("content[{}]", self.next)));
    }
}
