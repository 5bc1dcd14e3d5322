//! Tools on offer and the choice among them, on the Responses wire.

use serde_json::Value;

use crate::ask::{Ask, Forced, Tool};
use crate::wire::{Refusal, is, is_name, list, require, unknown};

const FUNCTION: &[&str] = &["type", "name", "description", "parameters", "strict", "defer_loading"];
const CUSTOM: &[&str] = &["type", "name", "description", "format", "defer_loading"];

/// Judges the tools and reads those that a script may call. Built-in tools are passed over.
pub(super) fn read(body: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    for (place, tool) in list(&body["tools"]).iter().enumerate() {
        let at = format!("tools[{place}]");
        match tool["type"].as_str() {
            Some("function") => ask.tools.push(function(tool, &at)?),
            Some("custom") => ask.tools.push(custom(tool, &at)?),
            Some(_) => {}
            None => return Err(Refusal::field(&at, format!("Missing required parameter: '{at}.type'."))),
        }
    }
    ask.forced = forced(&body["tool_choice"], ask)?;
    Ok(())
}

fn function(tool: &Value, at: &str) -> Result<Tool, Refusal> {
    let name = name(tool, at, FUNCTION)?;
    let schema = is(&tool["parameters"], Value::is_object) && tool.get("parameters").is_some();
    require(schema, &format!("{at}.parameters"), &format!("Missing required parameter: '{at}.parameters'."))?;
    strict(tool["strict"] == true, &tool["parameters"], &format!("{at}.parameters"))?;
    Ok(Tool { name, schema: tool["parameters"].clone(), custom: false })
}

fn custom(tool: &Value, at: &str) -> Result<Tool, Refusal> {
    Ok(Tool { name: name(tool, at, CUSTOM)?, schema: Value::Null, custom: true })
}

fn name(tool: &Value, at: &str, fields: &[&str]) -> Result<String, Refusal> {
    if let Some(name) = unknown(tool, fields) {
        return Err(Refusal::field(format!("{at}.{name}"), format!("Unknown parameter: '{at}.{name}'.")));
    }
    let Some(name) = tool["name"].as_str() else {
        return Err(Refusal::field(
            format!("{at}.name"),
            format!("Missing required parameter: '{at}.name'."),
        ));
    };
    let pattern =
        "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.";
    require(is_name(name, 64), &format!("{at}.name"), &format!("Invalid '{at}.name': {pattern}"))?;
    Ok(name.to_owned())
}

/// What a strict schema must be: closed, with every property required, all the way down.
pub(super) fn strict(strict: bool, schema: &Value, at: &str) -> Result<(), Refusal> {
    if !strict || !schema.is_object() {
        return Ok(());
    }
    if let Some(properties) = schema["properties"].as_object() {
        let closed = schema["additionalProperties"] == false;
        let why = "'additionalProperties' is required to be supplied and to be false.";
        require(closed, at, &format!("Invalid schema: In context=(), {why}"))?;
        let required = list(&schema["required"]);
        let all = properties.keys().all(|name| required.iter().any(|have| have == name));
        let why =
            "'required' is required to be supplied and to be an array including every key in properties.";
        require(all, at, &format!("Invalid schema: In context=(), {why}"))?;
    }
    let inner = schema["properties"].as_object().into_iter().flatten().map(|(_, inner)| inner);
    inner.chain([&schema["items"]]).try_for_each(|inner| self::strict(true, inner, at))
}

fn forced(choice: &Value, ask: &Ask) -> Result<Forced, Refusal> {
    let forced = match (choice.as_str(), choice["type"].as_str()) {
        _ if choice.is_null() => return Ok(Forced::No),
        (Some("auto"), _) => return Ok(Forced::No),
        (Some("none"), _) => return Ok(Forced::Never),
        (Some("required"), _) => Forced::Any,
        (_, Some("function" | "custom")) => Forced::Named(named(choice, ask)?),
        (_, Some("allowed_tools")) => {
            list(&choice["tools"]).iter().try_for_each(|tool| named(tool, ask).map(|_| ()))?;
            if choice["mode"] == "required" { Forced::Any } else { Forced::No }
        }
        (_, Some(_)) => Forced::No,
        _ => return Err(Refusal::field("tool_choice", "Invalid value for 'tool_choice'.")),
    };
    let any = !list(&ask.echo["tools"]).is_empty();
    require(any, "tool_choice", "Tool choice 'required' must be specified with 'tools' parameter.")?;
    Ok(forced)
}

fn named(choice: &Value, ask: &Ask) -> Result<String, Refusal> {
    let name = choice["name"].as_str().unwrap_or_default();
    let known = ask.tools.iter().any(|tool| tool.name == name);
    require(known, "tool_choice", &format!("Tool choice '{name}' not found in 'tools' parameter."))?;
    Ok(name.to_owned())
}
