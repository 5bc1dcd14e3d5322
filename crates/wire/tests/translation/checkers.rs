//! The checkers themselves: each notices what it is there for.

use std::panic::catch_unwind;

use serde_json::{Value, json};

use super::{chat_grammar, messages_grammar, messages_stream};

fn chunk(choices: &Value, usage: &Value) -> String {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": choices, "usage": usage});
    format!("data: {chunk}\n\n")
}

fn delta(delta: &Value, finish: &Value) -> String {
    chunk(&json!([{"index": 0, "delta": delta, "finish_reason": finish}]), &Value::Null)
}

/// A legal stream in pieces, to be spoilt.
fn stream() -> Vec<String> {
    let first = json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}});
    let later = json!({"index": 0, "function": {"arguments": "{}"}});
    vec![
        delta(&json!({"role": "assistant", "content": "hi"}), &Value::Null),
        delta(&json!({"tool_calls": [first]}), &Value::Null),
        delta(&json!({"tool_calls": [later]}), &Value::Null),
        delta(&json!({}), &json!("tool_calls")),
        chunk(&json!([]), &json!({"prompt_tokens": 1})),
        "data: [DONE]\n\n".to_owned(),
    ]
}

fn accepts(stream: &[String]) -> bool {
    let stream = stream.concat();
    catch_unwind(|| drop(chat_grammar::check("case", stream.as_bytes(), true))).is_ok()
}

#[test]
fn a_stream_that_lacks_or_repeats_any_event_is_noticed() {
    let legal = stream();
    assert!(accepts(&legal));
    for place in 0..legal.len() {
        let mut lacking = legal.clone();
        lacking.remove(place);
        // A call may come in one piece, and an upstream may report no usage.
        assert_eq!(accepts(&lacking), matches!(place, 2 | 4), "without event {place}");
        let mut repeated = legal.clone();
        repeated.insert(place, legal[place].clone());
        assert_eq!(accepts(&repeated), place == 2, "with event {place} twice");
    }
}

#[test]
fn a_stream_with_a_spoilt_event_is_noticed() {
    for (place, from, to) in [
        (1, "\"id\":\"c\"", "\"id\":\"d\""),
        (1, "\"index\":0,\"id\":\"a\"", "\"id\":\"a\""),
        (1, "\"name\":\"f\"", "\"title\":\"f\""),
        (2, "\"index\":0,\"function\"", "\"index\":0,\"id\":\"a\",\"function\""),
        (2, "\"model\":\"m\"", "\"model\":null"),
        (4, "\"prompt_tokens\":1", "\"prompt_tokens\":1}}\n\n: {{"),
    ] {
        let mut spoilt = stream();
        spoilt[place] = spoilt[place].replace(from, to);
        assert_ne!(spoilt, stream(), "nothing was spoilt: {from}");
        assert!(!accepts(&spoilt), "event {place} with {to}");
    }
}

fn legal_request() -> Value {
    json!({"model": "m", "max_tokens": 10, "tools": [{"name": "f", "input_schema": {"type": "object"}}], "messages": [
        {"role": "user", "content": [{"type": "text", "text": "x"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}, {"type": "text", "text": "y"}]}]})
}

#[test]
fn a_spoilt_request_is_noticed() {
    messages_grammar::check("case", &legal_request());
    for (pointer, value) in [
        ("/max_tokens", json!(null)),
        ("/messages/0/role", json!("assistant")),
        ("/messages/0/content/0/text", json!(" ")),
        ("/messages/0/content", json!([])),
        ("/messages/1/content/0/id", json!("a:b")),
        ("/messages/1/content/0/input", json!("{}")),
        ("/messages/1/role", json!("user")),
        ("/messages/2/content/0/tool_use_id", json!("b")),
        ("/messages/2/content/0", json!({"type": "text", "text": "first"})),
        ("/tools/0/input_schema", json!({})),
        ("/tools/0/name", json!("a.b")),
    ] {
        let mut spoilt = legal_request();
        *spoilt.pointer_mut(pointer).unwrap() = value;
        assert!(catch_unwind(|| messages_grammar::check("case", &spoilt)).is_err(), "{pointer}");
    }
}

/// A legal stream of Messages in pieces, to be spoilt.
fn messages_stream_pieces() -> Vec<String> {
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 0}});
    let call = json!({"type": "tool_use", "id": "a", "name": "f", "input": {}});
    let delta =
        |index: u32, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let events = [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        delta(0, json!({"type": "text_delta", "text": "hi"})),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": call}),
        delta(1, json!({"type": "input_json_delta", "partial_json": "{}"})),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
            "usage": {"input_tokens": 1, "output_tokens": 3}}),
        json!({"type": "message_stop"}),
    ];
    let sse = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(sse).collect()
}

fn takes(stream: &[String]) -> bool {
    let stream = stream.concat();
    catch_unwind(|| drop(messages_stream::check("case", stream.as_bytes()))).is_ok()
}

#[test]
fn a_messages_stream_that_lacks_or_repeats_any_event_is_noticed() {
    let legal = messages_stream_pieces();
    assert!(takes(&legal));
    for place in 0..legal.len() {
        let mut lacking = legal.clone();
        lacking.remove(place);
        // A call may have no arguments.
        assert_eq!(takes(&lacking), place == 5, "without event {place}");
        let mut repeated = legal.clone();
        repeated.insert(place, legal[place].clone());
        // More of a text or of arguments, and a later report of usage, are legal.
        assert_eq!(takes(&repeated), matches!(place, 2 | 5 | 7), "with event {place} twice");
    }
}

#[test]
fn a_messages_stream_with_a_spoilt_event_is_noticed() {
    for (place, from, to) in [
        (0, "msg_1", "chatcmpl-1"),
        (0, "\"model\":\"m\"", "\"model\":\"\""),
        (0, "\"input_tokens\":1", "\"input_tokens\":null"),
        (1, "\"index\":0", "\"index\":1"),
        (1, "event: content_block_start", "event: content_block_stop"),
        (2, "text_delta", "thinking_delta"),
        (4, "\"id\":\"a\"", "\"id\":null"),
        (6, "\"index\":1", "\"index\":0"),
        (7, "\"stop_sequence\":null", "\"stop_sequence\":\"x\""),
        (7, "\"stop_reason\":\"tool_use\"", "\"stop_reason\":null"),
    ] {
        let mut spoilt = messages_stream_pieces();
        spoilt[place] = spoilt[place].replace(from, to);
        assert_ne!(spoilt, messages_stream_pieces(), "nothing was spoilt: {from}");
        assert!(!takes(&spoilt), "event {place} with {to}");
    }
}
