use super::*;

fn answered(request: Value) -> InProcessReply {
    Demo { clock: || 1_700_000_000 }.answer(&HeaderMap::new(), &[Bytes::from(request.to_string())])
}

fn whole(request: Value) -> Value {
    let reply = answered(request);
    assert_eq!(reply.headers["content-type"], "application/json");
    serde_json::from_slice(&reply.chunks.concat()).unwrap()
}

/// The events of a stream but for the end marker, which must be there.
fn events(request: Value) -> Vec<Value> {
    let reply = answered(request);
    assert_eq!((reply.status, &reply.headers["content-type"]), (200, &"text/event-stream".parse().unwrap()));
    let text = String::from_utf8(reply.chunks.concat()).unwrap();
    let mut data: Vec<&str> =
        text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap()).collect();
    assert_eq!(data.pop(), Some("[DONE]"));
    data.into_iter().map(|event| serde_json::from_str(event).unwrap()).collect()
}

fn hello() -> Value {
    json!({ "model": "m-1", "messages": [{ "role": "user", "content": "Hello\nthere" }] })
}

#[test]
fn a_whole_answer_says_what_it_is_and_quotes_the_question() {
    let answer = whole(hello());
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    for part in ["demonstration answer", "no model was asked", "\"Hello there\"", "_API_KEY"] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    assert_eq!((&answer["model"], &answer["created"]), (&json!("m-1"), &json!(1_700_000_000)));
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens"], 2);
    assert_eq!(answer["usage"]["completion_tokens"], text.split_whitespace().count());
}

#[test]
fn a_stream_says_the_same_words_as_a_whole_answer() {
    let whole = whole(hello());
    let mut request = hello();
    request["stream"] = true.into();
    let events = events(request);
    let text: String =
        events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(whole["choices"][0]["message"]["content"], text);
    assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert!(events.iter().all(|event| event.get("usage").is_none()));
}

#[test]
fn usage_ends_a_stream_when_it_is_asked_for() {
    let mut request = hello();
    request["stream"] = true.into();
    request["stream_options"] = json!({ "include_usage": true });
    let events = events(request);
    let last = events.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"], whole(hello())["usage"]);
}

#[test]
fn a_limit_of_tokens_cuts_the_answer_and_says_so() {
    let mut request = hello();
    request["max_tokens"] = 3.into();
    let answer = whole(request);
    assert_eq!(answer["choices"][0]["message"]["content"], "This is a ");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
}

#[test]
fn the_quote_is_bounded_and_takes_parts_too() {
    let part = json!({ "type": "text", "text": "ä".repeat(5000) });
    let image = json!({ "type": "image_url", "image_url": { "url": "data:" } });
    let answer = whole(json!({ "messages": [{ "role": "user", "content": [image, part] }] }));
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains(&format!("\"{}...\"", "ä".repeat(QUOTED))) && text.len() < 1000);
}

#[test]
fn what_is_no_chat_request_gets_an_error_object() {
    for request in [json!({}), json!({ "messages": [] }), json!({ "messages": "hi" }), json!([])] {
        let reply = answered(request);
        assert_eq!(reply.status, 400);
        let error: Value = serde_json::from_slice(&reply.chunks.concat()).unwrap();
        assert_eq!(error["error"]["type"], "invalid_request_error");
    }
}
