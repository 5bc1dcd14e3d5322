//! What would happen to a request, told without sending it; and the operator's routes.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, block_on, request};

fn yaml(provider: &FakeProv) -> String {
    let url = provider.url();
    format!(
        "providers:\n  a:\n    base_url: {url}\n    api_key: sk-secret-of-a\n    models: {{text: {{max_tokens: 50}}}}\n  b:\n    \
         base_url: {url}\n    api_key: sk-secret-of-b\n    models: {{echo: {{}}}}\nroutes:\n  smart: {{strategy: round-robin, \
         targets: [a/text, {{provider: b}}]}}\n"
    )
}

fn body(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 900})
}

fn explained(gateway: &Gateway, model: &str) -> Value {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("x-gateway-explain", "true")];
    let reply = request(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &headers,
        body(model).to_string().as_bytes(),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(!reply.text().contains("sk-secret"), "{}", reply.text());
    reply.json()
}

#[test]
fn an_explanation_is_what_then_happens_and_itself_sends_and_records_nothing() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(yaml(&provider)).start();
    for model in ["a/text", "smart", "smart", "b/echo"] {
        let before = provider.received().len();
        let told = explained(&gateway, model);
        assert_eq!(provider.received().len(), before, "nothing was sent");
        let reply = gateway.post("/v1/chat/completions", &body(model));
        let first = &told["targets"][0];
        assert_eq!(reply.header("x-gateway-provider"), first["provider"].as_str(), "{told}");
        let received = provider.received();
        let sent: Value = serde_json::from_slice(&received.last().unwrap().body).unwrap();
        assert_eq!(sent, first["body"], "{told}");
    }
    gateway.ledger(4);
    let told = explained(&gateway, "a/text");
    assert_eq!(told["targets"][0]["rules"][0], "limit the answer to 50 tokens");
    assert_eq!(told["targets"][0]["body"]["max_tokens"], 50);
    let of_admin = gateway.post("/admin/v1/route/explain", &body("a/text")).json();
    assert_eq!(of_admin["targets"][0]["body"], told["targets"][0]["body"]);
}

#[test]
fn a_route_gives_each_target_its_turn() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(yaml(&provider)).start();
    let served = || {
        let reply = gateway.post("/v1/chat/completions", &body("smart"));
        reply.header("x-gateway-provider").unwrap().to_owned()
    };
    let row: Vec<String> = (0..4).map(|_| served()).collect();
    assert_eq!(row, ["a", "b", "a", "b"]);
}

#[test]
fn the_command_prints_targets_in_order_with_their_reasons() {
    let provider = block_on(FakeProv::start());
    let ended = Builder::new(yaml(&provider)).arg("route").arg("explain").arg("smart").run();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines[0], "route smart");
    assert!(lines[1].starts_with("1. a with text: is the route's choice"), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("2. b with echo")), "{lines:?}");
    assert!(provider.received().is_empty());
}
