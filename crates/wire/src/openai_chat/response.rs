//! A whole answer: decoded, encoded, and annotated when carried.

mod encode;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::shape::{self, Answer, Content};
use super::stop::Ending;
use super::{citation, fault, media, request, stop, thought, usage};
use crate::chat::{ChatResponse, Choice, Extra, Leftover, Loss, MediaSource, Part, ToolKind, Undo, Usage};
use crate::dialect::{Dialect, Echo};
use crate::fault::Fault;
use crate::openai::names;
use crate::raw::RawObject;

const THIS: Dialect = Dialect::OpenAiChat;

/// Reads a whole answer. An error inside HTTP 200 is a fault.
pub(super) fn decode(body: &[u8], undo: &Undo) -> Result<ChatResponse, Fault> {
    let mut answer: Answer =
        serde_json::from_slice(body).map_err(|error| fault::bad_answer(error.to_string()))?;
    if let Some(error) = answer.error.take() {
        return Err(fault::in_band(&error));
    }
    let mut given = answer.choices.take().unwrap_or_default();
    if let Some(error) = given.iter().find_map(|choice| choice.error.as_ref()) {
        return Err(fault::in_band(error));
    }
    if given.is_empty() {
        return Err(fault::bad_answer("it has no choices".to_owned()));
    }
    let mut leftover = leftover();
    leftover.keep(answer.rest);
    keep_rest(&mut given, &mut leftover);
    let id = answer.id.filter(|id| !id.is_empty());
    let answer_id = id.clone().unwrap_or_default();
    let numbered = (0..).zip(given);
    let choices = numbered.map(|(place, given)| choice(given, place, &answer_id, undo)).collect();
    Ok(ChatResponse {
        id,
        model: answer.model.filter(|model| !model.is_empty()),
        created: answer.created.as_ref().and_then(seconds),
        choices,
        usage: answer.usage.as_ref().filter(|usage| !usage.is_null()).map(usage::decode),
        service_tier: answer.service_tier,
        extra: leftover.whole()?,
    })
}

/// What an answer has said in fields without a canonical name.
pub(super) fn leftover() -> Leftover {
    Leftover::new(THIS, &[shape::IDLE])
}

/// Takes the fields without a canonical name out of choices.
pub(super) fn keep_rest(choices: &mut [shape::Choice], leftover: &mut Leftover) {
    for (place, choice) in (0..).zip(choices) {
        let index = choice.index.unwrap_or(place);
        leftover.keep_at(|| format!("choices[{index}]"), std::mem::take(&mut choice.rest));
        if let Some(message) = choice.delta.as_mut().or(choice.message.as_mut()) {
            leftover.keep_at(|| message_path(index), std::mem::take(&mut message.rest));
        }
    }
}

/// The fields of this dialect that a choice's message had, and those that it had itself.
pub(super) fn leftover_of(extra: &Extra, choice: u32) -> (Map<String, Value>, Map<String, Value>) {
    (extra.inner(THIS, &message_path(choice)), extra.inner(THIS, &format!("choices[{choice}]")))
}

/// Where the message of a choice stands.
fn message_path(choice: u32) -> String {
    format!("choices[{choice}].message")
}

