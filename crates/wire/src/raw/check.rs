//! What is looked at in every request, carried ones too: the types of the top level, and the roles of the turns.
//!
//! The turns are not decoded. Anything deeper is the upstream's to judge when the request is carried.

use super::scan::Scanner;
use super::{RawObject, brief, decode_bytes_at};
use crate::fault::Fault;

/// The type that a field must have when it is there and not null.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    /// From, to.
    Number(f64, f64),
    /// An integer of at least 1.
    Positive,
    Bool,
    /// A list of strings.
    Texts,
    List,
    Object,
}

/// Checks the fields that are in the table.
pub(crate) fn types(body: &RawObject, table: &[(&str, Type)]) -> Result<(), Fault> {
    for (key, text) in body.members() {
        if let Some((name, expected)) = table.iter().find(|(name, _)| name.as_bytes() == key) {
            expected.check(name, text)?;
        }
    }
    Ok(())
}

/// An integer of at least 1.
pub(crate) fn positive(body: &RawObject, key: &str) -> Result<Option<u64>, Fault> {
    match body.get(key)? {
        Some(0) => Err(Fault::malformed(key.to_owned(), format!("'{key}' must be at least 1"))),
        number => Ok(number),
    }
}

impl Type {
    fn check(self, key: &str, text: &[u8]) -> Result<(), Fault> {
        let refusal = |why: String| Err(Fault::malformed(key.to_owned(), format!("'{key}' must be {why}")));
        let begins = |bracket: u8| text.first() == Some(&bracket) || text == b"null";
        match self {
            Type::Bool => decode_bytes_at::<Option<bool>>(key, text).map(drop),
            Type::Texts => decode_bytes_at::<Option<Vec<TextOnly>>>(key, text).map(drop),
            Type::Positive => match decode_bytes_at::<Option<u64>>(key, text)? {
                Some(0) => refusal("at least 1".to_owned()),
                _ => Ok(()),
            },
            Type::Number(from, to) => match decode_bytes_at::<Option<f64>>(key, text)? {
                Some(number) if !(from..=to).contains(&number) => refusal(format!("between {from} and {to}")),
                _ => Ok(()),
            },
            Type::List if !begins(b'[') => refusal("an array".to_owned()),
            Type::Object if !begins(b'{') => refusal("an object".to_owned()),
            Type::List | Type::Object => Ok(()),
        }
    }
}

/// A string that is not kept.
struct TextOnly;

impl<'de> serde::Deserialize<'de> for TextOnly {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer).map(|_| TextOnly)
    }
}

/// `messages` is an array of objects with known roles, one of them a user's.
pub(crate) fn turns(body: &RawObject, roles: &[&'static str]) -> Result<(), Fault> {
    let messages = |why: &str| Fault::malformed("messages".to_owned(), why);
    let Some(text) = body.value("messages") else {
        return Err(messages("'messages' is missing"));
    };
    let mut scanner = Scanner::again(text);
    if scanner.peek() != Some(b'[') {
        return Err(messages("'messages' must be an array"));
    }
    let (mut turns, mut asked) = (0, false);
    scanner.each_element(|scanner| {
        asked |= role_of_turn(scanner, turns, roles)? == "user";
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
fn role_of_turn(
    scanner: &mut Scanner<'_>,
    turn: usize,
    roles: &[&'static str],
) -> Result<&'static str, Fault> {
    let at = || format!("messages.{turn}");
    if scanner.peek() != Some(b'{') {
        return Err(Fault::malformed(at(), format!("'{}' must be an object", at())));
    }
    let mut found = None;
    scanner.each_member(|scanner, key| {
        let value = scanner.value(u32::MAX)?;
        if key.text == b"role" {
            found = Some(role(value, roles, at)?);
        }
        Ok::<(), Fault>(())
    })?;
    found.ok_or_else(|| no_role(&at()))
}

/// The role in `text`, one of `roles`, of the turn that stands at `at`.
pub(crate) fn role(
    text: &[u8],
    roles: &[&'static str],
    at: impl Fn() -> String,
) -> Result<&'static str, Fault> {
    let plain = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let known = roles.iter().find(|role| plain == Some(role.as_bytes())).copied();
    known.ok_or_else(|| {
        let (turn, shown) = (at(), String::from_utf8_lossy(text));
        let (shown, roles) = (brief(&shown), roles.join(", "));
        let why = format!("'{turn}.role' is {shown}, but must be one of {roles}");
        Fault::malformed(format!("{turn}.role"), why)
    })
}

/// For the turn that stands at `at`.
pub(crate) fn no_role(at: &str) -> Fault {
    Fault::malformed(format!("{at}.role"), format!("'{at}.role' is missing"))
}
