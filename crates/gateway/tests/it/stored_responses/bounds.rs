//! What is kept, how long, and through what.

use std::sync::Arc;

use fakeprov::FakeProv;
use serde_json::json;
use tempfile::TempDir;

use super::{ON, ask, ask_streamed, at, before, yaml};
use crate::support::{Builder, Lock, block_on, eventually};

#[test]
fn answers_outlive_a_gateway_that_is_killed_when_its_client_has_them() {
    let provider = block_on(FakeProv::start());
    let dir = Arc::new(TempDir::new().unwrap());
    let start = || Builder::new(yaml(&provider, ON)).within(dir.clone()).start();
    let mut gateway = start();
    let body = json!({"model": "oai/text", "input": "Hi"});
    let whole = ask(&gateway, &body);
    let streamed = ask_streamed(&gateway, &body);
    gateway.signal("-KILL");
    gateway.wait();
    let gateway = start();
    for answer in [whole, streamed] {
        assert_eq!(gateway.get(&at(&answer)).json(), answer);
    }
}

#[test]
fn an_answer_is_not_there_any_more_when_its_time_is_over() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, "responses: {store: true, retention: 2s}");
    let answer = ask(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    assert_eq!(gateway.get(&at(&answer)).status, 200);
    eventually("its time is over", || gateway.get(&at(&answer)).status == 404);
    let body = json!({"model": "oai/text", "input": "And?", "previous_response_id": answer["id"]});
    assert_eq!(gateway.post("/v1/responses", &body).status, 400);
}

#[test]
fn the_oldest_answers_give_way_to_new_ones() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, "responses: {store: true, max_bytes: 8kB}");
    let body = json!({"model": "oai/text", "input": "x".repeat(1000)});
    let first = ask(&gateway, &body);
    let later: Vec<_> = (0..8).map(|_| ask(&gateway, &body)).collect();
    eventually("the first has given way", || gateway.get(&at(&first)).status == 404);
    assert_eq!(gateway.get(&at(&later[7])).json(), later[7]);
}

#[test]
fn an_answer_that_cannot_be_kept_is_given_all_the_same_and_its_client_is_told() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let body = json!({"model": "ant/text", "input": "Hi"});
    ask(&gateway, &body);
    let lock = Lock::of(&gateway.data_dir().join("vault.db"));
    let reply = gateway.post("/v1/responses", &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        (reply.header("x-gateway-warnings"), &reply.json()["store"]),
        (Some("not_stored"), &json!(false))
    );
    let mut streamed = body.clone();
    streamed["stream"] = json!(true);
    let events = gateway.post("/v1/responses", &streamed).events();
    let end = events.last().unwrap();
    assert_eq!((&end["type"], &end["response"]["store"]), (&json!("response.completed"), &json!(false)));
    drop(lock);
    assert_eq!(gateway.get(&at(&reply.json())).status, 404);
    let metrics = gateway.get("/metrics").text();
    assert!(metrics.contains("llm_gateway_responses_not_stored_total 2"), "{metrics}");
    eventually("it is kept again", || ask(&gateway, &body)["store"] == true);
}

#[test]
fn an_answer_that_breaks_off_is_not_kept_and_does_not_say_so() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    for model in ["rsp/truncate", "oai/truncate", "ant/truncate", "gem/truncate"] {
        let body = json!({"model": model, "input": "Hi", "stream": true});
        let events = gateway.post("/v1/responses", &body).events();
        let end = events.last().unwrap();
        assert_eq!((&end["type"], &end["response"]["store"]), (&json!("response.failed"), &json!(false)));
        assert_eq!(gateway.get(&at(&end["response"])).status, 404, "{model}");
    }
}

#[test]
fn keeping_is_switched_on_and_off_while_the_gateway_runs() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, "");
    let body = json!({"model": "oai/text", "input": "Hi"});
    assert_eq!(ask(&gateway, &body)["store"], false);
    let write = |responses: &str| {
        std::fs::write(gateway.dir.path().join("config.yaml"), yaml(&provider, responses)).unwrap();
        assert_eq!(gateway.post("/admin/v1/config/reload", &json!({})).status, 200);
    };
    write(ON);
    let kept = ask(&gateway, &body);
    assert_eq!(gateway.get(&at(&kept)).json(), kept);
    write("responses: {store: false}");
    assert_eq!(gateway.get(&at(&kept)).status, 404);
    assert_eq!(ask(&gateway, &body)["store"], false);
}
