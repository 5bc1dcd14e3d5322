//! Ollama's own wire: lines of JSON.

use fakeprov::{FakeProv, TEXT};
use serde_json::{Value, json};

use crate::client::{OLLAMA, ask, hello, weather};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn it_streams_lines_unless_told_not_to() {
    let provider = FakeProv::start().await;
    let request = json!({"model": "text", "messages": [{"role": "user", "content": "Hi"}]});
    let answer = ask(&provider, OLLAMA, &request);
    assert!(answer.head.contains("application/x-ndjson"));
    let lines = lines(&answer.text());
    let text: String = lines.iter().filter_map(|line| line["message"]["content"].as_str()).collect();
    assert_eq!(text, TEXT);
    let last = lines.last().unwrap();
    assert_eq!((&last["done_reason"], &last["prompt_eval_count"]), (&json!("stop"), &json!(25)));
    assert_eq!(ask(&provider, OLLAMA, &hello("text", false)).json()["message"]["content"], TEXT);
}

#[tokio::test]
async fn tools_are_called_with_an_object_and_their_results_quoted() {
    let provider = FakeProv::start().await;
    let mut request = hello("tool", false);
    request["tools"] =
        json!([{"type": "function", "function": {"name": "weather", "parameters": weather()}}]);
    let message = ask(&provider, OLLAMA, &request).json()["message"].clone();
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], json!({"city": "café"}));
    let messages = request["messages"].as_array_mut().unwrap();
    messages.extend([message, json!({"role": "tool", "tool_name": "weather", "content": "sunny"})]);
    let text = ask(&provider, OLLAMA, &request).json()["message"]["content"].clone();
    assert_eq!(text, "Tool results: weather: sunny");
}

#[tokio::test]
async fn what_does_not_fit_its_types_is_refused() {
    let provider = FakeProv::start().await;
    let parts = json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]);
    let text = json!([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]);
    let url = json!([{"role": "user", "content": "", "images": ["data:image/png;base64,iVBORw0KGgo="]}]);
    for (messages, reason) in [(parts, "content"), (text, "arguments"), (url, "base64")] {
        let answer = ask(&provider, OLLAMA, &json!({"model": "text", "messages": messages}));
        assert_eq!(answer.status, 400);
        assert!(answer.json()["error"].as_str().unwrap().contains(reason));
    }
}

#[tokio::test]
async fn an_error_in_the_middle_is_a_line_and_the_last() {
    let provider = FakeProv::start().await;
    let answer = ask(&provider, OLLAMA, &hello("text+error-mid", true));
    assert_eq!(lines(&answer.text()).last().unwrap()["error"], "Overloaded");
}
