//! Access keys: made, held to their scope, rotated, revoked; at every door and in every process.

use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Stream, TOKEN, block_on, both_wires, chat_body, eventually, request};

fn bench() -> (FakeProv, Gateway) {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(both_wires(&provider)).start();
    (provider, gateway)
}

/// A new key: its id, and the key itself.
fn create(gateway: &Gateway, body: &Value) -> (String, String) {
    let made = gateway.post("/admin/v1/keys", body);
    assert_eq!(made.status, 201, "{}", made.text());
    let text = |field: &str| made.json()[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn chat(gateway: &Gateway, key: &str, model: &str) -> u16 {
    gateway.ask(key, "POST", "/v1/chat/completions", None, &chat_body(model, false)).status
}

#[test]
fn a_key_is_shown_once_and_works_until_it_is_revoked() {
    let (_provider, gateway) = bench();
    let (id, key) = create(&gateway, &json!({"name": "ci", "labels": {"team": "search"}}));
    assert!(key.starts_with(&format!("gw_{id}_")), "{key}");
    assert_eq!(chat(&gateway, &key, "oai/text"), 200);
    assert_eq!(gateway.ledger(1)[0].key_name.as_deref(), Some("ci"));
    for path in [format!("/admin/v1/keys/{id}"), "/admin/v1/keys".to_owned()] {
        let listed = gateway.get(&path);
        assert!(!listed.text().contains(&key) && listed.text().contains("search"), "{}", listed.text());
    }
    assert_eq!(gateway.delete(&format!("/admin/v1/keys/{id}")).status, 200);
    assert_eq!(chat(&gateway, &key, "oai/text"), 401);
    assert!(gateway.get(&format!("/admin/v1/keys/{id}")).json()["revoked_at"].is_string());
    let database = std::fs::read(gateway.data_dir().join("vault.db-wal")).unwrap_or_default();
    let secret = &key.as_bytes()[12..32];
    assert!(!database.windows(20).any(|window| window == secret));
}

#[test]
fn every_way_of_sending_a_key_is_held_to_the_same_scope() {
    let (_provider, gateway) = bench();
    let (_, key) = create(&gateway, &json!({"name": "narrow", "models": ["oai/t*"], "project": "blue"}));
    let bearer = format!("Bearer {key}");
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("x-api-key", key.as_str()),
        ("x-goog-api-key", key.as_str()),
        ("api-key", key.as_str()),
    ] {
        let ask = |model: &str, more: &[(&str, &str)]| {
            let headers = [&[(name, value)], more].concat();
            let body = chat_body(model, false).to_string();
            request(gateway.address, "POST", "/v1/chat/completions", &headers, body.as_bytes())
        };
        assert_eq!(ask("oai/text", &[]).status, 200, "{name}");
        let refused = ask("ant/text", &[]);
        assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"), "{name}");
        assert_eq!(ask("oai/text", &[("x-project", "red")]).status, 403, "{name}");
        let admin = request(gateway.address, "GET", "/v1/credentials", &[(name, value)], b"");
        assert_eq!(admin.status, 403, "{name}");
        let models = request(gateway.address, "GET", "/openai/v1/models", &[(name, value)], b"").json();
        let ids: Vec<_> =
            models["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
        assert_eq!(ids, [json!("oai/text")], "{name}");
    }
}

#[test]
fn keys_of_the_environment_can_be_held_to_a_scope_too() {
    let provider = block_on(FakeProv::start());
    let keys = r#"{"short": {"name": "ci", "project": "blue", "providers": ["oai"]}}"#;
    let gateway = Builder::new(both_wires(&provider)).env("ACCESS_API_KEYS", keys).start();
    assert_eq!(chat(&gateway, "short", "oai/text"), 200);
    assert_eq!(chat(&gateway, "short", "ant/text"), 403);
    let refused =
        gateway.ask("short", "POST", "/v1/chat/completions", Some("red"), &chat_body("oai/text", false));
    assert_eq!(refused.status, 403);
    assert_eq!(gateway.ledger(3)[2].project, "blue");
}

#[test]
fn a_rotated_key_overlaps_with_the_old_one_as_long_as_asked() {
    let (_provider, gateway) = bench();
    let (id, old) = create(&gateway, &json!({"name": "ci"}));
    let rotate = |overlap: Value| {
        let reply =
            gateway.post(&format!("/admin/v1/keys/{id}/rotate"), &json!({"overlap_seconds": overlap}));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["key"].as_str().unwrap().to_owned()
    };
    let second = rotate(json!(3600));
    assert_eq!((chat(&gateway, &old, "oai/text"), chat(&gateway, &second, "oai/text")), (200, 200));
    let third = rotate(json!(0));
    assert_eq!(chat(&gateway, &old, "oai/text"), 401, "only the last but one is kept");
    assert_eq!((chat(&gateway, &second, "oai/text"), chat(&gateway, &third, "oai/text")), (401, 200));
}

#[test]
fn a_key_that_is_changed_is_held_to_its_new_scope_at_once() {
    let (_provider, gateway) = bench();
    let (id, key) = create(&gateway, &json!({"name": "ci"}));
    assert_eq!(chat(&gateway, &key, "ant/text"), 200);
    let patch = |body: Value| gateway.ask(TOKEN, "PATCH", &format!("/admin/v1/keys/{id}"), None, &body);
    assert_eq!(patch(json!({"providers": ["oai"]})).json()["providers"], json!(["oai"]));
    assert_eq!((chat(&gateway, &key, "ant/text"), chat(&gateway, &key, "oai/text")), (403, 200));
    assert_eq!(patch(json!({"expires_at": "2020-01-01T00:00:00Z"})).status, 200);
    assert_eq!(chat(&gateway, &key, "oai/text"), 401);
    assert_eq!(patch(json!({"expires_at": null})).json()["expires_at"], Value::Null);
    assert_eq!(chat(&gateway, &key, "oai/text"), 200);
}

#[test]
fn a_key_cannot_make_or_take_over_a_wider_one() {
    let (_provider, gateway) = bench();
    let narrow = json!({
        "name": "lead", "role": "project_admin", "project": "blue", "models": ["oai/*"], "providers": ["oai"],
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let (own, lead) = create(&gateway, &narrow);
    let mint = |change: Value| {
        let mut body = json!({"name": "new"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        gateway.ask(&lead, "POST", "/admin/v1/keys", None, &body)
    };
    let inherited = mint(json!({})).json();
    for field in ["project", "models", "providers", "expires_at"] {
        assert_eq!(inherited[field], gateway.get(&format!("/admin/v1/keys/{own}")).json()[field], "{field}");
    }
    assert_eq!(mint(json!({"models": ["oai/text"]})).status, 201);
    for wider in [
        json!({"models": ["*"]}),
        json!({"providers": ["oai", "ant"]}),
        json!({"project": "red"}),
        json!({"expires_at": "2099-01-02T00:00:00Z"}),
    ] {
        assert_eq!(mint(wider.clone()).status, 403, "{wider}");
    }
    let (wide, _) = create(&gateway, &json!({"name": "wide", "project": "blue"}));
    let path = format!("/admin/v1/keys/{wide}");
    assert_eq!(gateway.ask(&lead, "POST", &format!("{path}/rotate"), None, &json!({})).status, 403);
    assert_eq!(gateway.ask(&lead, "PATCH", &path, None, &json!({"name": "mine"})).status, 403);
    let unbound = gateway.post("/admin/v1/keys", &json!({"name": "x", "role": "project_admin"}));
    assert_eq!((unbound.status, &unbound.json()["field"]), (400, &json!("project")));
}

#[test]
fn bad_requests_about_keys_name_the_field_in_a_problem_document() {
    let (_provider, gateway) = bench();
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x", "role": "admin"}), "role"),
        (json!({"name": "x", "models": "gpt"}), "models"),
        (json!({"name": "x", "models": [""]}), "models"),
        (json!({"name": "x", "providers": ["nobody"]}), "providers"),
        (json!({"name": "x", "expires_at": "soon"}), "expires_at"),
        (json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
        (json!({"name": "x", "labels": {"a": 1}}), "labels"),
    ] {
        let reply = gateway.post("/admin/v1/keys", &body);
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{body}");
        let problem = reply.json();
        assert!(problem["field"].as_str().unwrap().starts_with(field), "{body}: {problem}");
        assert_eq!(problem["status"], 400);
    }
}

/// It would have made a key for every model.
#[test]
fn a_misspelt_limit_of_a_key_is_refused() {
    let (_provider, gateway) = bench();
    let path = "/admin/v1/keys";
    for (method, path, body) in [
        ("POST", path.to_owned(), json!({"name": "x", "model": ["gpt-*"]})),
        ("PATCH", format!("{path}/{}", create(&gateway, &json!({"name": "y"})).0), json!({"modles": []})),
    ] {
        let reply = gateway.ask(TOKEN, method, &path, None, &body);
        assert_eq!(reply.status, 400, "{}", reply.text());
        let detail = reply.json()["detail"].to_string();
        assert!(detail.contains("unknown field") && detail.contains("`models`"), "{detail}");
    }
}

#[test]
fn a_list_of_keys_comes_in_pages() {
    let (_provider, gateway) = bench();
    let made: Vec<String> = (0..5).map(|n| create(&gateway, &json!({"name": format!("k{n}")})).0).collect();
    let mut seen = Vec::new();
    let mut path = "/admin/v1/keys?limit=2".to_owned();
    loop {
        let page = gateway.get(&path).json();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/admin/v1/keys?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
    assert_eq!(gateway.get("/admin/v1/keys?limit=0").status, 400);
}

/// It was paid for when it was asked for; the next request is refused.
#[test]
fn an_answer_that_streams_is_not_cut_when_its_key_is_revoked() {
    let (_provider, gateway) = bench();
    let (id, key) = create(&gateway, &json!({"name": "ci"}));
    let body = chat_body("oai/text+delay=50ms+n=20", true);
    let mut stream = Stream::open(gateway.address, &format!("Bearer {key}"), &body);
    stream.next_data();
    assert_eq!(gateway.delete(&format!("/admin/v1/keys/{id}")).status, 200);
    assert_eq!(chat(&gateway, &key, "oai/text"), 401);
    let (rest, complete) = stream.rest();
    assert!(complete && rest.contains("[DONE]"), "{rest}");
    assert_eq!(gateway.ledger(1)[0].outcome, store::Outcome::Completed);
}

/// Two gateways on one vault: what one does, the other knows within a second (bound here: ten).
#[test]
fn another_process_on_the_vault_follows_within_a_second() {
    let (provider, one) = bench();
    let other = Builder::new(both_wires(&provider)).within(one.dir.clone()).start();
    let (id, key) = create(&one, &json!({"name": "ci"}));
    eventually("the key opens the other gateway", || chat(&other, &key, "oai/text") == 200);
    let revoked = Instant::now();
    one.delete(&format!("/admin/v1/keys/{id}"));
    assert_eq!(chat(&one, &key, "oai/text"), 401);
    // 429, once it has been sent so often that it counts as guessing.
    eventually("the other gateway refuses it", || matches!(chat(&other, &key, "oai/text"), 401 | 429));
    assert!(revoked.elapsed() < Duration::from_secs(10), "{:?}", revoked.elapsed());
    one.post("/v1/credentials", &json!({"provider": "openai", "apiKey": "sk-x", "project": "blue"}));
    let available = || {
        let listed = other.get("/v1/providers?project=blue").json();
        let found = listed["providers"].as_array().unwrap().iter().find(|row| row["id"] == "openai").cloned();
        found.is_some_and(|row| row["available"] == true)
    };
    eventually("the other gateway has the credential", available);
}

#[test]
fn who_guesses_has_to_wait_and_who_has_a_key_never_does() {
    let (_provider, gateway) = bench();
    let (_, key) = create(&gateway, &json!({"name": "ci"}));
    let statuses: Vec<u16> = (0..22).map(|n| chat(&gateway, &format!("wrong-{n}"), "oai/text")).collect();
    assert_eq!((&statuses[..20], &statuses[20..]), ([401; 20].as_slice(), [429; 2].as_slice()));
    let refused = gateway.ask("wrong", "POST", "/v1/chat/completions", None, &chat_body("oai/text", false));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(chat(&gateway, &key, "oai/text"), 200);
    let nothing = request(gateway.address, "GET", "/v1/models", &[], b"");
    assert_eq!(nothing.status, 401, "no key is no guess");
}

#[test]
fn odd_keys_are_refused_quickly() {
    let (_provider, gateway) = bench();
    let (_, key) = create(&gateway, &json!({"name": "ci"}));
    assert_eq!(chat(&gateway, &key, "oai/text"), 200);
    let almost = format!("{}{}", &key[..key.len() - 1], if key.ends_with('A') { 'B' } else { 'A' });
    for odd in [almost.as_str(), &key[..20], "' OR '1'='1' --", "gw_", "gw_________"] {
        assert_eq!(chat(&gateway, odd, "oai/text"), 401, "{odd}");
    }
}

#[test]
fn every_change_stands_in_the_audit_log() {
    let (_provider, gateway) = bench();
    let (id, key) = create(&gateway, &json!({"name": "lead", "role": "project_admin", "project": "blue"}));
    gateway.ask(
        &key,
        "POST",
        "/v1/credentials",
        None,
        &json!({"provider": "oai", "apiKey": "sk-canary-audit"}),
    );
    gateway.delete(&format!("/admin/v1/keys/{id}"));
    let page = gateway.get("/admin/v1/audit?limit=2");
    assert!(!page.text().contains("canary"));
    let page = page.json();
    let said = |row: &Value| (row["actor"].clone(), row["action"].clone(), row["detail"].clone());
    assert_eq!(said(&page["data"][0]), (json!("admin"), json!("key.revoked"), json!("lead")));
    let stored = (json!(format!("key/{id}")), json!("credential.stored"), json!("oai/default of blue"));
    assert_eq!(said(&page["data"][1]), stored);
    let rest = gateway
        .get(&format!("/admin/v1/audit?limit=2&cursor={}", page["next_cursor"].as_str().unwrap()))
        .json();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
}
