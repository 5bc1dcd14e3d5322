//! The last gate before a writer: only streams that obey the grammar get through.

use super::{Event, PartId, PartKind, Piece};

/// Holds a stream to the grammar of [`Event`]. Readers keep it too; the guard makes sure that no upstream and no reader,
/// however odd, can make a writer produce a malformed stream. What breaks the grammar is mended where nothing is lost
/// by it, else left out; either counts as a repair.
#[derive(Debug, Default)]
pub struct Guard {
    started: bool,
    /// Parts that are open, in order of opening.
    open: Vec<(PartId, u32, Takes)>,
    /// One more than the highest part that was opened.
    next: u32,
    /// Choices that have stopped.
    stopped: Vec<u32>,
    repairs: u32,
}

/// What a part is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    Words,
    Thoughts,
    Arguments,
    Nothing,
}

impl Guard {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the event may be written. What has to be written before it is appended to `before`.
    #[must_use]
    pub fn admits(&mut self, event: &Event, before: &mut Vec<Event>) -> bool {
        if !self.started && !matches!(event, Event::Start { .. }) {
            self.started = true;
            self.repairs += 1;
            before.push(Event::Start { id: None, model: None, created: None });
        }
        let admitted = match event {
            Event::Start { .. } => !std::mem::replace(&mut self.started, true),
            Event::Open { part, choice, kind } => self.opens(*part, *choice, takes(kind)),
            Event::Delta { part, piece } => self.extends(*part, piece, before),
            Event::Close { part } => self.closes(*part),
            Event::Stop { choice, .. } => self.stops(*choice, before),
            Event::Logprobs { choice, .. } => !self.stopped.contains(choice),
            Event::Usage(_) | Event::ServiceTier(_) | Event::Fields(_) | Event::Foreign { .. } => true,
        };
        self.repairs += u32::from(!admitted);
        admitted
    }

    /// How often it had to step in.
    pub fn repairs(&self) -> u32 {
        self.repairs
    }

    /// A name is used for one part only.
    fn opens(&mut self, part: PartId, choice: u32, takes: Takes) -> bool {
        if part.0 < self.next || self.stopped.contains(&choice) {
            return false;
        }
        self.next = part.0.saturating_add(1);
        self.open.push((part, choice, takes));
        true
    }

    /// A text without its opening gets one; no other part can be made up.
    fn extends(&mut self, part: PartId, piece: &Piece, before: &mut Vec<Event>) -> bool {
        let known = self.open.iter().find(|(open, ..)| *open == part);
        if let Some((_, _, takes)) = known {
            return takes.fits(piece);
        }
        if !matches!(piece, Piece::Text(_)) || !self.opens(part, 0, Takes::Text) {
            return false;
        }
        self.repairs += 1;
        before.push(Event::Open { part, choice: 0, kind: PartKind::Text });
        true
    }

    fn closes(&mut self, part: PartId) -> bool {
        let place = self.open.iter().position(|(open, ..)| *open == part);
        place.map(|place| self.open.remove(place)).is_some()
    }

    /// Nothing of a choice stays open, and it stops once.
    fn stops(&mut self, choice: u32, before: &mut Vec<Event>) -> bool {
        if self.stopped.contains(&choice) {
            return false;
        }
        self.stopped.push(choice);
        let left = self.open.extract_if(.., |(_, of, _)| *of == choice);
        for (part, ..) in left {
            self.repairs += 1;
            before.push(Event::Close { part });
        }
        true
    }
}

impl Takes {
    fn fits(self, piece: &Piece) -> bool {
        match piece {
            Piece::Text(_) => matches!(self, Takes::Text | Takes::Words | Takes::Thoughts),
            Piece::ToolInput(_) => self == Takes::Arguments,
            Piece::Signature(_) => matches!(self, Takes::Text | Takes::Thoughts | Takes::Arguments),
            Piece::Encrypted(_) => self == Takes::Thoughts,
            Piece::Citation(_) => self == Takes::Text,
        }
    }
}

fn takes(kind: &PartKind) -> Takes {
    match kind {
        PartKind::Text => Takes::Text,
        PartKind::Refusal => Takes::Words,
        PartKind::Thinking { .. } => Takes::Thoughts,
        PartKind::ToolCall { .. } => Takes::Arguments,
        PartKind::RedactedThinking { .. } | PartKind::ServerTool { .. } | PartKind::Media { .. } => {
            Takes::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{StopReason, ToolKind};

    fn guarded(events: Vec<Event>) -> (Vec<Event>, u32) {
        let mut guard = Guard::new();
        let mut out = Vec::new();
        for event in events {
            if guard.admits(&event, &mut out) {
                out.push(event);
            }
        }
        (out, guard.repairs())
    }

    fn start() -> Event {
        Event::Start { id: Some("a".into()), model: None, created: None }
    }

    fn open(part: u32) -> Event {
        Event::Open { part: PartId(part), choice: 0, kind: PartKind::Text }
    }

    fn call(part: u32) -> Event {
        let kind = PartKind::ToolCall { id: "c".into(), name: "f".into(), kind: ToolKind::Function };
        Event::Open { part: PartId(part), choice: 0, kind }
    }

    fn delta(part: u32, piece: Piece) -> Event {
        Event::Delta { part: PartId(part), piece }
    }

    fn text(part: u32) -> Event {
        delta(part, Piece::Text("x".into()))
    }

    fn close(part: u32) -> Event {
        Event::Close { part: PartId(part) }
    }

    fn stop() -> Event {
        Event::Stop { choice: 0, stop: StopReason::End.into() }
    }

    #[test]
    fn a_stream_that_keeps_the_grammar_passes_untouched() {
        let events = vec![start(), open(0), text(0), call(1), close(0), close(1), stop()];
        assert_eq!(guarded(events.clone()), (events, 0));
    }

    #[test]
    fn what_is_left_open_is_closed_before_the_stop() {
        let expected = vec![start(), open(0), text(0), close(0), stop()];
        assert_eq!(guarded(vec![start(), open(0), text(0), stop()]), (expected, 1));
    }

    #[test]
    fn a_text_that_nobody_opened_is_opened_and_its_words_are_kept() {
        let expected = vec![start(), open(0), text(0), close(0), stop()];
        assert_eq!(guarded(vec![start(), text(0), close(0), stop()]), (expected, 1));
    }

    #[test]
    fn a_missing_start_is_made() {
        let made = Event::Start { id: None, model: None, created: None };
        let expected = vec![made, open(0), close(0), stop()];
        assert_eq!(guarded(vec![open(0), close(0), stop()]), (expected, 1));
    }

    #[test]
    fn what_comes_twice_or_too_late_is_left_out() {
        let events = vec![start(), start(), open(0), open(0), close(0), close(0), stop(), stop(), text(1)];
        assert_eq!(guarded(events), (vec![start(), open(0), close(0), stop()], 5));
    }

    #[test]
    fn pieces_of_another_kind_are_left_out() {
        let odd = delta(0, Piece::ToolInput("{}".into()));
        let (out, repairs) =
            guarded(vec![start(), open(0), odd.clone(), close(0), call(1), text(1), close(1), stop()]);
        assert_eq!((out.contains(&odd), repairs), (false, 2));
    }
}
