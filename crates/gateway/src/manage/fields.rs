//! Fields of the bodies that vault and keys take, by the same rules for all.

use store::Secret;
use wire::{Fault, RawObject};

/// Characters of a name.
const NAME_LIMIT: usize = 128;
pub(super) const REQUIRED: &str = "is required and must not be empty";

/// A name, trimmed; `None` if it is absent or empty.
pub(super) fn optional_name(body: &RawObject, field: &'static str) -> Result<Option<String>, Fault> {
    trimmed(field, body.get(field)?)
}

/// The same, of a field that was read already.
pub(super) fn trimmed(field: &'static str, value: Option<String>) -> Result<Option<String>, Fault> {
    let value = value.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    value.map(|text| name(field, text)).transpose()
}

/// A text that may be kept as a name.
pub(super) fn name(field: &str, text: String) -> Result<String, Fault> {
    let fits = text.chars().count() <= NAME_LIMIT && !text.chars().any(char::is_control);
    fits.then_some(text)
        .ok_or_else(|| invalid(field, "must be at most 128 characters without control characters"))
}

/// A secret, as it was sent; empty if it is absent.
pub(super) fn secret(body: &RawObject, field: &'static str) -> Result<Secret, Fault> {
    Ok(Secret::new(body.get::<String>(field)?.unwrap_or_default()))
}

/// The field is to blame.
pub(super) fn invalid(field: &str, why: &str) -> Fault {
    Fault::malformed(field.to_owned(), format!("{field} {why}"))
}

/// A row's number in a path.
pub(super) fn id(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| invalid("id", "must be a number"))
}
