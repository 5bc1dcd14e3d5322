//! Answers of Anthropic Messages, translated: they say what the recording says, in the client's dialect.

use serde_json::Value;

use super::recordings::{Dialect, answered};
use super::said::Said;
use super::{Bench, CUTS, said};
use crate::grammar::chat_grammar;

#[test]
fn whole_answers_say_what_was_recorded() {
    let mut bench = Bench::new();
    for recording in answered(Dialect::Messages, false) {
        for cut in CUTS {
            let case = recording.model() + cut;
            let answer = bench.ask(&recording, cut, true).json();
            assert_eq!(answer["object"], "chat.completion", "{case}");
            assert_eq!(answer["model"], recording.body["model"], "{case}");
            same(&case, &[answer], &said::of_recording(&recording));
        }
    }
    bench.check_ledger();
}

#[test]
fn streams_say_what_was_recorded_in_the_grammar_of_chunks() {
    let mut bench = Bench::new();
    for recording in answered(Dialect::Messages, true) {
        for cut in CUTS {
            let case = recording.model() + cut;
            let reply = bench.ask(&recording, cut, true);
            let read = chat_grammar::check(&case, &reply.body, true);
            assert!(read.error.is_none() && read.usage.is_some(), "{case}: {read:?}");
            same(&case, &reply.events(), &said::of_recording(&recording));
        }
        let reply = bench.ask(&recording, "", false);
        let read = chat_grammar::check(&recording.id, &reply.body, false);
        assert!(read.error.is_none() && read.usage.is_none(), "{}: {read:?}", recording.id);
    }
    bench.check_ledger();
}

/// The answer says the same, and its totals add up.
#[track_caller]
fn same(case: &str, answers: &[Value], recorded: &Said) {
    assert_eq!(&said::of_chat(answers), recorded, "{case}");
    let usage = answers.iter().map(|answer| &answer["usage"]).find(|usage| usage.is_object()).unwrap();
    assert_eq!(usage["completion_tokens"].as_u64(), recorded.usage.output, "{case}");
}
