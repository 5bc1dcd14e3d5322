//! What is refused, and where the blame is put.

use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::{Fault, Head, Surface};

use super::{asking, object, saying};

/// The place that is blamed, and whether a peek sees it already.
fn blamed(body: &Value) -> (String, bool) {
    let peeked = AnthropicMessages.peek(&Head::default(), &object(body));
    let (at, why) = match AnthropicMessages.decode_request(&Head::default(), &object(body)) {
        Err(Fault::Malformed { at: Some(at), why }) => (at, why),
        other => panic!("{body}: {other:?}"),
    };
    assert!(why.contains(&at), "an error of this dialect has no field for the place: {why}");
    (at, peeked.is_err())
}

#[test]
fn the_top_level_and_the_roles_are_checked_by_a_peek() {
    for (body, at) in [
        (json!({"model": "m"}), "messages"),
        (saying(json!([])), "messages"),
        (saying(json!("hi")), "messages"),
        (saying(json!([{"role": "assistant", "content": "x"}])), "messages"),
        (saying(json!([{"role": "tool", "content": "x"}])), "messages.0.role"),
        (saying(json!([{"content": "x"}])), "messages.0.role"),
        (saying(json!([7])), "messages.0"),
        (asking(json!({"max_tokens": 0})), "max_tokens"),
        (asking(json!({"max_tokens": "9"})), "max_tokens"),
        (asking(json!({"temperature": 1.5})), "temperature"),
        (asking(json!({"top_p": "x"})), "top_p"),
        (asking(json!({"top_k": -1})), "top_k"),
        (asking(json!({"stop_sequences": "x"})), "stop_sequences"),
        (asking(json!({"stop_sequences": ["x", 7]})), "stop_sequences.1"),
        (asking(json!({"tools": {}})), "tools"),
        (asking(json!({"tool_choice": "auto"})), "tool_choice"),
        (asking(json!({"thinking": true})), "thinking"),
        (asking(json!({"metadata": []})), "metadata"),
        (asking(json!({"stream": "yes"})), "stream"),
        (asking(json!({"project": 5})), "project"),
    ] {
        assert_eq!(blamed(&body), (at.to_owned(), true), "{body}");
    }
}

#[test]
fn what_lies_deeper_is_refused_when_it_is_decoded() {
    let user = |content: Value| saying(json!([{"role": "user", "content": content}]));
    let tool = |tool: Value| asking(json!({"tools": [tool]}));
    for (body, at) in [
        (user(Value::Null), "messages.0.content"),
        (user(json!(7)), "messages.0.content"),
        (user(json!(["x"])), "messages.0.content.0"),
        (user(json!([{"text": "x"}])), "messages.0.content.0"),
        (user(json!([{"type": "text"}])), "messages.0.content.0"),
        (user(json!([{"type": "text", "text": 7}])), "messages.0.content.0.text"),
        (user(json!([{"type": "image", "source": {"type": "base64"}}])), "messages.0.content.0.source"),
        (user(json!([{"type": "document", "source": {"type": "url"}}])), "messages.0.content.0.source.url"),
        (user(json!([{"type": "document", "source": {"type": "ftp"}}])), "messages.0.content.0.source.type"),
        (user(json!([{"type": "tool_result", "tool_use_id": "a"}])), "messages.0.content.0.tool_use_id"),
        (tool(json!({"name": "f"})), "tools.0"),
        (tool(json!({"name": 7, "input_schema": {}})), "tools.0.name"),
        (asking(json!({"system": 7})), "system"),
        (asking(json!({"tool_choice": {"type": "some"}})), "tool_choice.type"),
        (asking(json!({"tool_choice": {"type": "tool"}})), "tool_choice.name"),
        (asking(json!({"thinking": {"type": "enabled"}})), "thinking.budget_tokens"),
        (asking(json!({"thinking": {"type": "deep"}})), "thinking.type"),
        (asking(json!({"output_config": {"effort": "huge"}})), "output_config.effort"),
        (asking(json!({"output_config": {"format": {"type": "json_schema"}}})), "output_config.format"),
    ] {
        assert_eq!(blamed(&body), (at.to_owned(), false), "{body}");
    }
}
