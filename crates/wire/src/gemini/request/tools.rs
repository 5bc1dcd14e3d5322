//! Tools, and which of them may or must be called, decoded and encoded.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fields::{self, Fields};
use super::thinking::by_level;
use super::{Draft, TOOL_CONFIG, inner_fields, member, schema};
use crate::chat::{Tool, ToolChoice, ToolKind};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::gemini::shape::{CallingConfig, Declaration};
use crate::raw::{RawObject, decode_at};
use crate::rest::WithRest;

/// The web search of this dialect, and what it is called in others.
const SEARCH: &str = "googleSearch";
const WEB_SEARCH: &str = "web_search";

/// Names of modes by their number in the proto file.
const MODES: &[&str] = &["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"];

/// Tools, choice, and what `toolConfig` says besides.
pub(super) type Decoded = (Vec<Tool>, Option<ToolChoice>, Map<String, Value>);

pub(super) fn decode(body: &RawObject) -> Result<Decoded, Fault> {
    let given: Vec<&RawValue> = body.get("tools")?.unwrap_or_default();
    let mut tools = Vec::new();
    for (index, raw) in given.into_iter().enumerate() {
        kinds(raw, &format!("tools[{index}]"), &mut tools)?;
    }
    let Some(config) = member::<Map<String, Value>>(body, "toolConfig")? else {
        return Ok((tools, None, Map::new()));
    };
    let mut config = Fields::new("toolConfig", config);
    let calling: CallingConfig = config.take("functionCallingConfig")?.unwrap_or_default();
    let choice = choice(calling, &config, &mut tools)?;
    Ok((tools, choice, config.rest()))
}

/// One element of `tools` holds declarations, or a built-in tool, or several of both.
fn kinds(raw: &RawValue, at: &str, tools: &mut Vec<Tool>) -> Result<(), Fault> {
    let fields: BTreeMap<String, &RawValue> = decode_at(at, raw.get())?;
    for (key, raw) in fields.into_iter().filter(|(_, raw)| raw.get() != "null") {
        let at = format!("{at}.{key}");
        if fields::camel(&key) == "functionDeclarations" {
            let all: Vec<&RawValue> = decode_at(&at, raw.get())?;
            for (index, raw) in all.into_iter().enumerate() {
                tools.push(function(raw, &format!("{at}[{index}]"))?);
            }
        } else {
            tools.push(built_in(&fields::camel(&key), decode_at(&at, raw.get())?));
        }
    }
    Ok(())
}

fn function(raw: &RawValue, at: &str) -> Result<Tool, Fault> {
    let WithRest { known: given, rest }: WithRest<Declaration> = decode_at(at, raw.get())?;
    let whole = if rest.is_empty() { None } else { Some((Dialect::Gemini, decode_at(at, raw.get())?)) };
    let open_api = given.parameters.map(|schema| schema::raw(&schema::from_open_api(schema)));
    Ok(Tool {
        name: given.name,
        description: given.description.filter(|text| !text.is_empty()),
        kind: ToolKind::Function,
        parameters: given.parameters_json_schema.or(open_api),
        strict: None,
        cache: None,
        raw: whole,
    })
}

/// A tool that the provider runs. Web search goes by the name that it has elsewhere.
fn built_in(key: &str, options: Value) -> Tool {
    let name = if key == SEARCH { WEB_SEARCH } else { key };
    Tool {
        name: name.to_owned(),
        description: None,
        kind: ToolKind::BuiltIn,
        parameters: None,
        strict: None,
        cache: None,
        raw: Some((Dialect::Gemini, json!({ key: options }))),
    }
}

/// `VALIDATED` without names is what strict tools are elsewhere.
fn choice(given: CallingConfig, config: &Fields, tools: &mut [Tool]) -> Result<Option<ToolChoice>, Fault> {
    let mode = match given.mode {
        None => return Ok(None),
        Some(Value::String(mode)) => mode.to_uppercase(),
        Some(mode) => {
            let place = mode.as_u64().and_then(|place| MODES.get(usize::try_from(place).ok()?));
            place.copied().unwrap_or_default().to_owned()
        }
    };
    let mut names = given.allowed_function_names.unwrap_or_default();
    Ok(Some(match (mode.as_str(), names.len()) {
        ("MODE_UNSPECIFIED", _) => return Ok(None),
        ("AUTO", _) => ToolChoice::Auto,
        ("NONE", _) => ToolChoice::None,
        ("ANY", 0) => ToolChoice::Any,
        ("ANY", 1) => ToolChoice::One(names.remove(0)),
        ("ANY", _) => ToolChoice::Some { names, must: true },
        ("VALIDATED", 0) => {
            let functions = tools.iter_mut().filter(|tool| tool.kind == ToolKind::Function);
            functions.for_each(|tool| tool.strict = Some(true));
            ToolChoice::Auto
        }
        ("VALIDATED", _) => ToolChoice::Some { names, must: false },
        _ => {
            let why = format!("it must be one of {}", MODES[1..].join(", "));
            return Err(config.wrong("functionCallingConfig.mode", &why));
        }
    }))
}

