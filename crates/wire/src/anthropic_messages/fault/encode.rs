//! Errors for clients of this dialect: as a whole answer, and as the last event of a stream.

use bytes::{BufMut, Bytes, BytesMut};
use http::StatusCode;
use serde_json::Value;

use super::super::shape::told;
use crate::Fault;
use crate::fault::Class;
use crate::json_writer::write_json;

/// Overloaded, in this dialect's own status.
const OVERLOADED: u16 = 529;

/// The words by which clients know that they must shorten their conversation: Claude Code compacts on them.
const TOO_LONG: &str = "prompt is too long";

/// An error as a whole answer.
pub(in crate::anthropic_messages) fn encode(fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
    let body = original_of(fault).unwrap_or_else(|| {
        let mut body = Vec::new();
        write_json(&mut body, &object(fault, request_id));
        Bytes::from(body)
    });
    (status(fault), body)
}

/// An error as the last event of a stream.
pub(in crate::anthropic_messages) fn fail(fault: &Fault, request_id: &str, out: &mut BytesMut) {
    out.put_slice(b"event: error\ndata: ");
    write_json(out, &object(fault, request_id));
    out.put_slice(b"\n\n");
}

fn object<'a>(fault: &Fault, request_id: &'a str) -> told::ErrorBody<'a> {
    let message = fault.client_message(request_id);
    let message = match fault {
        Fault::Upstream(upstream)
            if upstream.class == Class::ContextTooLong && !message.contains(TOO_LONG) =>
        {
            format!("{TOO_LONG}: {message}")
        }
        _ => message,
    };
    told::ErrorBody {
        kind: "error",
        error: told::ErrorObject { kind: kind(status(fault)), message },
        request_id,
    }
}

/// The upstream's own body, if it is of this dialect.
fn original_of(fault: &Fault) -> Option<Bytes> {
    let Fault::Upstream(upstream) = fault else { return None };
    let original = upstream.original.as_ref()?;
    let body: Value = serde_json::from_slice(original).ok()?;
    let ours =
        body["type"] == "error" && body["error"]["type"].is_string() && body["error"]["message"].is_string();
    ours.then(|| original.clone())
}

/// This dialect has a status of its own for overload, and none for what is understood and refused.
/// Source: DIALECTS, section 11.1.
fn status(fault: &Fault) -> StatusCode {
    match fault.status() {
        StatusCode::SERVICE_UNAVAILABLE if fault.code() == "overloaded" => {
            StatusCode::from_u16(OVERLOADED).expect("three digits are a status")
        }
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    }
}

/// `error.type` by status.
/// Source: Anthropic's page "Claude API errors", read 2026-11-25.
fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        OVERLOADED => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::anthropic_messages::fault::decode;

    fn told(fault: &Fault) -> (u16, Value) {
        let (status, body) = encode(fault, "req_1");
        (status.as_u16(), serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn an_error_names_its_kind_and_its_request() {
        let (status, body) =
            told(&Fault::malformed("messages.0.content".to_owned(), "'messages.0.content' is missing"));
        assert_eq!(status, 400);
        let error = json!({"type": "invalid_request_error", "message": "'messages.0.content' is missing"});
        assert_eq!(body, json!({"type": "error", "error": error, "request_id": "req_1"}));
    }

    #[test]
    fn overload_has_the_status_of_this_dialect_whoever_is_overloaded() {
        let upstream = decode(503, None, b"<html>busy</html>").named("x");
        for fault in [Fault::Overloaded, Fault::Draining, upstream] {
            let (status, body) = told(&fault);
            assert_eq!((status, &body["error"]["type"]), (529, &json!("overloaded_error")));
        }
    }

    #[test]
    fn an_error_of_this_dialect_is_passed_on_as_it_came() {
        let original = br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"},"request_id":"req_u"}"#;
        let (status, body) = encode(&decode(429, None, original), "req_1");
        assert_eq!((status.as_u16(), &body[..]), (429, &original[..]));
        let (_, body) = told(&decode(
            401,
            None,
            br#"{"type":"error","error":{"type":"authentication_error","message":"bad"}}"#,
        ));
        assert_eq!(body["error"]["type"], "api_error", "the gateway's credential is not the client's");
    }

    #[test]
    fn a_full_context_is_told_in_the_words_that_clients_look_for() {
        let said = br#"{"type":"error","error":{"type":"invalid_request_error","message":"input exceed context limit"}}"#;
        let Fault::Upstream(mut upstream) = decode(400, None, said) else { panic!("not the upstream's") };
        upstream.original = None;
        let (status, body) = told(&Fault::Upstream(upstream));
        assert_eq!(status, 400);
        assert!(body["error"]["message"].as_str().unwrap().starts_with("prompt is too long: "), "{body}");
    }
}
