//! What kind of error it is: by reason, by words, by the status in the body, by the HTTP status.

use super::detail;
use crate::fault::Class;
use crate::gemini::shape::Status;

/// Reasons in the details (`google.rpc.ErrorInfo`).
const REASONS: &[(&str, Class)] = &[
    ("API_KEY_INVALID", Class::Auth),
    ("API_KEY_SERVICE_BLOCKED", Class::Auth),
    ("ACCESS_TOKEN_EXPIRED", Class::Auth),
    ("CREDENTIALS_MISSING", Class::Auth),
    ("BILLING_DISABLED", Class::Billing),
];

/// Words of messages whose status says less. Lower case.
const WORDS: &[(&str, Class)] = &[
    ("api key not valid", Class::Auth),
    ("api key expired", Class::Auth),
    ("api key not found", Class::Auth),
    ("exceeds the maximum number of tokens", Class::ContextTooLong),
    ("requires billing to be enabled", Class::Billing),
    ("credits are depleted", Class::Billing),
];

/// `status` in the body, and the reasons of answers that failed.
/// Source: google.rpc.Code; DIALECTS, sections 6 and 11.1.
const STATUSES: &[(&str, Class)] = &[
    ("INVALID_ARGUMENT", Class::BadRequest),
    ("FAILED_PRECONDITION", Class::BadRequest),
    ("OUT_OF_RANGE", Class::BadRequest),
    ("UNAUTHENTICATED", Class::Auth),
    ("PERMISSION_DENIED", Class::Permission),
    ("NOT_FOUND", Class::NotFound),
    ("RESOURCE_EXHAUSTED", Class::RateLimit),
    ("UNAVAILABLE", Class::Overloaded),
    ("DEADLINE_EXCEEDED", Class::Timeout),
    ("INTERNAL", Class::Server),
    ("UNKNOWN", Class::Server),
];

/// The kind of an error.
pub(super) fn class(status: u16, said: &Status) -> Class {
    let reason = said.details.as_deref().and_then(|all| detail(all, "ErrorInfo"));
    let reason = reason.and_then(|info| info["reason"].as_str()).unwrap_or_default();
    let message = said.message.as_deref().unwrap_or_default().to_lowercase();
    lookup(REASONS, |known| known == reason)
        .or_else(|| lookup(WORDS, |words| message.contains(words)))
        .or_else(|| lookup(STATUSES, |known| Some(known) == said.status.as_deref()))
        .unwrap_or_else(|| by_status(stated(said).unwrap_or(status)))
}

fn lookup(table: &[(&str, Class)], matches: impl Fn(&str) -> bool) -> Option<Class> {
    table.iter().find(|(name, _)| matches(name)).map(|(_, class)| *class)
}

/// The HTTP status that the error itself names.
fn stated(said: &Status) -> Option<u16> {
    let code = said.code.as_ref()?.as_u64()?;
    u16::try_from(code).ok().filter(|code| (400..600).contains(code))
}

fn by_status(status: u16) -> Class {
    match status {
        401 => Class::Auth,
        402 => Class::Billing,
        403 => Class::Permission,
        404 => Class::NotFound,
        413 => Class::TooLarge,
        422 => Class::Unprocessable,
        429 => Class::RateLimit,
        408 | 504 => Class::Timeout,
        503 | 529 => Class::Overloaded,
        400..500 => Class::BadRequest,
        _ => Class::Server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_words_and_statuses_decide() {
        for (status, error, class_of) in [
            (400, r#"{"status":"INVALID_ARGUMENT"}"#, Class::BadRequest),
            (
                400,
                r#"{"status":"INVALID_ARGUMENT","details":[
                {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}"#,
                Class::Auth,
            ),
            (400, r#"{"message":"API key not valid. Please pass a valid API key."}"#, Class::Auth),
            (
                400,
                r#"{"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).",
                "status":"INVALID_ARGUMENT"}"#,
                Class::ContextTooLong,
            ),
            (429, r#"{"status":"RESOURCE_EXHAUSTED"}"#, Class::RateLimit),
            (429, r#"{"message":"Your prepayment credits are depleted."}"#, Class::Billing),
            (404, "{}", Class::NotFound),
            (200, r#"{"code":503,"message":"busy"}"#, Class::Overloaded),
            (200, "{}", Class::Server),
            (504, r#"{"status":"DEADLINE_EXCEEDED"}"#, Class::Timeout),
        ] {
            assert_eq!(class(status, &serde_json::from_str(error).unwrap()), class_of, "{status} {error}");
        }
    }
}
