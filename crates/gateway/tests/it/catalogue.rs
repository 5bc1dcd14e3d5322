//! Every row of the catalogue, and a section of the file, through the real binary: asked, addressed, opened by its key.

use fakeprov::{FakeProv, Received};
use gateway::catalog::{Catalogue, Key, Row};
use serde_json::json;

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
        assert_eq!(received.path, row.wires[0].path, "{}", row.id);
        assert_eq!(received.json()["model"], model(row), "{}", row.id);
        let sent_key = received.header(&row.auth.header);
        assert_eq!(sent_key, Some(format!("{}{KEY}", row.auth.prefix).as_str()), "{}", row.id);
        for (name, value) in &row.headers {
            assert_eq!(received.header(name), Some(value.as_str()), "{}", row.id);
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
        assert_eq!(only(&provider).json()["stream"], true, "{}", row.id);
    }
}

#[test]
fn a_row_with_a_default_model_answers_who_names_none() {
    for row in Catalogue::embedded().providers.iter().filter(|row| row.default_model.is_some()) {
        let provider = block_on(FakeProv::start());
        let gateway = before(row, &provider, Some(KEY));
        let reply = gateway.post("/v1/generate", &json!({"prompt": "Say something."}));
        assert_eq!(reply.status, 200, "{}: {}", row.id, reply.text());
        assert_eq!(only(&provider).json()["model"], model(row), "{}", row.id);
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
