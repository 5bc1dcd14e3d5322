//! Checks of top-level fields that are alike in OpenAI's APIs.

use crate::fault::Fault;
use crate::raw::RawObject;

/// What a field must be when it is there.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    /// From, to.
    Number(f64, f64),
    Bool,
}

/// A provider by name; an object of that name is OpenRouter's and none of our business.
pub(crate) fn provider(body: &RawObject) -> Result<Option<String>, Fault> {
    match body.raw("provider") {
        Some(text) if text.starts_with('{') => Ok(None),
        _ => body.get("provider"),
    }
}

/// An integer of at least 1.
pub(crate) fn positive(body: &RawObject, key: &str) -> Result<Option<u64>, Fault> {
    match body.get(key)? {
        Some(0) => Err(Fault::malformed(key.to_owned(), format!("'{key}' must be at least 1"))),
        number => Ok(number),
    }
}

impl Type {
    /// Refuses a value of another type or outside its range.
    pub(crate) fn check(self, key: &str, text: &[u8]) -> Result<(), Fault> {
        let refusal = |why: String| Err(Fault::malformed(key.to_owned(), format!("'{key}' must be {why}")));
        match self {
            Type::Bool => crate::raw::decode_at::<Option<bool>>(key, text).map(drop),
            Type::Number(from, to) => match crate::raw::decode_at::<Option<f64>>(key, text)? {
                Some(number) if !(from..=to).contains(&number) => refusal(format!("between {from} and {to}")),
                _ => Ok(()),
            },
        }
    }
}

/// The members of `body` that `table` names are of their types.
pub(crate) fn check_types(body: &RawObject, table: &[(&str, Type)]) -> Result<(), Fault> {
    for (key, text) in body.members() {
        if let Some((_, expected)) = table.iter().find(|(name, _)| *name == key) {
            expected.check(key, text)?;
        }
    }
    Ok(())
}

/// The role in `text`, one of `roles`; `turn` is where it stands.
pub(crate) fn role(text: &[u8], roles: &'static [&'static str], turn: &str) -> Result<&'static str, Fault> {
    let plain = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let known = roles.iter().find(|role| plain == Some(role.as_bytes())).copied();
    known.ok_or_else(|| {
        let shown = String::from_utf8_lossy(text);
        let shown = crate::raw::brief(&shown);
        let why = format!("'{turn}.role' is {shown}, but must be one of {}", roles.join(", "));
        Fault::malformed(format!("{turn}.role"), why)
    })
}
