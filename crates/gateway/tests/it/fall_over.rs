//! What is remembered of a target that failed: breakers, and keys that have used up their quota.

use fakeprov::FakeProv;
use serde_json::json;

use crate::support::{Builder, Gateway, Reply, block_on};

/// A target that fails as its model's name says, and a healthy one.
fn gateway(provider: &FakeProv) -> Gateway {
    let base_url = provider.url();
    Builder::new(format!(
        "providers:\n  first:\n    base_url: {base_url}\n    api_key: k\n    timeouts: {{connect: 1s, head: \
         1s, idle: 1s}}\n    models: {{first: {{}}}}\n  second:\n    base_url: {}\n    api_key: k\n    models: {{text: {{}}}}\n",
        provider.url()
    ))
    .start()
}

fn ask(gateway: &Gateway, fault: &str) -> Reply {
    let message = json!({"role": "user", "content": "Say something."});
    let body = json!({"model": format!("first/{fault}"), "messages": [message]});
    gateway.post("/v1/chat/completions", &body)
}

#[test]
fn an_open_breaker_is_stepped_over_at_once_and_can_be_seen_and_closed() {
    let provider = block_on(FakeProv::start());
    let gateway = gateway(&provider);
    for _ in 0..5 {
        assert_eq!(ask(&gateway, "status-500").header("x-gateway-provider"), Some("second"));
    }
    let reply = ask(&gateway, "status-500");
    assert_eq!(
        (reply.header("x-gateway-provider"), reply.header("x-gateway-attempts")),
        (Some("second"), Some("1"))
    );
    assert_eq!(reply.json()["x_gateway"]["fallbackUsed"], true);
    let stats = gateway.get("/v1/circuit-breaker/stats").json();
    assert_eq!(stats["stats"]["first"]["models"]["status-500"]["state"], "open", "{stats}");
    assert_eq!(ask(&gateway, "text").header("x-gateway-provider"), Some("first"), "another model");

    let closed = gateway.post("/v1/admin/reset-circuit-breaker/first", &json!({}));
    assert_eq!(closed.status, 200, "{}", closed.text());
    assert_eq!(ask(&gateway, "status-500").header("x-gateway-attempts"), Some("2"));
    assert_eq!(gateway.get("/v1/circuit-breaker/config").json()["failureThreshold"], 5);
}

#[test]
fn a_key_that_has_used_up_its_quota_is_not_asked_again_before_its_time() {
    let provider = block_on(FakeProv::start());
    let gateway = gateway(&provider);
    let strict = || {
        let message = json!({"role": "user", "content": "Hi."});
        gateway.post(
            "/v1/chat/completions",
            &json!({"model": "first/429-after-60s", "messages": [message], "strict": true}),
        )
    };
    assert_eq!(strict().status, 429);
    let asked = provider.received().len();
    let again = strict();
    let wait: u64 = again.header("retry-after").unwrap().parse().unwrap();
    assert!(again.status == 429 && (30..=60).contains(&wait), "{}", again.text());
    assert_eq!(provider.received().len(), asked, "nothing was sent");
}
