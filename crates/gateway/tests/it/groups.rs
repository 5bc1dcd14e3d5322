//! Groups of providers as mcp-llm-bridge has them: made over HTTP, followed on every surface, seen by every process.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, block_on, eventually, request};

fn providers(provider: &FakeProv) -> String {
    let url = provider.url();
    let one = |id: &str| {
        format!("  {id}:\n    base_url: {url}\n    api_key: key-of-{id}\n    models: {{text: {{}}}}\n")
    };
    format!("providers:\n{}{}{}", one("a"), one("b"), one("c"))
}

fn start(provider: &FakeProv) -> Gateway {
    Builder::new(providers(provider)).start()
}

fn put(gateway: &Gateway, path: &str, body: &Value) -> Reply {
    gateway.ask(TOKEN, "PUT", path, None, body)
}

fn group(strategy: &str, members: &Value) -> Value {
    json!({"name": "Fast models", "modelPattern": "gpt-*, TEXT", "strategy": strategy, "members": members})
}

fn served_by(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-gateway-provider").unwrap().to_owned()
}

#[test]
fn a_group_is_made_listed_changed_and_deleted_in_the_known_form() {
    let provider = block_on(FakeProv::start());
    let gateway = start(&provider);
    assert_eq!(gateway.get("/v1/groups").json(), json!({"groups": []}));
    let members =
        json!([{"provider": "a", "weight": 2}, {"provider": "b", "keyName": "default", "priority": 1}]);
    let made = gateway.post("/v1/groups", &group("weighted", &members));
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!((&made["id"], &made["members"][1]["keyName"]), (&json!("fast-models"), &json!("default")));
    assert_eq!(gateway.get("/v1/groups").json()["groups"][0], made);
    let again = gateway.post("/v1/groups", &group("random", &members)).json();
    assert_eq!(again["id"], "fast-models-2");
    let changed = put(&gateway, "/v1/groups/fast-models", &json!({"strategy": "failover", "stickyTTL": 60}));
    assert_eq!((changed.status, &changed.json()["stickyTTL"]), (200, &json!(60)), "{}", changed.text());
    assert_eq!(changed.json()["members"], members.as_array().map(|all| json!(all)).unwrap());
    let gone = gateway.delete("/v1/groups/fast-models");
    assert_eq!((gone.status, gone.json()), (200, json!({"ok": true})));
    for missing in
        [gateway.delete("/v1/groups/fast-models"), put(&gateway, "/v1/groups/fast-models", &json!({}))]
    {
        assert_eq!((missing.status, &missing.json()["code"]), (404, &json!("NOT_FOUND")));
    }
}

#[test]
fn a_wrong_group_is_refused_by_the_name_of_the_field() {
    let provider = block_on(FakeProv::start());
    let gateway = start(&provider);
    let a = json!([{"provider": "a"}]);
    for (body, field) in [
        (json!({"members": a, "strategy": "random"}), "name"),
        (json!({"name": "x", "strategy": "random"}), "members"),
        (json!({"name": "x", "members": [], "strategy": "random"}), "members"),
        (json!({"name": "x", "members": [{"weight": 1}], "strategy": "random"}), "members.0"),
        (
            json!({"name": "x", "members": [{"provider": "nobody"}], "strategy": "random"}),
            "members.0.provider",
        ),
        (
            json!({"name": "x", "members": [{"provider": "a", "weight": 0}], "strategy": "random"}),
            "members.0.weight",
        ),
        (json!({"name": "x", "members": a}), "strategy"),
        (json!({"name": "x", "members": a, "strategy": "fastest"}), "strategy"),
        (json!({"name": "x", "members": a, "strategy": "random", "stickyTTL": 0}), "stickyTTL"),
    ] {
        let refused = gateway.post("/v1/groups", &body);
        assert_eq!(refused.status, 400, "{body}: {}", refused.text());
        let told = refused.json();
        assert_eq!(told["code"], "VALIDATION_ERROR", "{body}: {told}");
        assert!(told["field"].as_str().unwrap().starts_with(field), "{body}: {told}");
    }
    let stranger = request(gateway.address, "GET", "/v1/groups", &[], b"");
    assert_eq!(stranger.status, 401);
}

