//! Tools, and which of them may or must be called.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::shape::{self, ClientTool, ToolMode};
use super::format::Form;
use super::{Draft, cache, fingerprint, raw};
use crate::Fault;
use crate::chat::{self, ToolChoice, ToolKind};
use crate::dialect::Dialect;

/// Longest name of a tool.
/// Source: DIALECTS, section 4.1.
const LONGEST_NAME: usize = 128;

/// The tools that are offered: all of them, or those that the choice leaves.
pub(super) fn tools<'a>(draft: &mut Draft<'a>) -> Result<Vec<shape::Tool<'a>>, Fault> {
    let allowed = match &draft.request.tool_choice {
        Some(ToolChoice::Some { names, .. }) => Some(names),
        _ => None,
    };
    let request = draft.request;
    let offered = request
        .tools
        .iter()
        .enumerate()
        .filter(|(_, tool)| mcp_server(tool).is_none())
        .filter(|(_, tool)| allowed.is_none_or(|names| names.contains(&tool.name)));
    offered.map(|(place, tool)| encode(tool, place, draft)).collect()
}

/// MCP servers that the provider is to call for the model.
pub(super) fn mcp_servers(request: &chat::ChatRequest) -> Vec<&Value> {
    request.tools.iter().filter_map(mcp_server).collect()
}

/// The definition of an MCP server, which is no entry of `tools`.
fn mcp_server(tool: &chat::Tool) -> Option<&Value> {
    let definition = own(tool)?;
    (tool.kind == ToolKind::BuiltIn && definition["type"] == "url").then_some(definition)
}

/// The definition as it came, of a tool that came in this dialect.
fn own(tool: &chat::Tool) -> Option<&Value> {
    tool.raw.as_ref().filter(|(dialect, _)| *dialect == Dialect::AnthropicMessages).map(|(_, raw)| raw)
}

fn encode<'a>(tool: &'a chat::Tool, place: usize, draft: &mut Draft<'a>) -> Result<shape::Tool<'a>, Fault> {
    let input_schema = match tool.kind {
        ToolKind::Function => match own(tool) {
            // It says more than a canonical tool can hold.
            Some(definition) => return Ok(shape::Tool::BuiltIn(Cow::Borrowed(definition))),
            None => function_schema(tool, place)?,
        },
        ToolKind::Custom => custom_schema(tool, place, draft),
        ToolKind::BuiltIn => return built_in(tool, place, draft),
    };
    Ok(shape::Tool::Client(ClientTool {
        name: draft.tool_name(&tool.name),
        description: tool.description.as_deref().map(Cow::Borrowed),
        input_schema,
        strict: strict(tool, place, draft),
        cache_control: tool.cache.as_ref().map(cache::control),
    }))
}

/// `strict` came with structured output, and only models that have the one have the other.
fn strict(tool: &chat::Tool, place: usize, draft: &mut Draft<'_>) -> Option<bool> {
    let strict = tool.strict.filter(|strict| *strict)?;
    if draft.profile.abilities.structured_output {
        return Some(strict);
    }
    draft.lose("strict", format!("tools[{place}]"));
    None
}

/// The schema as received; one without a type gets it, since the root must be an object.
fn function_schema(tool: &chat::Tool, place: usize) -> Result<Cow<'_, RawValue>, Fault> {
    #[derive(Deserialize)]
    struct Root {
        #[serde(rename = "type")]
        kind: Option<IgnoredAny>,
    }
    let Some(schema) = tool.parameters.as_deref().filter(|schema| schema.get() != "null") else {
        return Ok(Cow::Owned(raw(&json!({"type": "object", "properties": {}}))));
    };
    let wrong = |error: serde_json::Error| {
        Fault::malformed(format!("tools[{place}].parameters"), format!("not a JSON schema object: {error}"))
    };
    let root: Root = serde_json::from_str(schema.get()).map_err(wrong)?;
    if root.kind.is_some() {
        return Ok(Cow::Borrowed(schema));
    }
    let mut typed = Map::from_iter([("type".to_owned(), json!("object"))]);
    let rest: Map<String, Value> = serde_json::from_str(schema.get()).map_err(wrong)?;
    typed.extend(rest.into_iter().filter(|(keyword, _)| keyword != "type"));
    Ok(Cow::Owned(raw(&Value::Object(typed))))
}

