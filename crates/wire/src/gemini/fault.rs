//! Errors of this dialect (`google.rpc.Status`), theirs and ours.

mod classify;

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape::Status;
use crate::fault::{Class, Fault, UpstreamFault};
use crate::scrub::scrub;

/// Characters of an upstream's message that are passed on.
const MESSAGE_LIMIT: usize = 2000;

/// The names of details begin with this. Source: Google's API design guide, errors.
const DETAIL: &str = "type.googleapis.com/google.rpc.";

/// An answer with a status other than 2xx.
pub(super) fn decode(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Fault {
    let text = String::from_utf8_lossy(body);
    let stated = status_of(&text);
    let original = stated.is_some().then(|| Bytes::from(scrub(&text).into_owned()));
    let fault = upstream(status, stated.unwrap_or_default());
    let shown = !matches!(fault.class, Class::Auth | Class::Permission);
    let retry_after = retry_after.or(fault.retry_after);
    UpstreamFault { retry_after, original: original.filter(|_| shown), ..fault }.into()
}

/// The error that stands inside HTTP 200, in an answer or in a stream: the value of `error`.
pub(super) fn inside(error: &str) -> Fault {
    upstream(200, serde_json::from_str(error).unwrap_or_default()).into()
}

/// The answer failed in the upstream's own words.
pub(super) fn failed(word: &str, message: Option<&str>) -> Fault {
    let message = match message {
        Some(message) => format!("the answer ended in {word}: {message}"),
        None => format!("the answer ended in {word}"),
    };
    let said = Status { message: Some(message), status: Some(word.to_owned()), ..Status::default() };
    upstream(200, said).into()
}

/// An answer that is not what this dialect says.
pub(super) fn bad_answer(why: impl Into<String>) -> Fault {
    Fault::BadAnswer { provider: String::new(), why: why.into() }
}

/// An answer that ended too early.
pub(super) fn cut(why: impl Into<String>) -> Fault {
    Fault::Cut { provider: String::new(), why: why.into() }
}

/// Reads a piece of an answer.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| bad_answer(error.to_string()))
}

/// The status in a body; streams without `alt=sse` wrap it in a list.
fn status_of(body: &str) -> Option<Status> {
    #[derive(Deserialize)]
    struct Body {
        error: Status,
    }
    if body.trim_start().starts_with('[') {
        let listed: Vec<Body> = serde_json::from_str(body).ok()?;
        return listed.into_iter().next().map(|body| body.error);
    }
    serde_json::from_str::<Body>(body).ok().map(|body| body.error)
}

fn upstream(status: u16, said: Status) -> UpstreamFault {
    let class = classify::class(status, &said);
    let details = said.details.unwrap_or_default();
    let message = said.message.unwrap_or_else(|| format!("upstream answered {status}"));
    let field = detail(&details, "BadRequest").and_then(|it| it["fieldViolations"][0]["field"].as_str());
    UpstreamFault {
        provider: String::new(),
        status,
        class,
        message: scrub(&message).chars().take(MESSAGE_LIMIT).collect(),
        param: field.map(str::to_owned),
        code: said.status.map(|status| scrub(&status).into_owned()),
        retry_after: detail(&details, "RetryInfo").and_then(|it| delay(it["retryDelay"].as_str()?)),
        original: None,
    }
}

/// The detail of that name.
fn detail<'a>(details: &'a [Value], name: &str) -> Option<&'a Value> {
    let is = |it: &&Value| it["@type"].as_str().and_then(|kind| kind.strip_prefix(DETAIL)) == Some(name);
    details.iter().find(is)
}

