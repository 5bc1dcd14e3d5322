//! Refuses what the OpenAI Chat endpoint refuses, in the order a reader meets it, and reads the rest.

mod deepseek;

use serde_json::Value;

use crate::ask::{Ask, Forced, Format, Tool, ToolResult};
use crate::http::Request;
use crate::script::Script;
use crate::wire::{Refusal, image_type, is, is_name, list, require};

/// Fields that are a gateway's own business: a provider that gets one refuses it as unknown.
const NOT_OURS: &[&str] = &["project", "strict", "x_gateway"];
const ROLES: &[&str] = &["system", "developer", "user", "assistant", "tool", "function"];

/// Judges and reads a request.
pub(super) fn read(request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
    let json = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    require(json, "content-type", "Unsupported content type: only application/json is read")?;
    require(body.is_object(), "body", "We could not parse the JSON body of your request.")?;
    require(body["model"].is_string(), "model", "you must provide a model parameter")?;
    fields(body, script.lenient)?;
    let mut ask = Ask {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"].as_bool().unwrap_or(false),
        usage: body["stream_options"]["include_usage"].as_bool().unwrap_or(false),
        choices: body["n"].as_u64().unwrap_or(1),
        ..Ask::default()
    };
    messages(body, &mut ask)?;
    if script.deepseek {
        deepseek::thoughts(list(&body["messages"]))?;
    }
    tools(body, &mut ask)?;
    ask.format = format(body)?;
    Ok(ask)
}

fn fields(body: &Value, lenient: bool) -> Result<(), Refusal> {
    for name in NOT_OURS.iter().filter(|_| !lenient) {
        require(body.get(*name).is_none(), name, &format!("Unrecognized request argument supplied: {name}"))?;
    }
    require(!body["provider"].is_string(), "provider", "Unrecognized request argument supplied: provider")?;
    require(
        is(&body["stream"], Value::is_boolean),
        "stream",
        "Invalid type for 'stream': expected a boolean",
    )?;
    let streamed = body["stream"] == true || body.get("stream_options").is_none_or(Value::is_null);
    require(
        streamed,
        "stream_options",
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    )?;
    for name in ["max_tokens", "max_completion_tokens", "n"] {
        let counts = is(&body[name], |value| value.as_u64().is_some_and(|count| count > 0));
        require(counts, name, &format!("Invalid '{name}': expected an integer of at least 1"))?;
    }
    between(body, "temperature", 0.0, 2.0)?;
    between(body, "top_p", 0.0, 1.0)
}

fn between(body: &Value, name: &str, low: f64, high: f64) -> Result<(), Refusal> {
    let fits = is(&body[name], |value| value.as_f64().is_some_and(|number| (low..=high).contains(&number)));
    require(fits, name, &format!("Invalid '{name}': expected a number from {low} to {high}"))
}

fn messages(body: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    let messages = list(&body["messages"]);
    require(
        !messages.is_empty(),
        "messages",
        "Invalid 'messages': empty array. Expected an array with minimum length 1",
    )?;
    let mut owed: Vec<String> = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let at = format!("messages[{place}]");
        let role = message["role"].as_str().unwrap_or_default();
        require(
            ROLES.contains(&role),
            &format!("{at}.role"),
            &format!("Invalid value: '{role}' is no role"),
        )?;
        if role == "tool" {
            result(message, &at, &mut owed, ask)?;
            continue;
        }
        require(
            owed.is_empty(),
            &at,
            &format!(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
             The following tool_call_ids did not have response messages: {}",
                owed.join(", ")
            ),
        )?;
        match role {
            "assistant" => owed = assistant(message, &at, ask)?,
            _ => content(role, &message["content"], &at, ask)?,
        }
    }
    require(owed.is_empty(), "messages", "the last assistant message's tool calls have no tool messages")
}

fn assistant(message: &Value, at: &str, ask: &mut Ask) -> Result<Vec<String>, Refusal> {
    ask.results.clear();
    ask.images.clear();
    let calls = list(&message["tool_calls"]);
    let says = !message["content"].is_null()
        || !message["refusal"].is_null()
        || message.get("function_call").is_some();
    require(
        says || !calls.is_empty(),
        &format!("{at}.content"),
        "an assistant message needs content or tool_calls",
    )?;
    let empty = message["tool_calls"].as_array().is_some_and(Vec::is_empty);
    require(!empty, &format!("{at}.tool_calls"), "Invalid 'tool_calls': empty array")?;
    calls.iter().map(|call| call_id(call, at)).collect()
}

fn call_id(call: &Value, at: &str) -> Result<String, Refusal> {
    let at = format!("{at}.tool_calls");
    let id = call["id"].as_str().unwrap_or_default();
    require(!id.is_empty() && id.len() <= 64, &at, "a tool call needs an id of at most 64 characters")?;
    let whole = call["function"]["arguments"].is_string() && call["function"]["name"].is_string();
    require(
        whole || call["type"] == "custom",
        &at,
        "a tool call's function needs a name and arguments as text",
    )?;
    Ok(id.to_owned())
}