/// An element of `tools` as written.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Written<'a> {
    Functions {
        #[serde(rename = "functionDeclarations")]
        declarations: Vec<Declared<'a>>,
    },
    BuiltIn(Value),
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Declared<'a> {
    Raw(&'a Value),
    Made(Function<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Function<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a RawValue>,
}

pub(super) fn encode<'a>(draft: &mut Draft<'a>) -> Result<Vec<Written<'a>>, Fault> {
    let tools = &draft.request.tools;
    draft.require(tools.is_empty() || draft.profile.abilities.tools, "tools", "tools")?;
    let mut declarations = Vec::new();
    let mut written = Vec::new();
    for (place, tool) in tools.iter().enumerate() {
        let at = format!("tools[{place}]");
        match (tool.kind, &tool.raw) {
            (ToolKind::BuiltIn, _) => written.push(Written::BuiltIn(encode_built_in(tool, &at, draft)?)),
            (_, Some((dialect, raw))) if *dialect == Dialect::Gemini => declarations.push(Declared::Raw(raw)),
            (ToolKind::Custom, _) => declarations.push(custom(tool, &at, draft)),
            (ToolKind::Function, _) => declarations.push(declared(tool, &at, draft)?),
        }
    }
    if !declarations.is_empty() {
        check_mix(&written, draft)?;
        written.push(Written::Functions { declarations });
    }
    Ok(written)
}

/// Models that think by levels take functions beside the provider's own tools; older ones refuse that.
/// Source: Google's page on combining tools; the recorded requests.
fn check_mix(built_in: &[Written<'_>], draft: &Draft<'_>) -> Result<(), Fault> {
    let able = built_in.is_empty() || !has_foreign_built_in(draft) || by_level(draft.profile).is_some();
    draft.require(able, "functions beside web search", "tools")
}

/// Whether a tool of another dialect's provider is asked for.
fn has_foreign_built_in(draft: &Draft<'_>) -> bool {
    let ours = |tool: &Tool| tool.raw.as_ref().is_some_and(|(dialect, _)| *dialect == Dialect::Gemini);
    draft.request.tools.iter().any(|tool| tool.kind == ToolKind::BuiltIn && !ours(tool))
}

/// Only web search crosses from another dialect, without its options.
fn encode_built_in(tool: &Tool, at: &str, draft: &mut Draft<'_>) -> Result<Value, Fault> {
    match &tool.raw {
        Some((dialect, raw)) if *dialect == Dialect::Gemini => Ok(raw.clone()),
        _ if tool.name.contains(WEB_SEARCH) => {
            draft.lose(WEB_SEARCH, at);
            Ok(json!({ SEARCH: {} }))
        }
        _ => Err(draft.unsupported(format!("the built-in tool '{}'", tool.name), at)),
    }
}

fn declared<'a>(tool: &'a Tool, at: &str, draft: &mut Draft<'a>) -> Result<Declared<'a>, Fault> {
    let schema = tool.parameters.as_deref().filter(|schema| schema.get() != "null");
    let mut function = Function {
        name: draft.tool_name(&tool.name),
        description: tool.description.as_deref(),
        parameters: None,
        parameters_json_schema: schema,
    };
    if draft.profile.open_api_schemas {
        function.parameters_json_schema = None;
        let cut = schema.map(|schema| schema::to_open_api(schema, at, draft)).transpose()?;
        // Older models refuse an object without properties.
        let has_properties = |cut: &Value| cut["properties"].as_object().is_some_and(|all| !all.is_empty());
        function.parameters = cut.filter(has_properties);
    }
    Ok(Declared::Made(function))
}

/// Free text becomes the string `input` of an object, and is unwrapped on the way back.
fn custom<'a>(tool: &'a Tool, at: &str, draft: &mut Draft<'a>) -> Declared<'a> {
    draft.lose("custom_tool", at);
    draft.undo.custom_tools.push(tool.name.clone());
    let schema =
        json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]});
    Declared::Made(Function {
        name: draft.tool_name(&tool.name),
        description: tool.description.as_deref(),
        parameters: Some(schema),
        parameters_json_schema: None,
    })
}

/// `toolConfig`; empty: leave it out.
pub(super) fn encode_config(draft: &mut Draft<'_>) -> Map<String, Value> {
    let mut config: Map<String, Value> = inner_fields(draft.request, TOOL_CONFIG).collect();
    let functions = draft.request.tools.iter().any(|tool| tool.kind != ToolKind::BuiltIn);
    if functions && has_foreign_built_in(draft) {
        // Gemini API refuses the mix without it. Source: the recorded requests.
        config.insert("includeServerSideToolInvocations".to_owned(), true.into());
    }
    let mut calling = Map::new();
    if let Some((mode, names)) = encode_choice(draft) {
        calling.insert("mode".to_owned(), mode.into());
        if !names.is_empty() {
            calling.insert("allowedFunctionNames".to_owned(), names.into());
        }
        config.insert("functionCallingConfig".to_owned(), calling.into());
    }
    config
}

fn encode_choice(draft: &Draft<'_>) -> Option<(&'static str, Vec<String>)> {
    let functions = || draft.request.tools.iter().filter(|tool| tool.kind != ToolKind::BuiltIn);
    functions().next()?;
    let strict = functions().any(|tool| tool.strict == Some(true));
    let named = |names: &[String]| names.iter().map(|name| draft.tool_name(name)).collect();
    Some(match draft.request.tool_choice.as_ref() {
        None | Some(ToolChoice::Auto) if strict => ("VALIDATED", Vec::new()),
        None => return None,
        Some(ToolChoice::Auto) => ("AUTO", Vec::new()),
        Some(ToolChoice::None) => ("NONE", Vec::new()),
        Some(ToolChoice::Any) => ("ANY", Vec::new()),
        Some(ToolChoice::One(name)) => ("ANY", vec![draft.tool_name(name)]),
        Some(ToolChoice::Some { names, must: true }) => ("ANY", named(names)),
        Some(ToolChoice::Some { names, must: false }) => ("VALIDATED", named(names)),
    })
}
