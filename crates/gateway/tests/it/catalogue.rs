//! Every row of the catalogue, and a section of the file, through the real binary: asked, addressed, opened by its key.

use fakeprov::{FakeProv, Received};
use gateway::catalog::{Catalogue, Key, Row, WireRow};
use serde_json::{Value, json};
use wire::{Operation, WireId};

use crate::support::{Builder, Gateway, block_on, chat_body};

/// The only key of a row's provider.
const KEY: &str = "key-of-the-only-provider";

/// Asked of rows that have no model of their own.
const ANY_MODEL: &str = "any-model";

/// A gateway that knows, by environment alone, where the provider of a row is; and its key.
fn before(row: &Row, provider: &FakeProv, key: Option<&str>) -> Gateway {
    let prefix = &row.env[0];
    let builder = Builder::new("").env(&format!("{prefix}_BASE_URL"), provider.origin());
    match key {
        Some(key) => builder.env(&format!("{prefix}_API_KEY"), key),
        None => builder,
    }
    .start()
}

fn model(row: &Row) -> &str {
    row.default_model.as_deref().unwrap_or(ANY_MODEL)
}

/// What arrived, which must be one request.
#[track_caller]
fn only(provider: &FakeProv) -> Received {
    let mut received = provider.received();
    assert_eq!(received.len(), 1, "{received:#?}");
    received.remove(0)
}

#[test]
fn every_row_is_answered_at_its_path_under_its_key() {
    for row in &Catalogue::embedded().providers {
        let provider = block_on(FakeProv::start());
        let gateway = before(row, &provider, Some(KEY));
        let reply = gateway.chat(&format!("{}/{}", row.id, model(row)));
        assert_eq!(reply.status, 200, "{}: {}", row.id, reply.text());
        assert_eq!(reply.json()["x_gateway"]["resolvedProvider"], row.id.as_str());
        let received = only(&provider);
        arrived_by(row, &row.wires[0], &received);
        for (name, value) in &row.headers {
            assert_eq!(received.header(name), Some(value.as_str()), "{}", row.id);
        }
    }
}

/// The request came to the address of this wire, with the key as it is presented there.
#[track_caller]
fn arrived_by(row: &Row, wire: &WireRow, received: &Received) {
    let known = WireId::from_name(&wire.wire).expect("rows name wires that there are");
    let target = known.target(&wire.path, Operation::Chat, model(row), false).expect("every wire has chat");
    assert_eq!(received.path, target, "{}", row.id);
    let auth = wire.auth.as_ref().unwrap_or(&row.auth);
    let key = format!("{}{KEY}", auth.prefix);
    assert_eq!(received.header(&auth.header), Some(key.as_str()), "{} {}", row.id, wire.wire);
}

/// A request in the format of a wire, and where clients send it.
fn in_format(wire: &WireRow, model: &str) -> (String, Value) {
    let messages = json!([{"role": "user", "content": "Hi"}]);
    match wire.wire.as_str() {
        "anthropic_messages" => {
            ("/v1/messages".into(), json!({"model": model, "max_tokens": 64, "messages": messages}))
        }
        "openai_responses" => ("/v1/responses".into(), json!({"model": model, "input": "Hi"})),
        "gemini" => (
            format!("/v1beta/models/{}:generateContent", model.replace('/', "%2F")),
            json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
        ),
        _ => ("/v1/chat/completions".into(), json!({"model": model, "messages": messages})),
    }
}

#[test]
fn a_client_of_a_dialect_is_carried_to_the_wire_of_the_same_dialect() {
    let usual = |wire: &&WireRow| wire.when_base_ends.is_none();
    for row in &Catalogue::embedded().providers {
        for wire in row.wires.iter().filter(usual) {
            let provider = block_on(FakeProv::start());
            let gateway = before(row, &provider, Some(KEY));
            let (path, body) = in_format(wire, &format!("{}/{}", row.id, model(row)));
            let reply = gateway.post(&path, &body);
            assert_eq!(reply.status, 200, "{}: {}", row.id, reply.text());
            arrived_by(row, wire, &only(&provider));
        }
    }
}

#[test]
fn an_address_that_ends_as_a_row_says_is_spoken_to_in_that_wire() {
    for row in &Catalogue::embedded().providers {
        for wire in &row.wires {
            let Some(end) = &wire.when_base_ends else { continue };
            let provider = block_on(FakeProv::start());
            let root = &wire.path
                [..wire.path.find(end.as_str()).expect("a path goes on after its root") + end.len()];
            let prefix = &row.env[0];
            let gateway = Builder::new("")
                .env(&format!("{prefix}_BASE_URL"), format!("{}{root}", provider.origin()))
                .env(&format!("{prefix}_API_KEY"), KEY)
                .start();
            let reply = gateway.chat(&format!("{}/{}", row.id, model(row)));
            assert_eq!(reply.status, 200, "{}: {}", row.id, reply.text());
            arrived_by(row, wire, &only(&provider));
        }
    }
}

#[test]
fn every_row_streams() {
    for row in &Catalogue::embedded().providers {
        let provider = block_on(FakeProv::start());
        let gateway = before(row, &provider, Some(KEY));
        let reply = gateway.chat_stream(&format!("{}/{}", row.id, model(row)));
        assert_eq!(reply.events().last().unwrap(), "[DONE]", "{}: {}", row.id, reply.text());
        let received = only(&provider);
        let in_path = received.path.contains(":streamGenerateContent");
        assert!(in_path || received.json()["stream"] == true, "{}", row.id);
    }
}

#[test]
fn a_row_with_a_default_model_answers_who_names_none() {
    for row in Catalogue::embedded().providers.iter().filter(|row| row.default_model.is_some()) {
        let provider = block_on(FakeProv::start());
        let gateway = before(row, &provider, Some(KEY));
        let reply = gateway.post("/v1/generate", &json!({"prompt": "Say something."}));
        assert_eq!(reply.status, 200, "{}: {}", row.id, reply.text());
        let received = only(&provider);
        let in_path = received.path.contains(model(row));
        assert!(in_path || received.json()["model"] == model(row), "{}", row.id);
    }
}

#[test]
fn a_row_that_needs_no_key_is_asked_without_one() {
    let keyless = Catalogue::embedded().providers.iter().filter(|row| row.key == Key::Optional);
    for row in keyless {
        let provider = block_on(FakeProv::start());
        let reply = before(row, &provider, None).chat(&format!("{}/{}", row.id, model(row)));
        assert_eq!(reply.status, 200, "{}: {}", row.id, reply.text());
        assert_eq!(only(&provider).header(&row.auth.header), None, "{}", row.id);
    }
}

/// As the example of CONTRIBUTING.md has it, under a name that no row will take.
#[test]
fn a_section_of_the_file_is_a_provider_like_any_row() {
    let provider = block_on(FakeProv::start());
    let yaml = format!(
        "providers:\n  made-up: {{ base_url: \"{}\", api_key: \"env:MADE_UP_API_KEY\", models: {{ large: {{}} }} }}\n",
        provider.url()
    );
    let gateway = Builder::new(yaml).env("MADE_UP_API_KEY", KEY).start();
    for (asked, request) in [("made-up/large", 0), ("large", 1)] {
        let reply = gateway.post("/v1/chat/completions", &chat_body(asked, false));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let received = &provider.received()[request];
        assert_eq!(received.path, "/v1/chat/completions");
        assert_eq!(received.json()["model"], "large");
        assert_eq!(received.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    }
    let listed = gateway.get("/v1/models").json();
    assert_eq!(listed["data"][0]["id"], "made-up/large");
}
