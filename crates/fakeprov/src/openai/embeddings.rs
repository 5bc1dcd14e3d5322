//! The embeddings endpoint: one text, several, or tokens; as numbers or as base64.
//! Source: the provider's API reference for embeddings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::Request;
use crate::wire::{Refusal, is, require, unknown};
use crate::{tokens, vector};

const FIELDS: &[&str] = &["model", "input", "encoding_format", "dimensions", "user"];

/// Answers a request for embeddings.
pub(crate) fn embeddings(_request: &Request, body: &Value) -> Result<Value, Refusal> {
    require(body.is_object(), "body", "We could not parse the JSON body of your request.")?;
    if let Some(name) = unknown(body, FIELDS) {
        return Err(Refusal::field(name, format!("Unrecognized request argument supplied: {name}")));
    }
    let length = body["dimensions"].as_u64().and_then(|length| usize::try_from(length).ok());
    let sensible = is(&body["dimensions"], |_| length.is_some_and(|length| (1..=4096).contains(&length)));
    require(sensible, "dimensions", "Invalid 'dimensions': expected an integer of at least 1")?;
    let format = body["encoding_format"].as_str().unwrap_or("float");
    require(
        matches!(format, "float" | "base64"),
        "encoding_format",
        "Invalid 'encoding_format': expected 'float' or 'base64'",
    )?;
    let inputs = inputs(&body["input"])?;
    let row = |(index, text): (usize, &String)| {
        let vector = spelled(&vector::of(text, length), format);
        json!({"object": "embedding", "index": index, "embedding": vector})
    };
    let rows: Vec<Value> = inputs.iter().enumerate().map(row).collect();
    let spent: usize = inputs.iter().map(|text| tokens::count(&json!(text)).max(1)).sum();
    Ok(json!({
        "object": "list", "model": body["model"], "data": rows,
        "usage": {"prompt_tokens": spent, "total_tokens": spent},
    }))
}

fn spelled(vector: &[f32], format: &str) -> Value {
    if format == "float" {
        return json!(vector);
    }
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes).into()
}

/// The texts to embed; tokens count as the text of their numbers.
fn inputs(input: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::field("input", "'$.input' is invalid. Please check the API reference");
    match input {
        Value::String(text) if !text.is_empty() => Ok(vec![text.clone()]),
        Value::Array(all) if all.is_empty() || all.len() > 2048 => Err(wrong()),
        Value::Array(all) if all.iter().all(Value::is_u64) => Ok(vec![input.to_string()]),
        Value::Array(all) => all.iter().map(|one| element(one).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}

fn element(one: &Value) -> Option<String> {
    match one {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(tokens) if !tokens.is_empty() && tokens.iter().all(Value::is_u64) => {
            Some(one.to_string())
        }
        _ => None,
    }
}
