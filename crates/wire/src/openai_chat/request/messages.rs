//! The turns of a request, decoded.

use std::collections::HashSet;

use serde_json::Value;

use crate::chat::{CacheMark, Extra, Message, Part, Role, ToolKind};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::openai_chat::{media, shape, thought};
use crate::raw::RawObject;

const THIS: Dialect = Dialect::OpenAiChat;

/// All turns, in order. Roles have been checked.
pub(super) fn decode(body: &RawObject) -> Result<Vec<Message>, Fault> {
    let turns: Vec<shape::Message> = body.get("messages")?.unwrap_or_default();
    let mut calls = Calls::default();
    turns
        .into_iter()
        .enumerate()
        .map(|(index, turn)| message(turn, &format!("messages.{index}"), &mut calls))
        .collect()
}

/// Calls made so far, which results may answer.
#[derive(Default)]
struct Calls {
    ids: HashSet<String>,
    /// Calls in the older form have no id and get one: function name and made-up id, newest last.
    older: Vec<(String, String)>,
}

fn message(mut turn: shape::Message, at: &str, calls: &mut Calls) -> Result<Message, Fault> {
    let role = turn.role.take().unwrap_or_default();
    let name = turn.name.take();
    let (role, parts) = match role.as_str() {
        "system" => (Role::System, said(&mut turn, at)?),
        "developer" => (Role::Developer, said(&mut turn, at)?),
        "user" => (Role::User, said(&mut turn, at)?),
        "assistant" => (Role::Assistant, answered(&mut turn, at, calls)?),
        "tool" => (Role::Tool, vec![result(&mut turn, at, calls)?]),
        _ => return older_result(turn, name, at, calls),
    };
    Ok(Message { role, parts, name, extra: Extra::new(THIS, leftover(turn)) })
}

/// Fields that no other function took.
fn leftover(turn: shape::Message) -> serde_json::Map<String, Value> {
    let mut rest = turn.rest;
    if let Some(annotations) = turn.annotations.filter(|all| !all.is_empty()) {
        rest.insert("annotations".to_owned(), Value::Array(annotations));
    }
    rest.retain(|_, value| !value.is_null());
    rest
}

/// Content that must be there.
fn said(turn: &mut shape::Message, at: &str) -> Result<Vec<Part>, Fault> {
    match turn.content.take() {
        Some(content) => parts(content, &format!("{at}.content")),
        None => Err(missing(&format!("{at}.content"))),
    }
}

/// An assistant's turn: thoughts, text, refusal, calls.
fn answered(turn: &mut shape::Message, at: &str, calls: &mut Calls) -> Result<Vec<Part>, Fault> {
    let mut all = thought::take(turn);
    if let Some(content) = turn.content.take() {
        all.extend(parts(content, &format!("{at}.content"))?);
    }
    if let Some(text) = turn.refusal.take().filter(|text| !text.is_empty()) {
        all.push(Part::Refusal { text });
    }
    for (index, call) in turn.tool_calls.take().unwrap_or_default().into_iter().enumerate() {
        all.push(tool_call(call, &format!("{at}.tool_calls.{index}"), calls)?);
    }
    if let Some(call) = turn.function_call.take() {
        all.push(older_call(call, at, calls)?);
    }
    Ok(all)
}

fn tool_call(call: shape::ToolCall, at: &str, calls: &mut Calls) -> Result<Part, Fault> {
    let id = given(call.id, &format!("{at}.id"))?;
    calls.ids.insert(id.clone());
    let signature = call.extra_content.as_ref().and_then(signature);
    if let Some(custom) = call.custom {
        let name = given(custom.name, &format!("{at}.custom.name"))?;
        let args = custom.input.unwrap_or_default();
        return Ok(Part::ToolCall { id, name, args, signature, kind: ToolKind::Custom });
    }
    let function = call.function.unwrap_or_default();
    let name = given(function.name, &format!("{at}.function.name"))?;
    let args = function.arguments.unwrap_or_default();
    Ok(Part::ToolCall { id, name, args, signature, kind: ToolKind::Function })
}

/// Google's thought signature of a call.
pub(crate) fn signature(extra_content: &Value) -> Option<String> {
    extra_content.pointer("/google/thought_signature").and_then(Value::as_str).map(str::to_owned)
}