fn result(message: &Value, at: &str, owed: &mut Vec<String>, ask: &mut Ask) -> Result<(), Refusal> {
    let id = message["tool_call_id"].as_str().unwrap_or_default();
    let Some(place) = owed.iter().position(|have| have == id) else {
        return Err(Refusal::field(
            at,
            format!(
                "messages with role 'tool' must be a response to a preceding message with 'tool_calls': '{id}'"
            ),
        ));
    };
    owed.remove(place);
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = parts.iter().all(|part| part["type"] == "text");
            require(text, &format!("{at}.content"), "content of a tool message may only be text")?;
            parts.iter().filter_map(|part| part["text"].as_str()).collect()
        }
        _ => return Err(Refusal::field(format!("{at}.content"), "a tool message needs content")),
    };
    ask.results.push(ToolResult { call: id.to_owned(), text, is_error: false });
    Ok(())
}

fn content(role: &str, content: &Value, at: &str, ask: &mut Ask) -> Result<(), Refusal> {
    let at = format!("{at}.content");
    let mut text = String::new();
    match content {
        Value::String(whole) => text.push_str(whole),
        Value::Array(parts) if !parts.is_empty() => {
            for part in parts {
                text.push_str(self::part(role, part, &at, ask)?);
            }
        }
        _ => {
            return Err(Refusal::field(
                at,
                "Invalid value for 'content': expected a string or a non-empty array",
            ));
        }
    }
    if role == "user" {
        ask.text = text;
    }
    Ok(())
}

/// The text of a part, its image noted.
fn part<'a>(role: &str, part: &'a Value, at: &str, ask: &mut Ask) -> Result<&'a str, Refusal> {
    match (role, part["type"].as_str().unwrap_or_default()) {
        (_, "text") => part["text"].as_str().ok_or_else(|| Refusal::field(at, "a text part needs text")),
        ("user", "image_url") => {
            ask.images.push(image(&part["image_url"]["url"], at)?);
            Ok("")
        }
        ("user", "input_audio" | "file") => Ok(""),
        (_, kind) => {
            Err(Refusal::field(at, format!("Invalid value: '{kind}' is no content type for role '{role}'")))
        }
    }
}

fn image(url: &Value, at: &str) -> Result<String, Refusal> {
    let url = url.as_str().unwrap_or_default();
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok("url".into());
    }
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let Some((kind, data)) = data else {
        return Err(Refusal::field(at, "Invalid 'image_url': expected a URL or a base64 data URL"));
    };
    require(image_type(data).is_some(), at, "the image data you provided does not represent a valid image")?;
    Ok(kind.to_owned())
}

fn tools(body: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    if let Some(tools) = body["tools"].as_array() {
        require(!tools.is_empty(), "tools", "Invalid 'tools': empty array")?;
        ask.tools = tools.iter().map(tool).collect::<Result<_, _>>()?;
    }
    ask.forced = match &body["tool_choice"] {
        Value::Null => return Ok(()),
        Value::String(word) if word == "auto" => Forced::No,
        Value::String(word) if word == "none" => Forced::Never,
        Value::String(word) if word == "required" => Forced::Any,
        choice => Forced::Named(named(choice, ask)?),
    };
    require(
        body["tools"].is_array(),
        "tool_choice",
        "'tool_choice' is only allowed when 'tools' are specified.",
    )
}

fn named(choice: &Value, ask: &Ask) -> Result<String, Refusal> {
    let kind = choice["type"].as_str().filter(|kind| matches!(*kind, "function" | "custom"));
    let name = kind.and_then(|kind| choice[kind]["name"].as_str()).unwrap_or_default();
    let known = ask.tools.iter().any(|tool| tool.name == name);
    require(known, "tool_choice", "Invalid 'tool_choice': no such function among 'tools'")?;
    Ok(name.to_owned())
}

fn tool(tool: &Value) -> Result<Tool, Refusal> {
    if tool["type"] == "custom" {
        return custom(tool);
    }
    let function = &tool["function"];
    let name = function["name"].as_str().unwrap_or_default();
    require(tool["type"] == "function", "tools", "Invalid value for 'tools': expected type 'function'")?;
    require(is_name(name, 64), "tools", "Invalid 'tools[].function.name': expected ^[a-zA-Z0-9_-]{1,64}$")?;
    require(
        is(&function["parameters"], Value::is_object),
        "tools",
        "'parameters' must be a JSON Schema object",
    )?;
    Ok(Tool { name: name.to_owned(), schema: function["parameters"].clone(), custom: false })
}

fn custom(tool: &Value) -> Result<Tool, Refusal> {
    let name = tool["custom"]["name"].as_str().unwrap_or_default();
    require(is_name(name, 64), "tools", "Invalid 'tools[].custom.name': expected ^[a-zA-Z0-9_-]{1,64}$")?;
    Ok(Tool { name: name.to_owned(), schema: Value::Null, custom: true })
}

fn format(body: &Value) -> Result<Format, Refusal> {
    let format = &body["response_format"];
    match format["type"].as_str() {
        None if format.is_null() => Ok(Format::Text),
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Json),
        Some("json_schema") => {
            let wanted = &format["json_schema"];
            let named = is_name(wanted["name"].as_str().unwrap_or_default(), 64);
            require(
                named,
                "response_format",
                "Missing required parameter: 'response_format.json_schema.name'",
            )?;
            require(
                wanted["schema"].is_object(),
                "response_format",
                "'response_format.json_schema.schema' must be an object",
            )?;
            Ok(Format::Schema(wanted["schema"].clone()))
        }
        _ => Err(Refusal::field(
            "response_format",
            "Invalid 'response_format': expected text, json_object or json_schema",
        )),
    }
}
