//! Settings of circuit breakers: kept in the vault, so that a restart, a reload and other processes have them too.

use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, eventually};

fn put(gateway: &Gateway, changes: &Value) -> Value {
    let reply = gateway.ask(TOKEN, "PUT", "/v1/circuit-breaker/config", None, changes);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn config(gateway: &Gateway) -> Value {
    gateway.get("/v1/circuit-breaker/config").json()
}

fn actions(gateway: &Gateway) -> Vec<Value> {
    let log = gateway.get("/admin/v1/audit").json();
    log["data"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect()
}

#[test]
fn settings_outlive_the_process_and_a_reload_and_another_process_comes_to_follow_them() {
    let gateway = Builder::new("{}\n").start();
    let other = Builder::new("{}\n").within(gateway.dir.clone()).start();
    let usual = config(&gateway);
    let changed = put(&gateway, &json!({"failureThreshold": 2, "backoffBaseMs": 700}));
    assert_eq!((&changed["failureThreshold"], &changed["backoffBaseMs"]), (&json!(2), &json!(700)));
    assert_eq!(changed["resetTimeoutMs"], usual["resetTimeoutMs"]);
    eventually("the other process follows the settings", || config(&other) == changed);
    let both = put(&other, &json!({"resetTimeoutMs": 1000, "backoffBaseMs": null}));
    assert_eq!((&both["failureThreshold"], &both["backoffBaseMs"]), (&json!(2), &Value::Null));
    eventually("the first process follows in turn", || config(&gateway) == both);
    assert_eq!(gateway.post("/admin/v1/config/reload", &Value::Null).status, 200);
    assert_eq!(config(&gateway), both);
    assert_eq!(actions(&gateway), ["breakers.changed", "breakers.changed"]);
    let dir = gateway.dir.clone();
    drop((gateway, other));
    let again = Builder::new("{}\n").within(dir).start();
    assert_eq!(config(&again), both);
}

#[test]
fn the_environment_decides_what_nobody_has_said_otherwise() {
    let off = |builder: Builder| builder.env("LLM_GATEWAY_CIRCUIT_BREAKER_ENABLED", "false").start();
    let gateway = off(Builder::new("{}\n"));
    assert_eq!(put(&gateway, &json!({"failureThreshold": 2}))["enabled"], false);
    let dir = gateway.dir.clone();
    drop(gateway);
    let gateway = Builder::new("{}\n").within(dir.clone()).start();
    assert_eq!(put(&gateway, &json!({}))["enabled"], true, "off was the environment's word, and is not kept");
    assert_eq!(put(&gateway, &json!({"enabled": true}))["enabled"], true);
    drop(gateway);
    assert_eq!(config(&off(Builder::new("{}\n").within(dir)))["enabled"], true);
}

#[test]
fn wrong_settings_are_refused_by_name_and_nothing_is_kept() {
    let gateway = Builder::new("{}\n").start();
    let usual = config(&gateway);
    for (field, value) in [
        ("failureThreshold", json!(0)),
        ("resetTimeoutMs", json!(5_000_000_000_u64)),
        ("backoffMultiplier", json!(-1)),
        ("enabled", json!("yes")),
    ] {
        let body = json!({"halfOpenMaxAttempts": 7, field: value});
        let refused = gateway.ask(TOKEN, "PUT", "/v1/circuit-breaker/config", None, &body);
        assert_eq!((refused.status, &refused.json()["field"]), (400, &json!(field)), "{}", refused.text());
    }
    assert_eq!((config(&gateway), actions(&gateway)), (usual, Vec::new()));
}
