//! Texts to vectors: carried, and across formats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, block_on, request};

const OPENAI: &str = "/v1/embeddings";

/// A gateway before a scripted provider under the name of a known one, so that prices are known too.
fn gateway(provider: &FakeProv) -> Gateway {
    Builder::new(format!(
        "providers:\n  openai:\n    base_url: {}\n    api_key: key-of-openai\n  ant:\n    wire: anthropic_messages\n    \
         base_url: {}\n    api_key: key-of-ant\n    models: {{text: {{}}}}\n",
        provider.url(),
        provider.origin(),
    ))
    .start()
}

fn provider() -> FakeProv {
    block_on(FakeProv::start())
}

/// The numbers of each row, in whatever form.
fn vectors(reply: &Reply) -> Vec<Vec<f32>> {
    let answer = reply.json();
    let rows = answer["data"].as_array().unwrap_or_else(|| panic!("no rows: {answer}"));
    rows.iter().map(|row| numbers(&row["embedding"])).collect()
}

fn numbers(vector: &Value) -> Vec<f32> {
    match vector.as_str() {
        Some(text) => {
            let bytes = STANDARD.decode(text).unwrap();
            bytes.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
        }
        None => serde_json::from_value(vector.clone()).unwrap(),
    }
}

#[test]
fn every_kind_of_input_is_carried_byte_for_byte_and_answered_in_the_form_asked_for() {
    let provider = provider();
    let gateway = gateway(&provider);
    for input in ["\"caf\\u00e9\"", "[\"a\" , \"b\"]", "[1, 2,3]", "[[1],[2,3]]"] {
        let body = format!(r#"{{"input":{input}, "model":"text-embedding-3-small","dimensions": 16 }}"#);
        let token = format!("Bearer {TOKEN}");
        let headers = [("authorization", token.as_str())];
        let reply = request(gateway.address, "POST", OPENAI, &headers, body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        let received = provider.received().pop().unwrap();
        assert_eq!(received.path, "/v1/embeddings");
        assert_eq!(received.body, body);
        assert_eq!(received.header("authorization"), Some("Bearer key-of-openai"));
        assert!(reply.json()["data"][0]["embedding"].is_array(), "{}", reply.text());
        let in_base64 = body.replace("\"dimensions\"", "\"encoding_format\":\"base64\",\"dimensions\"");
        let packed = request(gateway.address, "POST", OPENAI, &headers, in_base64.as_bytes());
        assert!(packed.json()["data"][0]["embedding"].is_string(), "{}", packed.text());
        assert_eq!(vectors(&packed), vectors(&reply));
        assert_eq!(vectors(&reply)[0].len(), 16);
    }
}

#[test]
fn the_ledger_knows_tokens_and_cost_of_vectors() {
    let provider = provider();
    let gateway = gateway(&provider);
    let body = json!({"model": "openai/text-embedding-3-small", "input": "one two three"});
    let reply = gateway.post(OPENAI, &body);
    assert_eq!(reply.json()["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
    assert_eq!(reply.header("x-gateway-cost-usd"), Some("0.00000006"));
    let row = gateway.ledger(1).remove(0);
    assert_eq!(
        (&*row.operation, &*row.surface, row.wire.as_deref()),
        ("embed", "openai_chat", Some("openai_chat"))
    );
    assert_eq!((row.input, row.output, row.cost_nanos), (Some(3), Some(0), Some(60)));
    assert_eq!(row.model_sent.as_deref(), Some("text-embedding-3-small"));
}

#[test]
fn a_request_that_is_none_reaches_nobody() {
    let provider = provider();
    let gateway = gateway(&provider);
    for (body, field) in [
        (json!({"model": "text-embedding-3-small"}), "input"),
        (json!({"model": "text-embedding-3-small", "input": []}), "input"),
        (json!({"input": "a"}), "model"),
        (json!({"model": "text-embedding-3-small", "input": "a", "encoding_format": "x"}), "encoding_format"),
    ] {
        let reply = gateway.post(OPENAI, &body);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(field)), "{}", reply.text());
    }
    assert!(provider.received().is_empty());
}

#[test]
fn a_provider_without_embeddings_is_named() {
    let provider = provider();
    let gateway = gateway(&provider);
    let reply = gateway.post(OPENAI, &json!({"model": "ant/text", "input": "a"}));
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.json()["error"]["message"], "ant does not support embeddings");
    assert!(provider.received().is_empty());
}

#[test]
fn an_error_of_the_provider_is_passed_on() {
    let provider = provider();
    let gateway = gateway(&provider);
    let reply = gateway.post(OPENAI, &json!({"model": "openai/x", "input": "a", "nonsense": 1}));
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["error"]["param"], "nonsense");
}
