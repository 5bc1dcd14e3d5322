//! Is it alive, is it ready. Constant time, no key inspected, no process started.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::json as json_answer;
use crate::VERSION;
use crate::app::App;
use crate::body::OutBody;
use crate::telemetry::metrics;

/// `GET /health`: status and version; and whether the configuration as written is in force, but not what is wrong with
/// it: anybody may ask.
pub fn health(app: &App) -> Response<OutBody> {
    let status = if app.is_draining() { "draining" } else { "ok" };
    let mut health = json!({ "status": status, "version": VERSION });
    let (wrong, what) = match app.reload.errors() {
        0 => return json_answer(StatusCode::OK, &health),
        1 => (1, "error"),
        many => (many, "errors"),
    };
    health["config_error"] = format!("{wrong} {what}: the configuration read before is in force").into();
    json_answer(StatusCode::OK, &health)
}

/// `GET /livez`: the process answers.
pub fn live() -> Response<OutBody> {
    json_answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /readyz`: 503 while draining, so that a balancer sends requests elsewhere.
pub fn ready(app: &App) -> Response<OutBody> {
    if app.is_draining() {
        return json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "draining" }));
    }
    json_answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /metrics`: numbers for Prometheus.
pub fn metrics() -> Response<OutBody> {
    let mut response = Response::new(Bytes::from(metrics::render()).into());
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// `GET /`: what this is, for somebody who opens it in a browser.
pub fn home() -> Response<OutBody> {
    let text = format!(
        "LLM Gateway {VERSION}\n\nOpenAI: POST /v1/chat/completions, /v1/responses, /v1/embeddings; GET /v1/models\nAnthropic: POST \
         /v1/messages\nGemini: POST /v1beta/models/MODEL:generateContent\nOne-prompt API: POST /v1/generate\nMCP: \
         POST /mcp\nHealth: GET /health\n"
    );
    let mut response = Response::new(Bytes::from(text).into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
