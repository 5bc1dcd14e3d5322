//! As Anthropic lists models: pages between two ids.
//!
//! Source: <https://docs.anthropic.com/en/api/models-list>, read 2026-11-25.

use serde_json::{Value, json};
use wire::Fault;

use super::Listed;
use super::page::{Query, position};

/// Models on a page when the client does not say, and at most.
const USUAL: usize = 20;
const MOST: usize = 1000;

/// What the documentation gives for models whose day of release is not known.
const UNKNOWN_DAY: &str = "1970-01-01T00:00:00Z";

/// The page after `after_id`, or the one before `before_id`.
pub(super) fn list(models: &[Listed], query: Option<&str>) -> Result<Value, Fault> {
    let query = Query::of(query);
    let size = query.number("limit", 1..=MOST)?.unwrap_or(USUAL);
    let (from, to) = match (query.text("after_id"), query.text("before_id")) {
        (Some(_), Some(_)) => {
            let why = "'after_id' and 'before_id' exclude each other";
            return Err(Fault::malformed("after_id".to_owned(), why));
        }
        (Some(id), None) => {
            let from = position(models, "after_id", &id)? + 1;
            (from, models.len().min(from + size))
        }
        (None, Some(id)) => {
            let to = position(models, "before_id", &id)?;
            (to.saturating_sub(size), to)
        }
        (None, None) => (0, models.len().min(size)),
    };
    let has_more = if query.text("before_id").is_some() { from > 0 } else { to < models.len() };
    let page = &models[from..to];
    Ok(json!({
        "data": page.iter().map(one).collect::<Vec<Value>>(),
        "has_more": has_more,
        "first_id": page.first().map(|listed| &listed.id),
        "last_id": page.last().map(|listed| &listed.id),
    }))
}

pub(super) fn one(listed: &Listed) -> Value {
    json!({
        "type": "model",
        "id": listed.id,
        "display_name": listed.model.name,
        "created_at": UNKNOWN_DAY,
    })
}
