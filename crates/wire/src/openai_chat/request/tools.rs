//! Tools and the choice among them, decoded and encoded.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::chat::{CacheMark, Loss, Profile, Tool, ToolChoice, ToolKind};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::openai_chat::shape::{self, out};
use crate::raw::{RawObject, decode_at};

const THIS: Dialect = Dialect::OpenAiChat;

/// Names of built-in search tools hold this, and so does the loss.
const WEB_SEARCH: &str = "web_search";

/// What web search is asked for by, beside the tools.
const SEARCH_OPTIONS: &str = "web_search_options";

/// `tools`, the older `functions`, and web search.
pub(super) fn decode(body: &RawObject) -> Result<Vec<Tool>, Fault> {
    let given: Vec<&RawValue> = body.get("tools")?.unwrap_or_default();
    let mut tools = Vec::with_capacity(given.len());
    for (index, text) in given.into_iter().enumerate() {
        tools.push(tool(text, &format!("tools.{index}"))?);
    }
    let older: Vec<shape::Function> = body.get("functions")?.unwrap_or_default();
    tools.extend(older.into_iter().map(|older| function(older, None)));
    let search: Option<Value> = body.get(SEARCH_OPTIONS)?;
    tools.extend(search.map(|options| other(WEB_SEARCH, json!({ SEARCH_OPTIONS: options }), None)));
    Ok(tools)
}

fn tool(text: &RawValue, at: &str) -> Result<Tool, Fault> {
    let text = text.get();
    let head: shape::ToolHead = decode_at(at, text)?;
    let cache = head.cache_control.map(|mark| CacheMark { ttl: mark.ttl });
    match head.kind.as_deref() {
        None | Some("function") => {
            let shape::FunctionTool { function: given } = decode_at(at, text)?;
            Ok(function(given, cache))
        }
        Some(kind) => Ok(other(kind, decode_at(at, text)?, cache)),
    }
}

fn function(given: shape::Function, cache: Option<CacheMark>) -> Tool {
    let shape::Function { name, description, parameters, strict } = given;
    Tool { name, description, kind: ToolKind::Function, parameters, strict, cache, raw: None }
}

/// A free-text tool, or one that the provider runs.
fn other(kind: &str, raw: Value, cache: Option<CacheMark>) -> Tool {
    let text = |pointer| raw.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (name, description, kind) = match (kind, text("/custom/name")) {
        ("custom", Some(name)) => (name, text("/custom/description"), ToolKind::Custom),
        _ => (kind.to_owned(), None, ToolKind::BuiltIn),
    };
    Tool { name, description, kind, parameters: None, strict: None, cache, raw: Some((THIS, raw)) }
}

/// `tool_choice`, and the older `function_call`.
pub(super) fn decode_choice(body: &RawObject) -> Result<Option<ToolChoice>, Fault> {
    for key in ["tool_choice", "function_call"] {
        if let Some(value) = body.get::<Value>(key)? {
            let unknown = || Fault::malformed(key.to_owned(), format!("'{key}' is no choice that is known"));
            return choice(&value).map(Some).ok_or_else(unknown);
        }
    }
    Ok(None)
}

fn choice(value: &Value) -> Option<ToolChoice> {
    let name_in = |value: &Value| {
        let names = ["/function/name", "/custom/name", "/name"];
        names.iter().find_map(|name| value.pointer(name)).and_then(Value::as_str).map(str::to_owned)
    };
    match value {
        Value::String(word) => match word.as_str() {
            "auto" => Some(ToolChoice::Auto),
            "none" => Some(ToolChoice::None),
            // Mistral's word for the same.
            "required" | "any" => Some(ToolChoice::Any),
            _ => None,
        },
        Value::Object(object) if object.get("type").is_some_and(|kind| kind == "allowed_tools") => {
            let allowed = object.get("allowed_tools").unwrap_or(value);
            let tools = allowed.get("tools")?.as_array()?;
            let must = allowed.get("mode").is_some_and(|mode| mode == "required");
            Some(ToolChoice::Some { names: tools.iter().filter_map(name_in).collect(), must })
        }
        _ => name_in(value).map(ToolChoice::One),
    }
}

