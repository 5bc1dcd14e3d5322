//! Requests that go on from an answer which its provider keeps (`previous_response_id`).

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, block_on, request};

/// Before a provider with two accounts that speaks Responses, another one, and one that speaks Chat alone.
fn before(provider: &FakeProv) -> Gateway {
    let (url, origin) = (provider.url(), provider.origin());
    Builder::new(format!(
        "providers:\n  resp: {{wire: openai_responses, base_url: '{url}', api_key: key-of-file}}\n  other: {{wire: \
         openai_responses, base_url: '{url}', api_key: key-of-other}}\n  ant: {{wire: anthropic_messages, base_url: \
         '{origin}', api_key: key-of-ant}}\n",
    ))
    .start()
}

fn ask(model: &str, previous: Option<&Value>) -> Value {
    let mut body = json!({"model": model, "input": "Hi"});
    if let Some(previous) = previous {
        body["previous_response_id"] = previous.clone();
    }
    body
}

fn post(gateway: &Gateway, project: &str, body: &Value) -> Reply {
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str()), ("x-project", project)];
    request(gateway.address, "POST", "/v1/responses", &headers, body.to_string().as_bytes())
}

#[track_caller]
fn refused(reply: &Reply, says: &str) {
    assert_eq!(reply.status, 400, "{}", reply.text());
    let error = &reply.json()["error"];
    assert_eq!(error["param"], "previous_response_id", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(says) && message.contains("'input'"), "{message}");
}

#[test]
fn an_answer_is_gone_on_from_where_it_was_made_whole_and_streamed() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider);
    let first = gateway.post("/v1/responses", &ask("resp/text", None)).json()["id"].clone();
    assert_eq!(gateway.post("/v1/responses", &ask("resp/text", Some(&first))).status, 200);
    let sent = provider.received().pop().unwrap();
    assert_eq!(sent.json()["previous_response_id"], first, "carried as it is");
    let mut streamed = ask("resp/text", None);
    streamed["stream"] = json!(true);
    let events = gateway.post("/v1/responses", &streamed).events();
    let second = events[0]["response"]["id"].clone();
    assert!(second.is_string(), "{}", events[0]);
    assert_eq!(gateway.post("/v1/responses", &ask("resp/text", Some(&second))).status, 200);
}

#[test]
fn an_answer_that_nobody_knows_or_that_is_somebody_elses_is_refused_and_nothing_is_sent() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider);
    refused(&gateway.post("/v1/responses", &ask("resp/text", Some(&json!("resp_none")))), "resp_none");
    assert!(provider.received().is_empty());
    let first = post(&gateway, "p1", &ask("resp/text", None)).json()["id"].clone();
    refused(&post(&gateway, "p2", &ask("resp/text", Some(&first))), "is known");
    assert_eq!(post(&gateway, "p1", &ask("resp/text", Some(&first))).status, 200);
}

#[test]
fn another_provider_is_not_asked_to_go_on() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider);
    let first = gateway.post("/v1/responses", &ask("resp/text", None)).json()["id"].clone();
    for model in ["other/text", "ant/text"] {
        refused(&gateway.post("/v1/responses", &ask(model, Some(&first))), "kept by resp");
    }
    assert_eq!(provider.received().len(), 1);
}

#[test]
fn the_account_is_the_one_that_made_the_answer() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider);
    let by_file = gateway.post("/v1/responses", &ask("resp/text", None)).json()["id"].clone();
    let stored =
        gateway.post("/v1/credentials", &json!({"provider": "resp", "apiKey": "sk-of-the-vault-0123"}));
    assert_eq!(stored.status, 201, "{}", stored.text());
    let by_vault = gateway.post("/v1/responses", &ask("resp/text", None)).json()["id"].clone();
    for (previous, key) in [(&by_file, "Bearer key-of-file"), (&by_vault, "Bearer sk-of-the-vault-0123")] {
        assert_eq!(gateway.post("/v1/responses", &ask("resp/text", Some(previous))).status, 200);
        assert_eq!(provider.received().pop().unwrap().header("authorization"), Some(key));
    }
    let id = stored.json()["id"].clone();
    assert!(gateway.delete(&format!("/v1/credentials/{id}")).status < 300);
    refused(&gateway.post("/v1/responses", &ask("resp/text", Some(&by_vault))), "credential");
}
