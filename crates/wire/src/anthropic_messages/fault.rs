//! Errors of this dialect, and answers that are not of it.

mod encode;

use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;

pub(super) use self::encode::{encode, fail};
use super::shape::{ErrorBody, ErrorObject};
use crate::fault::{Class, UpstreamFault};
use crate::{Fault, scrub};

/// `error.type` and what it means.
/// Source: Anthropic's page "Claude API errors", read 2026-11-25.
const TYPES: &[(&str, Class)] = &[
    ("invalid_request_error", Class::BadRequest),
    ("authentication_error", Class::Auth),
    ("billing_error", Class::Billing),
    ("permission_error", Class::Permission),
    ("not_found_error", Class::NotFound),
    ("request_too_large", Class::TooLarge),
    ("rate_limit_error", Class::RateLimit),
    ("api_error", Class::Server),
    ("timeout_error", Class::Timeout),
    ("overloaded_error", Class::Overloaded),
];

/// Words in the message of an `invalid_request_error` that say more than its type.
/// Source: DIALECTS, section 11.1; the second and the last as clients of the API quote them, read 2026-11-25.
const WORDS: &[(&str, Class)] = &[
    ("prompt is too long", Class::ContextTooLong),
    ("exceed context limit", Class::ContextTooLong),
    ("credit balance is too low", Class::Billing),
    ("api usage limits", Class::Billing),
];

/// An answer with a status other than 2xx.
pub(super) fn decode(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Fault {
    let stated = serde_json::from_slice::<ErrorBody>(body).ok().map(|body| body.error);
    let original = stated.is_some().then_some(body);
    upstream(status, retry_after, stated, original).into()
}

/// The error that an answer or an event of a stream is, in spite of HTTP 200.
pub(super) fn inside(data: &str) -> Fault {
    match serde_json::from_str::<ErrorBody>(data) {
        Ok(body) => upstream(200, None, Some(body.error), Some(data.as_bytes())).into(),
        Err(_) => bad_answer("an error without an error object"),
    }
}

/// The upstream's answer is not what this dialect says.
pub(super) fn bad_answer(why: impl Into<String>) -> Fault {
    Fault::BadAnswer { provider: String::new(), why: why.into() }
}

/// The upstream's answer ended too early.
pub(super) fn cut(why: impl Into<String>) -> Fault {
    Fault::Cut { provider: String::new(), why: why.into() }
}

/// Reads a piece of an answer.
pub(super) fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| bad_answer(error.to_string()))
}

/// Reads a member that an event of this type must have.
pub(super) fn member<'a, T: serde::Deserialize<'a>>(
    member: Option<&'a RawValue>,
    name: &str,
) -> Result<T, Fault> {
    parse(member.ok_or_else(|| bad_answer(format!("an event without {name}")))?.get())
}

fn upstream(
    status: u16,
    retry_after: Option<Duration>,
    stated: Option<ErrorObject>,
    body: Option<&[u8]>,
) -> UpstreamFault {
    let (kind, message) = stated.map_or((None, None), |error| (error.kind, error.message));
    let message = message.unwrap_or_else(|| format!("upstream answered {status}"));
    let class = class(status, kind.as_deref(), &message);
    let shown = !matches!(class, Class::Auth | Class::Permission);
    let original = body.filter(|_| shown).map(scrubbed);
    UpstreamFault {
        provider: String::new(),
        status,
        class,
        message: scrub::scrub(&message).into_owned(),
        param: None,
        code: kind,
        retry_after,
        original,
    }
}

fn scrubbed(body: &[u8]) -> Bytes {
    Bytes::from(scrub::scrub(&String::from_utf8_lossy(body)).into_owned())
}

fn class(status: u16, kind: Option<&str>, message: &str) -> Class {
    let stated = TYPES.iter().find(|(name, _)| Some(*name) == kind).map(|(_, class)| *class);
    let class = stated.unwrap_or_else(|| by_status(status));
    if class != Class::BadRequest {
        return class;
    }
    let message = message.to_ascii_lowercase();
    WORDS.iter().find(|(words, _)| message.contains(words)).map_or(class, |(_, class)| *class)
}

/// For bodies that do not say, as those of a proxy in between.
fn by_status(status: u16) -> Class {
    match status {
        401 => Class::Auth,
        402 => Class::Billing,
        403 => Class::Permission,
        404 => Class::NotFound,
        413 => Class::TooLarge,
        422 => Class::Unprocessable,
        429 => Class::RateLimit,
        503 | 529 => Class::Overloaded,
        408 | 504 => Class::Timeout,
        400..=499 => Class::BadRequest,
        _ => Class::Server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(status: u16, body: &str) -> UpstreamFault {
        match decode(status, None, body.as_bytes()) {
            Fault::Upstream(fault) => *fault,
            other => panic!("not an upstream fault: {other:?}"),
        }
    }

    fn body(kind: &str, message: &str) -> String {
        serde_json::json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
    }

    #[test]
    fn the_type_decides_and_some_words_say_more() {
        for (status, kind, message, class) in [
            (400, "invalid_request_error", "max_tokens: Field required", Class::BadRequest),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 210000 tokens > 200000",
                Class::ContextTooLong,
            ),
            (400, "invalid_request_error", "Your credit balance is too low", Class::Billing),
            (
                400,
                "invalid_request_error",
                "You have reached your specified API usage limits.",
                Class::Billing,
            ),
            (401, "authentication_error", "invalid x-api-key", Class::Auth),
            (404, "not_found_error", "model: claude-x", Class::NotFound),
            (529, "overloaded_error", "Overloaded", Class::Overloaded),
            (500, "a_type_of_tomorrow", "?", Class::Server),
        ] {
            assert_eq!(decoded(status, &body(kind, message)).class, class, "{kind}: {message}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_named_by_its_status() {
        let fault = decoded(503, "<html>503</html>");
        assert_eq!((fault.class, fault.message.as_str()), (Class::Overloaded, "upstream answered 503"));
        assert_eq!(fault.original, None);
    }

    #[test]
    fn what_an_upstream_says_about_our_key_is_not_shown() {
        assert_eq!(decoded(401, &body("authentication_error", "invalid x-api-key")).original, None);
        assert!(decoded(429, &body("rate_limit_error", "slow down")).original.is_some());
    }
}
