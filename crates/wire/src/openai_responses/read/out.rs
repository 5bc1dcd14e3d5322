//! What a reader has read: events with part ids that count up.

use crate::chat::{Event, Part, PartId, PartKind, Piece};
use crate::openai_responses::response::{self, Gathered};

/// Events so far that nobody has taken, and what the stop depends on.
#[derive(Debug, Default)]
pub(super) struct Out {
    events: Vec<Event>,
    next: u32,
    pub(super) called: bool,
    pub(super) refused: bool,
}

impl Out {
    pub(super) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn events(&mut self) -> &mut Vec<Event> {
        &mut self.events
    }

    pub(super) fn open(&mut self, kind: PartKind) -> PartId {
        self.called |= matches!(kind, PartKind::ToolCall { .. });
        self.refused |= matches!(kind, PartKind::Refusal);
        let part = PartId(self.next);
        self.next = self.next.saturating_add(1);
        self.push(Event::Open { part, choice: 0, kind });
        part
    }

    pub(super) fn piece(&mut self, part: PartId, piece: Piece) {
        self.push(Event::Delta { part, piece });
    }

    pub(super) fn close(&mut self, part: PartId) {
        self.push(Event::Close { part });
    }

    /// Parts that come whole.
    pub(super) fn gathered(&mut self, gathered: Gathered) {
        if !gathered.logprobs.is_empty() {
            self.push(Event::Logprobs { choice: 0, raw: response::logprobs(gathered.logprobs) });
        }
        gathered.parts.into_iter().for_each(|part| self.whole(part));
    }

    fn whole(&mut self, part: Part) {
        let Some(kind) = crate::chat::opening(&part) else { return };
        let id = self.open(kind);
        crate::chat::pieces(&part).into_iter().for_each(|piece| self.piece(id, piece));
        self.close(id);
    }
}
