//! Stop texts for wires that have none: events pass until a text of the answer holds one of them, and end there.
//!
//! What may be the beginning of a stop text is held back until it is known not to be. Matching is done within one part:
//! a stop text never spans two.

use std::collections::HashMap;

use super::{ChatResponse, Event, Fold, PartId, PartKind, Piece, Stop, StopReason, unfold};

/// Cuts streams off. A filter over events: takes and yields them in order.
#[derive(Debug)]
pub struct StopText {
    stops: Vec<String>,
    /// Open texts, and what of them is held back.
    open: HashMap<PartId, Held>,
    /// Choices that have ended here; the upstream may go on for a while.
    ended: Vec<u32>,
    /// Open parts of any kind, with their choice.
    parts: Vec<(PartId, u32)>,
}

#[derive(Debug)]
struct Held {
    choice: u32,
    text: String,
}

impl StopText {
    /// Ends at the first of these; empty ones match nothing.
    pub fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Self { stops, open: HashMap::new(), ended: Vec::new(), parts: Vec::new() }
    }

    /// Takes the next event, and appends to `out` what may pass.
    pub fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::Open { part, choice, ref kind } => {
                if self.ended.contains(&choice) {
                    return;
                }
                self.parts.push((part, choice));
                if matches!(kind, PartKind::Text) {
                    self.open.insert(part, Held { choice, text: String::new() });
                }
                out.push(event);
            }
            Event::Delta { part, piece: Piece::Text(text) } if self.open.contains_key(&part) => {
                self.text(part, text, out);
            }
            Event::Delta { part, .. } => {
                if self.is_open(part) {
                    self.release(part, out);
                    out.push(event);
                }
            }
            Event::Close { part } => {
                if self.is_open(part) {
                    self.release(part, out);
                    self.open.remove(&part);
                    self.parts.retain(|(it, _)| *it != part);
                    out.push(event);
                }
            }
            Event::Stop { choice, .. } | Event::Logprobs { choice, .. } if self.ended.contains(&choice) => {}
            other => out.push(other),
        }
    }

    fn is_open(&self, part: PartId) -> bool {
        self.parts.iter().any(|(it, _)| *it == part)
    }

    /// More of a text: passes, is held back, or ends the choice.
    fn text(&mut self, part: PartId, more: String, out: &mut Vec<Event>) {
        let Some(held) = self.open.get_mut(&part) else { return };
        held.text.push_str(&more);
        if let Some((at, stop)) = first_match(&held.text, &self.stops) {
            let (choice, stop) = (held.choice, stop.to_owned());
            held.text.truncate(at);
            self.release(part, out);
            return self.end(choice, stop, out);
        }
        let free = held.text.len() - beginning(&held.text, &self.stops);
        let rest = held.text.split_off(free);
        let passes = std::mem::replace(&mut held.text, rest);
        piece(part, passes, out);
    }

    /// What is held back of a part passes: it cannot go on to be a stop text.
    fn release(&mut self, part: PartId, out: &mut Vec<Event>) {
        if let Some(held) = self.open.get_mut(&part) {
            piece(part, std::mem::take(&mut held.text), out);
        }
    }

    /// The choice ends here: its parts are closed, and it stops.
    fn end(&mut self, choice: u32, sequence: String, out: &mut Vec<Event>) {
        let (of_choice, others): (Vec<_>, Vec<_>) = self.parts.drain(..).partition(|(_, it)| *it == choice);
        self.parts = others;
        for (part, _) in of_choice {
            self.release(part, out);
            self.open.remove(&part);
            out.push(Event::Close { part });
        }
        let stop = Stop { sequence: Some(sequence), ..StopReason::StopSequence.into() };
        out.push(Event::Stop { choice, stop });
        self.ended.push(choice);
    }
}

fn piece(part: PartId, text: String, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Delta { part, piece: Piece::Text(text) });
    }
}

/// Where the first stop text begins, and which it is; of two that begin there, the longer.
fn first_match<'a>(text: &str, stops: &'a [String]) -> Option<(usize, &'a str)> {
    let found = stops.iter().filter_map(|stop| Some((text.find(stop.as_str())?, stop.as_str())));
    found.min_by_key(|(at, stop)| (*at, usize::MAX - stop.len()))
}

