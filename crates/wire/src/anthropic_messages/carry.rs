//! Bodies and answers that are carried: the edits for the target, and what a glance sees.

use serde_json::value::RawValue;

use super::shape::{Answer, AnswerBlock, Delta, Ending, StopDetails, StreamEvent};
use super::{fault, stop, usage};
use crate::chat::{Profile, Stop};
use crate::dialect::{Glance, GlanceWhole};
use crate::frame::Frame;
use crate::{Fault, RawObject};

/// Names the target's model. Streams of this dialect report usage unasked.
pub(super) fn retarget(body: &mut RawObject, profile: &Profile) {
    body.set("model", &profile.model.as_ref());
}

/// What a frame says.
pub(super) fn glance(frame: Frame<'_>) -> Result<Glance, Fault> {
    let event: StreamEvent<'_> = fault::parse(frame.data)?;
    match &*event.kind {
        "error" => Err(fault::inside(frame.data)),
        "message_start" => message_start(&event),
        "content_block_start" => {
            let block: AnswerBlock<'_> = fault::member(event.content_block, "content_block")?;
            Ok(Glance { content: opening_has_content(&block), ..Glance::default() })
        }
        "content_block_delta" => {
            let delta: Delta<'_> = fault::member(event.delta, "delta")?;
            Ok(Glance { content: has_content(&delta), ..Glance::default() })
        }
        "message_delta" => message_delta(&event),
        "message_stop" => Ok(Glance { end: true, ..Glance::default() }),
        _ => Ok(Glance::default()),
    }
}

/// What a whole answer says.
pub(super) fn glance_whole(body: &RawObject) -> Result<GlanceWhole, Fault> {
    if body.raw("type") == Some("\"error\"") {
        return Err(fault::inside(&String::from_utf8_lossy(body.as_bytes())));
    }
    let usage: Option<&RawValue> = member(body, "usage")?;
    let reason: Option<String> = member(body, "stop_reason")?;
    let sequence = member(body, "stop_sequence")?;
    let details: Option<StopDetails> = member(body, "stop_details")?;
    Ok(GlanceWhole {
        usage: usage::read(usage).map(|tally| tally.usage()),
        model: member(body, "model")?,
        stop: reason.map(|reason| seen(&reason, sequence, details)),
        kept_as: None,
    })
}

/// A member of an answer; one of the wrong type is the upstream's doing.
fn member<'a, T: serde::Deserialize<'a>>(body: &'a RawObject, key: &str) -> Result<Option<T>, Fault> {
    body.get(key).map_err(|fault| fault::bad_answer(fault.to_string()))
}

fn message_start(event: &StreamEvent<'_>) -> Result<Glance, Fault> {
    let message: Answer<'_> = fault::member(event.message, "message")?;
    let usage = usage::read(message.usage).map(|tally| tally.usage());
    Ok(Glance { usage, model: message.model, ..Glance::default() })
}

fn message_delta(event: &StreamEvent<'_>) -> Result<Glance, Fault> {
    let delta: Ending = fault::member(event.delta, "delta")?;
    let usage = usage::read(event.usage).map(|tally| tally.usage());
    let stop = delta.stop_reason.map(|reason| seen(&reason, delta.stop_sequence, delta.stop_details));
    Ok(Glance { usage, stop, ..Glance::default() })
}

/// A glance sees no blocks, so the upstream's word on calls is taken.
fn seen(reason: &str, sequence: Option<String>, details: Option<StopDetails>) -> Stop {
    let explanation = details.and_then(|details| details.explanation);
    stop::stop(reason, sequence, explanation, reason == "tool_use")
}

/// An empty text or thought is only an opening; any other block is content by itself.
fn opening_has_content(block: &AnswerBlock<'_>) -> bool {
    match &*block.kind {
        "text" => block.text.as_ref().is_some_and(|text| !text.is_empty()),
        "thinking" => block.thinking.as_ref().is_some_and(|thought| !thought.is_empty()),
        _ => true,
    }
}

fn has_content(delta: &Delta<'_>) -> bool {
    match &*delta.kind {
        "text_delta" => delta.text.as_ref().is_some_and(|text| !text.is_empty()),
        "thinking_delta" => delta.thinking.as_ref().is_some_and(|thought| !thought.is_empty()),
        "input_json_delta" => delta.partial_json.as_ref().is_some_and(|json| !json.is_empty()),
        _ => true,
    }
}
