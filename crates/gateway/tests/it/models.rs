//! What `GET /v1/models` lists, and what it says of one model.

use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, request};

/// Three providers that are never called, and a project's key for a fourth.
fn gateway() -> Gateway {
    let gateway = Builder::bare()
        .env("LLM_GATEWAY_AUTH_TOKEN", TOKEN)
        .env("OPENAI_API_KEY", "key-of-openai")
        .env("MISTRAL_API_KEY", "key-of-mistral")
        .env("OPENROUTER_API_KEY", "key-of-openrouter")
        .start();
    let key = json!({"provider": "groq", "apiKey": "gsk_0123456789abcdef", "project": "p1"});
    assert_eq!(gateway.post("/v1/credentials", &key).status, 201);
    gateway
}

/// The provider and the id under which a model is known, or the error's code.
fn known(gateway: &Gateway, path: &str) -> (Value, Value) {
    let reply = gateway.get(path).json();
    let code = reply["error"]["code"].clone();
    if code.is_null() { (reply["provider"].clone(), reply["id"].clone()) } else { (Value::Null, code) }
}

#[test]
fn every_listed_model_is_found_by_its_id() {
    let gateway = gateway();
    let listed = gateway.get("/v1/models").json()["data"].as_array().unwrap().clone();
    assert!(listed.len() > 5, "{listed:?}");
    for model in listed {
        let id = model["id"].as_str().unwrap();
        assert_eq!(gateway.get(&format!("/v1/models/{id}")).json(), model);
        let escaped = id.replace('/', "%2F");
        assert_eq!(gateway.get(&format!("/v1/models/{escaped}")).json(), model, "{escaped}");
    }
}

/// The default provider answers to names without a slash: the list says so, and so does what it says of one model.
#[test]
fn a_model_of_the_default_provider_is_listed_as_its_own() {
    let yaml = "providers:\n  acme:\n    adapter: openai\n    base_url: https://api.acme.example/v1/chat/completions\n    \
                api_key: key-of-acme\n    models: {gpt-4o: {max_tokens: 77}}\n";
    let gateway = Builder::new(yaml.to_owned()).env("OPENAI_API_KEY", "key-of-openai").start();
    let list = gateway.get("/v1/models").json();
    let rows = list["data"].as_array().unwrap();
    for (id, provider) in [("gpt-4o", "acme"), ("acme/gpt-4o", "acme"), ("gpt-4o-mini", "openai")] {
        let listed: Vec<_> = rows.iter().filter(|row| row["id"] == id).collect();
        assert_eq!(listed.len(), 1, "{list}");
        assert_eq!(listed[0]["provider"], provider, "{id}");
        assert_eq!(&gateway.get(&format!("/v1/models/{id}")).json(), listed[0]);
    }
}

/// What can be asked for can be looked up, listed or not, by the same reading of names.
#[test]
fn a_model_is_found_by_any_name_that_a_request_may_use() {
    let gateway = gateway();
    for (name, provider) in [
        ("mistral/mistral-small-latest", "mistral"),
        ("mistral/ministral-8b-latest", "mistral"),
        ("ministral-8b-latest", "mistral"),
        ("openai/gpt-4o", "openrouter"),
    ] {
        assert_eq!(known(&gateway, &format!("/v1/models/{name}")), (json!(provider), json!(name)));
    }
}

#[test]
fn a_model_that_nobody_has_or_that_cannot_be_asked_is_not_found_and_not_suggested() {
    let gateway = gateway();
    for name in [
        "gpt-nope",
        "mistral/mistral-nope",
        "groq/llama-3.1-8b-instant",
        "anthropic/claude-sonnet-4-20250514",
    ] {
        let path = format!("/v1/models/{name}");
        assert_eq!(known(&gateway, &path), (Value::Null, json!("model_not_found")), "{name}");
        let suggestion = format!("did you mean {name}");
        assert!(!gateway.get(&path).text().contains(&suggestion), "{}", gateway.get(&path).text());
    }
}

#[test]
fn a_project_sees_its_own_models_by_query_and_by_header() {
    let gateway = gateway();
    let token = format!("Bearer {TOKEN}");
    let by_header = |path: &str| {
        request(gateway.address, "GET", path, &[("authorization", &token), ("x-project", "p1")], b"").json()
    };
    let of_groq = |list: &Value| {
        list["data"].as_array().unwrap().iter().filter(|model| model["provider"] == "groq").count()
    };
    assert_eq!(of_groq(&gateway.get("/v1/models").json()), 0);
    assert_eq!(of_groq(&gateway.get("/v1/models?project=p1").json()), 3);
    assert_eq!(of_groq(&by_header("/v1/models")), 3);
    assert_eq!(by_header("/v1/models/llama-3.1-8b-instant")["provider"], "groq");
}
