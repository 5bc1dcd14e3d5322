//! Where the operator wants all or nothing, what translation would lose is refused before anything is sent.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, block_on};

fn before(provider: &FakeProv) -> Gateway {
    let (url, origin) = (provider.url(), provider.origin());
    Builder::new(format!(
        "providers:\n  oai: {{base_url: '{url}', api_key: k, strict_translation: true, models: {{text: {{}}, \
         plain: {{strict_translation: false}}}}}}\n  goo: {{wire: gemini, base_url: '{origin}', api_key: k, \
         models: {{text: {{strict_translation: true}}, echo: {{}}}}}}\n",
    ))
    .start()
}

/// A request of Messages with one more field.
fn messages(model: &str, field: &str, value: Value) -> Value {
    let mut body = json!({"model": model, "max_tokens": 64, "strict": true,
        "messages": [{"role": "user", "content": "Hi"}]});
    body[field] = value;
    body
}

#[test]
fn a_loss_is_a_refusal_in_the_callers_dialect_and_nothing_is_sent() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider);
    let body = messages("goo/text", "metadata", json!({"user_id": "u1"}));
    let reply = gateway.post("/v1/messages", &body);
    assert_eq!(reply.status, 400, "{}", reply.text());
    let answer = reply.json();
    assert_eq!(
        (&answer["type"], &answer["error"]["type"]),
        (&json!("error"), &json!("invalid_request_error"))
    );
    assert!(answer["error"]["message"].as_str().unwrap().contains("field:user"), "{answer}");
    assert!(provider.received().is_empty());
}

#[test]
fn a_request_that_loses_nothing_is_answered_and_so_is_one_that_is_carried() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider);
    let whole = gateway.post("/v1/messages", &messages("goo/text", "temperature", json!(0.5)));
    assert_eq!((whole.status, whole.header("x-gateway-warnings")), (200, None), "{}", whole.text());
    let carried = json!({"model": "oai/text", "user": "u1", "logit_bias": {"1": 1}, "strict": true,
        "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(gateway.post("/v1/chat/completions", &carried).status, 200);
}

#[test]
fn a_models_own_word_wins_over_its_providers() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider);
    let lossy = |model: &str| {
        let is_error = json!({"type": "tool_result", "tool_use_id": "c", "content": "no", "is_error": true});
        let mut body = messages(model, "metadata", json!({"user_id": "u1"}));
        body["messages"] = json!([{"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
            {"role": "user", "content": [is_error]}]);
        body["tools"] = json!([{"name": "f", "input_schema": {"type": "object", "properties": {}}}]);
        gateway.post("/v1/messages", &body)
    };
    let refused = lossy("oai/text");
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("is_error"), "{}", refused.text());
    for model in ["oai/plain", "goo/echo"] {
        let warned = lossy(model);
        assert_eq!(warned.status, 200, "{model}: {}", warned.text());
        assert!(warned.header("x-gateway-warnings").is_some(), "{model}");
    }
}
