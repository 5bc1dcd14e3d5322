//! Errors: what servers of these dialects say, and how we say ours.

mod classify;

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::fault::{Class, Fault, UpstreamFault};
use crate::raw::RawObject;
use crate::scrub::scrub;

/// Characters of an upstream's message that are passed on.
const MESSAGE_LIMIT: usize = 2000;

/// An answer with a status other than 2xx.
pub(crate) fn decode(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Fault {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    // Google's compatible endpoint wraps its error in a list.
    let parsed = match parsed {
        Value::Array(mut items) if !items.is_empty() => items.swap_remove(0),
        other => other,
    };
    let said = Said::of(&parsed);
    let class = classify::class(status, &said);
    UpstreamFault { retry_after, original: original(body, class), ..fault(status, class, said) }.into()
}

/// An error that stands inside HTTP 200, whole or streamed: the value of `error`.
pub(crate) fn in_band(error: &Value) -> Fault {
    let said = Said::of(&json!({"error": error}));
    let status = said.stated_status().unwrap_or(200);
    let class = classify::class(status, &said);
    fault(200, class, said).into()
}

/// An answer that is not what this dialect says.
pub(crate) fn bad_answer(why: String) -> Fault {
    Fault::BadAnswer { provider: String::new(), why }
}

fn fault(status: u16, class: Class, said: Said) -> UpstreamFault {
    let message = said.message.unwrap_or_else(|| format!("upstream answered {status}"));
    let message: String = scrub(&message).chars().take(MESSAGE_LIMIT).collect();
    let code = said.code.or(said.kind).map(|code| scrub(&code).into_owned());
    UpstreamFault {
        provider: String::new(),
        status,
        class,
        message,
        param: said.param,
        code,
        retry_after: None,
        original: None,
    }
}

/// The body for clients of this dialect, keys and account ids taken out. None for errors about our own credential.
fn original(body: &[u8], class: Class) -> Option<Bytes> {
    if matches!(class, Class::Auth | Class::Permission) {
        return None;
    }
    let text = scrub(str::from_utf8(body).ok()?).into_owned();
    let mut object = RawObject::parse(Bytes::from(text)).ok()?;
    // OpenRouter names the account beside the error.
    object.remove("user_id");
    Some(object.into_bytes())
}

/// What an error body says, in whichever of the usual shapes.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    /// Groq states the status inside.
    status: Option<u16>,
}

impl Said {
    /// `{"error": {message, type, param, code}}`; `{"error": "text", "code"}` (xAI, Ollama); `{message, type, code}`
    /// (Mistral, vLLM); `{"detail": "text" | [{msg, loc}]}` (Mistral, FastAPI).
    fn of(body: &Value) -> Self {
        let error = match &body["error"] {
            Value::Null => body,
            error => error,
        };
        let text = |value: &Value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = text(error).or_else(|| text(&error["message"])).or_else(|| detail(&body["detail"]));
        Self {
            message: with_cause(message, &error["metadata"]["raw"]),
            kind: text(&error["type"]).or_else(|| text(&error["status"])),
            code: text(&error["code"]).or_else(|| text(&body["code"])),
            param: text(&error["param"]),
            status: error["status_code"].as_u64().and_then(|status| u16::try_from(status).ok()),
        }
    }

    /// The HTTP status that the error itself names.
    fn stated_status(&self) -> Option<u16> {
        let numeric = self.code.as_ref().and_then(|code| code.parse().ok());
        numeric.or(self.status).filter(|status| (400..600).contains(status))
    }
}

/// OpenRouter passes the words of the provider behind it beside a message that says nothing.
fn with_cause(message: Option<String>, cause: &Value) -> Option<String> {
    match (message, cause.as_str()) {
        (Some(message), Some(cause)) => Some(format!("{message}: {cause}")),
        (message, _) => message,
    }
}

fn detail(detail: &Value) -> Option<String> {
    match detail {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let told: Vec<String> = items.iter().filter_map(detail_item).collect();
            (!told.is_empty()).then(|| told.join("; "))
        }
        _ => None,
    }
}

