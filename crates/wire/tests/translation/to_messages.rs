//! Every recorded answer, written for clients of Anthropic Messages: accepted by an independent checker of the grammar,
//! equal to the recording, and noted in a snapshot.

use bytes::BytesMut;
use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{Event, Fold, Loss, StopReason, unfold};
use wire::dialect::{Echo, Thoughts};
use wire::{Fault, Surface, WireId};

use super::fixtures::{self, Fixture};
use super::golden::{answered, digest, events};
use super::messages_stream::{self, Read};
use super::{gemini_recording, recording, streams};

const WIRES: [(&str, WireId); 2] =
    [("openai.chat", WireId::OpenAiChat), ("anthropic.messages", WireId::AnthropicMessages)];

fn echo(thoughts: Thoughts) -> Echo {
    Echo {
        request_id: "req_1".into(),
        resolved_provider: "provider".into(),
        resolved_model: "resolved-model".into(),
        thoughts,
        ..Echo::default()
    }
}

/// The stream of these events, and what it lost.
fn written(events: &[Event], thoughts: Thoughts) -> (BytesMut, Vec<Loss>) {
    let mut writer = AnthropicMessages.stream_writer(echo(thoughts));
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    (bytes, writer.losses())
}

fn read(case: &str, events: &[Event]) -> Read {
    messages_stream::check(case, &written(events, Thoughts::Shown).0)
}

/// The whole answer of these events, and what it lost.
fn whole(events: &[Event], thoughts: Thoughts) -> (Value, Vec<Loss>) {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    let mut losses = Vec::new();
    let body = AnthropicMessages.encode_response(&fold.finish(), &echo(thoughts), &mut losses);
    (serde_json::from_slice(&body).unwrap(), losses)
}

/// One line: what a client of Anthropic Messages gets of a recording.
pub fn line(id: &str, events: &[Event]) -> String {
    let (bytes, losses) = written(events, Thoughts::Shown);
    let read = messages_stream::check(id, &bytes);
    let blocks: Vec<String> = read.message["content"].as_array().unwrap().iter().map(summary).collect();
    let stop = read.message["stop_reason"].as_str().unwrap_or("an error");
    let usage = &read.message["usage"];
    let names = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"];
    let counts = json!(names.map(|name| &usage[name]));
    let losses: Vec<_> = losses.iter().map(|loss| loss.code.as_ref()).collect();
    format!("{id} {blocks:?} {stop} usage {counts} losses {losses:?}")
}

fn summary(block: &Value) -> String {
    let text = |field: &str| digest(block[field].as_str().unwrap_or_default());
    match block["type"].as_str().unwrap() {
        "text" => format!("text {}", text("text")),
        "thinking" => format!("thinking {} sealed {}", text("thinking"), text("signature")),
        "tool_use" => format!("{}({})", block["name"].as_str().unwrap(), digest(&block["input"].to_string())),
        other => other.to_owned(),
    }
}

#[test]
fn clients_read_what_gemini_recorded() {
    for fixture in answered("gemini.generate") {
        let said = gemini_recording::of_recording(&fixture);
        let read = read(&fixture.id, &events(&fixture, WireId::Gemini));
        assert_eq!(read.joined("text", "text"), said.text, "{}", fixture.id);
        assert_eq!(read.joined("thinking", "thinking"), said.thoughts, "{}", fixture.id);
        assert_eq!(read.calls(), said.calls, "{}", fixture.id);
        assert_eq!(read.message["stop_reason"].as_str(), said.stop.map(word), "{}", fixture.id);
    }
}

#[test]
fn clients_read_what_anthropic_messages_recorded() {
    for fixture in answered("anthropic.messages") {
        let said = recording::of_recording(&fixture);
        let read = read(&fixture.id, &events(&fixture, WireId::AnthropicMessages));
        assert_eq!(read.joined("text", "text"), said.text, "{}", fixture.id);
        assert_eq!(read.joined("thinking", "thinking"), said.thoughts, "{}", fixture.id);
        assert_eq!(read.calls(), said.calls, "{}", fixture.id);
        assert_eq!(read.message["stop_reason"].as_str(), said.stop.map(word), "{}", fixture.id);
        let usage = &read.message["usage"];
        assert_eq!(usage["output_tokens"].as_u64(), said.output, "{}", fixture.id);
        assert_eq!(usage["cache_read_input_tokens"].as_u64(), said.cache_read, "{}", fixture.id);
        let buckets = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
        assert_eq!(buckets.iter().filter_map(|name| usage[name].as_u64()).sum::<u64>(), said.prompt.unwrap());
        assert_eq!(read.message["model"].as_str(), said.model.as_deref());
    }
}

fn word(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End => "end_turn",
        StopReason::StopSequence => "stop_sequence",
        StopReason::Length => "max_tokens",
        StopReason::ToolUse => "tool_use",
        StopReason::Filter => "refusal",
        other => panic!("no recording has {other:?}"),
    }
}

#[test]
fn clients_read_the_texts_and_calls_that_openai_chat_recorded() {
    for fixture in answered("openai.chat") {
        let events = events(&fixture, WireId::OpenAiChat);
        let read = read(&fixture.id, &events);
        let (text, calls) = said_in_chat(&fixture);
        let pictures = read.joined("text", "text").replace("[image]", "");
        assert_eq!(pictures, text, "{}", fixture.id);
        assert_eq!(read.calls(), calls, "{}", fixture.id);
    }
}

