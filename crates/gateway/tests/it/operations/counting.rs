//! Tokens of a conversation: counted by the provider where it does, else estimated.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, block_on, request};

const ANTHROPIC: &str = "/v1/messages/count_tokens";

fn bench() -> (FakeProv, Gateway) {
    let provider = block_on(FakeProv::start());
    let (origin, url) = (provider.origin(), provider.url());
    let gateway = Builder::new(format!(
        "providers:\n  oai: {{base_url: '{url}', api_key: k}}\n  gem: {{wire: gemini, base_url: '{origin}', api_key: k}}\n  \
         ant: {{wire: anthropic_messages, base_url: '{origin}', api_key: k}}\n  nobody: {{base_url: 'http://127.0.0.1:9/v1', api_key: k, \
         wire: anthropic_messages, timeouts: {{connect: 1s}}}}\n",
    ))
    .start();
    (provider, gateway)
}

fn messages(model: &str) -> Value {
    json!({"model": model, "system": "Be brief.", "messages": [{"role": "user", "content": "one two three"}]})
}

fn contents() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "one two three"}]}]})
}

#[test]
fn a_provider_that_counts_is_asked_in_its_own_dialect_byte_for_byte() {
    let (provider, gateway) = bench();
    let body = r#"{ "model":"ant/text", "messages" : [{"role":"user","content":"caf\u00e9 two"}] }"#;
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str()), ("anthropic-version", "2023-06-01")];
    let path = format!("{ANTHROPIC}?beta=true");
    let reply = request(gateway.address, "POST", &path, &headers, body.as_bytes());
    // The scripted provider counts the words of all strings, the role's too.
    assert_eq!(reply.json(), json!({"input_tokens": 3}));
    assert_eq!(reply.header("x-gateway-warnings"), None);
    let received = provider.received().pop().unwrap();
    assert_eq!(received.path.split('?').next(), Some(ANTHROPIC));
    assert_eq!(received.body, body.replace("ant/text", "text"));
    let reply = gateway.post("/v1beta/models/gem%2Ftext:countTokens", &contents());
    assert_eq!(reply.json()["totalTokens"], 3);
    assert_eq!(provider.received()[1].path, "/v1beta/models/text:countTokens");
    assert_eq!(provider.received()[1].json(), contents());
    let rows = gateway.ledger(2);
    assert!(
        rows.iter().all(|row| &*row.operation == "count_tokens" && row.status == 200 && row.input.is_none())
    );
}

#[test]
fn a_provider_of_another_dialect_that_counts_is_asked_too() {
    let (provider, gateway) = bench();
    let reply = gateway.post(ANTHROPIC, &messages("gem/text"));
    assert_eq!(reply.json(), json!({"input_tokens": 5}), "{}", reply.text());
    let asked = provider.received()[0].json();
    assert_eq!(asked["generateContentRequest"]["model"], "models/text");
    let reply = gateway.post("/v1beta/models/ant%2Ftext:countTokens", &contents());
    assert_eq!(reply.json(), json!({"totalTokens": 5}), "{}", reply.text());
    let sent = provider.received()[1].json();
    assert!(sent["max_tokens"].is_null() && sent["stream"].is_null(), "{sent}");
}

#[test]
fn where_nobody_counts_the_number_is_an_estimate_and_says_so() {
    let (provider, gateway) = bench();
    let reply = gateway.post(ANTHROPIC, &messages("oai/gpt-4o"));
    assert_eq!(reply.header("x-gateway-warnings"), Some("estimate"), "{}", reply.text());
    // Three tokens of priming, three a turn, and three a text.
    assert_eq!(reply.json(), json!({"input_tokens": 15, "estimated": true}));
    let whole = json!({"generateContentRequest": contents()});
    let reply = gateway.post("/v1beta/models/oai%2Fgpt-4o:countTokens", &whole);
    assert_eq!(reply.header("x-gateway-warnings"), Some("estimate"));
    assert_eq!(reply.json(), json!({"totalTokens": 9}));
    assert!(provider.received().is_empty());
    let row = gateway.ledger(2).remove(0);
    assert_eq!((row.provider.as_deref(), row.losses.as_deref()), (Some("oai"), Some("estimate")));
}

#[test]
fn a_provider_that_fails_to_count_is_made_up_for_by_an_estimate() {
    let (_provider, gateway) = bench();
    for model in ["nobody/claude-x", "ant/text+status-500", "ant/text+status-429"] {
        let reply = gateway.post(ANTHROPIC, &messages(model));
        assert_eq!(reply.status, 200, "{model}: {}", reply.text());
        assert_eq!(reply.header("x-gateway-warnings"), Some("estimate"), "{model}");
        assert!(reply.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens > 5), "{}", reply.text());
    }
}

#[test]
fn a_request_that_cannot_be_counted_is_refused_in_the_clients_form() {
    let (provider, gateway) = bench();
    let reply = gateway.post(ANTHROPIC, &json!({"model": "ant/text"}));
    assert_eq!((reply.status, &reply.json()["type"]), (400, &json!("error")), "{}", reply.text());
    assert!(provider.received().is_empty());
    let refused = gateway.post(
        ANTHROPIC,
        &json!({"model": "ant/text", "messages": [{"role": "user", "content": "Hi"}], "temperature": 1}),
    );
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("temperature"), "{}", refused.text());
}
