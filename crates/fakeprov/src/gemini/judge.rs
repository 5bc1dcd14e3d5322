//! Refuses what generateContent refuses, and reads the rest. Names of fields are judged in `names`, turns in `turns`,
//! tools in `tools`.

mod names;
mod tools;
mod turns;

use serde_json::Value;

use crate::ask::{Ask, Format};
use crate::http::Request;
use crate::script::Script;
use crate::wire::{Refusal, is, list, model_of_path, require};

pub(super) use names::{known, named};

/// Judges and reads a request.
pub(super) fn read(request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
    require(body.is_object(), "", "Invalid JSON payload received. Unexpected token.")?;
    let body = named(body);
    if !script.lenient {
        names::request(&body)?;
    }
    let mut ask = Ask {
        model: model_of_path(request),
        stream: request.path().ends_with(":streamGenerateContent"),
        usage: true,
        choices: 1,
        ..Ask::default()
    };
    turns::read(&body, script, &mut ask)?;
    tools::read(&body, &mut ask)?;
    let config = &body["generationConfig"];
    settings(config)?;
    thinking(&config["thinkingConfig"], &mut ask)?;
    ask.format = format(config)?;
    Ok(ask)
}

fn settings(config: &Value) -> Result<(), Refusal> {
    between(config, "temperature", 2.0)?;
    between(config, "topP", 1.0)?;
    for name in ["maxOutputTokens", "candidateCount"] {
        let counts = is(&config[name], |value| value.as_u64().is_some_and(|count| count > 0));
        require(counts, "", &format!("* GenerateContentRequest.generation_config.{name}: must be positive"))?;
    }
    let stops = list(&config["stopSequences"]);
    let few = stops.len() <= 5 && stops.iter().all(|stop| stop.as_str().is_some_and(|stop| !stop.is_empty()));
    require(
        few,
        "",
        "* GenerateContentRequest.generation_config.stop_sequences: at most 5, none of them empty",
    )
}

fn between(config: &Value, name: &str, high: f64) -> Result<(), Refusal> {
    let fits = is(&config[name], |value| value.as_f64().is_some_and(|number| (0.0..=high).contains(&number)));
    let message =
        format!("* GenerateContentRequest.generation_config.{name}: must be in the range [0.0, {high:.1}]");
    require(fits, "", &message)
}

fn thinking(config: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    let (level, budget) = (&config["thinkingLevel"], &config["thinkingBudget"]);
    let message = "You can only set only one of thinking budget and thinking level.";
    require(level.is_null() || budget.is_null(), "", message)?;
    let word = level.as_str().map(str::to_ascii_lowercase);
    let known = word.as_deref().is_none_or(|word| ["minimal", "low", "medium", "high"].contains(&word));
    require(known, "", "Invalid value at 'generation_config.thinking_config.thinking_level'")?;
    let whole = is(budget, |budget| budget.as_i64().is_some_and(|budget| budget >= -1));
    require(whole, "", "Invalid value at 'generation_config.thinking_config.thinking_budget' (TYPE_INT32)")?;
    ask.thoughtless = *budget == 0;
    Ok(())
}

fn format(config: &Value) -> Result<Format, Refusal> {
    let schemas = ["responseSchema", "responseJsonSchema"].map(|name| &config[name]);
    let schema = schemas.into_iter().find(|schema| !schema.is_null());
    let kind = config["responseMimeType"].as_str().unwrap_or("text/plain");
    let known = matches!(kind, "text/plain" | "application/json" | "text/x.enum");
    let message =
        format!("* GenerateContentRequest.generation_config.response_mime_type: '{kind}' is not allowed");
    require(known, "", &message)?;
    match schema {
        Some(schema) => {
            let json = kind != "text/plain";
            require(json, "", "response_schema is only supported with response_mime_type application/json")?;
            Ok(Format::Schema(schema.clone()))
        }
        None if kind == "application/json" => Ok(Format::Json),
        None => Ok(Format::Text),
    }
}
