//! Refuses what the Responses endpoint refuses, and reads the rest. Input items are judged in `items`, tools in `tools`.

mod items;
mod tools;

use serde_json::Value;

use crate::ask::{Ask, Format};
use crate::http::Request;
use crate::script::Script;
use crate::wire::{Refusal, is, is_name, list, require, unknown};

/// Top-level fields the endpoint knows; any other is refused.
/// Source: the provider's API reference.
const FIELDS: &[&str] = &[
    "background",
    "client_metadata",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Judges and reads a request.
pub(super) fn read(request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
    let json = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    require(json, "content-type", "Unsupported content type: only application/json is read")?;
    require(body.is_object(), "body", "We could not parse the JSON body of your request.")?;
    require(body["model"].is_string(), "model", "Missing required parameter: 'model'.")?;
    if let Some(name) = unknown(body, FIELDS).filter(|_| !script.lenient) {
        return Err(Refusal::field(name, format!("Unknown parameter: '{name}'.")));
    }
    settings(body)?;
    let include = list(&body["include"]);
    let mut ask = Ask {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"] == true,
        usage: true,
        choices: 1,
        thoughtless: body["reasoning"]["effort"] == "none",
        encrypted: include.iter().any(|word| word == "reasoning.encrypted_content"),
        echo: body.clone(),
        ..Ask::default()
    };
    items::read(body, script, &mut ask)?;
    tools::read(body, &mut ask)?;
    ask.format = format(body)?;
    Ok(ask)
}

fn settings(body: &Value) -> Result<(), Refusal> {
    for name in ["stream", "store", "background", "parallel_tool_calls"] {
        let fits = is(&body[name], Value::is_boolean);
        require(fits, name, &format!("Invalid type for '{name}': expected a boolean"))?;
    }
    let enough = is(&body["max_output_tokens"], |value| value.as_u64().is_some_and(|count| count >= 16));
    require(
        enough,
        "max_output_tokens",
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.",
    )?;
    between(body, "temperature", 2.0)?;
    between(body, "top_p", 1.0)?;
    let streamed = body["stream"] == true || body["stream_options"].is_null();
    let only = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
    require(streamed, "stream_options", only)?;
    let stranger = unknown(&body["stream_options"], &["include_obfuscation"]);
    if let Some(name) = stranger {
        return Err(Refusal::field("stream_options", format!("Unknown parameter: 'stream_options.{name}'.")));
    }
    let effort = is(&body["reasoning"]["effort"], |word| EFFORTS.iter().any(|known| word == known));
    require(effort, "reasoning.effort", "Invalid value for 'reasoning.effort'")?;
    let summary = is(&body["reasoning"]["summary"], |word| {
        ["auto", "concise", "detailed"].iter().any(|known| word == known)
    });
    require(summary, "reasoning.summary", "Invalid value for 'reasoning.summary'")?;
    before(body)
}

/// An earlier response must be one of ours, though nothing of it is remembered.
fn before(body: &Value) -> Result<(), Refusal> {
    let Some(id) = body["previous_response_id"].as_str() else { return Ok(()) };
    let ours = id.starts_with(&format!("resp_{}", super::OURS));
    require(ours, "previous_response_id", &format!("Previous response with id '{id}' not found."))
}

fn between(body: &Value, name: &str, high: f64) -> Result<(), Refusal> {
    let fits = is(&body[name], |value| value.as_f64().is_some_and(|number| (0.0..=high).contains(&number)));
    require(fits, name, &format!("Invalid '{name}': expected a number from 0 to {high}"))
}

fn format(body: &Value) -> Result<Format, Refusal> {
    let text = &body["text"];
    if let Some(name) = unknown(text, &["format", "verbosity"]) {
        return Err(Refusal::field("text", format!("Unknown parameter: 'text.{name}'.")));
    }
    let format = &text["format"];
    match format["type"].as_str() {
        None if format.is_null() => Ok(Format::Text),
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Json),
        Some("json_schema") => {
            let named = is_name(format["name"].as_str().unwrap_or_default(), 64);
            require(named, "text.format.name", "Missing required parameter: 'text.format.name'.")?;
            let whole = format["schema"].is_object();
            require(whole, "text.format.schema", "Missing required parameter: 'text.format.schema'.")?;
            tools::strict(format["strict"] == true, &format["schema"], "text.format.schema")?;
            Ok(Format::Schema(format["schema"].clone()))
        }
        _ => Err(Refusal::field(
            "text.format.type",
            "Invalid value: expected text, json_object or json_schema",
        )),
    }
}
