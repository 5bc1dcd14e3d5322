//! The sixteen ordered pairs: every recorded answer of every wire, written for the clients of every surface. What they
//! read is what was recorded, however it was cut, whole or streamed; and a stream that breaks off is an error for them.

mod clients;
mod goldens;
mod prefixes;
mod recorded;

use wire::chat::{Event, Fold, Undo};

use self::clients::{CLIENTS, Client, Got};
use self::recorded::{Answer, RECORDED, Recorded};
use super::{events, streams};

/// Every pair, with the answers that were recorded on its wire.
fn each_pair(mut check: impl FnMut(&Recorded, &Client, &Answer)) {
    for recorded in &RECORDED {
        for answer in (recorded.answers)() {
            CLIENTS.iter().for_each(|client| check(recorded, client, &answer));
        }
    }
}

#[test]
fn clients_of_every_dialect_read_what_every_dialect_recorded() {
    each_pair(|recorded, client, answer| {
        let case = format!("{} for {}", answer.id, client.surface.name());
        let events = answer.events(recorded.wire);
        let got = (client.read_stream)(&case, &client.written(&events, None));
        same(&case, &got, answer);
    });
}

/// What a client got is what the recording says, as far as that says it.
#[track_caller]
fn same(case: &str, got: &Got, answer: &Answer) {
    let said = &answer.said;
    // Who was cut off is told why, where the recording says it beside the text.
    let told_why = got.stop == "filter" && got.text.starts_with(&said.text);
    assert!(got.text == said.text || told_why, "{case}: {:?} for {:?}", got.text, said.text);
    assert_eq!(got.thoughts, said.thoughts, "{case}");
    assert_eq!(got.calls, said.calls, "{case}");
    assert_eq!(Some(got.stop), said.stop.map(clients::coarse), "{case}");
    for (name, got, said) in [
        ("prompt", got.prompt, said.prompt),
        ("output", got.output, said.output),
        ("cache reads", got.cache_read, said.cache_read),
    ] {
        assert!(said.is_none() || got == said, "{case}: {name}: {got:?} for {said:?}");
    }
}

#[test]
fn a_whole_answer_is_the_stream_of_it_folded() {
    each_pair(|recorded, client, answer| {
        let case = format!("{} for {}", answer.id, client.surface.name());
        let events = answer.events(recorded.wire);
        let mut fold = Fold::new();
        events.iter().for_each(|event| fold.push(event));
        let whole = client.whole(&fold.finish());
        let whole = (client.read_whole)(&case, &serde_json::from_slice(&whole).unwrap());
        let streamed = (client.read_stream)(&case, &client.written(&events, None));
        assert_eq!(whole, streamed, "{case}");
    });
}

#[test]
fn streams_of_every_dialect_cut_anywhere_yield_the_same_events() {
    for recorded in &RECORDED {
        for answer in (recorded.answers)().iter().filter(|answer| answer.is_stream()) {
            let bytes = answer.bytes();
            let at_once = answer.events(recorded.wire);
            events::check(&answer.id, &at_once);
            for size in [1, 2, 3, 7, 64, 1000] {
                let outcome = streams::read(recorded.wire.wire(), &Undo::default(), bytes.chunks(size));
                assert!(outcome.end.is_ok(), "{} in chunks of {size}: {:?}", answer.id, outcome.end);
                assert!(outcome.events == at_once, "{} in chunks of {size}", answer.id);
            }
        }
    }
}

/// Whether an answer ends.
fn stops(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::Stop { .. }))
}

#[test]
fn every_recorded_answer_stops() {
    for recorded in &RECORDED {
        let answers = (recorded.answers)();
        let (streamed, whole): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.is_stream());
        assert!(streamed.len() >= 8 && whole.len() >= 15, "{:?}", recorded.wire);
        assert!(answers.iter().all(|answer| stops(&answer.events(recorded.wire))), "{:?}", recorded.wire);
    }
}
