//! Requests a real provider refuses are refused.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::client::{CHAT, Client, MESSAGES, ask, hello, refusals};

/// A good request with one field changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut request = hello("text", false);
    match request.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => request[&pointer[1..]] = value,
    }
    request
}

fn turn(role: &str, content: Value) -> Value {
    json!({"role": role, "content": content})
}

#[tokio::test]
async fn chat_refuses_what_the_provider_would() {
    let provider = FakeProv::start().await;
    let call = json!({"role": "assistant", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let requests = vec![
        (with("/messages", json!([])), "empty array"),
        (with("/messages/0/role", json!("model")), "no role"),
        (with("/messages/0/content", json!(null)), "'content'"),
        (with("/messages/0/content", json!([{"type": "tool_use"}])), "no content type"),
        (
            with("/messages", json!([{"role": "tool", "tool_call_id": "a", "content": "x"}])),
            "preceding message",
        ),
        (with("/messages", json!([call, turn("user", json!("and?"))])), "did not have response messages: a"),
        (with("/project", json!("mine")), "project"),
        (with("/provider", json!("openai")), "provider"),
        (with("/tool_choice", json!("auto")), "only allowed when 'tools'"),
        (with("/tools", json!([])), "empty array"),
        (with("/stream_options", json!({"include_usage": true})), "only allowed when 'stream'"),
        (with("/temperature", json!(3)), "temperature"),
        (with("/max_tokens", json!(0)), "max_tokens"),
        (with("/response_format", json!({"type": "json_schema"})), "json_schema.name"),
    ];
    refusals(&provider, CHAT, requests);
}

#[tokio::test]
async fn messages_refuses_what_the_provider_would() {
    let provider = FakeProv::start().await;
    let used = turn("assistant", json!([{"type": "tool_use", "id": "a", "name": "f", "input": {}}]));
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "x"});
    let text = json!({"type": "text", "text": "so?"});
    let user = turn("user", json!("Hi"));
    let png = json!({"type": "base64", "media_type": "image/jpeg", "data": "iVBORw0KGgo="});
    let requests = vec![
        (with("/max_tokens", json!(null)), "max_tokens"),
        (with("/messages", json!([])), "at least one message"),
        (with("/messages/0/role", json!("assistant")), "first message"),
        (with("/messages", json!([user, user])), "alternate"),
        (with("/messages", json!([user, turn("system", json!("be brief"))])), "'user' or 'assistant'"),
        (with("/messages/0/content", json!("")), "non-empty content"),
        (with("/messages/0/content", json!([{"type": "text", "text": " "}])), "non-whitespace"),
        (with("/messages/0/content", json!([{"type": "image", "source": png}])), "appears to be image/png"),
        (with("/messages", json!([user, used, turn("user", json!("so?"))])), "without `tool_result` blocks"),
        (with("/messages", json!([user, used])), "without `tool_result` blocks"),
        (
            with("/messages", json!([user, used, turn("user", json!([result("b")]))])),
            "unexpected `tool_use_id`",
        ),
        (
            with("/messages", json!([user, used, turn("user", json!([text, result("a")]))])),
            "before any other content",
        ),
        (with("/messages", json!([user, turn("assistant", json!("So "))])), "trailing whitespace"),
        (
            with(
                "/messages",
                json!([
                    user,
                    turn(
                        "assistant",
                        json!([
            {"type": "thinking", "thinking": "changed", "signature": "fakeprov-0"}])
                    ),
                    user
                ]),
            ),
            "Invalid `signature`",
        ),
        (with("/thinking", json!({"type": "enabled", "budget_tokens": 1000})), "1024"),
        (
            with("/thinking", json!({"type": "enabled", "budget_tokens": 2000})),
            "`max_tokens` must be greater",
        ),
        (with("/tools", json!([{"name": "f"}])), "input_schema"),
        (with("/tool_choice", json!({"type": "any"})), "while providing tools"),
        (with("/frequency_penalty", json!(1)), "Extra inputs are not permitted"),
        (with("/temperature", json!(1.5)), "temperature"),
    ];
    refusals(&provider, MESSAGES, requests);
}

#[tokio::test]
async fn a_missing_version_header_is_refused() {
    let provider = FakeProv::start().await;
    let mut client = Client::to(&provider);
    let body = hello("text", false).to_string();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.raw((head + &body).as_bytes());
    assert_eq!(client.answer().json()["error"]["message"], "anthropic-version: header is required");
}

#[tokio::test]
async fn a_misspelt_script_is_refused_and_newer_manners_are_accepted_on_request() {
    let provider = FakeProv::start().await;
    assert_eq!(ask(&provider, CHAT, &hello("text+stahl", false)).status, 400);
    let mut request = hello("text+lenient", false);
    request["messages"] =
        json!([turn("user", json!("a")), turn("user", json!("b")), turn("system", json!("c"))]);
    assert_eq!(ask(&provider, MESSAGES, &request).status, 200);
}
