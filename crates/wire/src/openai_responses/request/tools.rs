//! Tools and the choice among them, decoded and encoded.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::THIS;
use super::encode::Draft;
use crate::chat::{Tool, ToolChoice, ToolKind};
use crate::fault::Fault;
use crate::openai_responses::namespace::Namespaces;
use crate::openai_responses::shape::{self, out};
use crate::raw::{RawObject, decode_at};

/// `tools`; those of a namespace one by one.
pub(super) fn decode(body: &RawObject, namespaces: &Namespaces) -> Result<Vec<Tool>, Fault> {
    let given: Vec<&RawValue> = body.get("tools")?.unwrap_or_default();
    let mut tools = Vec::with_capacity(given.len());
    for (place, text) in given.into_iter().enumerate() {
        tool(text, &format!("tools.{place}"), namespaces, &mut tools)?;
    }
    Ok(tools)
}

/// Decodes a definition, and appends what it defines.
pub(super) fn tool(
    text: &RawValue,
    at: &str,
    namespaces: &Namespaces,
    tools: &mut Vec<Tool>,
) -> Result<(), Fault> {
    let given: shape::Tool<'_> = decode_at(at, text.get())?;
    if given.kind != "namespace" {
        tools.push(single(text, given, at)?);
        return Ok(());
    }
    let namespace = given.name.unwrap_or_default();
    for (place, text) in given.tools.into_iter().enumerate() {
        let at = format!("{at}.tools.{place}");
        let inner: shape::Tool<'_> = decode_at(&at, text.get())?;
        let mut tool = single(text, inner, &at)?;
        if tool.kind != ToolKind::BuiltIn {
            tool.name = namespaces.flat(&namespace, &tool.name);
        }
        tools.push(tool);
    }
    Ok(())
}

fn single(text: &RawValue, given: shape::Tool<'_>, at: &str) -> Result<Tool, Fault> {
    let shape::Tool { kind, name, description, parameters, strict, .. } = given;
    let raw = || decode_at(at, text.get()).map(|raw: Value| Some((THIS, raw)));
    let name = match (&*kind, name) {
        ("function" | "custom", Some(name)) => name,
        ("function" | "custom", None) => return Err(super::parts::missing(&format!("{at}.name"))),
        (kind, _) => kind.to_owned(),
    };
    let tool = Tool {
        name,
        description,
        kind: ToolKind::Function,
        parameters: None,
        strict: None,
        cache: None,
        raw: None,
    };
    Ok(match &*kind {
        "function" => Tool { parameters, strict, ..tool },
        "custom" => Tool { kind: ToolKind::Custom, raw: raw()?, ..tool },
        _ => Tool { kind: ToolKind::BuiltIn, description: None, raw: raw()?, ..tool },
    })
}

/// `tool_choice`.
pub(super) fn decode_choice(body: &RawObject, namespaces: &Namespaces) -> Result<Option<ToolChoice>, Fault> {
    let Some(value) = body.get::<Value>("tool_choice")? else { return Ok(None) };
    let unknown = || Fault::malformed("tool_choice".to_owned(), "'tool_choice' is no choice that is known");
    choice(&value, namespaces).map(Some).ok_or_else(unknown)
}

fn choice(value: &Value, namespaces: &Namespaces) -> Option<ToolChoice> {
    // A built-in tool is named by its type.
    let name_in = |tool: &Value| {
        let text = |key: &str| tool.get(key).and_then(Value::as_str);
        let name = text("name").or(text("type"))?;
        Some(text("namespace").map_or_else(|| name.to_owned(), |space| namespaces.flat(space, name)))
    };
    match value {
        Value::String(word) => match word.as_str() {
            "auto" => Some(ToolChoice::Auto),
            "none" => Some(ToolChoice::None),
            "required" => Some(ToolChoice::Any),
            _ => None,
        },
        Value::Object(object) if object.get("type").is_some_and(|kind| kind == "allowed_tools") => {
            let names = object.get("tools")?.as_array()?.iter().filter_map(name_in).collect();
            let must = object.get("mode").is_some_and(|mode| mode == "required");
            Some(ToolChoice::Some { names, must })
        }
        _ => name_in(value).map(ToolChoice::One),
    }
}

