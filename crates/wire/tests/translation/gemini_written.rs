//! Every recorded answer, written for clients of Gemini: accepted by an independent checker, and equal to the recording.

use bytes::BytesMut;
use serde_json::{Value, json};
use wire::chat::{Event, Fold, Loss, Undo, unfold};
use wire::dialect::{Echo, SoFar};
use wire::frame::{Framing, JsonArraySplitter};
use wire::gemini::Gemini;
use wire::{Fault, Surface, WireId};

use super::fixtures::{self, Fixture};
use super::gemini_answers::DIALECT;
use super::golden::{answered, digest};
use super::{gemini_grammar, gemini_recording, streams};

const ALL: [(&str, WireId); 3] = [
    ("anthropic.messages", WireId::AnthropicMessages),
    (DIALECT, WireId::Gemini),
    ("openai.chat", WireId::OpenAiChat),
];

fn echo() -> Echo {
    Echo { request_id: "req_1".into(), resolved_model: "resolved-model".into(), ..Echo::default() }
}

fn written(events: &[Event]) -> (BytesMut, Vec<Loss>) {
    let mut writer = Gemini.stream_writer(echo());
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    (bytes, writer.losses())
}

fn events(fixture: &Fixture, wire: WireId) -> Vec<Event> {
    if !fixture.stream {
        return unfold(&wire.wire().decode_response(&fixture.body(), &Undo::default()).unwrap());
    }
    let outcome = streams::read_whole(wire.wire(), &fixture.stream_bytes());
    assert!(outcome.end.is_ok(), "{}: {:?}", fixture.id, outcome.end);
    outcome.events
}

/// One line: what a client of Gemini gets of a recording.
pub fn line(id: &str, events: &[Event]) -> String {
    let (bytes, losses) = written(events);
    let read = gemini_grammar::check(id, &bytes);
    let candidates: Vec<Value> = read.candidates.values().map(summary).collect();
    let usage = read.usage.unwrap_or_default();
    let names = ["promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount"];
    let counts: Vec<&Value> = names.iter().map(|name| &usage[name]).collect();
    let losses: Vec<_> = losses.iter().map(|loss| loss.code.as_ref()).collect();
    format!("{id} {} usage {} losses {losses:?}", json!(candidates), json!(counts))
}

fn summary(candidate: &gemini_grammar::Candidate) -> Value {
    let calls = candidate.calls.iter().map(|(name, args)| format!("{name}({})", digest(&args.to_string())));
    let mut summary = json!({"text": digest(&candidate.text), "finish": candidate.finish});
    for (name, value) in [
        ("thoughts", json!(digest(&candidate.thoughts))),
        ("calls", json!(calls.collect::<Vec<_>>())),
        ("sources", json!(candidate.sources)),
    ] {
        if value != json!("") && value != json!([]) && value != json!(0) {
            summary[name] = value;
        }
    }
    summary
}

#[test]
fn clients_read_what_was_recorded() {
    for fixture in answered(DIALECT) {
        let said = gemini_recording::of_recording(&fixture);
        let (bytes, losses) = written(&events(&fixture, WireId::Gemini));
        let read = gemini_grammar::check(&fixture.id, &bytes);
        let candidate = &read.candidates[&0];
        assert_eq!((&candidate.text, &candidate.thoughts), (&said.text, &said.thoughts), "{}", fixture.id);
        assert_eq!(candidate.calls, said.calls, "{}", fixture.id);
        let usage = read.usage.unwrap_or_default();
        assert_eq!(usage["promptTokenCount"].as_u64(), said.prompt, "{}", fixture.id);
        assert_eq!(usage["cachedContentTokenCount"].as_u64(), said.cache_read, "{}", fixture.id);
        assert!(losses.is_empty(), "{}: {losses:?}", fixture.id);
    }
}

#[test]
fn whole_answers_say_the_same_as_streams() {
    for (dialect, wire) in ALL {
        for fixture in answered(dialect) {
            let events = events(&fixture, wire);
            let mut fold = Fold::new();
            events.iter().for_each(|event| fold.push(event));
            let whole = Gemini.encode_response(&fold.finish(), &echo(), &mut Vec::new());
            let whole = gemini_grammar::check_chunks(&fixture.id, &[serde_json::from_slice(&whole).unwrap()]);
            let streamed = gemini_grammar::check(&fixture.id, &written(&events).0);
            assert_eq!(whole.candidates, streamed.candidates, "{}", fixture.id);
            assert_eq!(whole.usage, streamed.usage, "{}", fixture.id);
        }
    }
}

#[test]
fn an_array_holds_the_chunks_of_the_stream() {
    for fixture in answered("anthropic.messages") {
        let events = events(&fixture, WireId::AnthropicMessages);
        let mut writer = Gemini.stream_writer(Echo { framing: Framing::JsonArray, ..echo() });
        let mut bytes = BytesMut::new();
        events.iter().for_each(|event| writer.write(event, &mut bytes));
        let begun = bytes.clone();
        writer.finish(&mut bytes);
        let chunks: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(chunks, super::recording::datas(&written(&events).0), "{}", fixture.id);
        let mut failed = begun;
        writer.fail(&cut(), &mut failed);
        assert!(
            serde_json::from_slice::<Value>(&failed).is_err(),
            "{}: an array that failed is open",
            fixture.id
        );
    }
}

fn cut() -> Fault {
    Fault::Cut { provider: "p".into(), why: "cut".into() }
}

#[test]
fn a_carried_stream_that_fails_ends_in_the_error() {
    let mut out = BytesMut::new();
    let so_far = SoFar { request_id: "req_1", ..SoFar::default() };
    Gemini.fail_stream(&cut(), &so_far, &mut out);
    assert!(gemini_grammar::check("carried", &out).error.is_some());
    let mut out = BytesMut::from("[{}");
    Gemini.fail_stream(&cut(), &SoFar { framing: Framing::JsonArray, elements: 1, ..so_far }, &mut out);
    let mut splitter = JsonArraySplitter::new(1 << 20);
    splitter.push(&out);
    splitter.next().unwrap();
    let error: Value = serde_json::from_str(splitter.next().unwrap().unwrap().data).unwrap();
    assert_eq!(error["error"]["status"], "UNAVAILABLE");
    assert!(!splitter.is_complete());
}

#[test]
fn failures_abort_and_silence_is_kept() {
    assert!(Gemini.failure_aborts());
    assert_eq!(Gemini.keep_alive(), None);
    assert_eq!(Gemini.stream_end(), Some(&b""[..]));
}

#[test]
fn recorded_errors_are_passed_on_to_clients_of_the_same_dialect() {
    use wire::Wire;
    for fixture in fixtures::refused(DIALECT) {
        let fault = Gemini.decode_fault(fixture.status, None, &fixture.body()).named("google");
        let (_, body) = Gemini.encode_fault(&fault, "req_1");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(body["error"]["code"].is_u64() && body["error"]["status"].is_string(), "{}", fixture.id);
    }
}
