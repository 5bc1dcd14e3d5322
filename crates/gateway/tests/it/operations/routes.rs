//! Conversations by every path and framing: each reaches a provider of another dialect and comes back in its own.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Gateway, Reply, block_on};

fn bench() -> (FakeProv, Gateway) {
    let provider = block_on(FakeProv::start());
    let gateway = Gateway::before(&provider);
    (provider, gateway)
}

fn messages(stream: bool) -> Value {
    json!({"model": "oai/text", "max_tokens": 99, "stream": stream, "messages": [{"role": "user", "content": "Hi"}]})
}

fn contents() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]})
}

/// The texts of Gemini's chunks.
fn text_of(chunks: &[Value]) -> String {
    let parts = chunks.iter().flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array());
    parts.flatten().filter_map(|part| part["text"].as_str()).collect()
}

fn kind(reply: &Reply) -> &str {
    reply.header("content-type").unwrap_or_default()
}

#[test]
fn messages_are_answered_at_every_spelling_of_their_path() {
    let (_provider, gateway) = bench();
    for path in ["/v1/messages", "/v1/messages?beta=true", "/anthropic/v1/messages", "/anthropic/messages"] {
        let whole = gateway.post(path, &messages(false));
        assert_eq!(whole.json()["content"][0]["text"], fakeprov::TEXT, "{path}: {}", whole.text());
        let streamed = gateway.post(path, &messages(true));
        let text: String =
            streamed.events().iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
        assert_eq!(text, fakeprov::TEXT, "{path}");
        assert_eq!(streamed.events().last().unwrap()["type"], "message_stop");
    }
}

#[test]
fn gemini_is_answered_at_every_spelling_of_its_path() {
    let (_provider, gateway) = bench();
    for models in ["/v1beta/models", "/v1/models", "/gemini/v1beta/models", "/gemini/models"] {
        let whole = gateway.post(&format!("{models}/oai%2Ftext:generateContent"), &contents());
        assert_eq!(text_of(&[whole.json()]), fakeprov::TEXT, "{models}: {}", whole.text());
        let stream = format!("{models}/oai/text:streamGenerateContent");
        let events = gateway.post(&format!("{stream}?alt=sse"), &contents());
        assert_eq!(text_of(&events.events()), fakeprov::TEXT, "{models}");
        assert!(kind(&events).starts_with("text/event-stream"), "{events:?}");
        let array = gateway.post(&stream, &contents());
        assert_eq!(text_of(array.json().as_array().unwrap()), fakeprov::TEXT, "{models}: {}", array.text());
        assert_eq!(kind(&array), "application/json");
    }
    let rows = gateway.ledger(12);
    assert!(rows.iter().all(|row| &*row.surface == "gemini" && &*row.operation == "chat"), "{rows:?}");
    assert_eq!(rows.iter().filter(|row| row.stream).count(), 8);
}