/// The definitions for this wire. Of the tools that another dialect's provider runs only web search can be said here.
pub(super) fn encode<'a>(
    tools: &'a [Tool],
    aliases: &'a HashMap<String, String>,
    draft: &mut Draft<'_>,
) -> Result<Vec<out::Tool<'a>>, Fault> {
    if !tools.is_empty() && !draft.profile.abilities.tools {
        return Err(draft.unsupported("tools", "tools"));
    }
    let mut written = Vec::with_capacity(tools.len());
    for (place, tool) in tools.iter().enumerate() {
        written.push(definition(tool, &format!("tools.{place}"), aliases, draft)?);
    }
    Ok(written)
}

fn definition<'a>(
    tool: &'a Tool,
    at: &str,
    aliases: &'a HashMap<String, String>,
    draft: &mut Draft<'_>,
) -> Result<out::Tool<'a>, Fault> {
    let name = aliases.get(&tool.name).unwrap_or(&tool.name);
    let description = tool.description.as_deref();
    match (&tool.raw, tool.kind) {
        (Some((from, raw)), _) if *from == THIS && tool.name == named(raw) => Ok(out::Tool::Raw(raw)),
        (_, ToolKind::BuiltIn) if tool.name.contains("web_search") => {
            draft.lose("web_search", at);
            Ok(out::Tool::WebSearch)
        }
        (_, ToolKind::BuiltIn) => Err(draft.unsupported(&format!("the built-in tool '{}'", tool.name), at)),
        (raw, ToolKind::Custom) => {
            if raw.as_ref().is_some_and(|(_, raw)| raw.pointer("/custom/format").is_some()) {
                draft.lose("custom_format", at);
            }
            Ok(out::Tool::Custom { name, description })
        }
        (_, ToolKind::Function) => Ok(out::Tool::Function {
            name,
            description,
            parameters: parameters(tool),
            // Absent means strict here, and lenient in every other dialect.
            strict: tool.strict.unwrap_or(false),
        }),
    }
}

/// The name that a definition as received has: tools of a namespace have another one by now.
fn named(raw: &Value) -> &str {
    let text = |key: &str| raw.get(key).and_then(Value::as_str);
    match text("type") {
        Some("custom") => text("name").unwrap_or_default(),
        kind => kind.unwrap_or_default(),
    }
}

fn parameters(tool: &Tool) -> Cow<'_, RawValue> {
    match tool.parameters.as_deref().filter(|schema| schema.get() != "null") {
        Some(schema) => Cow::Borrowed(schema),
        None => {
            let empty = r#"{"type":"object","properties":{}}"#.to_owned();
            Cow::Owned(RawValue::from_string(empty).expect("this is JSON"))
        }
    }
}

/// The choice in this wire's words.
pub(super) fn encode_choice(choice: &ToolChoice, tools: &[Tool], aliases: &HashMap<String, String>) -> Value {
    let named = |name: &String| {
        let kind = tools.iter().find(|tool| tool.name == *name).map_or(ToolKind::Function, |tool| tool.kind);
        let alias = aliases.get(name).unwrap_or(name);
        match kind {
            ToolKind::Function => json!({"type": "function", "name": alias}),
            ToolKind::Custom => json!({"type": "custom", "name": alias}),
            ToolKind::BuiltIn => json!({"type": name}),
        }
    };
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Any => json!("required"),
        ToolChoice::One(name) => named(name),
        ToolChoice::Some { names, must } => {
            let mode = if *must { "required" } else { "auto" };
            json!({"type": "allowed_tools", "mode": mode, "tools": names.iter().map(named).collect::<Vec<_>>()})
        }
    }
}
