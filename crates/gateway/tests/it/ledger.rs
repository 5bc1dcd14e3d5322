//! Exactly one row a request, however it ends; and what is in it.

use std::time::Duration;

use fakeprov::FakeProv;
use serde_json::json;
use store::Outcome;

use crate::support::{Bench, Builder, Gateway, block_on, chat_body, eventually, rows};

#[test]
fn every_end_leaves_one_row_with_its_outcome() {
    let Bench { gateway, provider: _provider } = Bench::new();
    gateway.chat("oai/text");
    gateway.chat_stream("ant/text");
    gateway.chat("nobody-has-this");
    gateway.chat("oai/status-500");
    gateway.chat_stream("oai/truncate");
    gateway.post("/v1/chat/completions", &json!({"model": 5}));
    let rows = gateway.ledger(6);
    let mut outcomes: Vec<&str> = rows.iter().map(|row| row.outcome.as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!(
        outcomes,
        ["client_error", "client_error", "completed", "completed", "upstream_error", "upstream_error"]
    );
    let ids: std::collections::HashSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_row_says_who_what_when_and_how_much() {
    let provider = block_on(FakeProv::start());
    // A catalogue model with a known price, served by the scripted provider.
    let gateway = Builder::bare()
        .env("LLM_GATEWAY_AUTH_TOKEN", crate::support::TOKEN)
        .env("OPENAI_BASE_URL", provider.url())
        .env("OPENAI_API_KEY", "k")
        .start();
    let reply = gateway.chat("gpt-4o");
    let usage = reply.json()["usage"].clone();
    let row = &gateway.ledger(1)[0];
    assert_eq!((row.provider.as_deref(), row.model_asked.as_deref()), (Some("openai"), Some("gpt-4o")));
    assert_eq!((&*row.surface, row.wire.as_deref(), row.stream), ("openai_chat", Some("openai_chat"), false));
    let prompt = row.input.unwrap_or(0) + row.cache_read.unwrap_or(0) + row.cache_write.unwrap_or(0);
    assert_eq!(json!(prompt), usage["prompt_tokens"]);
    assert_eq!(json!(row.output.unwrap()), usage["completion_tokens"]);
    let cost = row.cost_nanos.expect("gpt-4o has a price");
    assert!(cost > 0);
    let dollars: f64 = reply.header("x-gateway-cost-usd").unwrap().parse().unwrap();
    assert!((dollars * 1e9 - cost as f64).abs() < 1.0, "{dollars} and {cost}");
    assert!(row.first_byte_us.unwrap() > 0 && row.total_us >= row.first_byte_us.unwrap());
    assert_eq!((row.status, row.attempts, &*row.project), (200, 1, "_global"));
}

#[test]
fn an_unknown_price_is_unknown_and_not_zero() {
    let Bench { gateway, provider: _provider } = Bench::new();
    let reply = gateway.chat("oai/text");
    assert_eq!(reply.header("x-gateway-cost-usd"), None);
    assert_eq!(gateway.ledger(1)[0].cost_nanos, None);
}

/// kill -9 while requests run: what was finished half a second before is there. The bar is 50 ms; ten times that allows for
/// a busy machine.
#[test]
fn a_kill_loses_no_row_of_a_request_that_finished_a_moment_ago() {
    let provider = block_on(FakeProv::start());
    let rounds =
        std::env::var("GATEWAY_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3);
    for round in 0..rounds {
        let gateway = Gateway::before(&provider);
        let mut finished = Vec::new();
        for _ in 0..40 + round * 7 {
            let reply = gateway.chat("oai/text");
            finished.push(reply.header("x-request-id").unwrap().to_owned());
        }
        std::thread::sleep(Duration::from_millis(500));
        let mut unsettled = Vec::new();
        for _ in 0..round % 5 {
            unsettled.push(gateway.chat("oai/text"));
        }
        gateway.signal("-KILL");
        let (dir, data) = (gateway.dir.clone(), gateway.data_dir());
        drop(gateway);
        let ids: Vec<String> = rows(data).iter().map(|row| row.id.to_string()).collect();
        let missing: Vec<_> = finished.iter().filter(|id| !ids.contains(id)).collect();
        assert!(missing.is_empty(), "round {round}: {missing:?}");
        drop(dir);
    }
}

#[test]
fn the_log_has_one_flat_line_a_request() {
    let Bench { gateway, provider: _provider } = Bench::new();
    gateway.post("/v1/chat/completions", &chat_body("ant/text", false));
    eventually("a request line", || gateway.stderr().contains("\"message\":\"request\""));
    let log = gateway.stderr();
    let line = log.lines().find(|line| line.contains("\"message\":\"request\"")).unwrap();
    let line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    assert!(line.values().all(|value| !value.is_object() && !value.is_array()), "flat: {line:?}");
    for name in [
        "request_id",
        "provider",
        "model",
        "status",
        "latency_ms",
        "ttft_ms",
        "tokens_in",
        "tokens_out",
        "outcome",
    ] {
        assert!(line.get(name).is_some_and(|value| !value.is_null()), "{name}: {line:?}");
    }
    assert_eq!(gateway.ledger(1)[0].outcome, Outcome::Completed);
}
