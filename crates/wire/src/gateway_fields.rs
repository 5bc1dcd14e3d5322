//! Fields of a body that are the gateway's own, in whatever dialect the rest is: `project`, `strict` and a provider by
//! name. An object `provider` is OpenRouter's, and none of our business.

use crate::dialect::Peek;
use crate::fault::Fault;
use crate::raw::RawObject;

/// Their names; `provider` only as a string.
const OURS: [&str; 3] = ["project", "strict", "provider"];

/// What the body says about routing; the rest of the peek is empty.
pub(crate) fn peek(body: &RawObject) -> Result<Peek, Fault> {
    Ok(Peek {
        provider: if is_ours(body, "provider") { body.get("provider")? } else { None },
        project: body.get("project")?,
        strict: body.get("strict")?.unwrap_or(false),
        ..Peek::default()
    })
}

/// Whether the gateway alone understands this field.
pub(crate) fn is_ours(body: &RawObject, key: &str) -> bool {
    OURS.contains(&key) && !(key == "provider" && body.raw(key).is_some_and(|text| text.starts_with('{')))
}

/// Takes out what only the gateway understands.
pub(crate) fn strip(body: &mut RawObject) {
    for key in OURS {
        if is_ours(body, key) {
            body.remove(key);
        }
    }
}
