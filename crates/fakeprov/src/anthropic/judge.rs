//! Refuses what the Messages endpoint refuses, and reads the rest. The turns are judged in `turns`.

mod turns;

use serde_json::Value;

use crate::ask::{Ask, Forced, Format, Tool};
use crate::http::Request;
use crate::script::Script;
use crate::wire::{Refusal, is_name, require};

/// Top-level fields the endpoint knows, betas included; any other is refused.
/// Source: the provider's API reference.
const FIELDS: &[&str] = &[
    "model",
    "messages",
    "max_tokens",
    "system",
    "metadata",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
    "tools",
    "tool_choice",
    "thinking",
    "service_tier",
    "container",
    "context_management",
    "mcp_servers",
    "output_config",
    "output_format",
    "cache_control",
    "inference_geo",
    "speed",
];

/// Judges and reads a request.
pub(super) fn read(request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
    require(request.header("anthropic-version").is_some(), "", "anthropic-version: header is required")?;
    let json = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    require(json, "", "content-type: Input should be 'application/json'")?;
    require(body.is_object(), "", "The request body is not valid JSON")?;
    require(body["model"].is_string(), "", "model: Field required")?;
    require(body["max_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "", "max_tokens: Field required")?;
    let stranger =
        body.as_object().and_then(|fields| fields.keys().find(|name| !FIELDS.contains(&name.as_str())));
    if let Some(name) = stranger.filter(|_| !script.lenient) {
        return Err(Refusal::new(400, format!("{name}: Extra inputs are not permitted")));
    }
    settings(body)?;
    let mut ask = Ask {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"] == true,
        usage: true,
        choices: 1,
        thoughtless: body["thinking"]["type"] == "disabled",
        ..Ask::default()
    };
    turns::read(body, script.lenient, &mut ask)?;
    tools(body, &mut ask)?;
    ask.format = format(body)?;
    Ok(ask)
}

fn settings(body: &Value) -> Result<(), Refusal> {
    let absent_or = |name: &str, fits: &dyn Fn(&Value) -> bool| body.get(name).is_none_or(fits);
    require(absent_or("stream", &Value::is_boolean), "", "stream: Input should be a valid boolean")?;
    let unit = |value: &Value| value.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number));
    require(absent_or("temperature", &unit), "", "temperature: range: 0..1")?;
    require(absent_or("top_p", &unit), "", "top_p: range: 0..1")?;
    let texts = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(is_said));
    require(
        absent_or("stop_sequences", &texts),
        "",
        "stop_sequences: each stop sequence must contain non-whitespace",
    )?;
    let system = |value: &Value| value.is_string() || texts_of_blocks(value);
    require(absent_or("system", &system), "", "system: Input should be a valid string or text blocks")?;
    thinking(body)
}

fn is_said(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn texts_of_blocks(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|blocks| blocks.iter().all(|block| block["type"] == "text" && is_said(&block["text"])))
}

/// What goes with extended thinking and what does not.
fn thinking(body: &Value) -> Result<(), Refusal> {
    let thinking = &body["thinking"];
    match thinking["type"].as_str() {
        None if thinking.is_null() => return Ok(()),
        Some("disabled") => return Ok(()),
        Some("adaptive") => {}
        Some("enabled") => {
            let budget = thinking["budget_tokens"].as_u64().unwrap_or(0);
            require(
                budget >= 1024,
                "",
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            )?;
            let fits = budget < body["max_tokens"].as_u64().unwrap_or(0);
            require(fits, "", "`max_tokens` must be greater than `thinking.budget_tokens`")?;
        }
        _ => {
            return Err(Refusal::new(
                400,
                "thinking: Input tag should be 'adaptive', 'enabled' or 'disabled'",
            ));
        }
    }
    let cool = body["temperature"].as_f64().is_none_or(|temperature| temperature >= 1.0);
    require(cool, "", "`temperature` may only be set to 1 when thinking is enabled")?;
    require(body.get("top_k").is_none(), "", "`top_k` must be unset when thinking is enabled")?;
    let wide = body["top_p"].as_f64().is_none_or(|share| share >= 0.95);
    require(wide, "", "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled")?;
    // Adaptive thinking goes with a forced tool (recorded 200s); a budget does not.
    let forced =
        thinking["type"] == "enabled" && matches!(body["tool_choice"]["type"].as_str(), Some("any" | "tool"));
    require(!forced, "", "Thinking may not be enabled when tool_choice forces tool use.")
}

fn tools(body: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    let tools = body["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own = tools.iter().filter(|tool| matches!(tool["type"].as_str(), None | Some("custom")));
    ask.tools = own.enumerate().map(|(place, tool)| self::tool(place, tool)).collect::<Result<_, _>>()?;
    let choice = &body["tool_choice"];
    ask.forced = match choice["type"].as_str() {
        None if choice.is_null() => return Ok(()),
        Some("auto") => Forced::No,
        Some("none") => Forced::Never,
        Some("any") => Forced::Any,
        Some("tool") => Forced::Named(choice["name"].as_str().unwrap_or_default().to_owned()),
        _ => {
            return Err(Refusal::new(
                400,
                "tool_choice: Input tag should be 'auto', 'any', 'tool' or 'none'",
            ));
        }
    };
    require(!tools.is_empty(), "", "tool_choice: may only be specified while providing tools")?;
    let known = |name: &str| ask.tools.iter().any(|tool| tool.name == name);
    let found = if let Forced::Named(name) = &ask.forced { known(name) } else { true };
    require(found, "", "tool_choice: Tool not found in provided tools")
}

fn tool(place: usize, tool: &Value) -> Result<Tool, Refusal> {
    let name = tool["name"].as_str().unwrap_or_default();
    let at = format!("tools.{place}.custom");
    require(
        is_name(name, 128),
        "",
        &format!("{at}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"),
    )?;
    require(
        tool["input_schema"]["type"] == "object",
        "",
        &format!("{at}.input_schema.type: Field required"),
    )?;
    Ok(Tool { name: name.to_owned(), schema: tool["input_schema"].clone(), custom: false })
}

fn format(body: &Value) -> Result<Format, Refusal> {
    let format = &body["output_config"]["format"];
    if format.is_null() {
        return Ok(Format::Text);
    }
    let whole = format["type"] == "json_schema" && format["schema"].is_object();
    require(whole, "", "output_config.format: Input should be a json_schema with a schema")?;
    Ok(Format::Schema(format["schema"].clone()))
}
