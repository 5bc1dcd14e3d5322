//! A request: peeked at, decoded, encoded, and edited for being carried.

mod config;
mod contents;
mod fields;
mod parts;
mod peek;
mod results;
mod schema;
mod system;
mod thinking;
mod tools;
mod turns;

use std::collections::HashMap;

use serde_json::{Map, Value};

use self::fields::{either, snake};
pub(super) use self::parts::call;
pub(super) use self::peek::thoughts;
use super::names;
use crate::chat::{ChatRequest, Encoded, Extra, Loss, MODALITIES, Profile, Undo};
use crate::dialect::{Dialect, Head, Peek};
use crate::fault::Fault;
use crate::gateway_fields;
use crate::json_writer::ObjectWriter;
use crate::raw::RawObject;

/// Fields that have a canonical name. All others survive in `Extra`, but for the gateway's own.
const NAMED: &[&str] = &["model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig"];

/// How fields inside `generationConfig` and `toolConfig` are called in `Extra`.
const CONFIG: &str = "generationConfig.";
const TOOL_CONFIG: &str = "toolConfig.";

pub(super) fn peek(head: &Head, body: &RawObject) -> Result<Peek, Fault> {
    peek::peek(head, body)
}

/// The whole request in canonical form.
pub(super) fn decode(head: &Head, body: &RawObject) -> Result<ChatRequest, Fault> {
    let peek = peek::peek(head, body)?;
    let mut config = config::decode(body)?;
    let (tools, choice, tool_config) = tools::decode(body)?;
    let extra = extra(body, std::mem::take(&mut config.rest), tool_config)?;
    Ok(ChatRequest {
        model: peek.model.unwrap_or_default(),
        messages: contents::decode(body)?,
        tools,
        tool_choice: choice,
        sampling: config.sampling,
        max_output: config.max_output,
        stop: config.stop,
        thinking: config.thinking,
        format: config.format,
        stream: head.stream,
        include_usage: true,
        extra,
        ..ChatRequest::default()
    })
}

fn extra(
    body: &RawObject,
    config: Map<String, Value>,
    tool_config: Map<String, Value>,
) -> Result<Extra, Fault> {
    let mut fields = Map::new();
    for key in body.keys() {
        let ours = gateway_fields::is_ours(body, key);
        let named = NAMED.iter().any(|name| *name == key || snake(name) == key);
        if !named
            && !ours
            && let Some(value) = body.get::<Value>(key)?
        {
            fields.insert(fields::camel(key), value);
        }
    }
    for (prefix, inner) in [(CONFIG, config), (TOOL_CONFIG, tool_config)] {
        for (name, value) in inner {
            let name = if name == MODALITIES { name } else { format!("{prefix}{name}") };
            fields.insert(name, value);
        }
    }
    Ok(Extra::new(Dialect::Gemini, fields))
}

/// The model stands in the path; a body may repeat it, and would then contradict it.
pub(super) fn retarget(body: &mut RawObject) {
    body.remove("model");
}

/// What encoding reads, and what it gathers beside the body.
pub(super) struct Draft<'a> {
    request: &'a ChatRequest,
    profile: &'a Profile,
    aliases: HashMap<String, String>,
    losses: Vec<Loss>,
    undo: Undo,
}

impl<'a> Draft<'a> {
    fn new(request: &'a ChatRequest, profile: &'a Profile) -> Self {
        let aliases = names::aliases(request);
        Self { request, profile, aliases, losses: Vec::new(), undo: Undo::default() }
    }

    fn lose(&mut self, code: &'static str, at: impl Into<String>) {
        self.losses.push(Loss::at(code, at));
    }

    fn lose_field(&mut self, name: &str) {
        self.losses.push(Loss::field(name));
    }

    /// The target cannot do what stands at `at`; another might.
    fn unsupported(&self, what: impl Into<String>, at: impl Into<String>) -> Fault {
        Fault::Unsupported { what: what.into(), by: self.profile.model.to_string(), at: Some(at.into()) }
    }

    fn require(&self, able: bool, what: &str, at: &str) -> Result<(), Fault> {
        if able { Ok(()) } else { Err(self.unsupported(what, at)) }
    }

    /// The name of a tool as it goes upstream.
    fn tool_name(&self, name: &str) -> String {
        self.aliases.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }
}

/// A request for a server of this dialect. The model is not in it: it stands in the path.
pub(super) fn encode(request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault> {
    let mut draft = Draft::new(request, profile);
    request.extra.refuse_in(Dialect::Gemini, &profile.model)?;
    let tools = tools::encode(&mut draft)?;
    let (system, contents) = turns::encode(&mut draft)?;
    let tool_config = tools::encode_config(&mut draft);
    let generation = config::encode(&mut draft)?;
    report_dropped_fields(&mut draft);
    let mut body = ObjectWriter::new();
    body.put_some("systemInstruction", system);
    body.put("contents", &contents);
    body.put_some("tools", (!tools.is_empty()).then_some(tools));
    body.put_some("toolConfig", (!tool_config.is_empty()).then_some(tool_config));
    body.put_some("generationConfig", (!generation.is_empty()).then_some(generation));
    for (name, value) in own_fields(request).filter(|(name, _)| !name.contains('.') && *name != MODALITIES) {
        body.put(name, value);
    }
    drop(contents);
    let Draft { losses, mut undo, aliases, .. } = draft;
    undo.tool_names = aliases.into_iter().map(|(name, alias)| (alias, name)).collect();
    Ok(Encoded { headers: Vec::new(), body: body.finish(), losses, undo })
}

/// Fields of this dialect that have no canonical name.
fn own_fields(request: &ChatRequest) -> impl Iterator<Item = (&str, &Value)> {
    request.extra.of(Dialect::Gemini).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The fields of this dialect that stand in an inner object.
fn inner_fields<'a>(
    request: &'a ChatRequest,
    prefix: &'static str,
) -> impl Iterator<Item = (String, Value)> + use<'a> {
    own_fields(request)
        .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())))
}

/// Reports the fields that have no place here. The end user's id and labels are not forwarded: only one of the two
/// servers of this dialect takes labels.
fn report_dropped_fields(draft: &mut Draft<'_>) {
    let request = draft.request;
    let bias = request.sampling.logit_bias.as_ref();
    let fields = [
        ("logit_bias", bias.is_some_and(|bias| bias.as_object().is_none_or(|map| !map.is_empty()))),
        ("user", request.end_user.is_some()),
        ("metadata", request.metadata.is_some()),
        ("verbosity", request.verbosity.is_some()),
        ("service_tier", request.service_tier.as_deref().is_some_and(|tier| tier != "auto")),
    ];
    for (name, _) in fields.into_iter().filter(|(_, given)| *given) {
        draft.lose_field(name);
    }
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        draft.lose("parallel_tool_calls", "parallel_tool_calls");
    }
    for name in request.extra.lost_in(Dialect::Gemini) {
        draft.losses.push(Loss::field(name));
    }
}

/// A member of the body in either spelling.
fn member<'a, T: serde::Deserialize<'a>>(body: &'a RawObject, name: &str) -> Result<Option<T>, Fault> {
    match either(body, name) {
        Some(key) => body.get(&key),
        None => Ok(None),
    }
}
