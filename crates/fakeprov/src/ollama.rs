//! Ollama's own wire: whole answers, lines, errors. Requests are judged in `judge`.
//! Source: the project's API description (docs/api.md).

mod embed;
mod judge;

use serde_json::{Value, json};

use crate::answer::{Answer, Call, Part, Usage};
use crate::ask::Ask;
use crate::http::Request;
use crate::script::{Script, Stop};
use crate::stream::{Event, Form, Tag};
use crate::wire::{Refusal, Wire, bearer};

pub(crate) use self::embed::embed;

/// Speaks `POST /api/chat`.
pub(crate) struct Ollama;

impl Wire for Ollama {
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str> {
        bearer(request)
    }

    fn judge(&self, _request: &Request, body: &Value, _script: &Script) -> Result<Ask, Refusal> {
        judge::read(body)
    }

    fn whole(&self, ask: &Ask, answer: &Answer) -> Value {
        let mut message = json!({"role": "assistant", "content": answer.pieces().collect::<String>()});
        let thought = answer.thought();
        if !thought.is_empty() {
            message["thinking"] = json!(thought);
        }
        let calls: Vec<Value> = answer.calls().map(|call| self::call(ask, call)).collect();
        if !calls.is_empty() {
            message["tool_calls"] = json!(calls);
        }
        last(ask, answer, &message)
    }

    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event> {
        let mut events: Vec<Event> = answer.parts.iter().flat_map(|part| lines(ask, part)).collect();
        let end = last(ask, answer, &json!({"role": "assistant", "content": ""}));
        events.push(Event::plain(Tag::Finish, &end));
        events
    }

    fn form(&self, _request: &Request) -> Form {
        Form::Lines
    }

    fn error(&self, refusal: &Refusal) -> Value {
        json!({"error": refusal.message})
    }

    fn error_events(&self, refusal: &Refusal, _sent: usize) -> Vec<Event> {
        vec![Event::plain(Tag::Open, &self.error(refusal))]
    }
}

fn lines(ask: &Ask, part: &Part) -> Vec<Event> {
    let line = |field: &str, said: Value| {
        let mut message = json!({"role": "assistant", "content": ""});
        message[field] = said;
        let body = json!({"model": ask.model, "created_at": CREATED, "message": message, "done": false});
        Event::plain(Tag::Content, &body)
    };
    match part {
        Part::Thinking(pieces) => pieces.iter().map(|piece| line("thinking", json!(piece))).collect(),
        Part::Text(pieces) | Part::Refusal(pieces) => {
            pieces.iter().map(|piece| line("content", json!(piece))).collect()
        }
        Part::Call(call) => vec![line("tool_calls", json!([self::call(ask, call)]))],
    }
}

/// When every answer was made.
const CREATED: &str = "2026-01-01T00:00:00.314639Z";

fn call(ask: &Ask, call: &Call) -> Value {
    let mut called = json!({"function": {"name": call.name, "arguments": call.object()}});
    if ask.call_ids {
        called["id"] = json!(call.id);
    }
    called
}

/// The last line, which is also a whole answer's only one.
fn last(ask: &Ask, answer: &Answer, message: &Value) -> Value {
    let reason = if answer.stop == Stop::Length { "length" } else { "stop" };
    let mut body = json!({
        "model": ask.model, "created_at": CREATED, "message": message, "done_reason": reason, "done": true,
        "total_duration": 6_037_504_209_u64, "load_duration": 28_126_292, "prompt_eval_duration": 182_953_000,
        "eval_duration": 5_824_000_000_u64,
    });
    match answer.usage {
        Usage::Absent => {}
        Usage::Odd => body["eval_count"] = json!("many"),
        Usage::Counted { output, .. } => {
            body["prompt_eval_count"] = json!(25);
            body["eval_count"] = json!(output);
        }
    }
    body
}
