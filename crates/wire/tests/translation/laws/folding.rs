//! Fold, unfold and sequence.

use proptest::collection::vec;
use proptest::prelude::*;
use wire::chat::{ChatResponse, Event, Fold, Sequence, unfold};

use super::any::{event, response};
use crate::events;

proptest! {
    #[test]
    fn folding_an_unfolded_answer_gives_it_back(response in response()) {
        let events = unfold(&response);
        events::check("unfolded", &events);
        prop_assert_eq!(folded(&events), response);
    }

    #[test]
    fn a_sequence_opens_one_part_at_a_time_and_loses_nothing(response in response()) {
        let (mut sequence, mut out) = (Sequence::new(), Vec::new());
        interleaved(&response).into_iter().for_each(|event| sequence.push(event, &mut out));
        prop_assert!(open_at_once(&out) <= 1);
        prop_assert_eq!(folded(&out), response);
    }

    #[test]
    fn any_events_are_folded_and_sequenced_without_harm(events in vec(event(), 0..20)) {
        folded(&events);
        let (mut sequence, mut out) = (Sequence::new(), Vec::new());
        events.into_iter().for_each(|event| sequence.push(event, &mut out));
        prop_assert!(open_at_once(&out) <= 1);
    }
}

fn folded(events: &[Event]) -> ChatResponse {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// Parts of `response`, opened together and closed in order: what a sequence has to put straight.
fn interleaved(response: &ChatResponse) -> Vec<Event> {
    let events = unfold(response);
    let rank = |event: &Event| match event {
        Event::Start { .. } => 0,
        Event::Open { .. } => 1,
        Event::Delta { .. } => 2,
        Event::Close { .. } => 3,
        _ => 4,
    };
    let mut mixed = events;
    mixed.sort_by_key(rank);
    mixed
}

fn open_at_once(events: &[Event]) -> usize {
    let mut open = 0_usize;
    let mut most = 0;
    for event in events {
        match event {
            Event::Open { .. } => open += 1,
            Event::Close { .. } => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    most
}
