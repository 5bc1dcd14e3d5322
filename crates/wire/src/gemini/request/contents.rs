//! Turns decoded: `contents`.

use std::iter;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::results::{self, Calls};
use super::{fields, system};
use crate::chat::{Extra, Message, Part, Role, ToolKind, custody};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::gemini::{media, shape, signature};
use crate::json_writer::compact;
use crate::raw::{RawObject, decode_at};
use crate::rest::WithRest;

/// Steps of tools that the provider runs.
const SERVER_TOOLS: &[&str] = &["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];

/// All turns in order, the system prompt first. Roles have been checked.
pub(super) fn decode(body: &RawObject) -> Result<Vec<Message>, Fault> {
    let system = system::decode(body)?.map(|parts| message(Role::System, parts));
    let mut messages: Vec<Message> = system.into_iter().collect();
    let turns: Vec<shape::Content<'_>> = body.get("contents")?.unwrap_or_default();
    let mut calls = Calls::default();
    for (index, turn) in turns.into_iter().enumerate() {
        let at = format!("contents[{index}]");
        let parts = turn.parts.unwrap_or_default();
        if turn.role.as_deref() == Some("model") {
            messages.push(message(Role::Assistant, answered(&parts, &at, index, &mut calls)?));
        } else {
            asked(&parts, &at, &mut calls, &mut messages)?;
        }
    }
    Ok(messages)
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None, extra: Extra::default() }
}

/// A model's turn. Thoughts of other families that came in a signature stand for the unsigned ones before them, which
/// showed the same.
fn answered(raw: &[&RawValue], at: &str, turn: usize, calls: &mut Calls) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::with_capacity(raw.len());
    for (place, raw) in raw.iter().enumerate() {
        let at = format!("{at}.parts[{place}]");
        for part in part(raw, &at)? {
            if matches!(&part, Part::Thinking { origin, .. } if !signature::is_ours(origin.as_ref())) {
                while parts.pop_if(|last| is_unsigned_thought(last)).is_some() {}
            }
            parts.push(part);
        }
    }
    custody::reunite(&mut parts);
    calls.begin_turn(turn);
    for part in &mut parts {
        if let Part::ToolCall { id, name, .. } = part {
            *id = calls.add(std::mem::take(id), name);
        }
    }
    Ok(parts)
}

fn is_unsigned_thought(part: &Part) -> bool {
    matches!(part, Part::Thinking { signature: None, encrypted: None, origin, .. } if signature::is_ours(origin.as_ref()))
}

/// A user's turn: each run of results is a turn of tools.
fn asked(raw: &[&RawValue], at: &str, calls: &mut Calls, messages: &mut Vec<Message>) -> Result<(), Fault> {
    let first = messages.len();
    for (place, raw) in raw.iter().enumerate() {
        let at = format!("{at}.parts[{place}]");
        let mut given: WithRest<shape::Part<'_>> = decode_at(&at, raw.get())?;
        let (role, parts) = match given.known.function_response.take() {
            Some(result) => (Role::Tool, vec![results::decode(result, &at, calls)?]),
            None => (Role::User, read(given, raw, &at)?),
        };
        match messages[first..].last_mut() {
            Some(last) if last.role == role => last.parts.extend(parts),
            _ => messages.push(message(role, parts)),
        }
    }
    if messages.len() == first {
        messages.push(message(Role::User, Vec::new()));
    }
    Ok(())
}

/// A part, which is two when it has a signature that does not fit in it.
pub(super) fn part(raw: &RawValue, at: &str) -> Result<Vec<Part>, Fault> {
    read(decode_at(at, raw.get())?, raw, at)
}

/// A part; a signature that belongs to it and has no place in it follows as a thought without words.
fn read(given: WithRest<shape::Part<'_>>, raw: &RawValue, at: &str) -> Result<Vec<Part>, Fault> {
    let WithRest { known: mut given, rest } = given;
    if let Some(opaque) = opaque(raw, &rest, at)? {
        return Ok(vec![opaque]);
    }
    let seal = signature::stated(given.thought_signature.take());
    if let Some(foreign) = seal.as_deref().and_then(signature::unwrap) {
        let shown = given.text.take().filter(|text| !text.is_empty() && given.thought != Some(true));
        return Ok([foreign].into_iter().chain(shown.map(Part::text)).collect());
    }
    let part = match given {
        shape::Part { function_call: Some(call), .. } => return Ok(vec![function_call(call, seal)]),
        shape::Part { text: Some(text), thought: Some(true), .. } => return Ok(vec![thought(text, seal)]),
        shape::Part { text: Some(text), .. } if text.is_empty() && seal.is_some() => None,
        shape::Part { text: Some(text), .. } => Some(Part::text(text)),
        shape::Part { inline_data: Some(blob), .. } => Some(media::inline(blob)),
        shape::Part { file_data: Some(file), .. } => Some(media::linked(file)),
        _ => None,
    };
    Ok(part.into_iter().chain(seal.map(|seal| thought(String::new(), Some(seal)))).collect())
}

/// A part that stays as it is: a step of a server's tool, or one with a field that we have no name for.
fn opaque(raw: &RawValue, rest: &Map<String, Value>, at: &str) -> Result<Option<Part>, Fault> {
    let mut names = rest.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| fields::camel(name));
    let Some(first) = names.next() else { return Ok(None) };
    let is_step = iter::once(first).chain(names).any(|name| SERVER_TOOLS.contains(&name.as_str()));
    let value: Value = decode_at(at, raw.get())?;
    let origin = Dialect::Gemini.into();
    Ok(Some(match is_step {
        true => Part::ServerTool { raw: value, origin },
        false => Part::Foreign { raw: value, origin },
    }))
}

fn function_call(call: shape::FunctionCall<'_>, signature: Option<String>) -> Part {
    Part::ToolCall {
        id: call.id.unwrap_or_default(),
        name: call.name.unwrap_or_default(),
        args: call.args.map_or_else(|| "{}".to_owned(), |args| compact(args.get())),
        signature,
        kind: ToolKind::Function,
    }
}

fn thought(text: String, signature: Option<String>) -> Part {
    let origin = Some(Dialect::Gemini.into());
    Part::Thinking { text, signature, encrypted: None, id: None, origin }
}