/// Text (refusals included) and calls of the first choice, read naively.
fn said_in_chat(fixture: &Fixture) -> (String, Vec<(String, Value)>) {
    let mut text = String::new();
    let mut calls: Vec<(String, String)> = Vec::new();
    let messages: Vec<Value> = match fixture.stream {
        true => recording::datas(&fixture.stream_bytes()).iter().flat_map(first_choices).collect(),
        false => first_choices(fixture.json()),
    };
    for message in messages {
        text.push_str(&content(&message["content"]));
        text.push_str(message["refusal"].as_str().unwrap_or_default());
        if let Some(older) = message["function_call"].as_object() {
            let member = |name: &str| older[name].as_str().unwrap_or_default().to_owned();
            calls.push((member("name"), member("arguments")));
        }
        for (place, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let index = call["index"].as_u64().unwrap_or(place as u64) as usize;
            if index >= calls.len() {
                calls.resize_with(index + 1, Default::default);
            }
            if calls[index].0.is_empty() {
                calls[index].0 = call["function"]["name"].as_str().unwrap_or_default().to_owned();
            }
            calls[index].1.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
    }
    let parsed = |args: &str| serde_json::from_str(args).unwrap_or_else(|_| json!({}));
    (text, calls.into_iter().map(|(name, args)| (name, parsed(&args))).collect())
}

fn first_choices(body: &Value) -> Vec<Value> {
    let choices = body["choices"].as_array().into_iter().flatten();
    let first = choices.filter(|choice| choice["index"].as_u64().unwrap_or(0) == 0);
    first
        .map(|choice| if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] })
        .cloned()
        .collect()
}

/// Mistral's content may be a list, its thoughts not among the texts.
fn content(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

#[test]
fn whole_answers_say_the_same_as_streams() {
    for (dialect, wire) in WIRES {
        for fixture in answered(dialect) {
            let events = events(&fixture, wire);
            let read = read(&fixture.id, &events);
            let (whole, _) = whole(&events, Thoughts::Shown);
            let plain = |message: &Value| {
                let mut content = message["content"].clone();
                content.as_array_mut().unwrap().iter_mut().for_each(|block| {
                    block.as_object_mut().unwrap().remove("citations");
                });
                (content, message["id"].clone(), message["model"].clone(), message["stop_sequence"].clone())
            };
            assert_eq!(plain(&whole), plain(&read.message), "{}", fixture.id);
            if read.error.is_none() {
                assert_eq!(whole["stop_reason"], read.message["stop_reason"], "{}", fixture.id);
            }
        }
    }
}

#[test]
fn a_client_that_did_not_ask_for_thinking_gets_the_answer_first() {
    for (dialect, wire) in WIRES {
        for fixture in answered(dialect) {
            let events = events(&fixture, wire);
            let (bytes, _) = written(&events, Thoughts::Hidden);
            let hidden = messages_stream::check(&fixture.id, &bytes);
            let thoughts = ["thinking", "redacted_thinking"];
            assert!(thoughts.iter().all(|kind| hidden.blocks(kind).next().is_none()), "{}", fixture.id);
            let shown = read(&fixture.id, &events);
            assert_eq!(hidden.joined("text", "text"), shown.joined("text", "text"), "{}", fixture.id);
            assert_eq!(hidden.calls(), shown.calls(), "{}", fixture.id);
            let (whole, _) = whole(&events, Thoughts::Hidden);
            assert_eq!(
                whole["content"].as_array().unwrap().len(),
                hidden.message["content"].as_array().unwrap().len()
            );
        }
    }
}

#[test]
fn sealed_thoughts_come_without_their_text() {
    for (dialect, wire) in WIRES {
        for fixture in answered(dialect) {
            let events = events(&fixture, wire);
            let sealed = messages_stream::check(&fixture.id, &written(&events, Thoughts::Sealed).0);
            assert_eq!(sealed.joined("thinking", "thinking"), "", "{}", fixture.id);
            let shown = read(&fixture.id, &events);
            assert_eq!(sealed.blocks("thinking").count(), shown.blocks("thinking").count(), "{}", fixture.id);
            assert!(sealed.blocks("thinking").all(|block| block["signature"] != ""), "{}", fixture.id);
        }
    }
}

/// A prefix of a stream: what was read of it, written, and failed as the relay does.
fn cut(wire: WireId, bytes: &[u8]) -> (BytesMut, Result<(), Fault>) {
    let outcome = streams::read_whole(wire.wire(), bytes);
    let mut writer = AnthropicMessages.stream_writer(echo(Thoughts::Shown));
    let mut out = BytesMut::new();
    outcome.events.iter().for_each(|event| writer.write(event, &mut out));
    match &outcome.end {
        Ok(()) => writer.finish(&mut out),
        Err(fault) => writer.fail(fault, &mut out),
    }
    (out, outcome.end)
}

#[test]
fn a_stream_of_an_upstream_that_fails_ends_in_its_error() {
    let overloaded = |fixture: &Fixture| fixture.id.contains("composed-stream-overloaded");
    let fixture = fixtures::streamed("anthropic.messages").find(overloaded).unwrap();
    let (out, end) = cut(WireId::AnthropicMessages, &fixture.stream_bytes());
    assert!(end.is_err());
    let error = messages_stream::check(&fixture.id, &out).error.unwrap();
    assert_eq!(error["type"], "overloaded_error");
    assert!(error["message"].as_str().unwrap().contains("Overloaded"), "{error}");
}

#[test]
fn a_stream_that_never_stopped_is_no_clean_end() {
    let events = unfold(&wire::chat::ChatResponse::default());
    let read = read("nothing", &events);
    assert_eq!(read.error.unwrap()["type"], "api_error");
}