fn older_call(call: shape::Called, at: &str, calls: &mut Calls) -> Result<Part, Fault> {
    let name = given(call.name, &format!("{at}.function_call.name"))?;
    let id = format!("call_function_{}", calls.older.len());
    calls.older.push((name.clone(), id.clone()));
    let args = call.arguments.unwrap_or_default();
    Ok(Part::ToolCall { id, name, args, signature: None, kind: ToolKind::Function })
}

/// What a tool answered. A result must follow its call.
fn result(turn: &mut shape::Message, at: &str, calls: &mut Calls) -> Result<Part, Fault> {
    let place = format!("{at}.tool_call_id");
    let call_id = given(turn.tool_call_id.take(), &place)?;
    if !calls.ids.contains(&call_id) {
        return Err(Fault::malformed(place, format!("no call before '{at}' has the id '{call_id}'")));
    }
    Ok(Part::ToolResult { call_id, name: None, parts: said(turn, at)?, is_error: false, cache: None })
}

/// A turn of role `function`: answers the newest call of that name.
fn older_result(
    mut turn: shape::Message,
    name: Option<String>,
    at: &str,
    calls: &mut Calls,
) -> Result<Message, Fault> {
    let place = format!("{at}.name");
    let name = given(name, &place)?;
    let Some((_, id)) = calls.older.iter().rev().find(|(called, _)| *called == name) else {
        return Err(Fault::malformed(place, format!("no call before '{at}' is of the function '{name}'")));
    };
    let call_id = id.clone();
    let part = Part::ToolResult {
        call_id,
        name: Some(name),
        parts: said(&mut turn, at)?,
        is_error: false,
        cache: None,
    };
    Ok(Message { role: Role::Tool, parts: vec![part], name: None, extra: Extra::new(THIS, leftover(turn)) })
}

fn parts(content: shape::Content, at: &str) -> Result<Vec<Part>, Fault> {
    match content {
        shape::Content::Text(text) => Ok(vec![Part::text(text)]),
        shape::Content::Parts(parts) => parts
            .into_iter()
            .enumerate()
            .map(|(index, part)| content_part(part, &format!("{at}.{index}")))
            .collect(),
    }
}

fn content_part(mut part: shape::ContentPart, at: &str) -> Result<Part, Fault> {
    let within = |field: &str| format!("{at}.{field}");
    let kind = given(part.kind.clone(), &within("type"))?;
    let cache = part.cache_control.as_ref().map(|mark| CacheMark { ttl: mark.ttl.clone() });
    Ok(match kind.as_str() {
        "text" => Part::Text {
            text: part.text.take().ok_or_else(|| missing(&within("text")))?,
            citations: Vec::new(),
            cache,
        },
        "image_url" => {
            media::image(part.image_url.take().ok_or_else(|| missing(&within("image_url")))?, cache)
        }
        "file" => media::file(part.file.take().unwrap_or_default(), cache)
            .ok_or_else(|| missing(&within("file")))?,
        "input_audio" => {
            let audio = part.input_audio.take().ok_or_else(|| missing(&within("input_audio")))?;
            Part::Audio { data: audio.data, format: audio.format }
        }
        "refusal" => Part::Refusal { text: part.refusal.take().unwrap_or_default() },
        "thinking" => thought::plain_thought(thinking_text(part.thinking.take()), None),
        _ => foreign(part),
    })
}

/// Mistral's list of texts, joined.
pub(crate) fn thinking_text(thinking: Option<shape::Content>) -> String {
    match thinking {
        Some(shape::Content::Text(text)) => text,
        Some(shape::Content::Parts(parts)) => parts.into_iter().filter_map(|part| part.text).collect(),
        None => String::new(),
    }
}

/// A part of a kind that is unknown here, as received.
pub(crate) fn foreign(part: shape::ContentPart) -> Part {
    let raw = serde_json::to_value(part).expect("what was read from JSON can be written to it");
    Part::Foreign { raw, origin: THIS.into() }
}

fn given(text: Option<String>, at: &str) -> Result<String, Fault> {
    text.filter(|text| !text.is_empty()).ok_or_else(|| missing(at))
}

fn missing(at: &str) -> Fault {
    Fault::malformed(at.to_owned(), format!("'{at}' is missing or empty"))
}
