//! Answers of OpenAI-compatible providers: carried, so byte for byte as recorded.

use serde_json::Value;

use super::recordings::{Dialect, Recording, answered};
use super::{Bench, CUTS, said};
use crate::grammar::chat_grammar;
use crate::support::events;

/// Streams of providers that do not keep to OpenAI's own grammar, and the rule each breaks first. They are carried all
/// the same: the bytes are the provider's.
const DEVIATIONS: &[(&str, &str)] = &[
    // An empty id on every piece of a call.
    ("alibaba.openai-chat.alibaba-tool-call", "a later piece has neither"),
    // Opens with the results of its filter, before there is a chunk.
    ("azure", "a chunk says what it is"),
    ("deepseek", USAGE_APART),
    ("groq.openai-chat.test-groq-model-web-search-tool-stream", ROLE_ONCE),
    ("groq.openai-chat.test-tool-use-failed-error", USAGE_APART),
    ("mistral.openai-chat.mistral-incremental-tool-call", ROLE_ONCE),
    ("mistral.openai-chat.test-mistral", USAGE_APART),
    // A published fixture that its repository shortened: no field `object`.
    ("moonshot", "a chunk says what it is"),
    ("openrouter", ROLE_ONCE),
    ("perplexity", USAGE_APART),
    ("zai", ROLE_ONCE),
];

/// Broken by who reports usage together with the finish reason, or all along.
const USAGE_APART: &str = "usage comes in a chunk of its own";
/// Broken by who repeats the role in every chunk.
const ROLE_ONCE: &str = "the first delta, and no other, has the role";

#[test]
fn whole_answers_come_as_recorded_with_the_routing_added() {
    let mut bench = Bench::new();
    for recording in answered(Dialect::Chat, false) {
        for cut in CUTS {
            let case = recording.model() + cut;
            let reply = bench.ask(&recording, cut, true);
            let text = recording.text();
            let open = text.strip_suffix('}').unwrap();
            assert!(reply.text().starts_with(open), "{case}: {}", reply.text());
            let mut answer = reply.json();
            let routing = answer.as_object_mut().unwrap().remove("x_gateway").unwrap();
            assert_eq!(routing["requestedModel"], case, "{case}");
            assert_eq!(answer, recording.body, "{case}");
            assert_eq!(said::of_chat(&[answer]), said::of_recording(&recording), "{case}");
        }
    }
    bench.check_ledger();
}

#[test]
fn streams_come_event_by_event_as_recorded() {
    let mut bench = Bench::new();
    for recording in answered(Dialect::Chat, true) {
        for cut in CUTS {
            let case = recording.model() + cut;
            let reply = bench.ask(&recording, cut, true);
            assert_eq!(reply.text(), forwarded(&recording, true), "{case}");
            assert_eq!(said::of_chat(&reply.events()), said::of_recording(&recording), "{case}");
        }
    }
    bench.check_ledger();
}

#[test]
fn who_did_not_ask_for_usage_gets_every_event_but_that() {
    let mut bench = Bench::new();
    let mut hidden = 0;
    for recording in answered(Dialect::Chat, true) {
        let reply = bench.ask(&recording, "", false);
        assert_eq!(reply.text(), forwarded(&recording, false), "{}", recording.id);
        hidden += usize::from(forwarded(&recording, true) != reply.text());
    }
    assert!(hidden > 5, "some providers report usage in an event of its own");
    bench.check_ledger();
}

/// The events a client must get: all that have data, as recorded, and the end marker where there was none.
fn forwarded(recording: &Recording, usage: bool) -> String {
    let has_data = |event: &&String| event.lines().any(|line| line.starts_with("data:"));
    let kept = recording.events.iter().filter(has_data).filter(|event| usage || !is_usage(event));
    let mut text: String = kept.cloned().collect();
    if !text.contains("[DONE]") {
        text += "data: [DONE]\n\n";
    }
    text
}

/// A report of usage and nothing else.
fn is_usage(event: &str) -> bool {
    events(event).iter().any(|data| data["choices"] == Value::Array(Vec::new()) && data["usage"].is_object())
}

#[test]
fn streams_keep_the_grammar_of_chunks_as_far_as_their_providers_do() {
    let mut bench = Bench::new();
    for recording in answered(Dialect::Chat, true) {
        let stream = respelled(&bench.ask(&recording, "", true).events());
        let known = DEVIATIONS.iter().find(|(id, _)| recording.id.starts_with(id)).map(|(_, rule)| *rule);
        assert_eq!(broken_rule(&recording.id, &stream).as_deref(), known, "{}", recording.id);
    }
}

/// The first rule of the grammar that a stream breaks.
fn broken_rule(id: &str, stream: &[u8]) -> Option<String> {
    let broken = std::panic::catch_unwind(|| chat_grammar::check(id, stream, true)).err()?;
    let message = broken.downcast_ref::<String>().cloned().unwrap_or_default();
    Some(message.strip_prefix(&format!("{id}: ")).unwrap_or(&message).to_owned())
}

/// The events without comments and names, as the checker wants them.
fn respelled(events: &[Value]) -> Vec<u8> {
    let data = |event: &Value| event.as_str().map_or_else(|| event.to_string(), str::to_owned);
    events.iter().map(|event| format!("data: {}\n\n", data(event))).collect::<String>().into_bytes()
}