/// Web search, where it is asked for and the server can be: with the options that a client of this dialect gave.
pub(super) fn search<'a>(tools: &'a [Tool], profile: &Profile) -> Option<Cow<'a, Value>> {
    let own = tools.iter().find_map(own_search).map(Cow::Borrowed);
    let asked = || tools.iter().any(|tool| is_search(tool) && !is_own(tool));
    own.or_else(|| (profile.web_search_options && asked()).then(|| Cow::Owned(json!({}))))
}

fn is_search(tool: &Tool) -> bool {
    tool.kind == ToolKind::BuiltIn && tool.name.contains(WEB_SEARCH)
}

fn is_own(tool: &Tool) -> bool {
    matches!(tool.raw, Some((THIS, _)))
}

/// The options of a search that was asked for in this dialect.
fn own_search(tool: &Tool) -> Option<&Value> {
    match &tool.raw {
        Some((THIS, raw)) => raw.get(SEARCH_OPTIONS),
        _ => None,
    }
}

/// The definitions for this wire. Of the tools that another dialect's provider runs none can be said among them: a search
/// stands elsewhere ([`search`]) or is left out, since the model can answer without it, and others are refused.
pub(super) fn encode<'a>(
    tools: &'a [Tool],
    profile: &Profile,
    aliases: &'a HashMap<String, String>,
    losses: &mut Vec<Loss>,
) -> Result<Vec<out::Tool<'a>>, Fault> {
    if !tools.is_empty() && !profile.abilities.tools {
        return Err(unsupported("tools".to_owned(), profile, "tools".to_owned()));
    }
    let mut written = Vec::with_capacity(tools.len());
    for (index, tool) in tools.iter().enumerate() {
        let at = format!("tools.{index}");
        written.push(match (&tool.raw, tool.kind) {
            _ if own_search(tool).is_some() => continue,
            (Some((THIS, raw)), _) => out::Tool::Raw(raw),
            _ if is_search(tool) => {
                losses.push(Loss::at(WEB_SEARCH, at));
                continue;
            }
            (_, ToolKind::BuiltIn) => {
                return Err(unsupported(format!("the built-in tool '{}'", tool.name), profile, at));
            }
            (raw, ToolKind::Custom) => {
                if raw.as_ref().is_some_and(|(_, raw)| raw.pointer("/format/syntax").is_some()) {
                    losses.push(Loss::at("custom_format", at));
                }
                let name = aliases.get(&tool.name).unwrap_or(&tool.name);
                out::Tool::Custom {
                    kind: "custom",
                    custom: out::Custom { name, description: tool.description.as_deref() },
                }
            }
            (_, ToolKind::Function) => {
                out::Tool::Function { kind: "function", function: definition(tool, aliases) }
            }
        });
    }
    Ok(written)
}

fn definition<'a>(tool: &'a Tool, aliases: &'a HashMap<String, String>) -> out::Function<'a> {
    out::Function {
        name: aliases.get(&tool.name).unwrap_or(&tool.name),
        description: tool.description.as_deref(),
        parameters: tool.parameters.as_deref(),
        strict: tool.strict,
    }
}

/// The choice in this wire's words.
pub(super) fn encode_choice(choice: &ToolChoice, aliases: &HashMap<String, String>) -> Value {
    let named = |name: &String| {
        let name = aliases.get(name).unwrap_or(name);
        json!({"type": "function", "function": {"name": name}})
    };
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Any => json!("required"),
        ToolChoice::One(name) => named(name),
        ToolChoice::Some { names, must } => {
            let mode = if *must { "required" } else { "auto" };
            let tools: Vec<Value> = names.iter().map(named).collect();
            json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
        }
    }
}

pub(super) fn unsupported(what: String, profile: &Profile, at: String) -> Fault {
    Fault::Unsupported { what, by: profile.model.to_string(), at: Some(at) }
}
