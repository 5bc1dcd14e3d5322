//! Every recorded answer of every dialect, written for clients of Responses; and those of Responses for clients of Chat.
//! Accepted by an independent checker, equal to the recording, and noted in a snapshot.

use bytes::BytesMut;
use serde_json::{Value, json};
use wire::chat::{Event, Fold, Loss, StopReason, Undo, unfold};
use wire::dialect::Echo;
use wire::openai_responses::OpenAiResponses;
use wire::{Fault, Surface, WireId};

use super::golden::{answered, digest, echo, events};
use super::recording::Said;
use super::responses_grammar::{self, Read};
use super::{chat_grammar, fixtures, recording, responses_recording, streams};

pub fn request_fields() -> bytes::Bytes {
    let body = json!({"model": "m", "input": "x", "instructions": "be kind", "tools": [{"type": "function",
        "name": "f", "parameters": {}}], "temperature": 0.5, "metadata": {"a": "b"}});
    let body = wire::RawObject::parse(body.to_string().into()).unwrap();
    OpenAiResponses.echoed(&body).unwrap()
}

fn responses_echo() -> Echo {
    Echo { request_fields: Some(request_fields()), ..echo() }
}

fn written(events: &[Event]) -> (BytesMut, Vec<Loss>) {
    let mut writer = OpenAiResponses.stream_writer(responses_echo());
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    (bytes, writer.losses())
}

/// One line: what a client of Responses gets of an answer.
pub fn line(id: &str, events: &[Event]) -> String {
    let (bytes, losses) = written(events);
    let read = responses_grammar::check(id, &bytes);
    assert_eq!(read.response["instructions"], "be kind", "{id}: the request is repeated");
    let items: Vec<&str> = read.items.iter().filter_map(|item| item["type"].as_str()).collect();
    let usage = &read.response["usage"];
    let counts = json!([usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]]);
    let losses: Vec<_> = losses.iter().map(|loss| loss.code.as_ref()).collect();
    let id = responses_recording::named(id);
    format!("{id} {} {items:?} usage {counts} losses {losses:?}", summary(&read))
}

fn summary(read: &Read) -> Value {
    let calls: Vec<_> = read.calls.iter().map(|(name, args)| format!("{name}({})", digest(args))).collect();
    let mut summary = json!({"text": digest(&read.text), "status": read.response["status"]});
    for (name, value) in [
        ("thoughts", json!(digest(&read.thoughts))),
        ("refusal", json!(read.refusal)),
        ("calls", json!(calls)),
    ] {
        if value != json!("") && value != json!([]) {
            summary[name] = value;
        }
    }
    summary
}

/// Answers of a dialect, with their events.
fn answers(dialect: &str, wire: WireId) -> Vec<(String, Vec<Event>)> {
    answered(dialect).map(|fixture| (fixture.id.clone(), events(&fixture, wire))).collect()
}

/// Those of Responses, and what the recordings say.
fn own() -> Vec<(String, Vec<Event>, Said)> {
    let wire = WireId::OpenAiResponses.wire();
    let streamed = responses_recording::streamed().into_iter().map(|stream| {
        let outcome = streams::read_whole(wire, &stream.bytes());
        assert!(outcome.end.is_ok(), "{}: {:?}", stream.id, outcome.end);
        let said = responses_recording::said(&stream.answer());
        (stream.id, outcome.events, said)
    });
    let whole = responses_recording::whole().map(|fixture| {
        let response = wire.decode_response(&fixture.body(), &Undo::default()).unwrap();
        (fixture.id.clone(), unfold(&response), responses_recording::said(fixture.json()))
    });
    streamed.chain(whole).collect()
}

#[test]
fn clients_of_responses_read_what_other_dialects_recorded() {
    for fixture in answered("anthropic.messages") {
        let said = recording::of_recording(&fixture);
        let (bytes, _) = written(&events(&fixture, WireId::AnthropicMessages));
        let read = responses_grammar::check(&fixture.id, &bytes);
        same(&fixture.id, &read, &said);
        let usage = &read.response["usage"];
        let counts = (usage["input_tokens"].as_u64(), usage["output_tokens"].as_u64());
        assert_eq!(counts, (said.prompt, said.output), "{}", fixture.id);
    }
}

