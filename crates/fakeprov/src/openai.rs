//! The OpenAI Chat wire: whole answers, chunks, errors. Requests are judged in `judge`.
//! Embeddings are beside it; the other wires of this provider share its errors and its count of tokens.
//! Source: the provider's API reference for chat completions.

mod embeddings;
mod judge;

use serde_json::{Value, json};

use crate::answer::{Answer, Call, Part, Usage};
use crate::ask::Ask;
use crate::http::Request;
use crate::script::{Script, Stop};
use crate::stream::{Event, Tag};
use crate::wire::{Refusal, Wire, bearer};

pub(crate) use embeddings::embeddings;

/// Speaks `POST /chat/completions`.
pub(crate) struct OpenAi;

/// Seconds since 1970 of every answer.
pub(crate) const CREATED: u64 = 1_767_225_600;

impl Wire for OpenAi {
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str> {
        bearer(request)
    }

    fn judge(&self, request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
        judge::read(request, body, script)
    }

    fn whole(&self, ask: &Ask, answer: &Answer) -> Value {
        let message = message(answer);
        let choice = |index: u64| json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish(answer.stop)});
        let mut body = envelope(ask, "chat.completion");
        body["choices"] = (0..ask.choices).map(choice).collect();
        if let Some(usage) = usage(answer.usage) {
            body["usage"] = usage;
        }
        body
    }

    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event> {
        let stream = Stream { ask };
        let mut events =
            stream.chunk(Tag::Open, &json!({"role": "assistant", "content": "", "refusal": null}));
        let mut calls = 0;
        for part in &answer.parts {
            events.extend(stream.part(part, &mut calls));
        }
        events.extend(stream.finish(answer.stop));
        if let Some(usage) = usage(answer.usage).filter(|_| ask.usage) {
            events.push(stream.usage(usage));
        }
        events.push(Event { tag: Tag::Done, name: None, data: "[DONE]".into() });
        events
    }

    fn error(&self, refusal: &Refusal) -> Value {
        error(refusal)
    }

    fn error_events(&self, refusal: &Refusal, _sent: usize) -> Vec<Event> {
        vec![Event::plain(Tag::Open, &error(refusal))]
    }
}

fn message(answer: &Answer) -> Value {
    let calls: Vec<Value> = answer.calls().map(call).collect();
    let (text, refusal) = (answer.text(), answer.refusal());
    let silent = text.is_empty() && (!calls.is_empty() || refusal.is_some());
    let content = if silent { Value::Null } else { text.into() };
    let mut message = json!({"role": "assistant", "content": content, "refusal": refusal});
    let thought = answer.thought();
    if !thought.is_empty() {
        message["reasoning_content"] = thought.into();
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    message
}

fn call(call: &Call) -> Value {
    let (kind, input) = form(call);
    json!({"id": call.id, "type": kind, kind: {"name": call.name, input: call.arguments.concat()}})
}

/// The type of a call, and the field of its input.
fn form(call: &Call) -> (&'static str, &'static str) {
    if call.custom { ("custom", "input") } else { ("function", "arguments") }
}

/// Writes the chunks of one stream.
struct Stream<'a> {
    ask: &'a Ask,
}

impl Stream<'_> {
    fn part(&self, part: &Part, calls: &mut usize) -> Vec<Event> {
        let texts = |field: &str, pieces: &[String]| {
            pieces.iter().flat_map(|piece| self.chunk(Tag::Content, &json!({ field: piece }))).collect()
        };
        match part {
            Part::Thinking(pieces) => texts("reasoning_content", pieces),
            Part::Text(pieces) => texts("content", pieces),
            Part::Refusal(pieces) => texts("refusal", pieces),
            Part::Call(call) => {
                let index = *calls;
                *calls += 1;
                let (kind, input) = form(call);
                let opening = json!({"index": index, "id": call.id, "type": kind, kind: {"name": call.name, input: ""}});
                let more = call.arguments.iter().map(|piece| json!({"index": index, kind: {input: piece}}));
                let deltas = std::iter::once(opening).chain(more);
                deltas.flat_map(|delta| self.chunk(Tag::Content, &json!({"tool_calls": [delta]}))).collect()
            }
        }
    }

    /// A delta, once for each choice.
    fn chunk(&self, tag: Tag, delta: &Value) -> Vec<Event> {
        (0..self.ask.choices).map(|index| self.choice(tag, index, delta, &Value::Null)).collect()
    }

    fn finish(&self, stop: Stop) -> Vec<Event> {
        let reason = json!(finish(stop));
        (0..self.ask.choices).map(|index| self.choice(Tag::Finish, index, &json!({}), &reason)).collect()
    }

    fn choice(&self, tag: Tag, index: u64, delta: &Value, finish: &Value) -> Event {
        let choice = json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish});
        self.event(tag, json!([choice]), Value::Null)
    }

    fn usage(&self, usage: Value) -> Event {
        self.event(Tag::Usage, json!([]), usage)
    }

    fn event(&self, tag: Tag, choices: Value, usage: Value) -> Event {
        let mut body = envelope(self.ask, "chat.completion.chunk");
        body["choices"] = choices;
        if self.ask.usage {
            body["usage"] = usage;
        }
        Event { tag, name: None, data: body.to_string() }
    }
}

fn envelope(ask: &Ask, object: &str) -> Value {
    json!({
        "id": format!("chatcmpl-fake-{}", ask.serial), "object": object, "created": CREATED,
        "model": ask.model, "service_tier": "default", "system_fingerprint": "fp_fake",
    })
}

/// The word for why an answer ended.
pub(crate) fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence | Stop::Pause => "stop",
        Stop::Tool => "tool_calls",
        Stop::Length => "length",
        Stop::Filter => "content_filter",
    }
}

/// The account of tokens, if one is given.
pub(crate) fn usage(usage: Usage) -> Option<Value> {
    match usage {
        Usage::Absent => None,
        Usage::Odd => Some(json!({"prompt_tokens": -5, "completion_tokens": 1e308, "total_tokens": "many"})),
        Usage::Counted { output, reasoning } => Some(json!({
            "prompt_tokens": 25, "completion_tokens": output, "total_tokens": 25 + output,
            "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
        })),
    }
}

/// The body of an error answer.
pub(crate) fn error(refusal: &Refusal) -> Value {
    let (kind, code) = error_kind(refusal.status);
    json!({"error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": code}})
}

/// The type and code of an error with a status.
pub(crate) fn error_kind(status: u16) -> (&'static str, Option<&'static str>) {
    match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        402 => ("insufficient_quota", Some("insufficient_quota")),
        403 => ("permission_error", None),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        503 | 529 => ("server_error", Some("overloaded")),
        400..=499 => ("invalid_request_error", None),
        _ => ("server_error", None),
    }
}
