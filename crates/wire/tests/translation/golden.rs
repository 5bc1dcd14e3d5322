//! Every recorded answer, written for clients of OpenAI Chat: accepted by an independent checker of the chunk grammar,
//! equal to the recording, and noted in a snapshot.

use bytes::BytesMut;
use serde_json::{Value, json};
use wire::chat::{ChatResponse, Event, Loss, StopReason, Undo, unfold};
use wire::dialect::Echo;
use wire::openai_chat::OpenAiChat;
use wire::{Surface, WireId};

use super::fixtures::{self, Fixture};
use super::{chat_grammar, recording, streams};

/// The recording of a Messages stream that ends in an error.
const OVERLOADED: &str = "composed-stream-overloaded";

pub struct Written {
    pub bytes: BytesMut,
    losses: Vec<Loss>,
}

pub fn echo() -> Echo {
    Echo {
        request_id: "req_1".into(),
        resolved_provider: "provider".into(),
        resolved_model: "resolved-model".into(),
        created: 1_700_000_000,
        include_usage: true,
        ..Echo::default()
    }
}

pub fn written(events: &[Event]) -> Written {
    let mut writer = OpenAiChat.stream_writer(echo());
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    Written { bytes, losses: writer.losses() }
}

pub fn events(fixture: &Fixture, wire: WireId) -> Vec<Event> {
    if !fixture.stream {
        return unfold(&wire.wire().decode_response(&fixture.body(), &Undo::default()).unwrap());
    }
    let outcome = streams::read_whole(wire.wire(), &fixture.stream_bytes());
    assert!(outcome.end.is_ok(), "{}: {:?}", fixture.id, outcome.end);
    outcome.events
}

/// Recordings that are answers from beginning to end.
pub fn answered(dialect: &str) -> impl Iterator<Item = Fixture> {
    fixtures::all(dialect).into_iter().filter(|fixture| fixture.status == 200 && !has_error(fixture))
}

fn has_error(fixture: &Fixture) -> bool {
    let is_error = |value: &Value| value.get("error").is_some_and(Value::is_object);
    match fixture.stream {
        true => recording::datas(&fixture.stream_bytes()).iter().any(is_error),
        false => is_error(fixture.json()),
    }
}

/// One line: what a client of OpenAI Chat gets of an answer.
pub fn chat_line(id: &str, events: &[Event]) -> String {
    let written = written(events);
    let read = chat_grammar::check(id, &written.bytes, true);
    let reported = events.iter().any(|event| matches!(event, Event::Usage(_)));
    assert_eq!(read.usage.is_some(), reported, "{id}: usage that was reported is passed on");
    let choices: Vec<Value> = read.choices.values().map(summary).collect();
    let usage = read.usage.unwrap_or_default();
    let counts = json!([usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]]);
    let losses: Vec<_> = written.losses.iter().map(|loss| loss.code.as_ref()).collect();
    format!("{id} {} usage {counts} losses {losses:?}", json!(choices))
}

fn summary(choice: &chat_grammar::Choice) -> Value {
    let calls = choice.calls.iter().map(|call| format!("{}({})", call.name, digest(&call.args)));
    let calls: Vec<_> = calls.collect();
    let mut summary = json!({"text": digest(&choice.text), "finish": choice.finish});
    for (name, value) in [
        ("thoughts", json!(digest(&choice.thoughts))),
        ("refusal", json!(choice.refusal)),
        ("calls", json!(calls)),
    ] {
        if value != json!("") && value != json!([]) {
            summary[name] = value;
        }
    }
    summary
}

/// Short texts as they are, others as their length and FNV-1a hash.
pub fn digest(text: &str) -> String {
    if text.len() <= 40 {
        return text.to_owned();
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{} characters, {hash:016x}", text.chars().count())
}

#[test]
fn clients_read_what_anthropic_messages_recorded() {
    for fixture in answered("anthropic.messages") {
        let said = recording::of_recording(&fixture);
        let written = written(&events(&fixture, WireId::AnthropicMessages));
        let read = chat_grammar::check(&fixture.id, &written.bytes, true);
        let choice = &read.choices[&0];
        let calls: Vec<(String, Value)> = choice
            .calls
            .iter()
            .map(|call| (call.name.clone(), serde_json::from_str(&call.args).unwrap()))
            .collect();
        assert_eq!((&choice.text, calls), (&said.text, said.calls), "{}", fixture.id);
        assert_eq!(choice.thoughts, said.thoughts, "{}", fixture.id);
        assert_eq!(choice.finish.as_deref(), said.stop.map(finish), "{}", fixture.id);
        let usage = read.usage.unwrap();
        assert_eq!(
            (usage["prompt_tokens"].as_u64(), usage["completion_tokens"].as_u64()),
            (said.prompt, said.output)
        );
        assert_eq!(
            usage["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap(),
            said.cache_read.unwrap_or(0)
        );
    }
}

#[test]
fn whole_answers_say_the_same_as_streams() {
    for fixture in answered("anthropic.messages") {
        let response = folded(&events(&fixture, WireId::AnthropicMessages));
        let body: Value =
            serde_json::from_slice(&OpenAiChat.encode_response(&response, &echo(), &mut Vec::new())).unwrap();
        let said = recording::of_recording(&fixture);
        let choice = &body["choices"][0];
        assert_eq!(choice["message"]["content"].as_str().unwrap_or_default(), said.text, "{}", fixture.id);
        assert_eq!(choice["finish_reason"].as_str(), said.stop.map(finish), "{}", fixture.id);
        let calls = choice["message"]["tool_calls"].as_array().map_or(0, Vec::len);
        assert_eq!(calls, said.calls.len(), "{}", fixture.id);
        assert_eq!(body["usage"]["completion_tokens"].as_u64(), said.output, "{}", fixture.id);
    }
}

#[test]
fn an_answer_that_is_or_ends_in_an_error_is_never_a_clean_stop() {
    for (dialect, wire) in
        [("openai.chat", WireId::OpenAiChat), ("anthropic.messages", WireId::AnthropicMessages)]
    {
        let failed =
            fixtures::all(dialect).into_iter().filter(|fixture| fixture.status == 200 && has_error(fixture));
        for fixture in failed {
            let end = match fixture.stream {
                true => streams::read_whole(wire.wire(), &fixture.stream_bytes()).end,
                false => wire.wire().decode_response(&fixture.body(), &Undo::default()).map(drop),
            };
            assert!(matches!(end, Err(wire::Fault::Upstream(_))), "{}: {end:?}", fixture.id);
        }
    }
}

#[test]
fn a_failing_stream_ends_in_an_error_and_not_in_done() {
    let overloaded = |fixture: &Fixture| fixture.id.contains(OVERLOADED);
    let fixture = fixtures::streamed("anthropic.messages").find(overloaded).unwrap();
    let outcome = streams::read_whole(WireId::AnthropicMessages.wire(), &fixture.stream_bytes());
    let mut writer = OpenAiChat.stream_writer(echo());
    let mut bytes = BytesMut::new();
    outcome.events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.fail(&outcome.end.unwrap_err().named("anthropic"), &mut bytes);
    let read = chat_grammar::check(&fixture.id, &bytes, true);
    assert!(read.error.unwrap()["message"].as_str().unwrap().contains("Overloaded"));
    assert!(read.choices.values().all(|choice| choice.finish.is_none()));
}

fn folded(events: &[Event]) -> ChatResponse {
    let mut fold = wire::chat::Fold::new();
    events.iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn finish(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End | StopReason::StopSequence => "stop",
        StopReason::Length => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Filter => "content_filter",
        other => panic!("no recording has {other:?}"),
    }
}
