//! The Anthropic Messages wire: whole answers, events, errors. Requests are judged in `judge`, counted in `count`.
//! Source: the provider's API reference for messages, streaming and errors.

mod count;
mod judge;

use serde_json::{Value, json};

use crate::answer::{Answer, Call, Part, Usage};
use crate::ask::Ask;
use crate::http::Request;
use crate::script::{Script, Stop};
use crate::seal::Vendor;
use crate::stream::{Event, Tag};
use crate::wire::{Refusal, Wire, bearer};

pub(crate) use count::count_tokens;

/// Speaks `POST /messages`.
pub(crate) struct Anthropic;

impl Wire for Anthropic {
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str> {
        request.header("x-api-key").or_else(|| bearer(request))
    }

    fn judge(&self, request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
        judge::read(request, body, script)
    }

    fn whole(&self, ask: &Ask, answer: &Answer) -> Value {
        let mut message = message(ask);
        message["content"] = answer.parts.iter().map(block).collect();
        let (reason, sequence) = stop(answer);
        message["stop_reason"] = json!(reason);
        message["stop_sequence"] = json!(sequence);
        message["usage"] = merged(usage_first(answer.usage), usage_last(answer.usage));
        message
    }

    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event> {
        let mut message = message(ask);
        message["usage"] = usage_first(answer.usage);
        let mut events = vec![
            event(Tag::Open, "message_start", json!({"message": message})),
            event(Tag::Open, "ping", json!({})),
        ];
        for (index, part) in answer.parts.iter().enumerate() {
            events.extend(self::part(index, part));
        }
        let (reason, sequence) = stop(answer);
        let delta = json!({"stop_reason": reason, "stop_sequence": sequence});
        let finish = json!({"delta": delta, "usage": usage_last(answer.usage)});
        events.push(event(Tag::Finish, "message_delta", finish));
        events.push(event(Tag::Done, "message_stop", json!({})));
        events
    }

    fn error(&self, refusal: &Refusal) -> Value {
        let error = json!({"type": error_kind(refusal.status), "message": refusal.message});
        json!({"type": "error", "error": error, "request_id": "req_fakeprov"})
    }

    fn error_events(&self, refusal: &Refusal, _sent: usize) -> Vec<Event> {
        vec![Event { tag: Tag::Open, name: Some("error"), data: self.error(refusal).to_string() }]
    }
}

/// The signature of a thought of ours, so that a thought changed on its way back is noticed.
fn signature(thought: &str) -> String {
    Vendor::Anthropic.seal(thought)
}

fn message(ask: &Ask) -> Value {
    json!({
        "id": format!("msg_fake_{}", ask.serial), "type": "message", "role": "assistant", "model": ask.model,
        "content": [], "stop_reason": null, "stop_sequence": null,
    })
}

fn block(part: &Part) -> Value {
    match part {
        Part::Thinking(pieces) => {
            json!({"type": "thinking", "thinking": pieces.concat(), "signature": signature(&pieces.concat())})
        }
        Part::Text(pieces) | Part::Refusal(pieces) => json!({"type": "text", "text": pieces.concat()}),
        Part::Call(call) => {
            json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.object()})
        }
    }
}

/// A content block: its start, its deltas, its stop.
fn part(index: usize, part: &Part) -> Vec<Event> {
    let (start, deltas) = match part {
        Part::Thinking(pieces) => {
            let signed = json!({"type": "signature_delta", "signature": signature(&pieces.concat())});
            let thoughts = pieces.iter().map(|piece| json!({"type": "thinking_delta", "thinking": piece}));
            (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                thoughts.chain([signed]).collect::<Vec<_>>(),
            )
        }
        Part::Text(pieces) | Part::Refusal(pieces) => {
            let texts = pieces.iter().map(|piece| json!({"type": "text_delta", "text": piece}));
            (json!({"type": "text", "text": ""}), texts.collect())
        }
        Part::Call(Call { id, name, arguments, .. }) => {
            let empty = String::new();
            let pieces = std::iter::once(&empty).chain(arguments);
            let deltas = pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
            (json!({"type": "tool_use", "id": id, "name": name, "input": {}}), deltas.collect())
        }
    };
    let delta = |delta| event(Tag::Content, "content_block_delta", json!({"index": index, "delta": delta}));
    let mut events =
        vec![event(Tag::Open, "content_block_start", json!({"index": index, "content_block": start}))];
    events.extend(deltas.into_iter().map(delta));
    events.push(event(Tag::Open, "content_block_stop", json!({"index": index})));
    events
}

fn event(tag: Tag, name: &'static str, fields: Value) -> Event {
    let data = merged(json!({"type": name}), fields);
    Event { tag, name: Some(name), data: data.to_string() }
}

fn merged(mut first: Value, second: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (first.as_object_mut(), second) {
        fields.extend(more);
    }
    first
}

fn stop(answer: &Answer) -> (&'static str, Option<&'static str>) {
    match answer.stop {
        Stop::End if answer.refusal().is_some() => ("refusal", None),
        Stop::End => ("end_turn", None),
        Stop::Tool => ("tool_use", None),
        Stop::Length => ("max_tokens", None),
        Stop::Filter => ("refusal", None),
        Stop::Sequence => ("stop_sequence", Some("END")),
        Stop::Pause => ("pause_turn", None),
    }
}

/// The usage known at the start: input tokens exclude those read from the cache.
fn usage_first(usage: Usage) -> Value {
    match usage {
        Usage::Absent => json!({}),
        Usage::Odd => json!({"input_tokens": -5, "cache_read_input_tokens": "some", "output_tokens": 1}),
        Usage::Counted { .. } => json!({
            "input_tokens": 20, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5, "output_tokens": 1,
        }),
    }
}

/// The usage told at the end: all of it again, its numbers totals. Older streams told the output alone.
fn usage_last(usage: Usage) -> Value {
    match usage {
        Usage::Absent => json!({}),
        Usage::Odd => json!({"output_tokens": 1e308}),
        Usage::Counted { output, .. } => merged(usage_first(usage), json!({"output_tokens": output})),
    }
}

fn error_kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}