/// Free text becomes the string `input` of an object, and is unwrapped on the way back.
fn custom_schema<'a>(tool: &chat::Tool, place: usize, draft: &mut Draft<'_>) -> Cow<'a, RawValue> {
    draft.lose("custom_tool", format!("tools[{place}]"));
    draft.undo.custom_tools.push(tool.name.clone());
    Cow::Owned(raw(&json!({
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"]
    })))
}

/// Only web search crosses from another dialect, without its options.
fn built_in<'a>(tool: &'a chat::Tool, place: usize, draft: &mut Draft<'_>) -> Result<shape::Tool<'a>, Fault> {
    match &tool.raw {
        Some((Dialect::AnthropicMessages, definition)) => Ok(shape::Tool::BuiltIn(Cow::Borrowed(definition))),
        _ if tool.name.contains("web_search") => {
            draft.lose("web_search", format!("tools[{place}]"));
            Ok(shape::Tool::BuiltIn(Cow::Owned(json!({"type": "web_search_20250305", "name": "web_search"}))))
        }
        _ => Err(draft.unsupported(format!("the built-in tool '{}'", tool.name), format!("tools[{place}]"))),
    }
}

/// The choice, within what thinking allows: `auto` or `none`.
pub(super) fn choice<'a>(
    draft: &mut Draft<'a>,
    tools: &[shape::Tool<'_>],
    form: &Form,
    thinking: bool,
) -> Option<shape::ToolChoice<'a>> {
    if tools.is_empty() {
        return None;
    }
    let mut mode = match form {
        Form::Tool { name, .. } => Some(forced(draft, name)),
        _ => asked(draft),
    };
    if thinking && matches!(mode, Some(ToolMode::Any | ToolMode::Tool { .. })) {
        draft.lose("tool_choice", "tool_choice");
        mode = Some(ToolMode::Auto);
    }
    let one_at_a_time = draft.request.parallel_tool_calls == Some(false) && mode != Some(ToolMode::None);
    let mode = mode.or(one_at_a_time.then_some(ToolMode::Auto))?;
    Some(shape::ToolChoice { mode, disable_parallel_tool_use: one_at_a_time })
}

fn asked<'a>(draft: &mut Draft<'a>) -> Option<ToolMode<'a>> {
    Some(match draft.request.tool_choice.as_ref()? {
        ToolChoice::Auto | ToolChoice::Some { must: false, .. } => ToolMode::Auto,
        ToolChoice::Any | ToolChoice::Some { must: true, .. } => ToolMode::Any,
        ToolChoice::None => ToolMode::None,
        ToolChoice::One(name) => ToolMode::Tool { name: draft.tool_name(name) },
    })
}

/// With a tool that is the form of the answer the model must call something: that tool, or one of the client's.
fn forced<'a>(draft: &mut Draft<'a>, form: &str) -> ToolMode<'a> {
    match &draft.request.tool_choice {
        Some(ToolChoice::One(name)) => ToolMode::Tool { name: draft.tool_name(name) },
        Some(ToolChoice::None) => ToolMode::Tool { name: Cow::Owned(form.to_owned()) },
        _ if draft.request.tools.is_empty() => ToolMode::Tool { name: Cow::Owned(form.to_owned()) },
        _ => ToolMode::Any,
    }
}

impl<'a> Draft<'a> {
    /// The tool's name here: itself, or an alias that the answer's reader turns back.
    pub(super) fn tool_name(&mut self, name: &'a str) -> Cow<'a, str> {
        if is_legal(name) && name.len() <= LONGEST_NAME {
            return Cow::Borrowed(name);
        }
        let alias = alias(name);
        self.undo.tool_names.insert(alias.clone(), name.to_owned());
        Cow::Owned(alias)
    }
}

/// Ids of calls obey the same alphabet, and need no way back: the answer names none of the request's.
pub(super) fn call_id(id: &str) -> Cow<'_, str> {
    if is_legal(id) { Cow::Borrowed(id) } else { Cow::Owned(format!("call_{}", &fingerprint::hex(id)[..20])) }
}

fn is_legal(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// What is legible of the name, and a fingerprint that keeps names apart.
fn alias(name: &str) -> String {
    let legible = name.chars().take(100).map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    format!("{}_{}", legible.collect::<String>(), &fingerprint::hex(name)[..12])
}
