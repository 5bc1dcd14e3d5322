//! What is looked at in every request, carried ones too: the types of the top level, and the roles of the messages.
//!
//! The items are not decoded. Anything deeper is the upstream's to judge when the request is carried.

use super::STATEFUL;
use crate::dialect::Peek;
use crate::fault::Fault;
use crate::gateway_fields;
use crate::raw::RawObject;
use crate::raw::check::{self, Type, positive};
use crate::raw::scan::Scanner;

/// Roles of a message. Source: OpenAI API reference, responses.
const ROLES: &[&str] = &["system", "developer", "user", "assistant"];

/// Fields that, when present, must be of a type.
const TYPED: &[(&str, Type)] = &[
    ("temperature", Type::Number(0.0, 2.0)),
    ("top_p", Type::Number(f64::MIN, f64::MAX)),
    ("parallel_tool_calls", Type::Bool),
    ("store", Type::Bool),
    ("background", Type::Bool),
];

/// Checks the top level and the roles, and reads what routing needs.
pub(in crate::openai_responses) fn peek(body: &RawObject) -> Result<Peek, Fault> {
    check::types(body, TYPED)?;
    check_input(body)?;
    Ok(Peek {
        model: body.get("model")?,
        stream: body.get("stream")?.unwrap_or(false),
        include_usage: true,
        max_output: positive(body, "max_output_tokens")?,
        previous: body.get("previous_response_id")?,
        // Kept unless the client says otherwise (OpenAI API reference, Responses, read 2026-11-25).
        keeps: body.get("store").ok().flatten().unwrap_or(true),
        ..gateway_fields::peek(body)?
    })
}

/// `input` is a text or an array of objects. It may be absent only where the server knows what goes before.
fn check_input(body: &RawObject) -> Result<(), Fault> {
    let refuse = |why: &str| Err(Fault::malformed("input".to_owned(), why));
    let known_elsewhere = STATEFUL.iter().any(|key| body.raw(key).is_some_and(|value| value != "null"));
    let Some(text) = body.value("input").filter(|text| *text != b"null") else {
        return if known_elsewhere { Ok(()) } else { refuse("'input' is missing") };
    };
    let mut scanner = Scanner::again(text);
    match scanner.peek() {
        Some(b'"') => return Ok(()),
        Some(b'[') => {}
        _ => return refuse("'input' must be a string or an array"),
    }
    let mut items = 0_usize;
    scanner.each_element(|scanner| {
        items += 1;
        check_item(scanner, items - 1)
    })?;
    if items == 0 && !known_elsewhere {
        return refuse("'input' must not be empty");
    }
    Ok(())
}

/// An item is an object that says what it is: by its type, or by a role.
fn check_item(scanner: &mut Scanner<'_>, place: usize) -> Result<(), Fault> {
    let at = || format!("input.{place}");
    if scanner.peek() != Some(b'{') {
        return Err(Fault::malformed(at(), format!("'{}' must be an object", at())));
    }
    let (mut typed, mut message, mut role) = (false, false, None);
    scanner.each_member(|scanner, key| {
        let value = scanner.value(u32::MAX)?;
        match key.text {
            b"type" => (typed, message) = (value != b"null", value == b"\"message\""),
            b"role" => role = Some(value),
            _ => {}
        }
        Ok::<(), Fault>(())
    })?;
    match role {
        Some(role) if message || !typed => check::role(role, ROLES, at).map(drop),
        None if message || !typed => Err(check::no_role(&at())),
        _ => Ok(()),
    }
}