fn same(id: &str, read: &Read, said: &Said) {
    assert_eq!(read.text, said.text, "{id}");
    assert_eq!(read.thoughts, said.thoughts, "{id}");
    let calls: Vec<(String, Value)> =
        read.calls.iter().map(|(name, args)| (name.clone(), serde_json::from_str(args).unwrap())).collect();
    assert_eq!(calls, said.calls, "{id}");
    let incomplete = matches!(said.stop, Some(StopReason::Length | StopReason::Filter));
    assert_eq!(read.response["status"] == "incomplete", incomplete, "{id}");
}

#[test]
fn what_responses_recorded_is_written_again_for_its_clients_and_for_those_of_chat() {
    for (id, events, said) in own() {
        let (bytes, losses) = written(&events);
        assert_eq!(losses, [], "{id}");
        same(&id, &responses_grammar::check(&id, &bytes), &said);
        let chat = super::golden::written(&events);
        let read = chat_grammar::check(&id, &chat.bytes, true);
        let choice = &read.choices[&0];
        assert_eq!((&choice.text, &choice.thoughts), (&said.text, &said.thoughts), "{id}");
        assert_eq!(choice.calls.len(), said.calls.len(), "{id}");
    }
}

#[test]
fn a_whole_answer_is_the_last_event_of_the_stream() {
    let everything = answers("openai.chat", WireId::OpenAiChat)
        .into_iter()
        .chain(answers("anthropic.messages", WireId::AnthropicMessages))
        .chain(own().into_iter().map(|(id, events, _)| (id, events)));
    for (id, events) in everything {
        let mut fold = Fold::new();
        events.iter().for_each(|event| fold.push(event));
        let body = OpenAiResponses.encode_response(&fold.finish(), &responses_echo(), &mut Vec::new());
        let whole: Value = serde_json::from_slice(&body).unwrap();
        responses_grammar::check_object(&id, &whole);
        let streamed = responses_grammar::check(&id, &written(&events).0).response;
        assert_eq!(whole, streamed, "{id}");
    }
}

#[test]
fn a_carried_stream_that_fails_goes_on_counting() {
    let usage = wire::chat::Usage { input: Some(3), output: Some(4), ..Default::default() };
    let so_far = wire::dialect::SoFar {
        request_id: "req_1",
        next_sequence: 7,
        usage: Some(&usage),
        ..Default::default()
    };
    let fault = Fault::Cut { provider: "p".into(), why: "it closed".into() };
    let mut out = BytesMut::new();
    OpenAiResponses.fail_stream(&fault, &so_far, &mut out);
    let events = recording::datas(&out);
    let numbers: Vec<&Value> = events.iter().map(|event| &event["sequence_number"]).collect();
    assert_eq!(numbers, [7, 8]);
    assert_eq!((&events[0]["type"], &events[1]["type"]), (&json!("error"), &json!("response.failed")));
    assert_eq!(events[1]["response"]["usage"]["total_tokens"], 7);
    assert!(events[0]["error"]["message"].as_str().unwrap().contains("it closed"));
}

#[test]
fn an_answer_of_another_dialect_that_fails_is_no_answer() {
    for fixture in
        fixtures::streamed("openai.responses").filter(|it| it.id.starts_with(responses_recording::FAILED))
    {
        let outcome = streams::read_whole(WireId::OpenAiResponses.wire(), &fixture.stream_bytes());
        let mut writer = OpenAiResponses.stream_writer(responses_echo());
        let mut bytes = BytesMut::new();
        outcome.events.iter().for_each(|event| writer.write(event, &mut bytes));
        writer.fail(&outcome.end.unwrap_err().named("openai"), &mut bytes);
        let read = responses_grammar::check(&fixture.id, &bytes);
        assert_eq!(read.response["error"]["code"], "insufficient_quota");
    }
}
