//! What is looked at in every request, carried ones too: the types of the top level, and the roles of the turns.
//!
//! The turns are not decoded. Anything deeper is the upstream's to judge when the request is carried.

use crate::dialect::Peek;
use crate::fault::Fault;
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

#[derive(Clone, Copy)]
enum Type {
    /// From, to.
    Number(f64, f64),
    Positive,
    Bool,
}

/// Checks the top level and the roles, and reads what routing needs.
pub(super) fn peek(body: &RawObject) -> Result<Peek, Fault> {
    for (key, text) in body.members() {
        if let Some((_, expected)) = TYPED.iter().find(|(name, _)| *name == key) {
            expected.check(key, text)?;
        }
    }
    check_turns(body)?;
    let options: Option<StreamOptions> = body.get("stream_options")?;
    let older = positive(body, "max_tokens")?;
    Ok(Peek {
        model: body.get("model")?,
        provider: provider(body)?,
        project: body.get("project")?,
        strict: body.get("strict")?.unwrap_or(false),
        stream: body.get("stream")?.unwrap_or(false),
        include_usage: options.and_then(|options| options.include_usage).unwrap_or(false),
        max_output: positive(body, "max_completion_tokens")?.or(older),
    })
}

/// A provider by name; an object of that name is OpenRouter's and none of our business.
fn provider(body: &RawObject) -> Result<Option<String>, Fault> {
    match body.raw("provider") {
        Some(text) if text.starts_with('{') => Ok(None),
        _ => body.get("provider"),
    }
}

/// An integer of at least 1.
fn positive(body: &RawObject, key: &str) -> Result<Option<u64>, Fault> {
    match body.get(key)? {
        Some(0) => Err(Fault::malformed(key.to_owned(), format!("'{key}' must be at least 1"))),
        number => Ok(number),
    }
}

impl Type {
    fn check(self, key: &str, text: &[u8]) -> Result<(), Fault> {
        let refusal = |why: String| Err(Fault::malformed(key.to_owned(), format!("'{key}' must be {why}")));
        match self {
            Type::Bool => crate::raw::decode_at::<Option<bool>>(key, text).map(drop),
            Type::Positive => match crate::raw::decode_at::<Option<u64>>(key, text)? {
                Some(0) => refusal("at least 1".to_owned()),
                _ => Ok(()),
            },
            Type::Number(from, to) => match crate::raw::decode_at::<Option<f64>>(key, text)? {
                Some(number) if !(from..=to).contains(&number) => refusal(format!("between {from} and {to}")),
                _ => Ok(()),
            },
        }
    }
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
            found = Some(known_role(value).ok_or_else(|| unknown_role(&at(), value))?);
        }
        Ok::<(), Fault>(())
    })?;
    found.ok_or_else(|| Fault::malformed(format!("{}.role", at()), format!("'{}.role' is missing", at())))
}

fn known_role(text: &[u8]) -> Option<&'static str> {
    let plain = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let is = |role: &&&str| plain == Some(role.as_bytes());
    ROLES.iter().find(is).copied()
}

fn unknown_role(turn: &str, text: &[u8]) -> Fault {
    let shown = String::from_utf8_lossy(text);
    let shown = crate::raw::brief(&shown);
    Fault::malformed(
        format!("{turn}.role"),
        format!("'{turn}.role' is {shown}, but must be one of {}", ROLES.join(", ")),
    )
}
