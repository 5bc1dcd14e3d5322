//! The list of models, in the shape of the dialect that asks: three of them share the path.
//! Source: the providers' API references for listing models.

use serde_json::{Value, json};

use crate::http::Request;

const MODELS: &[&str] = &["text", "echo", "tool", "tools-parallel", "json", "image-echo"];

/// The list, for whoever asks.
pub(crate) fn list(request: &Request) -> Value {
    if request.header("x-goog-api-key").is_some() || request.target.contains("key=") {
        json!({"models": rows(google)})
    } else if request.header("anthropic-version").is_some() {
        let (first, last) = (MODELS.first(), MODELS.last());
        json!({"data": rows(anthropic), "has_more": false, "first_id": first, "last_id": last})
    } else {
        json!({"object": "list", "data": rows(openai)})
    }
}

/// The list of Ollama's own wire (`GET /api/tags`).
pub(crate) fn tags() -> Value {
    json!({"models": rows(|id| json!({"name": id, "model": id, "size": 1, "digest": id}))})
}

fn rows(row: fn(&str) -> Value) -> Value {
    MODELS.iter().map(|id| row(id)).collect()
}

fn openai(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 0, "owned_by": "fakeprov"})
}

fn anthropic(id: &str) -> Value {
    json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"})
}

fn google(id: &str) -> Value {
    let methods = ["generateContent", "countTokens", "embedContent"];
    json!({
        "name": format!("models/{id}"), "displayName": id, "version": "001", "inputTokenLimit": 32768,
        "outputTokenLimit": 8192, "supportedGenerationMethods": methods,
    })
}
