//! As the Gemini API lists models: pages by token, names below `models/`.
//!
//! Source: <https://ai.google.dev/api/models>, read 2026-11-25.

use serde_json::{Map, Value, json};
use wire::{Fault, Operation};

use super::Listed;
use super::page::{Query, position};

/// Models on a page when the client does not say, and at most.
const USUAL: usize = 50;
const MOST: usize = 1000;

/// A page. Its token is the id of the last model on the page before.
pub(super) fn list(models: &[Listed], query: Option<&str>) -> Result<Value, Fault> {
    let query = Query::of(query);
    let size = query.number("pageSize", 0..=usize::MAX)?.filter(|size| *size > 0).unwrap_or(USUAL).min(MOST);
    let from = match query.text("pageToken") {
        Some(id) => position(models, "pageToken", &id)? + 1,
        None => 0,
    };
    let to = models.len().min(from + size);
    let mut answer = Map::new();
    answer.insert("models".to_owned(), models[from..to].iter().map(one).collect());
    if let Some(last) = models[from..to].last().filter(|_| to < models.len()) {
        answer.insert("nextPageToken".to_owned(), Value::from(last.id.as_str()));
    }
    Ok(answer.into())
}

pub(super) fn one(listed: &Listed) -> Value {
    let model = &listed.model;
    let mut row = json!({
        "name": format!("models/{}", listed.id),
        "version": "001",
        "displayName": model.name,
        "description": format!("{} at {}", model.name, listed.provider.name),
        "supportedGenerationMethods": methods(model.made_for),
    });
    if let Some(tokens) = model.context {
        row["inputTokenLimit"] = tokens.into();
    }
    if let Some(tokens) = model.max_output {
        row["outputTokenLimit"] = tokens.into();
    }
    row
}

fn methods(made_for: Operation) -> &'static [&'static str] {
    match made_for {
        Operation::Embed | Operation::EmbedOne => &["embedContent", "batchEmbedContents"],
        Operation::Complete => &[],
        Operation::Chat | Operation::CountTokens => {
            &["generateContent", "streamGenerateContent", "countTokens"]
        }
    }
}
