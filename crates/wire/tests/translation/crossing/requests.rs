//! What requests ask for that other dialects do not have.

use serde_json::{Value, json};
use wire::chat::{Profile, ToolKind};
use wire::{Fault, SurfaceId, WireId};

use super::{codes, decoded, encoded};

/// A question, with fields.
fn of_gemini(more: &Value) -> Value {
    with(json!({"contents": [{"role": "user", "parts": [{"text": "?"}]}]}), more)
}

fn of_chat(more: &Value) -> Value {
    with(json!({"model": "m", "messages": [{"role": "user", "content": "?"}]}), more)
}

fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Every other wire refuses the field, its own writes it.
fn only_at_home(surface: SurfaceId, body: &Value, field: &str) {
    let request = decoded(surface, body);
    for wire in WireId::ALL {
        let home = wire.dialect() == surface.dialect();
        match encoded(wire, &request) {
            Ok(_) => assert!(home, "{field} to {wire:?}"),
            Err(fault) => {
                assert!(matches!(fault, Fault::Unsupported { .. }) && !home, "{field} to {wire:?}: {fault}");
                assert_eq!(fault.param(), Some(field), "{wire:?}");
            }
        }
    }
}

#[test]
fn a_prompt_that_google_keeps_is_refused_elsewhere() {
    let body = of_gemini(&json!({"cachedContent": "cachedContents/x"}));
    only_at_home(SurfaceId::Gemini, &body, "cachedContent");
}

#[test]
fn answers_other_than_text_are_refused_elsewhere() {
    let body = of_gemini(&json!({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}));
    only_at_home(SurfaceId::Gemini, &body, "modalities");
    let body =
        of_chat(&json!({"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "mp3"}}));
    only_at_home(SurfaceId::OpenAiChat, &body, "modalities");
}

#[test]
fn text_alone_is_no_kind_of_answer_that_anyone_loses() {
    let asked = [
        decoded(SurfaceId::OpenAiChat, &of_chat(&json!({"modalities": ["text"]}))),
        decoded(
            SurfaceId::Gemini,
            &of_gemini(&json!({"generationConfig": {"responseModalities": ["TEXT"]}})),
        ),
    ];
    for (request, wire) in asked.iter().flat_map(|request| WireId::ALL.map(|wire| (request, wire))) {
        let (_, encoded) = encoded(wire, request).unwrap();
        assert!(encoded.losses.is_empty(), "{wire:?}: {:?}", encoded.losses);
    }
}

#[test]
fn web_search_of_chat_is_that_of_every_dialect() {
    let body = of_chat(&json!({"web_search_options": {"search_context_size": "low"}}));
    let request = decoded(SurfaceId::OpenAiChat, &body);
    assert_eq!(request.tools.iter().map(|tool| tool.kind).collect::<Vec<_>>(), [ToolKind::BuiltIn]);
    for (wire, tools) in [
        (WireId::OpenAiResponses, json!([{"type": "web_search"}])),
        (WireId::AnthropicMessages, json!([{"type": "web_search_20250305", "name": "web_search"}])),
        (WireId::Gemini, json!([{"googleSearch": {}}])),
        (WireId::Ollama, Value::Null),
    ] {
        let (written, encoded) = encoded(wire, &request).unwrap();
        assert_eq!((&written["tools"], codes(&encoded.losses)), (&tools, vec!["web_search"]), "{wire:?}");
    }
    let (again, own) = encoded(WireId::OpenAiChat, &request).unwrap();
    assert_eq!(again["web_search_options"], body["web_search_options"]);
    assert!(again.get("tools").is_none() && own.losses.is_empty());
}

#[test]
fn servers_of_chat_search_where_they_are_known_to_and_are_else_not_asked() {
    let function = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
    let body = json!({"model": "m", "input": "?", "tools": [{"type": "web_search"}, function]});
    let request = decoded(SurfaceId::OpenAiResponses, &body);
    for (able, options) in [(true, json!({})), (false, Value::Null)] {
        let profile = Profile { web_search_options: able, ..Profile::unknown("p", "target") };
        let encoded = WireId::OpenAiChat.wire().encode_request(&request, &profile).unwrap();
        let written: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(written["web_search_options"], options);
        assert_eq!(
            (written["tools"].as_array().unwrap().len(), codes(&encoded.losses)),
            (1, vec!["web_search"])
        );
    }
}

/// DeepSeek wants the thoughts of the tool loop that is going on, and none of those before.
#[test]
fn thoughts_of_a_tool_loop_return_to_servers_of_chat_and_those_of_finished_turns_do_not() {
    let call =
        |id: &str| json!([{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "", "reasoning_content": "of old", "tool_calls": call("c1")},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "second"},
        {"role": "assistant", "content": "", "reasoning_content": "of now", "tool_calls": call("c2")},
        {"role": "tool", "tool_call_id": "c2", "content": "2"},
    ]});
    let (written, _) = encoded(WireId::OpenAiChat, &decoded(SurfaceId::OpenAiChat, &body)).unwrap();
    let turns = written["messages"].as_array().unwrap();
    let thoughts: Vec<_> = turns.iter().filter_map(|turn| turn["reasoning_content"].as_str()).collect();
    assert_eq!(thoughts, ["of now"]);
    assert_eq!(turns[5]["reasoning_content"], "of now");
}

#[test]
fn a_thought_that_is_lost_is_said_to_be_empty_where_the_server_insists_on_one() {
    let call = json!([{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": null, "tool_calls": call},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "assistant", "content": "one"},
    ]});
    let request = decoded(SurfaceId::OpenAiChat, &body);
    for insists in [true, false] {
        let profile = Profile { thoughts_with_calls: insists, ..Profile::unknown("p", "target") };
        let encoded = WireId::OpenAiChat.wire().encode_request(&request, &profile).unwrap();
        let written: Value = serde_json::from_slice(&encoded.body).unwrap();
        let thoughts: Vec<_> =
            written["messages"].as_array().unwrap().iter().map(|turn| &turn["reasoning_content"]).collect();
        let of_call = if insists { json!("") } else { Value::Null };
        assert_eq!(thoughts, [&Value::Null, &of_call, &Value::Null, &Value::Null]);
        assert_eq!(codes(&encoded.losses).contains(&"thinking_dropped"), insists);
    }
}

#[test]
fn thoughts_of_another_family_never_reach_a_server_of_chat() {
    let body = json!({"model": "m", "max_tokens": 9, "thinking": {"type": "adaptive"}, "messages": [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "secret", "signature": "EqMB"},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "1"}]},
    ]});
    let request = decoded(SurfaceId::AnthropicMessages, &body);
    let (written, encoded) = encoded(WireId::OpenAiChat, &request).unwrap();
    assert!(!written.to_string().contains("secret"));
    assert_eq!(codes(&encoded.losses), ["thinking_dropped"]);
}
