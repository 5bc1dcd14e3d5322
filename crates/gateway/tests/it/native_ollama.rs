//! A server that is spoken to in Ollama's own format: lines of JSON upstream, the client's dialect here.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, block_on, chat_body};

fn before(provider: &FakeProv, more: &str) -> Gateway {
    let url = provider.origin();
    Builder::new(format!("providers:\n  own: {{wire: ollama_chat, base_url: '{url}', auth: none{more}}}\n"))
        .start()
}

fn provider() -> FakeProv {
    block_on(FakeProv::start())
}

#[test]
fn whole_and_streamed_answers_come_however_the_lines_are_cut() {
    let provider = provider();
    let gateway = before(&provider, "");
    let whole = gateway.chat("own/text");
    assert_eq!(whole.json()["choices"][0]["message"]["content"], fakeprov::TEXT, "{}", whole.text());
    assert_eq!(whole.json()["usage"]["prompt_tokens"], 25);
    for model in ["own/text", "own/text+cut=1", "own/text+cut=utf8"] {
        let reply = gateway.chat_stream(model);
        assert!(reply.complete && reply.status == 200, "{model}: {reply:?}");
        let events = reply.events();
        let text: String =
            events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!((text.as_str(), events.last().unwrap()), (fakeprov::TEXT, &json!("[DONE]")), "{model}");
    }
    let received = provider.received();
    assert!(received.iter().all(|request| request.path == "/api/chat"));
    assert_eq!((&received[0].json()["stream"], &received[1].json()["stream"]), (&json!(false), &json!(true)));
    let row = gateway.ledger(4).remove(0);
    assert_eq!((row.wire.as_deref(), row.input), (Some("ollama_chat"), Some(25)));
}

#[test]
fn clients_of_every_dialect_are_answered() {
    let provider = provider();
    let gateway = before(&provider, "");
    let messages = json!([{"role": "user", "content": "Hi"}]);
    for (path, body, place) in [
        (
            "/v1/messages",
            json!({"model": "own/text", "max_tokens": 64, "messages": messages}),
            "/content/0/text",
        ),
        ("/v1/responses", json!({"model": "own/text", "input": "Hi"}), "/output/0/content/0/text"),
        (
            "/v1beta/models/own%2Ftext:generateContent",
            json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
            "/candidates/0/content/parts/0/text",
        ),
    ] {
        let reply = gateway.post(path, &body);
        assert_eq!(reply.json().pointer(place), Some(&json!(fakeprov::TEXT)), "{path}: {}", reply.text());
    }
}

#[test]
fn a_tool_is_called_and_its_result_comes_back() {
    let provider = provider();
    let gateway = before(&provider, "");
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let mut body = chat_body("own/tool", false);
    body["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters": schema}}]);
    let asked = gateway.post("/v1/chat/completions", &body);
    let message = asked.json()["choices"][0]["message"].clone();
    let call = &message["tool_calls"][0];
    assert_eq!(call["function"]["name"], "weather", "{}", asked.text());
    assert!(
        serde_json::from_str::<Value>(call["function"]["arguments"].as_str().unwrap()).unwrap().is_object()
    );
    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "sunny"});
    body["messages"].as_array_mut().unwrap().extend([message, result]);
    let told = gateway.post("/v1/chat/completions", &body);
    assert!(told.text().contains("sunny"), "{}", told.text());
    let sent = provider.received().pop().unwrap().json();
    assert_eq!(sent["messages"][2]["tool_name"], "weather");
}

#[test]
fn errors_are_told_in_the_clients_dialect_and_a_broken_stream_never_ends_well() {
    let provider = provider();
    let gateway = before(&provider, "");
    let refused = gateway.chat("own/text+status-404");
    assert_eq!(refused.status, 404, "{}", refused.text());
    assert!(refused.json()["error"]["message"].is_string(), "{}", refused.text());
    let broken = gateway.chat_stream("own/text+error-mid");
    let events = broken.events();
    assert!(events.last().unwrap()["error"]["message"].is_string(), "{}", broken.text());
    assert!(!events.contains(&json!("[DONE]")));
}

#[test]
fn an_address_that_ends_in_api_is_spoken_to_natively() {
    let provider = provider();
    let gateway = Builder::new("").env("OLLAMA_BASE_URL", format!("{}/api", provider.origin())).start();
    assert_eq!(gateway.chat("ollama/text").status, 200);
    let gateway = Builder::new("").env("OLLAMA_BASE_URL", provider.url()).start();
    assert_eq!(gateway.chat("ollama/text").status, 200);
    let paths: Vec<_> = provider.received().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/api/chat", "/v1/chat/completions"]);
}

#[test]
fn a_picture_that_stands_elsewhere_is_a_warning_and_refused_where_translation_is_strict() {
    let provider = provider();
    let image = json!({"type": "image_url", "image_url": {"url": "https://a.example/b.png"}});
    let mut body = chat_body("own/text", false);
    body["messages"] = json!([{"role": "user", "content": [image, {"type": "text", "text": "Look"}]}]);
    let warned = before(&provider, "").post("/v1/chat/completions", &body);
    assert_eq!((warned.status, warned.header("x-gateway-warnings")), (200, Some("image_url")));
    let refused = before(&provider, ", strict_translation: true").post("/v1/chat/completions", &body);
    assert_eq!((refused.status, refused.code().as_str()), (400, "unsupported"), "{}", refused.text());
    assert!(refused.text().contains("image_url"), "{}", refused.text());
    assert_eq!(provider.received().len(), 1, "the refused one was not sent");
}

#[test]
fn texts_become_vectors_for_clients_of_either_dialect() {
    let provider = provider();
    let gateway = before(&provider, "");
    let reply = gateway.post("/v1/embeddings", &json!({"model": "own/minilm", "input": ["a", "b"]}));
    let vectors = reply.json()["data"].as_array().unwrap().clone();
    assert_eq!((reply.status, vectors.len()), (200, 2), "{}", reply.text());
    // The AI SDK leaves `models/` out where the name has a slash.
    let body = json!({"content": {"parts": [{"text": "a"}]}});
    let one = gateway.post("/v1beta/own/minilm:embedContent", &body);
    assert_eq!(one.json()["embedding"]["values"], vectors[0]["embedding"], "{}", one.text());
    assert!(provider.received().iter().all(|request| request.path == "/api/embed"));
    let rows = gateway.ledger(2);
    assert!(
        rows.iter().all(|row| row.wire.as_deref() == Some("ollama_chat") && row.input.is_some()),
        "{rows:#?}"
    );
}
