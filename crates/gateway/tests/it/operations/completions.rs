//! Legacy completions: carried, whole and streamed.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, block_on, request};

const PATH: &str = "/v1/completions";

fn bench() -> (FakeProv, Gateway) {
    let provider = block_on(FakeProv::start());
    let gateway = Gateway::before(&provider);
    (provider, gateway)
}

fn text_of(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["choices"][0]["text"].as_str()).collect()
}

#[test]
fn a_whole_completion_keeps_its_bytes_and_is_counted() {
    let (provider, gateway) = bench();
    let body = r#"{ "prompt" : "caf\u00e9", "model":"oai/text", "max_tokens" : 9 }"#;
    let token = format!("Bearer {TOKEN}");
    let reply = request(gateway.address, "POST", PATH, &[("authorization", &token)], body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["choices"][0]["text"], fakeprov::TEXT);
    assert!(reply.json()["x_gateway"].is_null(), "{}", reply.text());
    let received = provider.received().pop().unwrap();
    assert_eq!(received.path, PATH);
    assert_eq!(received.body, body.replace("oai/text", "text"));
    let row = gateway.ledger(1).remove(0);
    assert_eq!(&*row.operation, "complete");
    assert!(row.input.is_some() && row.output.is_some() && row.status == 200, "{row:?}");
}

#[test]
fn a_stream_shows_usage_to_those_who_ask_and_is_counted_for_all() {
    let (provider, gateway) = bench();
    for wants_usage in [false, true] {
        let mut body = json!({"model": "oai/text", "prompt": "Hi", "stream": true});
        if wants_usage {
            body["stream_options"] = json!({"include_usage": true});
        }
        let events = gateway.post(PATH, &body).events();
        assert_eq!(text_of(&events), fakeprov::TEXT);
        assert_eq!(events.last(), Some(&json!("[DONE]")));
        assert_eq!(events.iter().any(|event| event["usage"].is_object()), wants_usage, "{events:?}");
    }
    assert!(
        provider.received().iter().all(|received| received.json()["stream_options"]["include_usage"] == true)
    );
    let rows = gateway.ledger(2);
    assert!(rows.iter().all(|row| row.stream && row.output.is_some()), "{rows:?}");
}

#[test]
fn a_stream_that_is_cut_never_ends_cleanly() {
    let (_provider, gateway) = bench();
    let body = json!({"model": "oai/text+truncate", "prompt": "Hi", "stream": true, "strict": true});
    let reply = gateway.post(PATH, &body);
    let events = reply.events();
    assert!(events.iter().all(|event| *event != "[DONE]"), "{events:?}");
    assert!(events.last().is_some_and(|event| event["error"].is_object()), "{events:?}");
}

#[test]
fn a_provider_without_completions_is_no_target_and_says_so() {
    let (provider, gateway) = bench();
    let reply = gateway.post(PATH, &json!({"model": "ant/text", "prompt": "Hi", "strict": true}));
    assert_eq!(reply.status, 400, "{}", reply.text());
    let said = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(said, "ant does not support legacy completions (/v1/completions); /v1/chat/completions works");
    assert!(provider.received().is_empty());
}

#[test]
fn a_cloud_that_has_no_completions_is_left_out_though_its_wire_has_them() {
    let gateway =
        Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).env("GROQ_API_KEY", "key-of-groq").start();
    let reply = gateway.post(PATH, &json!({"model": "groq/llama-3.1-8b-instant", "prompt": "Hi"}));
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("does not support legacy completions"), "{}", reply.text());
}