/// Bytes at the end of `text` that may be the beginning of a stop text.
fn beginning(text: &str, stops: &[String]) -> usize {
    let longest = |stop: &String| {
        let starts = stop.char_indices().map(|(at, _)| at).skip(1);
        starts.filter(|at| text.ends_with(&stop[..*at])).max().unwrap_or(0)
    };
    stops.iter().map(longest).max().unwrap_or(0)
}

/// A whole answer, cut off at the first stop text.
pub fn cut_off(response: &ChatResponse, stops: &[String]) -> ChatResponse {
    let (mut filter, mut passed, mut fold) = (StopText::new(stops), Vec::new(), Fold::new());
    unfold(response).into_iter().for_each(|event| filter.push(event, &mut passed));
    passed.iter().for_each(|event| fold.push(event));
    fold.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: PartId = PartId(0);

    /// The texts that pass, and how the choice stopped.
    fn passed(stops: &[&str], pieces: &[&str]) -> (Vec<String>, Stop) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let (mut filter, mut out) = (StopText::new(&stops), Vec::new());
        filter.push(Event::Open { part: PART, choice: 0, kind: PartKind::Text }, &mut out);
        for text in pieces {
            filter.push(Event::Delta { part: PART, piece: Piece::Text((*text).into()) }, &mut out);
        }
        filter.push(Event::Close { part: PART }, &mut out);
        filter.push(Event::Stop { choice: 0, stop: StopReason::End.into() }, &mut out);
        let closes = out.iter().filter(|event| matches!(event, Event::Close { .. })).count();
        assert_eq!(closes, 1);
        let texts = out.iter().filter_map(|event| match event {
            Event::Delta { piece: Piece::Text(text), .. } => Some(text.clone()),
            _ => None,
        });
        match out.last() {
            Some(Event::Stop { stop, .. }) => (texts.collect(), stop.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_stop_text_ends_the_answer_however_it_is_cut() {
        for pieces in [&["a STOP b"][..], &["a ST", "OP b"], &["a ", "S", "T", "O", "P", " b"]] {
            let (texts, stop) = passed(&["STOP"], pieces);
            assert_eq!(texts.concat(), "a ", "{pieces:?}");
            assert_eq!((stop.reason, stop.sequence.as_deref()), (StopReason::StopSequence, Some("STOP")));
        }
    }

    #[test]
    fn what_only_looked_like_a_stop_text_passes() {
        let (texts, stop) = passed(&["STOP"], &["a ST", "ART", " S"]);
        assert_eq!(texts, ["a ", "START", " ", "S"]);
        assert_eq!(stop.reason, StopReason::End);
    }

    #[test]
    fn a_false_beginning_does_not_hide_a_true_one() {
        let (texts, _) = passed(&["aab"], &["a", "a", "a", "b", "x"]);
        assert_eq!(texts.concat(), "a");
    }

    #[test]
    fn the_earliest_of_several_wins_and_characters_stay_whole() {
        let (texts, stop) = passed(&["€€", "b", ""], &["é€", "b€€"]);
        assert_eq!((texts.concat().as_str(), stop.sequence.as_deref()), ("é€", Some("b")));
    }

    #[test]
    fn what_follows_the_end_is_not_heard_but_for_usage() {
        let (mut filter, mut out) = (StopText::new(&["X".to_owned()]), Vec::new());
        let text = |part| Event::Open { part: PartId(part), choice: 0, kind: PartKind::Text };
        filter.push(text(0), &mut out);
        filter.push(Event::Delta { part: PART, piece: Piece::Text("X".into()) }, &mut out);
        let ended = out.len();
        filter.push(text(1), &mut out);
        filter.push(Event::Delta { part: PartId(1), piece: Piece::Text("late".into()) }, &mut out);
        filter.push(Event::Close { part: PartId(1) }, &mut out);
        assert_eq!(out.len(), ended);
        filter.push(Event::Usage(crate::chat::Usage::default()), &mut out);
        assert_eq!(out.len(), ended + 1);
    }
}
