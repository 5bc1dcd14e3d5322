//! The description of the administration, held against its answers.

use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, request};

fn gateway() -> Gateway {
    Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).start()
}

/// What stands behind a reference within the document.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).expect("references lead somewhere"),
        None => schema,
    }
}

/// Whether a value has the fields that its schema tells of: all that are required, and no other.
#[track_caller]
fn assert_fits(document: &Value, schema: &Value, value: &Value) {
    let schema = resolved(document, schema);
    if let Some(items) = value.as_array() {
        return items.iter().for_each(|item| assert_fits(document, &schema["items"], item));
    }
    let (Some(fields), Some(told)) = (value.as_object(), schema["properties"].as_object()) else { return };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(required.as_str().unwrap()), "{required} is missing: {value}");
    }
    for (name, field) in fields {
        let told = told.get(name).unwrap_or_else(|| panic!("{name} is not told of: {value}"));
        assert_fits(document, told, field);
    }
}

#[test]
fn the_administration_answers_as_it_is_described() {
    let gateway = gateway();
    let document = gateway.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let ask = |path: &str, id: &str, method: &str, body: Value| {
        let told = &document["paths"][path][method.to_lowercase()];
        let reply = gateway.ask(TOKEN, method, &path.replace("{id}", id), None, &body);
        let answer = resolved(&document, &told["responses"][reply.status.to_string()]);
        let kind = reply.header("content-type").unwrap();
        assert!(answer["content"][kind].is_object(), "{method} {path}: {} {kind}", reply.status);
        assert_fits(&document, &answer["content"][kind]["schema"], &reply.json());
        reply
    };
    let grant = json!({"name": "ci", "models": ["gpt-*"], "labels": {"team": "search"}, "expires_at": null});
    let made = ask("/admin/v1/keys", "", "POST", grant);
    assert_eq!(made.status, 201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let statuses = [
        ask("/admin/v1/keys", "", "GET", Value::Null).status,
        ask("/admin/v1/keys/{id}", &id, "GET", Value::Null).status,
        ask("/admin/v1/keys/{id}", &id, "PATCH", json!({"name": "ci-2"})).status,
        ask("/admin/v1/keys/{id}", &id, "PATCH", json!({"models": [7]})).status,
        ask("/admin/v1/keys/{id}/rotate", &id, "POST", json!({"overlap_seconds": 5})).status,
        ask("/admin/v1/keys/{id}", &id, "DELETE", Value::Null).status,
        ask("/admin/v1/keys/{id}", "nobody", "GET", Value::Null).status,
        ask("/admin/v1/audit", "", "GET", Value::Null).status,
        ask("/admin/v1/route/explain", "", "POST", json!({"model": "none", "messages": []})).status,
    ];
    assert_eq!(statuses, [200, 200, 200, 400, 200, 200, 404, 200, 400]);
}

#[test]
fn the_description_is_for_everybody_with_a_key() {
    let gateway = gateway();
    assert_eq!(request(gateway.address, "GET", "/openapi.json", &[], b"").status, 401);
}
