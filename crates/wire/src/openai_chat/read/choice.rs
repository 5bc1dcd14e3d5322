//! One choice of a stream: deltas to parts that open and close.

use super::PartIds;
use super::calls::Calls;
use crate::chat::{Event, Part, PartId, PartKind, Piece, Undo};
use crate::openai_chat::shape::{self, Content};
use crate::openai_chat::stop::{self, Ending};
use crate::openai_chat::{citation, response, thought};

/// What a choice needs while it reads one chunk.
pub(super) struct Turn<'a> {
    pub(super) answer_id: &'a str,
    pub(super) undo: &'a Undo,
    pub(super) parts: &'a mut PartIds,
    pub(super) out: &'a mut Vec<Event>,
}

impl Turn<'_> {
    pub(super) fn open(&mut self, choice: u32, kind: PartKind) -> PartId {
        let part = self.parts.next();
        self.out.push(Event::Open { part, choice, kind });
        part
    }

    pub(super) fn piece(&mut self, part: PartId, piece: Piece) {
        self.out.push(Event::Delta { part, piece });
    }

    pub(super) fn close(&mut self, part: PartId) {
        self.out.push(Event::Close { part });
    }

    /// A part that is complete at its opening.
    fn whole(&mut self, choice: u32, kind: PartKind) {
        let part = self.open(choice, kind);
        self.close(part);
    }
}

/// State of one choice.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u32,
    /// The open part that is not a call: one at a time, for their order is meaning.
    prose: Option<(PartId, Prose)>,
    calls: Calls,
    refused: bool,
    stopped: bool,
}

/// Kinds of parts that hold text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prose {
    Text,
    Refusal,
    Thinking,
    /// A thought that has its signature: more text is another thought.
    SignedThinking,
}

impl Choice {
    pub(super) fn new(index: u32) -> Self {
        Self { index, prose: None, calls: Calls::default(), refused: false, stopped: false }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// One choice of one chunk. What follows its end is not heard.
    pub(super) fn read(&mut self, given: shape::Choice, turn: &mut Turn<'_>) {
        if self.stopped {
            return;
        }
        if let Some(raw) = given.logprobs.filter(|logprobs| !logprobs.is_null()) {
            turn.out.push(Event::Logprobs { choice: self.index, raw });
        }
        // Perplexity sends the message so far beside each delta.
        if let Some(delta) = given.delta.or(given.message) {
            self.delta(delta, turn);
        }
        if let Some(word) = given.finish_reason.as_deref().filter(|word| !word.is_empty()) {
            self.stop(word, given.native_finish_reason.as_deref(), turn);
        }
    }

    fn delta(&mut self, mut delta: Box<shape::Message>, turn: &mut Turn<'_>) {
        for thought in thought::take(&mut delta) {
            self.part(thought, turn);
        }
        match delta.content.take() {
            Some(Content::Text(text)) => self.text(Prose::Text, PartKind::Text, text, turn),
            Some(Content::Parts(parts)) => {
                for part in parts {
                    self.part(response::content_part(part), turn);
                }
            }
            None => {}
        }
        self.text(Prose::Refusal, PartKind::Refusal, delta.refusal.take().unwrap_or_default(), turn);
        for annotation in delta.annotations.take().unwrap_or_default() {
            let part = self.prose(Prose::Text, PartKind::Text, turn);
            turn.piece(part, Piece::Citation(citation::decode(annotation)));
        }
        self.tool_calls(&mut delta, turn);
        for image in delta.images.take().unwrap_or_default().into_iter().filter_map(response::image) {
            self.part(image, turn);
        }
    }

    fn tool_calls(&mut self, delta: &mut shape::Message, turn: &mut Turn<'_>) {
        let older = delta.function_call.take().map(|function| {
            let (index, function) = (Some(0), Some(function));
            shape::ToolCall { index, function, ..shape::ToolCall::default() }
        });
        let all = delta.tool_calls.take().unwrap_or_default().into_iter().chain(older);
        for (position, call) in all.enumerate() {
            self.close_prose(turn);
            self.calls.read(self.index, position, call, turn);
        }
    }

    /// A part of a content list, or a thought.
    fn part(&mut self, part: Part, turn: &mut Turn<'_>) {
        if let Some((mime, data)) = response::media_of(&part) {
            self.close_prose(turn);
            turn.whole(self.index, PartKind::Media { mime, data });
            return;
        }
        match part {
            Part::Text { text, .. } => self.text(Prose::Text, PartKind::Text, text, turn),
            Part::Thinking { text, signature, encrypted, id, origin } => {
                let seals = [signature.map(Piece::Signature), encrypted.map(Piece::Encrypted)];
                self.thought(text, seals, PartKind::Thinking { id, origin }, turn);
            }
            Part::RedactedThinking { data, origin } => {
                self.close_prose(turn);
                turn.whole(self.index, PartKind::RedactedThinking { data, origin });
            }
            // Opaque to everyone, so that its loss is noticed where it is written.
            Part::Foreign { raw, origin } => {
                self.close_prose(turn);
                turn.whole(self.index, PartKind::ServerTool { raw, origin });
            }
            _ => {}
        }
    }

    fn thought(&mut self, text: String, seals: [Option<Piece>; 2], kind: PartKind, turn: &mut Turn<'_>) {
        self.text(Prose::Thinking, kind.clone(), text, turn);
        for seal in seals.into_iter().flatten() {
            let part = self.prose(Prose::Thinking, kind.clone(), turn);
            turn.piece(part, seal);
            self.prose = Some((part, Prose::SignedThinking));
        }
    }

    fn text(&mut self, prose: Prose, kind: PartKind, text: String, turn: &mut Turn<'_>) {
        if text.is_empty() {
            return;
        }
        self.refused |= prose == Prose::Refusal;
        let part = self.prose(prose, kind, turn);
        turn.piece(part, Piece::Text(text));
    }

    /// The open part of that kind; another one is closed first.
    fn prose(&mut self, wanted: Prose, kind: PartKind, turn: &mut Turn<'_>) -> PartId {
        if let Some((part, open)) = self.prose
            && open == wanted
        {
            return part;
        }
        self.close_prose(turn);
        let part = turn.open(self.index, kind);
        self.prose = Some((part, wanted));
        part
    }

    fn close_prose(&mut self, turn: &mut Turn<'_>) {
        if let Some((part, _)) = self.prose.take() {
            turn.close(part);
        }
    }

    fn stop(&mut self, word: &str, native: Option<&str>, turn: &mut Turn<'_>) {
        self.close_prose(turn);
        let called = self.calls.close(self.index, turn);
        let stop = stop::decode(Some(word), Ending { native, called, refused: self.refused });
        turn.out.push(Event::Stop { choice: self.index, stop });
        self.stopped = true;
    }
}
