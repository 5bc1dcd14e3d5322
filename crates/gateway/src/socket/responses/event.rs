//! Events that the gateway says itself.

use serde_json::{Value, json};

use crate::problem::Refusal;

/// An error, in both of its forms: that of a stream's `error` event, and that of the WebSocket mode, where a status and an
/// error object take the place of an HTTP answer.
pub(super) fn error(refusal: &Refusal) -> String {
    let mut event: Value = serde_json::from_slice(&refusal.body).unwrap_or_default();
    event["type"] = "error".into();
    event["sequence_number"] = 0.into();
    event["status"] = refusal.status.as_u16().into();
    for field in ["code", "message", "param"] {
        event[field] = event["error"][field].clone();
    }
    event.to_string()
}

/// The turn builds on a response that is not known. Clients test for the code, and send everything again without the id.
/// Source: OpenAI's guide "WebSocket mode", read 2026-11-25.
pub(super) fn unknown_previous(id: &str) -> String {
    let message =
        format!("the previous response '{id}' is not known to this connection; send the whole input");
    let (code, param) = ("previous_response_not_found", "previous_response_id");
    let error = json!({"type": "invalid_request_error", "code": code, "message": message, "param": param});
    let event = json!({"type": "error", "sequence_number": 0, "status": 400, "code": code, "message": message,
        "param": param, "error": error});
    event.to_string()
}

/// What answers a warm-up: created, and completed with nothing in it. `at` in seconds since 1970.
pub(super) fn warmed_up(id: &str, model: &str, at: i64) -> [String; 2] {
    let usage = json!({"input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0});
    let response = |status: &str, usage: Value| {
        json!({"id": id, "object": "response", "created_at": at, "status": status, "error": null,
            "incomplete_details": null, "instructions": null, "metadata": {}, "model": model, "output": [],
            "parallel_tool_calls": true, "temperature": null, "tool_choice": "auto", "tools": [], "top_p": null,
            "usage": usage})
    };
    let event = |number: u8, kind: &str, response: Value| {
        json!({"type": kind, "sequence_number": number, "response": response}).to_string()
    };
    [
        event(0, "response.created", response("in_progress", Value::Null)),
        event(1, "response.completed", response("completed", usage)),
    ]
}
