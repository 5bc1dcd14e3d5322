//! What kind of error it is: by code, by words, by status.

use super::Said;
use crate::fault::Class;

/// Codes and types that mean one thing on every server that uses them.
const CODES: &[(&str, Class)] = &[
    ("context_length_exceeded", Class::ContextTooLong),
    ("string_above_max_length", Class::ContextTooLong),
    ("insufficient_quota", Class::Billing),
    ("billing_hard_limit_reached", Class::Billing),
    ("billing_not_active", Class::Billing),
    ("invalid_api_key", Class::Auth),
    ("authentication_error", Class::Auth),
    ("UNAUTHENTICATED", Class::Auth),
    ("permission_error", Class::Permission),
    ("PERMISSION_DENIED", Class::Permission),
    ("unsupported_country_region_territory", Class::Permission),
    ("model_not_found", Class::NotFound),
    ("model_decommissioned", Class::NotFound),
    ("DeploymentNotFound", Class::NotFound),
    ("rate_limit_exceeded", Class::RateLimit),
    ("rate_limit_error", Class::RateLimit),
    ("RateLimitReached", Class::RateLimit),
    ("RESOURCE_EXHAUSTED", Class::RateLimit),
    ("overloaded", Class::Overloaded),
    ("overloaded_error", Class::Overloaded),
    ("UNAVAILABLE", Class::Overloaded),
];

/// Words of messages whose status or code says less. Lower case.
const WORDS: &[(&str, Class)] = &[
    ("incorrect api key", Class::Auth),
    ("invalid api key", Class::Auth),
    ("api key not valid", Class::Auth),
    ("api key not found", Class::Auth),
    ("maximum context length", Class::ContextTooLong),
    ("context length exceeded", Class::ContextTooLong),
    ("context window", Class::ContextTooLong),
    ("prompt is too long", Class::ContextTooLong),
    ("exceeds the maximum number of tokens", Class::ContextTooLong),
    ("too large for model with", Class::ContextTooLong),
    ("credit balance is too low", Class::Billing),
    ("insufficient balance", Class::Billing),
    ("exceeded your current quota", Class::Billing),
];

/// By code, then for refusals by words, then by status.
pub(super) fn class(status: u16, said: &Said) -> Class {
    let names = [said.code.as_deref(), said.kind.as_deref()];
    let by_code = names.into_iter().flatten().find_map(|name| lookup(CODES, |code| code == name));
    by_code.or_else(|| by_words(status, said)).unwrap_or_else(|| by_status(status, said))
}

fn by_words(status: u16, said: &Said) -> Option<Class> {
    if !matches!(status, 200 | 400 | 403 | 404 | 413 | 422 | 429) {
        return None;
    }
    let message = said.message.as_ref()?.to_lowercase();
    lookup(WORDS, |words| message.contains(words))
}

fn lookup(table: &[(&str, Class)], matches: impl Fn(&str) -> bool) -> Option<Class> {
    table.iter().find(|(name, _)| matches(name)).map(|(_, class)| *class)
}

fn by_status(status: u16, said: &Said) -> Class {
    match status {
        // Inside HTTP 200 without a status of its own.
        200 if said.kind.as_deref() == Some("invalid_request_error") => Class::BadRequest,
        401 => Class::Auth,
        402 => Class::Billing,
        403 => Class::Permission,
        404 => Class::NotFound,
        408 | 504 => Class::Timeout,
        413 => Class::TooLarge,
        422 => Class::Unprocessable,
        429 => Class::RateLimit,
        503 | 529 => Class::Overloaded,
        400..500 => Class::BadRequest,
        _ => Class::Server,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn status_codes_and_words_decide() {
        let cases = [
            (400, r#"{"error":{"message":"x"}}"#, Class::BadRequest),
            (400, r#"{"error":"Incorrect API key provided: xa***","code":"invalid-argument"}"#, Class::Auth),
            (
                400,
                r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#,
                Class::ContextTooLong,
            ),
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 8"}}"#,
                Class::ContextTooLong,
            ),
            (402, "{}", Class::Billing),
            (429, r#"{"error":{"message":"quota","type":"insufficient_quota"}}"#, Class::Billing),
            (429, r#"{"error":{"message":"slow","type":"tokens"}}"#, Class::RateLimit),
            (403, "{}", Class::Permission),
            (404, r#"{"error":{"code":"DeploymentNotFound"}}"#, Class::NotFound),
            (400, r#"{"error":{"code":"model_not_found"}}"#, Class::NotFound),
            (422, r#"{"detail":[]}"#, Class::Unprocessable),
            (500, r#"{"error":{"message":"context window service broke"}}"#, Class::Server),
            (503, "null", Class::Overloaded),
            (529, "null", Class::Overloaded),
            (504, "null", Class::Timeout),
            (301, "null", Class::Server),
        ];
        for (status, body, expected) in cases {
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(class(status, &Said::of(&body)), expected, "{status} {body}");
        }
    }
}
