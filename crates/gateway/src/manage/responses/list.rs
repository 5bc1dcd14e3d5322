//! The items of a turn's input, a page at a time.

use serde_json::{Map, Value, json};
use store::StoredResponse;
use wire::Fault;

use super::parameter;

/// Items of a page, unless the query says how many; and at most.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// Beginnings of ids by kind of item, as OpenAI has them.
const PREFIXES: [(&str, &str); 5] = [
    ("message", "msg"),
    ("function_call", "fc"),
    ("function_call_output", "fco"),
    ("custom_tool_call", "ctc"),
    ("reasoning", "rs"),
];

/// The page that a query asks for.
///
/// # Errors
/// `Malformed`: a parameter makes no sense.
pub(super) fn page(of: &StoredResponse, query: Option<&str>) -> Result<Value, Fault> {
    let mut items = items(of);
    match parameter(query, "order").as_deref() {
        None | Some("desc") => items.reverse(),
        Some("asc") => {}
        Some(_) => return Err(invalid("order", "must be 'asc' or 'desc'")),
    }
    let begin = match parameter(query, "after").filter(|after| !after.is_empty()) {
        None => 0,
        Some(after) => {
            let at = items.iter().position(|item| item["id"] == after.as_str());
            at.ok_or_else(|| invalid("after", "is the id of no item of this list"))? + 1
        }
    };
    let limit = limit(query)?;
    let has_more = items.len() - begin > limit;
    let data: Vec<Value> = items.into_iter().skip(begin).take(limit).collect();
    let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
    let (first, last) = (id(data.first()), id(data.last()));
    Ok(json!({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more}))
}

fn limit(query: Option<&str>) -> Result<usize, Fault> {
    let Some(text) = parameter(query, "limit") else { return Ok(PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    limit.ok_or_else(|| invalid("limit", "must be a number from 1 to 100"))
}

fn invalid(parameter: &str, what: &str) -> Fault {
    Fault::malformed(parameter.to_owned(), format!("'{parameter}' {what}"))
}

/// All items in the order in which they were sent, each with what clients expect of one.
fn items(of: &StoredResponse) -> Vec<Value> {
    let items: Vec<Map<String, Value>> = serde_json::from_str(&of.input).unwrap_or_default();
    let id = of.at.id.strip_prefix("resp_").unwrap_or(&of.at.id);
    items.into_iter().enumerate().map(|(place, item)| listed(item, id, place).into()).collect()
}

/// An item with type, id and, where it is a message, its content in parts. An id that is given here says where the item
/// stands, and so stays the same.
fn listed(mut item: Map<String, Value>, response: &str, place: usize) -> Map<String, Value> {
    let kind = item.entry("type").or_insert_with(|| "message".into()).clone();
    if item.get("id").is_none_or(Value::is_null) {
        let prefix = PREFIXES.iter().find(|(name, _)| kind == *name).map_or("item", |(_, prefix)| prefix);
        item.insert("id".to_owned(), format!("{prefix}_{response}_{place}").into());
    }
    if kind == "message" {
        item.entry("status").or_insert_with(|| "completed".into());
        if let Some(Value::String(text)) = item.get("content") {
            let part = match item.get("role").and_then(Value::as_str) {
                Some("assistant") => json!({"type": "output_text", "text": text, "annotations": []}),
                _ => json!({"type": "input_text", "text": text}),
            };
            item.insert("content".to_owned(), json!([part]));
        }
    }
    item
}
