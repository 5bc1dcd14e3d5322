//! The Responses wire: its answers, its events and what it refuses.

use fakeprov::{FakeProv, TEXT};
use serde_json::{Value, json};

use crate::client::{RESPONSES, ask, refusals, weather};

fn request(model: &str, more: Value) -> Value {
    let mut request = json!({"model": model, "input": "Hello"});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

fn function(name: &str) -> Value {
    json!({"type": "function", "name": name, "parameters": weather()})
}

#[tokio::test]
async fn a_whole_response_has_its_items_its_usage_and_what_was_asked() {
    let provider = FakeProv::start().await;
    let body = ask(&provider, RESPONSES, &request("text", json!({"temperature": 0.5}))).json();
    assert_eq!(body["output"][0]["content"][0]["text"], TEXT);
    assert_eq!((&body["status"], &body["temperature"]), (&json!("completed"), &json!(0.5)));
    assert_eq!(body["usage"]["input_tokens_details"]["cached_tokens"], 5);
    let cut = ask(&provider, RESPONSES, &request("text+finish=length", json!({}))).json();
    assert_eq!(cut["incomplete_details"]["reason"], "max_output_tokens");
    let declined = ask(&provider, RESPONSES, &request("refusal", json!({}))).json();
    assert_eq!(declined["output"][0]["content"][0]["type"], "refusal");
}

#[tokio::test]
async fn events_are_numbered_open_before_they_fill_and_end_in_the_whole_response() {
    let provider = FakeProv::start().await;
    let asked = json!({"stream": true, "include": ["reasoning.encrypted_content"]});
    let answer = ask(&provider, RESPONSES, &request("text+thinking", asked));
    let events = answer.events();
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    let mut kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let texts = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    assert_eq!(texts.map(|event| event["delta"].as_str().unwrap()).collect::<String>(), TEXT);
    let response = &events.last().unwrap()["response"];
    assert!(response["output"][0]["encrypted_content"].is_string());
    assert_eq!(response["output"][1]["content"][0]["text"], TEXT);
}

#[tokio::test]
async fn functions_and_custom_tools_are_called_and_their_outputs_quoted() {
    let provider = FakeProv::start().await;
    let tools = json!([function("weather"), {"type": "custom", "name": "shell"}]);
    let mut request = request("tools-parallel", json!({"tools": tools}));
    let output = ask(&provider, RESPONSES, &request).json()["output"].clone();
    assert_eq!(output[0]["arguments"], r#"{"city":"café"}"#);
    assert_eq!(output[1]["input"], TEXT);
    let results = json!([
        {"type": "function_call_output", "call_id": output[0]["call_id"], "output": "sunny"},
        {"type": "custom_tool_call_output", "call_id": output[1]["call_id"], "output": [{"type": "input_text", "text": "done"}]},
    ]);
    let items = [output.as_array().unwrap().as_slice(), results.as_array().unwrap()].concat();
    request["input"] = json!(items);
    let text = ask(&provider, RESPONSES, &request).json()["output"][0]["content"][0]["text"].clone();
    assert!(text.as_str().unwrap().contains(": sunny; "), "{text}");
    assert!(text.as_str().unwrap().ends_with(": done"), "{text}");
}

#[tokio::test]
async fn an_error_in_mid_stream_is_an_event_and_a_response_that_failed() {
    let provider = FakeProv::start().await;
    let events = ask(&provider, RESPONSES, &request("text+error-mid", json!({"stream": true}))).events();
    let [.., error, failed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(error["error"]["code"], "overloaded");
    assert_eq!(failed["response"]["status"], "failed");
    assert_eq!(failed["sequence_number"], json!(events.len() - 1));
    let ended = |event: &Value| event["type"] == "response.completed";
    assert!(!events.iter().any(ended));
}

#[tokio::test]
async fn responses_refuses_what_the_provider_would() {
    let provider = FakeProv::start().await;
    let with = |more: Value| request("text", more);
    let input = |items: Value| request("text", json!({"input": items}));
    let user = json!({"role": "user", "content": "Hi"});
    let call = json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"});
    let result = |id: &str| json!({"type": "function_call_output", "call_id": id, "output": "x"});
    let strict = json!({"type": "function", "name": "f", "parameters": weather(), "strict": true});
    let requests = vec![
        (with(json!({"input": null})), "'input'"),
        (with(json!({"stop": ["END"]})), "Unknown parameter: 'stop'."),
        (with(json!({"messages": []})), "Unknown parameter: 'messages'."),
        (with(json!({"max_output_tokens": 10})), ">= 16"),
        (with(json!({"temperature": 2.5})), "temperature"),
        (with(json!({"stream_options": {}})), "only allowed when 'stream'"),
        (with(json!({"reasoning": {"effort": "huge"}})), "reasoning.effort"),
        (with(json!({"previous_response_id": "resp_other"})), "not found"),
        (with(json!({"tools": [{"type": "function", "function": {"name": "f"}}]})), "tools[0].function"),
        (with(json!({"tools": [{"type": "function", "name": "f"}]})), "tools[0].parameters"),
        (with(json!({"tools": [strict]})), "additionalProperties"),
        (with(json!({"tool_choice": {"type": "function", "name": "f"}})), "not found in 'tools'"),
        (with(json!({"tool_choice": "required"})), "must be specified with 'tools'"),
        (with(json!({"text": {"format": {"type": "json_schema", "schema": {}}}})), "text.format.name"),
        (input(json!([])), "empty array"),
        (input(json!([{"role": "tool", "content": "x"}])), "'tool'"),
        (input(json!([{"role": "user", "content": "Hi", "name": "me"}])), "input[0].name"),
        (input(json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])), "'input_text'"),
        (
            input(json!([{"role": "assistant", "content": [{"type": "input_text", "text": "Hi"}]}])),
            "'output_text'",
        ),
        (input(json!([user, result("a")])), "No tool call found"),
        (input(json!([user, call])), "No tool output found for function call a"),
        (input(json!([user, call, result("b")])), "No tool call found"),
        (
            input(json!([user, {"type": "function_call", "call_id": "a", "name": "f", "arguments": {}}])),
            "arguments",
        ),
        (
            input(
                json!([user, {"type": "function_call", "id": "x", "call_id": "a", "name": "f", "arguments": ""}]),
            ),
            "begins with 'fc'",
        ),
        (input(json!([user, {"type": "item_reference", "id": "msg_1"}])), "not found"),
        (
            input(
                json!([{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}]),
            ),
            "valid image",
        ),
    ];
    refusals(&provider, RESPONSES, requests);
}