#[test]
fn members_take_turns_on_every_surface() {
    let provider = block_on(FakeProv::start());
    let gateway = start(&provider);
    let members = json!([{"provider": "b"}, {"provider": "c"}]);
    assert_eq!(gateway.post("/v1/groups", &group("round-robin", &members)).status, 201);
    let messages = json!([{"role": "user", "content": "Hi."}]);
    let requests = [
        ("/v1/chat/completions", json!({"model": "gpt-4o", "messages": messages})),
        ("/v1/generate", json!({"model": "gpt-4o", "prompt": "Hi."})),
        ("/v1/messages", json!({"model": "gpt-4o", "max_tokens": 20, "messages": messages})),
        ("/v1/responses", json!({"model": "gpt-4o", "input": "Hi."})),
        ("/v1/chat/completions", json!({"model": "text", "messages": messages, "stream": true})),
    ];
    let row: Vec<String> = requests.iter().map(|(path, body)| served_by(&gateway.post(path, body))).collect();
    assert_eq!(row, ["b", "c", "b", "c", "b"]);
    let strict = json!({"model": "gpt-4o", "prompt": "Hi.", "strict": true});
    assert_eq!(served_by(&gateway.post("/v1/generate", &strict)), "c");
    let elsewhere = gateway.post("/v1/generate", &json!({"model": "a/text", "prompt": "Hi."}));
    assert_eq!(served_by(&elsewhere), "a");
}

#[test]
fn two_keys_of_one_provider_take_turns_too() {
    let provider = block_on(FakeProv::start());
    let gateway = start(&provider);
    for name in ["one", "two"] {
        let key = json!({"provider": "a", "apiKey": format!("sk-vault-{name}"), "keyName": name});
        assert_eq!(gateway.post("/v1/credentials", &key).status, 201);
    }
    let members = json!([{"provider": "a", "keyName": "one"}, {"provider": "a", "keyName": "two"}]);
    assert_eq!(gateway.post("/v1/groups", &group("round-robin", &members)).status, 201);
    for _ in 0..4 {
        served_by(&gateway.chat("text"));
    }
    let keys: Vec<String> = provider
        .received()
        .iter()
        .map(|received| received.header("authorization").unwrap().replace("Bearer sk-vault-", ""))
        .collect();
    assert_eq!(keys, ["one", "two", "one", "two"]);
}

#[test]
fn a_group_outlives_the_process_and_another_process_comes_to_follow_it() {
    let provider = block_on(FakeProv::start());
    let gateway = start(&provider);
    let other = Builder::new(providers(&provider)).within(gateway.dir.clone()).start();
    assert_eq!(served_by(&other.chat("text")), "a");
    let members = json!([{"provider": "c"}]);
    let made = std::time::Instant::now();
    assert_eq!(gateway.post("/v1/groups", &group("failover", &members)).status, 201);
    eventually("the other process follows the group", || served_by(&other.chat("text")) == "c");
    assert!(made.elapsed().as_secs() < 5, "{:?}", made.elapsed());
    let dir = gateway.dir.clone();
    drop((gateway, other));
    let again = Builder::new(providers(&provider)).within(dir).start();
    assert_eq!(served_by(&again.chat("text")), "c");
}

#[test]
fn a_group_stays_when_the_configuration_is_read_again() {
    let provider = block_on(FakeProv::start());
    let gateway = start(&provider);
    assert_eq!(gateway.post("/v1/groups", &group("failover", &json!([{"provider": "c"}]))).status, 201);
    let changed = format!("{}aliases: {{mine: a/text}}\n", providers(&provider));
    std::fs::write(gateway.dir.path().join("config.yaml"), changed).unwrap();
    assert_eq!(gateway.post("/admin/v1/config/reload", &Value::Null).status, 200);
    assert_eq!(
        (served_by(&gateway.chat("mine")), served_by(&gateway.chat("text"))),
        ("a".into(), "c".into())
    );
}
