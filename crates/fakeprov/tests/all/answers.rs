//! What is answered when nothing goes wrong.

use fakeprov::{FakeProv, TEXT};
use serde_json::{Value, json};

use crate::client::{CHAT, Client, MESSAGES, ask, hello, weather};

const CONTENT: &str = "/choices/0/delta/content";

#[tokio::test]
async fn a_whole_chat_answer_has_text_finish_and_usage() {
    let provider = FakeProv::start().await;
    let body = ask(&provider, CHAT, &hello("text", false)).json();
    assert_eq!(body["choices"][0]["message"]["content"], TEXT);
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["usage"]["prompt_tokens"], 25);
}

#[tokio::test]
async fn a_chat_stream_says_the_same_and_tells_usage_only_when_asked() {
    let provider = FakeProv::start().await;
    let mut request = hello("text", true);
    let plain = ask(&provider, CHAT, &request);
    assert_eq!(plain.joined(CONTENT), TEXT);
    assert!(plain.text().ends_with("data: [DONE]\n\n"));
    assert!(!plain.text().contains("usage"));
    request["stream_options"] = json!({"include_usage": true});
    let counted = ask(&provider, CHAT, &request).events();
    assert_eq!(counted.last().unwrap()["choices"], json!([]));
    assert_eq!(counted.last().unwrap()["usage"]["prompt_tokens"], 25);
}

#[tokio::test]
async fn a_messages_stream_opens_fills_and_closes_its_block() {
    let provider = FakeProv::start().await;
    let answer = ask(&provider, MESSAGES, &hello("text", true));
    assert_eq!(answer.joined("/delta/text"), TEXT);
    let kinds: Vec<String> =
        answer.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds[..3], ["message_start", "ping", "content_block_start"]);
    assert_eq!(kinds[kinds.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
    assert!(answer.text().contains("event: content_block_delta\ndata: "));
}

#[tokio::test]
async fn a_tool_is_called_and_its_result_quoted_on_chat() {
    let provider = FakeProv::start().await;
    let mut request = hello("tool", false);
    request["tools"] =
        json!([{"type": "function", "function": {"name": "weather", "parameters": weather()}}]);
    let message = ask(&provider, CHAT, &request).json()["choices"][0]["message"].clone();
    let call = message["tool_calls"][0].clone();
    assert_eq!(call["function"]["arguments"], r#"{"city":"café"}"#);
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(message);
    messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "sunny"}));
    let text = ask(&provider, CHAT, &request).json()["choices"][0]["message"]["content"].clone();
    assert_eq!(text, format!("Tool results: {}: sunny", call["id"].as_str().unwrap()));
}

