//! The OpenAI Responses wire: whole answers and errors. Streams are written in `events`, requests are judged in
//! `judge`, counted in `count`.
//! Source: the provider's API reference for responses, and its guide to reasoning items.

mod count;
mod events;
mod judge;

use serde_json::{Map, Value, json};

use crate::answer::{Answer, Call, Part, Usage};
use crate::ask::Ask;
use crate::http::Request;
use crate::openai;
use crate::script::{Script, Stop};
use crate::seal::Vendor;
use crate::stream::{Event, Tag};
use crate::wire::{Refusal, Wire, bearer};

pub(crate) use count::count_tokens;

/// Speaks `POST /responses`.
pub(crate) struct Responses;

/// What an id of ours begins with, behind the prefix that says of what.
const OURS: &str = "fake_";

impl Wire for Responses {
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str> {
        bearer(request)
    }

    fn judge(&self, request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
        judge::read(request, body, script)
    }

    fn whole(&self, ask: &Ask, answer: &Answer) -> Value {
        let mut response = envelope(ask);
        finish(&mut response, ask, answer);
        response
    }

    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event> {
        events::write(ask, answer)
    }

    fn error(&self, refusal: &Refusal) -> Value {
        openai::error(refusal)
    }

    /// An `error` event and the response that failed, as recorded.
    fn error_events(&self, refusal: &Refusal, sent: usize) -> Vec<Event> {
        let (kind, code) = openai::error_kind(refusal.status);
        let code = code.unwrap_or(kind);
        let error = json!({"type": kind, "code": code, "message": refusal.message, "param": null});
        let first = json!({"type": "error", "sequence_number": sent, "error": error});
        let mut response = envelope(&Ask::default());
        response["status"] = json!("failed");
        response["error"] = json!({"code": code, "message": refusal.message});
        let last = json!({"type": "response.failed", "sequence_number": sent + 1, "response": response});
        vec![
            Event { tag: Tag::Open, name: Some("error"), data: first.to_string() },
            Event { tag: Tag::Open, name: Some("response.failed"), data: last.to_string() },
        ]
    }
}

/// A response that has not ended, with what it repeats of the request.
fn envelope(ask: &Ask) -> Value {
    let mut response = json!({
        "id": format!("resp_{OURS}{}", ask.serial), "object": "response", "created_at": openai::CREATED,
        "status": "in_progress", "background": false, "error": null, "incomplete_details": null, "model": ask.model,
        "output": [], "usage": null,
    });
    let usual = json!({
        "instructions": null, "max_output_tokens": null, "metadata": {}, "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": {"effort": null, "summary": null}, "service_tier": "default",
        "store": true, "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
        "top_p": 1.0, "truncation": "disabled", "user": null,
    });
    let empty = Map::new();
    let echo = ask.echo.as_object().unwrap_or(&empty);
    for (name, value) in usual.as_object().into_iter().flatten() {
        response[name.as_str()] = echo.get(name).unwrap_or(value).clone();
    }
    response
}

/// Puts into a response all that is known at its end.
fn finish(response: &mut Value, ask: &Ask, answer: &Answer) {
    let reason = match answer.stop {
        Stop::Length => Some("max_output_tokens"),
        Stop::Filter => Some("content_filter"),
        Stop::End | Stop::Tool | Stop::Sequence | Stop::Pause => None,
    };
    response["status"] = json!(if reason.is_some() { "incomplete" } else { "completed" });
    response["incomplete_details"] = reason.map_or(Value::Null, |reason| json!({"reason": reason}));
    let items = answer.parts.iter().enumerate();
    response["output"] = items.map(|(place, part)| item(ask, answer, place, part)).collect();
    response["usage"] = usage(answer.usage);
}

/// An output item, complete.
fn item(ask: &Ask, answer: &Answer, place: usize, part: &Part) -> Value {
    let mut item = opened(ask, answer, place, part);
    match part {
        Part::Thinking(pieces) => {
            item["summary"] = json!([{"type": "summary_text", "text": pieces.concat()}])
        }
        Part::Text(_) | Part::Refusal(_) => {
            item["status"] = json!("completed");
            item["content"] = json!([content(part)]);
        }
        Part::Call(call) => {
            item["status"] = json!("completed");
            item[input_field(call)] = json!(call.arguments.concat());
        }
    }
    item
}

/// An output item before its first delta.
fn opened(ask: &Ask, answer: &Answer, place: usize, part: &Part) -> Value {
    let id = id(ask, answer, place, part);
    match part {
        Part::Thinking(_) => {
            let mut item = json!({"id": id, "type": "reasoning", "summary": []});
            if ask.encrypted {
                item["encrypted_content"] = json!(Vendor::OpenAi.seal(&id));
            }
            item
        }
        Part::Text(_) | Part::Refusal(_) => {
            json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []})
        }
        Part::Call(call) => {
            let kind = if call.custom { "custom_tool_call" } else { "function_call" };
            json!({
                "id": id, "type": kind, "status": "in_progress", "call_id": call.id, "name": call.name,
                input_field(call): "",
            })
        }
    }
}

/// The content part of a message item.
fn content(part: &Part) -> Value {
    match part {
        Part::Refusal(pieces) => json!({"type": "refusal", "refusal": pieces.concat()}),
        Part::Text(pieces) => text_part(&pieces.concat()),
        Part::Thinking(_) | Part::Call(_) => Value::Null,
    }
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
}

fn input_field(call: &Call) -> &'static str {
    if call.custom { "input" } else { "arguments" }
}

/// The id of an item. That of a call says whether a thought led to it: then it must not come back without.
fn id(ask: &Ask, answer: &Answer, place: usize, part: &Part) -> String {
    let (prefix, end) = match part {
        Part::Thinking(_) => ("rs", ""),
        Part::Text(_) | Part::Refusal(_) => ("msg", ""),
        Part::Call(call) => (if call.custom { "ctc" } else { "fc" }, thought_of(answer)),
    };
    format!("{prefix}_{OURS}{}_{place}{end}", ask.serial)
}

fn thought_of(answer: &Answer) -> &'static str {
    if answer.thought().is_empty() { "" } else { THOUGHTFUL }
}

/// How the id of a call ends that came of a thought.
const THOUGHTFUL: &str = "_thought";

fn usage(usage: Usage) -> Value {
    match usage {
        Usage::Absent => Value::Null,
        Usage::Odd => json!({"input_tokens": -5, "output_tokens": 1e308, "total_tokens": "many"}),
        Usage::Counted { output, reasoning } => json!({
            "input_tokens": 25, "input_tokens_details": {"cached_tokens": 5}, "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": reasoning}, "total_tokens": 25 + output,
        }),
    }
}