fn detail_item(item: &Value) -> Option<String> {
    let what = item["msg"].as_str()?;
    let place: Vec<String> =
        item["loc"].as_array()?.iter().map(|step| step.to_string().replace('"', "")).collect();
    Some(format!("{}: {what}", place.join(".")))
}

/// An error as a whole answer.
pub(crate) fn encode(fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
    let body = match original_of(fault) {
        Some(original) => original,
        None => Bytes::from(object(fault, request_id).to_string()),
    };
    (fault.status(), body)
}

/// The error object, for the end of a stream that breaks off.
pub(crate) fn object(fault: &Fault, request_id: &str) -> Value {
    json!({"error": {
        "message": fault.client_message(request_id),
        "type": kind(fault.status()),
        "param": fault.param(),
        "code": fault.code(),
    }})
}

/// The upstream's own body, if it is of this dialect: an object under `error`, and no `type` beside it.
fn original_of(fault: &Fault) -> Option<Bytes> {
    let Fault::Upstream(upstream) = fault else { return None };
    let original = upstream.original.as_ref()?;
    let body: Value = serde_json::from_slice(original).ok()?;
    let ours = body["error"]["message"].is_string() && body["type"].is_null();
    ours.then(|| original.clone())
}

/// `error.type` by status. SDKs choose their exception by the status alone. Source: OpenAI API reference, error codes,
/// and openai-python 3.54.
fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> UpstreamFault {
        match decode(status, None, body.as_bytes()) {
            Fault::Upstream(fault) => *fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_shape_of_error_body_is_understood() {
        let cases = [
            (
                400,
                r#"{"code":"x","error":"Incorrect API key provided: xai-abcdefgh"}"#,
                "Incorrect API key provided: xai-***",
            ),
            (404, r#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
            (422, r#"{"detail":[{"loc":["body","n"],"msg":"bad"}]}"#, "body.n: bad"),
            (400, r#"{"object":"error","message":"no","type":"BadRequestError","code":400}"#, "no"),
            (400, r#"[{"error":{"code":400,"message":"off","status":"INVALID_ARGUMENT"}}]"#, "off"),
            (
                502,
                r#"{"error":{"message":"Provider returned error","metadata":{"raw":"boom"}}}"#,
                "Provider returned error: boom",
            ),
            (502, "<html>nginx</html>", "upstream answered 502"),
            (500, "", "upstream answered 500"),
        ];
        for (status, body, message) in cases {
            assert_eq!(told(status, body).message, message, "{body}");
        }
    }

    #[test]
    fn errors_about_our_credential_keep_their_body_to_themselves() {
        assert_eq!(told(401, r#"{"error":{"message":"bad key"}}"#).original, None);
        let body = r#"{"error":{"message":"for org-AbCdEf012345678"},"user_id":"acct_1"}"#;
        assert_eq!(told(429, body).original.unwrap(), r#"{"error":{"message":"for org-***"}}"#);
    }

    #[test]
    fn errors_are_written_in_the_shape_that_sdks_read() {
        let fault = Fault::malformed("messages.0.content".to_owned(), "no");
        let (status, body) = encode(&fault, "r1");
        assert_eq!(status, 400);
        let expected = json!({"error": {"message": "no", "type": "invalid_request_error",
            "param": "messages.0.content", "code": "invalid_request"}});
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    }

    #[test]
    fn an_upstreams_body_of_this_dialect_is_passed_on_and_another_is_not() {
        let ours =
            r#"{"error":{"message":"slow down","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#;
        let (status, body) = encode(&told(429, ours).into(), "r1");
        assert_eq!((status.as_u16(), &body[..]), (429, ours.as_bytes()));
        let other = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#;
        let (_, body) = encode(&told(429, other).into(), "r1");
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["error"]["type"], "rate_limit_error");
        assert_ne!(body, other);
    }
}