/// `created`, which some servers send as a fraction.
pub(super) fn seconds(created: &Value) -> Option<u64> {
    created
        .as_u64()
        .or_else(|| created.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
}

fn choice(mut given: shape::Choice, place: u32, answer_id: &str, undo: &Undo) -> Choice {
    let index = given.index.unwrap_or(place);
    let mut message = given.message.or(given.delta.take()).unwrap_or_default();
    let mut parts = thought::take(&mut message);
    parts.extend(content(&mut message));
    parts.extend(message.refusal.take().filter(|text| !text.is_empty()).map(|text| Part::Refusal { text }));
    parts.extend(calls(&mut message, index, answer_id, undo));
    parts.extend(message.images.take().unwrap_or_default().into_iter().filter_map(image));
    let ending = Ending {
        native: given.native_finish_reason.as_deref(),
        called: parts.iter().any(|part| matches!(part, Part::ToolCall { .. })),
        refused: parts.iter().any(|part| matches!(part, Part::Refusal { .. })),
    };
    let stop = stop::decode(given.finish_reason.as_deref(), ending);
    Choice { index, parts, stop, logprobs: given.logprobs.filter(|logprobs| !logprobs.is_null()) }
}

/// The text with its sources; Mistral sends a list that holds thoughts too.
fn content(message: &mut shape::Message) -> Vec<Part> {
    let citations: Vec<_> =
        message.annotations.take().unwrap_or_default().into_iter().map(citation::decode).collect();
    let mut parts = match message.content.take() {
        Some(Content::Text(text)) if !text.is_empty() || !citations.is_empty() => vec![Part::text(text)],
        Some(Content::Parts(parts)) => parts.into_iter().map(content_part).collect(),
        _ => Vec::new(),
    };
    let last_text = parts.iter_mut().rev().find_map(|part| match part {
        Part::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(cited) = last_text {
        *cited = citations;
    }
    parts
}

/// A part of a content list.
pub(super) fn content_part(part: shape::ContentPart) -> Part {
    match (part.kind.as_deref(), part.text) {
        (Some("text") | None, Some(text)) => Part::text(text),
        (Some("thinking"), _) => thought::plain_thought(request::thinking_text(part.thinking), None),
        (_, text) => request::foreign(shape::ContentPart { text, ..part }),
    }
}

fn calls(message: &mut shape::Message, choice: u32, answer_id: &str, undo: &Undo) -> Vec<Part> {
    let older = message.function_call.take().map(|function| {
        let function = Some(function);
        shape::ToolCall { function, ..shape::ToolCall::default() }
    });
    let all = message.tool_calls.take().unwrap_or_default().into_iter().chain(older);
    all.enumerate()
        .map(|(place, call)| tool_call(call, || names::call_id(answer_id, choice, place), undo))
        .collect()
}

fn tool_call(call: shape::ToolCall, made_up: impl FnOnce() -> String, undo: &Undo) -> Part {
    let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(made_up);
    let signature = call.extra_content.as_ref().and_then(request::signature);
    let (name, args, kind) = match (call.custom, call.function.unwrap_or_default()) {
        (Some(custom), _) => (custom.name, custom.input, ToolKind::Custom),
        (None, function) => (function.name, function.arguments, ToolKind::Function),
    };
    let name = undo.tool_name(&name.unwrap_or_default());
    Part::ToolCall { id, name, args: args.unwrap_or_default(), signature, kind }
}

/// A picture made by the model (OpenRouter).
pub(super) fn image(part: shape::ContentPart) -> Option<Part> {
    part.image_url.map(|image| media::image(image, None))
}

/// A whole answer in this format.
pub(super) fn encode(response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
    encode::encode(response, echo, losses)
}

/// Adds what the gateway says about its routing.
pub(super) fn annotate(answer: &mut RawObject, echo: &Echo, usage: Option<&Usage>) {
    if echo.annotate {
        answer.set("x_gateway", &x_gateway(echo, usage));
    }
}

/// What the gateway says about its routing, as mcp-llm-bridge named it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Routing<'a> {
    requested_provider: Option<&'a str>,
    requested_model: Option<&'a str>,
    resolved_provider: &'a str,
    resolved_model: &'a str,
    fallback_used: bool,
    tokens_used: Option<u64>,
}

fn x_gateway<'a>(echo: &'a Echo, usage: Option<&Usage>) -> Routing<'a> {
    Routing {
        requested_provider: echo.requested_provider.as_deref(),
        requested_model: echo.requested_model.as_deref(),
        resolved_provider: &echo.resolved_provider,
        resolved_model: &echo.resolved_model,
        fallback_used: echo.fallback_used,
        tokens_used: usage.and_then(Usage::total),
    }
}

/// The id of an answer: the upstream's as suffix, so that logs can be joined; ours when there is none.
pub(super) fn answer_id(id: Option<&str>, echo: &Echo) -> String {
    let id = id.filter(|id| !id.is_empty()).unwrap_or(&echo.request_id);
    if id.starts_with("chatcmpl-") { id.to_owned() } else { format!("chatcmpl-{id}") }
}

/// The bytes of a picture's `data:` URL, for streams; `None`: it is not in the answer.
pub(super) fn media_of(part: &Part) -> Option<(String, String)> {
    match part {
        Part::Image { source: MediaSource::Base64 { mime, data }, .. } => Some((mime.clone(), data.clone())),
        _ => None,
    }
}
