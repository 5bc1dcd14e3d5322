//! One part at a time, for dialects whose parts may not interleave.

use std::collections::VecDeque;

use super::{Event, PartId};

/// Puts parts one after the other: while one is open, the events of parts that opened later wait until it closes.
/// Everything that belongs to no part passes at once. Events that break the grammar are left out.
#[derive(Debug, Default)]
pub struct Sequence {
    /// In order of opening; the front one is being written, the others wait.
    open: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    part: PartId,
    choice: u32,
    events: Vec<Event>,
    closed: bool,
}

impl Sequence {
    /// Nothing open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a piece of this part would pass at once, so that it need not be handed over.
    pub fn passes(&self, part: PartId) -> bool {
        self.place(part) == Some(0)
    }

    /// Takes the next event, and appends to `out` what may be written now.
    pub fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::Open { part, choice, .. } => self.open(part, choice, event, out),
            Event::Delta { part, .. } => self.hand(part, event, out),
            Event::Close { part } => self.close(part, event, out),
            Event::Stop { choice, .. } => {
                self.close_all(choice, out);
                out.push(event);
            }
            other => out.push(other),
        }
    }

    fn open(&mut self, part: PartId, choice: u32, event: Event, out: &mut Vec<Event>) {
        if self.place(part).is_none() {
            self.open.push_back(Waiting { part, choice, events: Vec::new(), closed: false });
            self.hand(part, event, out);
        }
    }

    /// Writes an event of the front part; keeps it when its part has to wait.
    fn hand(&mut self, part: PartId, event: Event, out: &mut Vec<Event>) {
        match self.place(part) {
            Some(0) => out.push(event),
            Some(behind) => self.open[behind].events.push(event),
            None => {}
        }
    }

    fn close(&mut self, part: PartId, event: Event, out: &mut Vec<Event>) {
        let Some(place) = self.place(part) else { return };
        self.hand(part, event, out);
        self.open[place].closed = true;
        self.advance(out);
    }

    fn place(&self, part: PartId) -> Option<usize> {
        self.open.iter().position(|it| it.part == part && !it.closed)
    }

    /// Lets go of finished parts at the front, and of what the next one has gathered.
    fn advance(&mut self, out: &mut Vec<Event>) {
        while self.open.front().is_some_and(|front| front.closed) {
            self.open.pop_front();
            if let Some(next) = self.open.front_mut() {
                out.append(&mut next.events);
            }
        }
    }

    /// Nothing of a choice stays open once it stopped.
    fn close_all(&mut self, choice: u32, out: &mut Vec<Event>) {
        let left: Vec<PartId> =
            self.open.iter().filter(|it| it.choice == choice && !it.closed).map(|it| it.part).collect();
        for part in left {
            self.close(part, Event::Close { part }, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{PartKind, Piece, StopReason, Usage};

    fn open(part: u32) -> Event {
        Event::Open { part: PartId(part), choice: 0, kind: PartKind::Text }
    }

    fn text(part: u32, text: &str) -> Event {
        Event::Delta { part: PartId(part), piece: Piece::Text(text.into()) }
    }

    fn close(part: u32) -> Event {
        Event::Close { part: PartId(part) }
    }

    fn sequenced(events: Vec<Event>) -> Vec<Event> {
        let mut sequence = Sequence::new();
        let mut out = Vec::new();
        events.into_iter().for_each(|event| sequence.push(event, &mut out));
        out
    }

    #[test]
    fn the_pieces_of_a_later_part_wait_until_the_earlier_one_closes() {
        let mixed = vec![
            open(0),
            text(0, "a"),
            open(1),
            text(1, "x"),
            text(0, "b"),
            close(0),
            text(1, "y"),
            close(1),
        ];
        let plain = vec![
            open(0),
            text(0, "a"),
            text(0, "b"),
            close(0),
            open(1),
            text(1, "x"),
            text(1, "y"),
            close(1),
        ];
        assert_eq!(sequenced(mixed), plain);
    }

    #[test]
    fn a_part_that_closed_while_waiting_is_written_whole() {
        let mixed = vec![open(0), open(1), text(1, "x"), close(1), open(2), text(0, "a"), close(0), close(2)];
        let plain = vec![open(0), text(0, "a"), close(0), open(1), text(1, "x"), close(1), open(2), close(2)];
        assert_eq!(sequenced(mixed), plain);
    }

    #[test]
    fn usage_does_not_wait() {
        let usage = Event::Usage(Usage::default());
        let events = vec![open(0), open(1), usage.clone()];
        assert_eq!(sequenced(events), vec![open(0), usage]);
    }

    #[test]
    fn a_stop_closes_what_was_left_open() {
        let stop = Event::Stop { choice: 0, stop: StopReason::End.into() };
        let events = vec![open(0), open(1), text(1, "x"), stop.clone(), text(1, "late")];
        let plain = vec![open(0), close(0), open(1), text(1, "x"), close(1), stop];
        assert_eq!(sequenced(events), plain);
    }
}