#[tokio::test]
async fn the_call_that_a_user_orders_is_made_once_and_only_where_the_tool_is_on_offer() {
    let provider = FakeProv::start().await;
    let mut request = hello("obey", false);
    let order = r#"<wrapped>CALL or not</wrapped>CALL weather {"city": "Zürich"} and so on"#;
    request["messages"] = json!([{"role": "user", "content": order}]);
    assert_eq!(ask(&provider, CHAT, &request).json()["choices"][0]["message"]["content"], TEXT);
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": weather()}});
    request["tools"] = json!([tool("time"), tool("weather")]);
    let message = ask(&provider, CHAT, &request).json()["choices"][0]["message"].clone();
    let call = &message["tool_calls"][0];
    assert_eq!(call["function"], json!({"name": "weather", "arguments": r#"{"city":"Zürich"}"#}));
    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "sunny"});
    request["messages"].as_array_mut().unwrap().extend([message.clone(), result]);
    let text = ask(&provider, CHAT, &request).json()["choices"][0]["message"]["content"].clone();
    assert!(text.as_str().unwrap().ends_with(": sunny"), "{text}");
}

#[tokio::test]
async fn a_custom_tool_is_called_with_text_on_chat() {
    let provider = FakeProv::start().await;
    let mut request = hello("tool", false);
    request["tools"] = json!([{"type": "custom", "custom": {"name": "shell"}}]);
    let call = ask(&provider, CHAT, &request).json()["choices"][0]["message"]["tool_calls"][0].clone();
    assert_eq!((&call["type"], &call["custom"]["input"]), (&json!("custom"), &json!(TEXT)));
    request["stream"] = json!(true);
    let pieces = ask(&provider, CHAT, &request).joined("/choices/0/delta/tool_calls/0/custom/input");
    assert_eq!(pieces, TEXT);
}

#[tokio::test]
async fn parallel_tools_are_called_and_their_results_quoted_on_messages() {
    let provider = FakeProv::start().await;
    let mut request = hello("tools-parallel+thinking", false);
    request["tools"] = json!([{"name": "weather", "input_schema": weather()}]);
    let answer = ask(&provider, MESSAGES, &request).json();
    let blocks = answer["content"].as_array().unwrap().clone();
    assert_eq!(answer["stop_reason"], "tool_use");
    assert_eq!(blocks.len(), 3, "a thought and two calls");
    let result =
        |block: &Value| json!({"type": "tool_result", "tool_use_id": block["id"], "content": "sunny"});
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": blocks}));
    messages.push(json!({"role": "user", "content": [result(&blocks[1]), result(&blocks[2])]}));
    let text = ask(&provider, MESSAGES, &request).json()["content"][1]["text"].clone();
    assert_eq!(text.as_str().unwrap().matches(": sunny").count(), 2);
}

#[tokio::test]
async fn streamed_arguments_join_to_the_whole_ones() {
    let provider = FakeProv::start().await;
    let mut request = hello("tool", true);
    request["tools"] = json!([{"name": "weather", "input_schema": weather()}]);
    let answer = ask(&provider, MESSAGES, &request);
    assert_eq!(answer.joined("/delta/partial_json"), r#"{"city":"café"}"#);
}

#[tokio::test]
async fn a_demanded_schema_is_kept_on_both_wires() {
    let provider = FakeProv::start().await;
    let mut chat = hello("text", false);
    chat["response_format"] =
        json!({"type": "json_schema", "json_schema": {"name": "w", "schema": weather()}});
    assert_eq!(ask(&provider, CHAT, &chat).json()["choices"][0]["message"]["content"], r#"{"city":"café"}"#);
    let mut messages = hello("text", false);
    messages["output_config"] = json!({"format": {"type": "json_schema", "schema": weather()}});
    assert_eq!(ask(&provider, MESSAGES, &messages).json()["content"][0]["text"], r#"{"city":"café"}"#);
}

#[tokio::test]
async fn images_are_counted_and_named() {
    let provider = FakeProv::start().await;
    let mut request = hello("image-echo", false);
    request["messages"][0]["content"] = json!([
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.jpg"}},
    ]);
    let text = ask(&provider, CHAT, &request).json()["choices"][0]["message"]["content"].clone();
    assert_eq!(text, "2 images: image/png, url");
}

#[tokio::test]
async fn bytes_come_one_by_one_or_cut_inside_characters_and_join_to_the_same_text() {
    let provider = FakeProv::start().await;
    let single = ask(&provider, CHAT, &hello("text+cut=1", true));
    assert!(single.chunks.iter().all(|size| *size == 1));
    let inside = ask(&provider, MESSAGES, &hello("text+cut=utf8", true));
    assert_eq!((single.joined(CONTENT), inside.joined("/delta/text")), (TEXT.to_owned(), TEXT.to_owned()));
    let mut at = 0;
    let body = inside.text();
    let splits = inside.chunks.iter().filter(|size| {
        at += **size;
        !body.is_char_boundary(at)
    });
    assert_eq!(splits.count(), TEXT.chars().filter(|character| character.len_utf8() > 1).count());
}

#[tokio::test]
async fn legal_spellings_change_bytes_but_not_meaning() {
    let provider = FakeProv::start().await;
    let spelled = |words: &str| ask(&provider, MESSAGES, &hello(&format!("text+{words}"), true)).text();
    let plain = spelled("lf");
    assert_eq!(
        spelled("crlf").replace("\r\n", "\n").replace("msg_fake_1", "msg_fake_0").replace("+crlf", "+lf"),
        plain
    );
    assert!(
        spelled("cr").contains("\revent:message_start\r")
            || spelled("cr").starts_with("event: message_start\rdata: ")
    );
    assert!(spelled("bom").starts_with('\u{feff}'));
    assert!(spelled("comments").starts_with(": FAKEPROV PROCESSING\n\n"));
    assert!(spelled("nospace").starts_with("event:message_start\ndata:{"));
    assert!(spelled("multiline").starts_with("event: message_start\ndata: {\ndata:   \"type\""));
}

#[tokio::test]
async fn pieces_are_as_many_and_as_large_as_ordered() {
    let provider = FakeProv::start().await;
    let answer = ask(&provider, CHAT, &hello("text+n=64+size=100+bunch", true));
    let text = answer.joined(CONTENT);
    assert_eq!(text.len(), 6400);
    assert!(text.starts_with("0 ."));
    assert_eq!(answer.chunks.len(), 1);
}

#[tokio::test]
async fn a_kept_connection_answers_again_and_a_chunked_request_is_read() {
    let provider = FakeProv::start().await;
    let mut client = Client::to(&provider);
    for stream in [false, true, false] {
        assert!(client.ask(CHAT, &hello("text", stream)).complete);
    }
    let body = hello("echo", false).to_string();
    let (first, second) = body.split_at(30);
    client.raw(
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
             {:x}\r\n{first}\r\n{:x};note=1\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len()
        )
        .as_bytes(),
    );
    assert_eq!(client.answer().json()["choices"][0]["message"]["content"], "Hello");
    assert_eq!((provider.connections(), provider.received().len()), (1, 4));
}

#[tokio::test]
async fn what_was_received_can_be_asked_for_over_http() {
    let provider = FakeProv::start().await;
    let mut client = Client::to(&provider);
    client.ask(CHAT, &hello("text", false));
    client.raw(b"GET /_received HTTP/1.1\r\n\r\n");
    let received = client.answer().json();
    assert_eq!(received.as_array().unwrap().len(), 1);
    assert_eq!(received[0]["body"], hello("text", false));
}
