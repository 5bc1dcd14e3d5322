//! `/api/embed`: texts to vectors.
//! Source: Ollama's docs/api.md, "Generate Embeddings", read 2026-11-25.

use serde_json::{Value, json};

use crate::http::Request;
use crate::wire::{Refusal, require};
use crate::{tokens, vector};

/// The vectors of the texts in `input`.
pub(crate) fn embed(_request: &Request, body: &Value) -> Result<Value, Refusal> {
    require(body["model"].is_string(), "model", "model is required")?;
    let texts: Vec<&str> = match &body["input"] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    require(!texts.is_empty(), "input", "invalid input type")?;
    let length = body["dimensions"].as_u64().and_then(|length| usize::try_from(length).ok());
    let vectors: Vec<Vec<f32>> = texts.iter().map(|text| vector::of(text, length)).collect();
    let spent: usize = texts.iter().map(|text| tokens::count(&json!(text)).max(1)).sum();
    Ok(
        json!({"model": body["model"], "embeddings": vectors, "total_duration": 14_143_917, "prompt_eval_count": spent}),
    )
}