/// `34.4s`, the JSON form of a duration.
fn delay(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// An error as a whole answer.
pub(super) fn encode(fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
    let body = original_of(fault).unwrap_or_else(|| Bytes::from(object(fault, request_id).to_string()));
    (status(fault).0, body)
}

/// The error object, for an answer and for the end of a stream that breaks off.
pub(super) fn object(fault: &Fault, request_id: &str) -> Value {
    let (code, word) = status(fault);
    let mut details = vec![json!({
        "@type": format!("{DETAIL}ErrorInfo"),
        "reason": fault.code().to_ascii_uppercase(),
        "domain": "llm-gateway",
        "metadata": {"request_id": request_id},
    })];
    if let Some(field) = fault.param() {
        let violation = json!({"field": field, "description": fault.client_message(request_id)});
        details.push(json!({"@type": format!("{DETAIL}BadRequest"), "fieldViolations": [violation]}));
    }
    if let Some(wait) = fault.retry_after() {
        // Rounded up, so that nobody comes back too early.
        let seconds = wait.as_millis().div_ceil(1000);
        details.push(json!({"@type": format!("{DETAIL}RetryInfo"), "retryDelay": format!("{seconds}s")}));
    }
    json!({"error": {
        "code": code.as_u16(),
        "message": fault.client_message(request_id),
        "status": word,
        "details": details,
    }})
}

/// Status and word. This dialect has fewer of them: what is too large is an invalid argument, and a gateway's bad
/// upstream is unavailable. Only what a retry cannot mend stays 502.
/// Source: DIALECTS, section 11.1; google.rpc.Code.
fn status(fault: &Fault) -> (StatusCode, &'static str) {
    let status = fault.status();
    match status.as_u16() {
        401 => (status, "UNAUTHENTICATED"),
        403 => (status, "PERMISSION_DENIED"),
        404 | 405 => (status, "NOT_FOUND"),
        429 => (status, "RESOURCE_EXHAUSTED"),
        502 if matches!(fault.code(), "upstream_auth" | "upstream_billing") => {
            (status, "FAILED_PRECONDITION")
        }
        502 | 503 => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        504 => (status, "DEADLINE_EXCEEDED"),
        500.. => (status, "INTERNAL"),
        _ => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
    }
}

/// The upstream's own body, if it is of this dialect.
fn original_of(fault: &Fault) -> Option<Bytes> {
    let Fault::Upstream(upstream) = fault else { return None };
    let original = upstream.original.as_ref()?;
    let body: Value = serde_json::from_slice(original).ok()?;
    let ours = body["error"]["status"].is_string() && body["error"]["code"].is_number();
    ours.then(|| original.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> UpstreamFault {
        match decode(status, None, body.as_bytes()) {
            Fault::Upstream(fault) => *fault,
            other => panic!("not an upstream fault: {other:?}"),
        }
    }

    #[test]
    fn a_list_around_the_error_does_not_hide_it() {
        let fault = told(404, r#"[{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}]"#);
        assert_eq!((fault.class, fault.message.as_str()), (Class::NotFound, "gone"));
    }

    #[test]
    fn the_wait_stands_in_the_details() {
        let body = r#"{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}"#;
        assert_eq!(told(429, body).retry_after, Some(Duration::from_millis(34_400)));
        let header = Duration::from_secs(2);
        assert_eq!(decode(429, Some(header), body.as_bytes()).retry_after(), Some(header));
    }

    #[test]
    fn a_body_that_is_not_json_is_named_by_its_status() {
        let fault = told(503, "<html>503</html>");
        assert_eq!((fault.class, fault.message.as_str()), (Class::Overloaded, "upstream answered 503"));
        assert_eq!(fault.original, None);
    }

    #[test]
    fn what_an_upstream_says_about_our_key_is_not_shown() {
        assert_eq!(told(403, r#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#).original, None);
        assert!(told(400, r#"{"error":{"code":400,"status":"INVALID_ARGUMENT"}}"#).original.is_some());
    }

    #[test]
    fn errors_are_written_in_the_shape_that_sdks_read() {
        let fault = Fault::malformed("contents[0]".to_owned(), "no");
        let (status, body) = encode(&fault, "r1");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 400);
        assert_eq!(body["error"]["code"], 400);
        assert_eq!(body["error"]["status"], "INVALID_ARGUMENT");
        assert_eq!(body["error"]["details"][1]["fieldViolations"][0]["field"], "contents[0]");
        let (status, body) = encode(&cut("early"), "r1");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status.as_u16(), &body["error"]["status"]), (503, &json!("UNAVAILABLE")));
    }

    #[test]
    fn an_upstreams_body_of_this_dialect_is_passed_on_and_another_is_not() {
        let ours = r#"{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}"#;
        assert_eq!(encode(&told(400, ours).into(), "r1").1, ours);
        let theirs = UpstreamFault {
            original: Some(Bytes::from_static(br#"{"error":{"message":"no","type":"x"}}"#)),
            ..told(400, ours)
        };
        let (_, body) = encode(&theirs.into(), "r1");
        assert!(body.starts_with(br#"{"error":{"code":400"#));
    }
}
