//! Credentials: stored, masked, scoped, used, deleted.

use fakeprov::{FakeProv, Options};
use serde_json::json;

use crate::support::{Builder, Gateway, TOKEN, chat_body, request};

/// A gateway whose providers have no configured key.
fn bench() -> (FakeProv, Gateway) {
    let provider =
        FakeProv::with(Options { key: Some("sk-right-key-0123456789".into()), ..Options::default() })
            .unwrap();
    let gateway =
        Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).env("OPENAI_BASE_URL", provider.url()).start();
    (provider, gateway)
}

fn answered_by(gateway: &Gateway) -> String {
    let mut body = chat_body("openai/text", false);
    body["strict"] = json!(false);
    let reply = gateway.post("/v1/chat/completions", &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-gateway-provider").unwrap().to_owned()
}

#[test]
fn a_stored_credential_is_masked_used_at_once_and_gone_when_deleted() {
    let (_provider, gateway) = bench();
    assert_eq!(answered_by(&gateway), "demo", "nothing is configured yet");
    let stored =
        gateway.post("/v1/credentials", &json!({"provider": "openai", "apiKey": "sk-right-key-0123456789"}));
    assert_eq!(stored.status, 201, "{}", stored.text());
    let id = stored.json()["id"].as_i64().unwrap();
    assert_eq!(
        stored.json(),
        json!({"id": id, "provider": "openai", "keyName": "default", "project": "_global"})
    );
    let listed = gateway.get("/v1/credentials").json()["credentials"][0].clone();
    assert_eq!(listed["maskedValue"], "sk-righ...***", "{listed}");
    assert_eq!(listed["createdAt"].as_str().unwrap().len(), "2026-01-01 00:00:00".len());
    assert_eq!(answered_by(&gateway), "openai");
    assert_eq!(gateway.delete(&format!("/v1/credentials/{id}")).json(), json!({"ok": true}));
    assert_eq!(answered_by(&gateway), "demo");
    let missing = gateway.delete(&format!("/v1/credentials/{id}"));
    assert_eq!((missing.status, &missing.json()["code"]), (404, &json!("NOT_FOUND")));
    assert_eq!(gateway.delete("/v1/credentials/seven").status, 400);
}

#[test]
fn an_upsert_keeps_the_id_of_its_row() {
    let (_provider, gateway) = bench();
    let put = |key: &str, name: &str| {
        gateway.post("/v1/credentials", &json!({"provider": "openai", "apiKey": key, "keyName": name})).json()
            ["id"]
            .clone()
    };
    let first = put("sk-aaaaaaaaaaaaaaaa", "default");
    let other = put("sk-bbbbbbbbbbbbbbbb", "other");
    assert_ne!(first, other);
    assert_eq!(put("sk-cccccccccccccccc", "default"), first);
    assert_eq!(gateway.get("/v1/credentials").json()["credentials"].as_array().unwrap().len(), 2);
}

#[test]
fn a_projects_key_serves_that_project_alone_and_comes_before_the_global_one() {
    let (provider, gateway) = bench();
    let put = |key: &str, project: &str| {
        let body = json!({"provider": "openai", "apiKey": key, "project": project});
        assert_eq!(gateway.post("/v1/credentials", &body).status, 201);
    };
    put("sk-right-key-0123456789", "p1");
    let mut body = chat_body("openai/text", false);
    assert_eq!(gateway.post("/v1/chat/completions", &body).status, 503, "not for everybody");
    body["project"] = json!("p1");
    assert_eq!(gateway.post("/v1/chat/completions", &body).status, 200);
    let token = format!("Bearer {TOKEN}");
    let by_header = request(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &[("authorization", &token), ("x-project", "p1")],
        chat_body("openai/text", false).to_string().as_bytes(),
    );
    assert_eq!(by_header.status, 200);
    put("sk-wrong-key-0123456789", "_global");
    let before = provider.received().len();
    assert_eq!(gateway.post("/v1/chat/completions", &body).status, 200);
    assert_eq!(provider.received().len() - before, 1, "the project's key comes first");
    let listed = gateway.get("/v1/credentials?project=p2").json();
    let projects: Vec<_> =
        listed["credentials"].as_array().unwrap().iter().map(|row| row["project"].clone()).collect();
    assert_eq!(projects, [json!("_global")]);
    assert_eq!(gateway.ledger(4)[0].project, "p1");
}

/// A refused key is no reason to leave the provider while there is another.
#[test]
fn the_next_credential_is_tried_when_one_is_refused() {
    let (provider, gateway) = bench();
    for (name, key) in [("a", "sk-wrong-key-0123456789"), ("b", "sk-right-key-0123456789")] {
        gateway.post("/v1/credentials", &json!({"provider": "openai", "apiKey": key, "keyName": name}));
    }
    let reply = gateway.chat("openai/text");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(provider.received().len(), 2);
}

#[test]
fn bad_credentials_are_refused_by_field() {
    let (_provider, gateway) = bench();
    for (body, field) in [
        (json!({"apiKey": "x"}), "provider"),
        (json!({"provider": "openai"}), "apiKey"),
        (json!({"provider": "", "apiKey": "x"}), "provider"),
        (json!({"provider": "openai", "apiKey": ""}), "apiKey"),
        (json!({"provider": "nobody", "apiKey": "x"}), "provider"),
        (json!({"provider": "openai", "apiKey": 5}), "apiKey"),
        (json!({"provider": "openai", "apiKey": "a\nb"}), "apiKey"),
    ] {
        let reply = gateway.post("/v1/credentials", &body);
        let error = reply.json();
        assert_eq!(reply.status, 400, "{body}: {error}");
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("VALIDATION_ERROR"), &json!(field)),
            "{body}: {error}"
        );
    }
}

#[test]
fn who_names_no_valid_provider_is_told_the_valid_ones() {
    let (_provider, gateway) = bench();
    for body in [json!({"apiKey": "x"}), json!({"provider": "nobody", "apiKey": "x"})] {
        let error = gateway.post("/v1/credentials", &body).json();
        let text = error["error"].as_str().unwrap();
        assert!(text.contains("anthropic, openai, google, groq, openrouter"), "{text}");
        assert!(!text.contains("demo"), "{text}");
    }
}

/// One row is changed behind the gateway's back: it is left out, and the other one serves.
#[test]
fn a_credential_that_was_changed_outside_the_gateway_is_left_out() {
    let (provider, gateway) = bench();
    for name in ["a", "b"] {
        let body = json!({"provider": "openai", "apiKey": "sk-right-key-0123456789", "keyName": name});
        assert_eq!(gateway.post("/v1/credentials", &body).status, 201);
    }
    let database = gateway.data_dir().join("vault.db");
    crate::support::sql(&database, "UPDATE credentials SET version = 9 WHERE key_name = 'a'");
    let reply = gateway.chat("openai/text");
    assert_eq!((reply.status, provider.received().len()), (200, 1), "{}", reply.text());
    let listed = gateway.get("/v1/credentials").json()["credentials"].clone();
    assert_eq!((&listed[0]["intact"], listed[1].get("intact")), (&json!(false), None));
    crate::support::sql(&database, "UPDATE credentials SET version = 9 WHERE key_name = 'b'");
    gateway.delete(&format!("/v1/credentials/{}", listed[0]["id"]));
    assert_ne!(gateway.chat("openai/text").status, 200, "it fails closed");
}
