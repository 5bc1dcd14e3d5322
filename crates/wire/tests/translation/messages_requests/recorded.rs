//! Recorded requests, translated.

use serde_json::Value;
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::Profile;
use wire::{Head, Surface, WireId};

use super::object;
use crate::fixtures::{self, Fixture};
use crate::messages_grammar;

/// Losses of the translation, or why it is refused.
fn outcome(fixture: &Fixture, wire: WireId) -> Result<(Value, Vec<String>), String> {
    let request = AnthropicMessages
        .decode_request(&Head::default(), &object(&fixture.request))
        .map_err(|fault| format!("not read: {}: {fault}", fault.param().unwrap_or("-")))?;
    let encoded = wire
        .wire()
        .encode_request(&request, &Profile::unknown("p", "target"))
        .map_err(|fault| format!("refused: {}: {fault}", fault.param().unwrap_or("-")))?;
    let losses = encoded.losses.iter().map(|loss| format!("{} at {}", loss.code, loss.at)).collect();
    Ok((serde_json::from_slice(&encoded.body).unwrap(), losses))
}

fn golden(wire: WireId) -> String {
    let fixtures = fixtures::all("anthropic.messages");
    let asked = fixtures.iter().filter(|fixture| fixture.request.is_object());
    let line = |fixture: &Fixture| match outcome(fixture, wire) {
        Ok((_, losses)) => format!("{} losses {losses:?}", fixture.id),
        Err(why) => format!("{} {why}", fixture.id),
    };
    asked.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn anthropic_messages_to_openai_chat() {
    insta::assert_snapshot!(golden(WireId::OpenAiChat));
}

#[test]
fn anthropic_messages_to_anthropic_messages() {
    insta::assert_snapshot!(golden(WireId::AnthropicMessages));
}

/// The texts of a content, in order.
fn texts(content: &Value, found: &mut Vec<String>) {
    match content {
        // Texts of nothing but blanks are refused upstream, and left out.
        Value::String(text) if !text.trim().is_empty() => found.push(text.clone()),
        Value::Array(parts) => parts.iter().for_each(|part| match part["type"].as_str() {
            Some("text") => texts(&part["text"], found),
            Some("tool_result") => texts(&part["content"], found),
            _ => {}
        }),
        _ => {}
    }
}

fn said(body: &Value) -> String {
    let mut found = Vec::new();
    texts(&body["system"], &mut found);
    body["messages"].as_array().unwrap().iter().for_each(|turn| texts(&turn["content"], &mut found));
    found.concat()
}

#[test]
fn every_text_of_a_recorded_request_arrives() {
    for fixture in fixtures::all("anthropic.messages").iter().filter(|fixture| fixture.request.is_object()) {
        if let Ok((body, losses)) = outcome(fixture, WireId::AnthropicMessages) {
            messages_grammar::check(&fixture.id, &body);
            assert_eq!(said(&body), said(&fixture.request), "{}", fixture.id);
            assert!(!losses.iter().any(|loss| loss.starts_with("field:")), "{}: {losses:?}", fixture.id);
        }
        if let Ok((body, losses)) = outcome(fixture, WireId::OpenAiChat)
            && !losses.iter().any(|loss| loss.starts_with("tool_media") || loss.starts_with("json_schema"))
        {
            assert_eq!(said(&body), said(&fixture.request), "{}", fixture.id);
        }
    }
}

#[test]
fn every_call_and_result_of_a_recorded_request_arrives() {
    for fixture in fixtures::all("anthropic.messages").iter().filter(|fixture| fixture.request.is_object()) {
        let Ok((body, _)) = outcome(fixture, WireId::OpenAiChat) else { continue };
        let turns = fixture.request["messages"].as_array().unwrap();
        let blocks: Vec<&Value> =
            turns.iter().filter_map(|turn| turn["content"].as_array()).flatten().collect();
        let of =
            |kind: &str| blocks.iter().filter(|block| block["type"] == kind).copied().collect::<Vec<_>>();
        let theirs: Vec<(&Value, &Value, Value)> =
            of("tool_use").iter().map(|call| (&call["id"], &call["name"], call["input"].clone())).collect();
        let chat = body["messages"].as_array().unwrap();
        let calls = chat.iter().filter_map(|turn| turn["tool_calls"].as_array()).flatten();
        let parsed = |args: &Value| serde_json::from_str::<Value>(args.as_str().unwrap()).unwrap();
        let ours: Vec<_> = calls
            .map(|call| (&call["id"], &call["function"]["name"], parsed(&call["function"]["arguments"])))
            .collect();
        assert_eq!(ours, theirs, "{}", fixture.id);
        let results: Vec<&Value> =
            chat.iter().filter(|turn| turn["role"] == "tool").map(|turn| &turn["tool_call_id"]).collect();
        let expected: Vec<&Value> = of("tool_result").iter().map(|result| &result["tool_use_id"]).collect();
        assert_eq!(results, expected, "{}", fixture.id);
    }
}
