//! What is told of an open item, event by event.

use bytes::BytesMut;
use serde_json::Value;

use super::emit::{Emitter, Step};
use super::open::{Call, Spoken, Thought};
use crate::chat::{Citation, Piece, ToolKind};
use crate::openai_responses::citation;
use crate::openai_responses::shape::out::Part;

/// A step in the newest of `parts` parts of a message.
pub(super) fn at(item_id: &str, output_index: u64, parts: usize) -> Step<'_> {
    let content_index = Some(parts.saturating_sub(1) as u64);
    Step { item_id, output_index, content_index, ..Step::default() }
}

/// More of a text or a refusal; a text takes the probabilities of its tokens with it. True: a citation could not be said
/// whole.
pub(super) fn speak_on(
    spoken: &mut Spoken,
    piece: &Piece,
    logprobs: &mut Vec<Value>,
    step: Step<'_>,
    emitter: &mut Emitter,
    out: &mut BytesMut,
) -> bool {
    match piece {
        Piece::Text(text) => {
            spoken.text.push_str(text);
            spoken.length = spoken.length.saturating_add(text.chars().count() as u64);
            let delta = Some(text.as_str());
            if spoken.refusal {
                emitter.event("response.refusal.delta", &Step { delta, ..step }, out);
            } else {
                let step = Step { delta, logprobs: Some(logprobs), ..step };
                emitter.event("response.output_text.delta", &step, out);
                spoken.logprobs.append(logprobs);
            }
            false
        }
        Piece::Citation(cited) if !spoken.refusal && citation::is_placed(cited) => {
            cite(spoken, cited, step, emitter, out)
        }
        Piece::Citation(cited) if !spoken.refusal => {
            spoken.of_the_whole.push(cited.clone());
            cited.raw.is_some() || cited.url.is_none()
        }
        _ => false,
    }
}

fn cite(
    spoken: &mut Spoken,
    cited: &Citation,
    step: Step<'_>,
    emitter: &mut Emitter,
    out: &mut BytesMut,
) -> bool {
    let (annotation, less) = citation::encode(cited, spoken.length);
    if let Some(annotation) = annotation {
        let annotation_index = Some(spoken.annotations.len() as u64);
        let step = Step { annotation: Some(&annotation), annotation_index, ..step };
        emitter.event("response.output_text.annotation.added", &step, out);
        spoken.annotations.push(annotation);
    }
    less
}

pub(super) fn spoken_done(spoken: &mut Spoken, step: Step<'_>, emitter: &mut Emitter, out: &mut BytesMut) {
    let whole = Step { item_id: step.item_id, output_index: step.output_index, ..Step::default() };
    let whole = Step { content_index: step.content_index, ..whole };
    for cited in std::mem::take(&mut spoken.of_the_whole) {
        let content_index = step.content_index;
        let step =
            Step { item_id: step.item_id, output_index: step.output_index, content_index, ..Step::default() };
        cite(spoken, &cited, step, emitter, out);
    }
    if spoken.refusal {
        emitter.event("response.refusal.done", &Step { refusal: Some(&spoken.text), ..step }, out);
    } else {
        let step = Step { text: Some(&spoken.text), logprobs: Some(&spoken.logprobs), ..step };
        emitter.event("response.output_text.done", &step, out);
    }
    emitter.event("response.content_part.done", &Step { part: Some(spoken.part()), ..whole }, out);
}

/// A step in the summary of a thought.
fn in_summary<'a>(place: (&'a str, u64)) -> Step<'a> {
    Step { item_id: place.0, output_index: place.1, summary_index: Some(0), ..Step::default() }
}

pub(super) fn think_on(
    thought: &mut Thought,
    piece: &Piece,
    place: (&str, u64),
    emitter: &mut Emitter,
    out: &mut BytesMut,
) {
    match piece {
        Piece::Text(text) if !text.is_empty() => {
            if thought.text.is_empty() {
                let part = Some(Part::SummaryText { text: "" });
                let step = Step { part, ..in_summary(place) };
                emitter.event("response.reasoning_summary_part.added", &step, out);
            }
            thought.text.push_str(text);
            let step = Step { delta: Some(text), ..in_summary(place) };
            emitter.event("response.reasoning_summary_text.delta", &step, out);
        }
        Piece::Signature(whole) => thought.signature = Some(whole.clone()),
        Piece::Encrypted(whole) => thought.encrypted = Some(whole.clone()),
        _ => {}
    }
}

pub(super) fn thought_done(thought: &Thought, place: (&str, u64), emitter: &mut Emitter, out: &mut BytesMut) {
    if thought.text.is_empty() {
        return;
    }
    let step = Step { text: Some(&thought.text), ..in_summary(place) };
    emitter.event("response.reasoning_summary_text.done", &step, out);
    let part = Some(Part::SummaryText { text: &thought.text });
    emitter.event("response.reasoning_summary_part.done", &Step { part, ..in_summary(place) }, out);
}

pub(super) fn call_on(
    call: &mut Call,
    piece: &Piece,
    place: (&str, u64),
    emitter: &mut Emitter,
    out: &mut BytesMut,
) {
    match piece {
        Piece::ToolInput(more) if !more.is_empty() => {
            call.args.push_str(more);
            let kind = match call.kind {
                ToolKind::Custom => "response.custom_tool_call_input.delta",
                ToolKind::Function | ToolKind::BuiltIn => "response.function_call_arguments.delta",
            };
            let step = Step { item_id: place.0, output_index: place.1, delta: Some(more), ..Step::default() };
            emitter.event(kind, &step, out);
        }
        Piece::Signature(whole) => call.signature = Some(whole.clone()),
        _ => {}
    }
}

/// A call without arguments has an empty object, for clients parse what they get.
pub(super) fn call_done(call: &mut Call, place: (&str, u64), emitter: &mut Emitter, out: &mut BytesMut) {
    if call.args.is_empty() && call.kind != ToolKind::Custom {
        call_on(call, &Piece::ToolInput("{}".to_owned()), place, emitter, out);
    }
    let step = Step { item_id: place.0, output_index: place.1, ..Step::default() };
    let whole = Some(call.args.as_str());
    match call.kind {
        ToolKind::Custom => {
            emitter.event("response.custom_tool_call_input.done", &Step { input: whole, ..step }, out);
        }
        ToolKind::Function | ToolKind::BuiltIn => {
            let step = Step { arguments: whole, name: Some(&call.name), ..step };
            emitter.event("response.function_call_arguments.done", &step, out);
        }
    }
}
