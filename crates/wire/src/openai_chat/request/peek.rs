//! What is looked at in every request, carried ones too: the types of the top level, and the roles of the turns.
//!
//! The turns are not decoded. Anything deeper is the upstream's to judge when the request is carried.

use crate::dialect::Peek;
use crate::fault::Fault;
use crate::openai::checks::{self, Type};
use crate::openai_chat::shape::StreamOptions;
use crate::raw::RawObject;
use crate::raw::scan::Scanner;

/// Roles of a turn. Source: OpenAI API reference, chat.
const ROLES: &[&str] = &["system", "developer", "user", "assistant", "tool", "function"];

/// Fields that, when present, must be of a type.
const TYPED: &[(&str, Type)] = &[
    ("temperature", Type::Number(0.0, 2.0)),
    ("top_p", Type::Number(f64::MIN, f64::MAX)),
    ("frequency_penalty", Type::Number(f64::MIN, f64::MAX)),
    ("presence_penalty", Type::Number(f64::MIN, f64::MAX)),
    ("n", Type::Positive),
    ("logprobs", Type::Bool),
    ("parallel_tool_calls", Type::Bool),
];

/// Checks the top level and the roles, and reads what routing needs.
pub(super) fn peek(body: &RawObject) -> Result<Peek, Fault> {
    checks::check_types(body, TYPED)?;
    check_turns(body)?;
    let options: Option<StreamOptions> = body.get("stream_options")?;
    let older = checks::positive(body, "max_tokens")?;
    Ok(Peek {
        model: body.get("model")?,
        provider: checks::provider(body)?,
        project: body.get("project")?,
        strict: body.get("strict")?.unwrap_or(false),
        stream: body.get("stream")?.unwrap_or(false),
        include_usage: options.and_then(|options| options.include_usage).unwrap_or(false),
        max_output: checks::positive(body, "max_completion_tokens")?.or(older),
    })
}

/// `messages` is an array of objects with known roles, one of them a user's.
fn check_turns(body: &RawObject) -> Result<(), Fault> {
    let messages = |why: &str| Fault::malformed("messages".to_owned(), why);
    let Some(text) = body.members().find_map(|(key, text)| (key == "messages").then_some(text)) else {
        return Err(messages("'messages' is missing"));
    };
    let mut scanner = Scanner::again(text);
    if scanner.peek() != Some(b'[') {
        return Err(messages("'messages' must be an array"));
    }
    let (mut turns, mut asked) = (0, false);
    scanner.each_element(|scanner| {
        asked |= role(scanner, turns)? == "user";
        turns += 1;
        Ok::<(), Fault>(())
    })?;
    match (turns, asked) {
        (0, _) => Err(messages("'messages' must not be empty")),
        (_, false) => Err(messages("'messages' must contain at least one user message")),
        _ => Ok(()),
    }
}

/// Takes one turn and yields its role.
fn role(scanner: &mut Scanner<'_>, turn: usize) -> Result<&'static str, Fault> {
    let at = || format!("messages.{turn}");
    if scanner.peek() != Some(b'{') {
        return Err(Fault::malformed(at(), format!("'{}' must be an object", at())));
    }
    let mut found = None;
    scanner.each_member(|scanner, key| {
        let value = scanner.value(u32::MAX)?;
        if key.text == b"role" {
            found = Some(checks::role(value, ROLES, &at())?);
        }
        Ok::<(), Fault>(())
    })?;
    found.ok_or_else(|| Fault::malformed(format!("{}.role", at()), format!("'{}.role' is missing", at())))
}
