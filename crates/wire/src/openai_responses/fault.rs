//! Errors: what all of OpenAI's APIs say alike, and the forms that only this one has.

use serde_json::{Value, json};

use crate::fault::{Class, Fault};
pub(super) use crate::openai::fault::{bad_answer, decode, encode, in_band};

/// Codes that clients of this API act on. Source: the codes in codex 0.169 and in recorded traffic.
const CODES: &[(Class, &str)] = &[
    (Class::ContextTooLong, "context_length_exceeded"),
    (Class::Billing, "insufficient_quota"),
    (Class::RateLimit, "rate_limit_exceeded"),
    (Class::Overloaded, "server_is_overloaded"),
];

/// An event `error`. Its parts stand in `error`, or beside `type` as the reference has them.
pub(super) fn of_event(data: &str) -> Fault {
    let mut event: Value = serde_json::from_str(data).unwrap_or_default();
    match event.get_mut("error").map(Value::take) {
        Some(error) if !error.is_null() => in_band(&error),
        _ => {
            if let Some(kind) = event.get_mut("type") {
                *kind = Value::Null;
            }
            in_band(&event)
        }
    }
}

/// The answer ended too early.
pub(super) fn cut(why: &str) -> Fault {
    Fault::Cut { provider: String::new(), why: why.to_owned() }
}

/// The code for the end of a stream.
pub(super) fn code(fault: &Fault) -> &'static str {
    let Fault::Upstream(upstream) = fault else { return fault.code() };
    let known = CODES.iter().find(|(class, _)| *class == upstream.class);
    known.map_or(fault.code(), |(_, code)| *code)
}

/// The body of the event `error`. The reference has the fields beside `type`; what is recorded, and what SDKs raise,
/// has them in `error`.
pub(super) fn event(fault: &Fault, request_id: &str) -> Value {
    let (code, message, param) = (code(fault), fault.client_message(request_id), fault.param());
    let mut error = crate::openai::fault::object(fault, request_id)["error"].take();
    error["code"] = code.into();
    json!({"code": code, "message": message, "param": param, "error": error})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(fault: &Fault) -> Class {
        match fault {
            Fault::Upstream(upstream) => upstream.class,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_error_event_is_understood_in_both_of_its_forms() {
        let nested = r#"{"type":"error","error":{"code":"insufficient_quota","message":"no money"}}"#;
        let flat = r#"{"type":"error","code":"rate_limit_exceeded","message":"slow down","param":null}"#;
        assert_eq!(class(&of_event(nested)), Class::Billing);
        assert_eq!(class(&of_event(flat)), Class::RateLimit);
        assert_eq!(of_event(flat).to_string(), "slow down");
    }

    #[test]
    fn an_error_event_that_is_no_object_is_an_error_all_the_same() {
        for odd in [r#"["error"]"#, "1", "null", "no JSON"] {
            assert!(matches!(of_event(odd), Fault::Upstream(_) | Fault::BadAnswer { .. }), "{odd}");
        }
    }

    #[test]
    fn clients_get_the_codes_that_they_act_on() {
        let long = in_band(&json!({"code": "context_length_exceeded", "message": "too long"}));
        assert_eq!(code(&long), "context_length_exceeded");
        assert_eq!(code(&cut("x")), "upstream_cut");
    }
}
