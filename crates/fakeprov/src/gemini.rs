//! The Gemini wire: whole answers, streamed ones, errors. Requests are judged in `judge`; embeddings and the count of
//! tokens are in `work`. Source: the provider's API reference for generateContent, and its guide to thought signatures.

mod judge;
mod work;

use serde_json::{Value, json};

use crate::answer::{Answer, Call, Part, Usage};
use crate::ask::Ask;
use crate::http::Request;
use crate::script::{Script, Stop};
use crate::seal::Vendor;
use crate::stream::{Event, Form, Tag};
use crate::wire::{Refusal, Wire, bearer, model_of_path};

pub(crate) use work::{count_tokens, embed, embed_all};

/// Speaks `POST /models/{model}:generateContent` and `:streamGenerateContent`.
pub(crate) struct Gemini;

/// What a refusal blames when the key is no good.
const KEY: &str = "key";

impl Wire for Gemini {
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let asked = || {
            let query = request.target.split_once('?')?.1;
            query.split('&').find_map(|pair| pair.strip_prefix("key="))
        };
        request.header("x-goog-api-key").or_else(|| bearer(request)).or_else(asked)
    }

    /// A key that is no key is a bad request here, as recorded.
    fn stranger(&self) -> Refusal {
        Refusal::field(KEY, "API key not valid. Please pass a valid API key.")
    }

    fn model(&self, request: &Request, _body: &Value) -> String {
        model_of_path(request)
    }

    fn judge(&self, request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
        judge::read(request, body, script)
    }

    fn whole(&self, ask: &Ask, answer: &Answer) -> Value {
        let mut body = envelope(ask, usage(answer.usage));
        if answer.blocked() {
            body["promptFeedback"] = json!({"blockReason": "PROHIBITED_CONTENT"});
            return body;
        }
        let mut parts: Vec<Value> = answer.parts.iter().map(|part| whole_part(ask, part)).collect();
        sign(&mut parts, answer);
        body["candidates"] = json!([candidate(&parts, Some(finish(answer)))]);
        body
    }

    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event> {
        if answer.blocked() {
            return vec![Event::plain(Tag::Finish, &self.whole(ask, answer))];
        }
        let chunk = |tag, parts: &[Value], finish, usage| {
            let mut body = envelope(ask, usage);
            body["candidates"] = json!([candidate(parts, finish)]);
            Event::plain(tag, &body)
        };
        let so_far = usage_so_far(answer.usage);
        let mut events = Vec::new();
        let mut parts: Vec<Value> = answer.parts.iter().flat_map(|part| pieces(ask, part)).collect();
        let mut last = vec![json!({"text": ""})];
        if answer.calls().next().is_some() {
            sign(&mut parts, answer)
        } else {
            sign(&mut last, answer)
        }
        events.extend(
            parts.iter().map(|part| chunk(Tag::Content, std::slice::from_ref(part), None, so_far.clone())),
        );
        events.push(chunk(Tag::Finish, &last, Some(finish(answer)), usage(answer.usage)));
        events
    }

    fn form(&self, request: &Request) -> Form {
        if request.target.contains("alt=sse") { Form::Sse } else { Form::Array }
    }

    fn error(&self, refusal: &Refusal) -> Value {
        let mut error =
            json!({"code": refusal.status, "message": refusal.message, "status": status(refusal.status)});
        if refusal.param.as_deref() == Some(KEY) {
            error["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                "domain": "googleapis.com", "metadata": {"service": "generativelanguage.googleapis.com"},
            }]);
        }
        if refusal.status == 429 {
            error["details"] =
                json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}]);
        }
        json!({"error": error})
    }

    fn error_events(&self, refusal: &Refusal, _sent: usize) -> Vec<Event> {
        vec![Event::plain(Tag::Open, &self.error(refusal))]
    }
}

fn envelope(ask: &Ask, usage: Option<Value>) -> Value {
    let mut body = json!({"candidates": []});
    if let Some(usage) = usage {
        body["usageMetadata"] = usage;
    }
    body["modelVersion"] = json!(ask.model);
    body["responseId"] = json!(format!("fake{}", ask.serial));
    body
}

fn candidate(parts: &[Value], finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    candidate
}

/// A part as one.
fn whole_part(ask: &Ask, part: &Part) -> Value {
    match part {
        Part::Thinking(pieces) => json!({"text": pieces.concat(), "thought": true}),
        Part::Text(pieces) | Part::Refusal(pieces) => json!({"text": pieces.concat()}),
        Part::Call(call) => self::call(ask, call),
    }
}

/// A part in the pieces of a stream; a call is never in pieces.
fn pieces(ask: &Ask, part: &Part) -> Vec<Value> {
    match part {
        Part::Thinking(pieces) => {
            pieces.iter().map(|piece| json!({"text": piece, "thought": true})).collect()
        }
        Part::Text(pieces) | Part::Refusal(pieces) => {
            pieces.iter().map(|piece| json!({"text": piece})).collect()
        }
        Part::Call(call) => vec![self::call(ask, call)],
    }
}

fn call(ask: &Ask, call: &Call) -> Value {
    let mut function = json!({"name": call.name, "args": call.object()});
    if ask.call_ids {
        function["id"] = json!(call.id);
    }
    json!({"functionCall": function})
}

/// Signs what a thought led to: the first call, or else the last part.
fn sign(parts: &mut [Value], answer: &Answer) {
    if answer.thought().is_empty() {
        return;
    }
    let called = parts.iter().position(|part| part.get("functionCall").is_some());
    let place = called.unwrap_or(parts.len().saturating_sub(1));
    if let Some(part) = parts.get_mut(place) {
        part["thoughtSignature"] = json!(Vendor::Google.seal(&signed(part)));
    }
}

/// What a signature on a part vouches for: the call, whatever the order of its arguments. On a text it vouches for the
/// model alone, because clients join the pieces of a text.
fn signed(part: &Value) -> String {
    let Some(call) = part.get("functionCall") else { return String::new() };
    format!("{} {}", call["name"], sorted(&call["args"]))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: std::collections::BTreeMap<&String, Value> =
                fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            json!(fields)
        }
        Value::Array(all) => all.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn finish(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::End if answer.refusal().is_some() => "SAFETY",
        Stop::End | Stop::Tool | Stop::Sequence | Stop::Pause => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Filter => "SAFETY",
    }
}

fn usage(usage: Usage) -> Option<Value> {
    match usage {
        Usage::Absent => None,
        Usage::Odd => {
            Some(json!({"promptTokenCount": -5, "candidatesTokenCount": 1e308, "totalTokenCount": "many"}))
        }
        Usage::Counted { output, reasoning } => {
            let mut usage = json!({
                "promptTokenCount": 25, "cachedContentTokenCount": 5, "candidatesTokenCount": output - reasoning,
                "totalTokenCount": 25 + output,
            });
            if reasoning > 0 {
                usage["thoughtsTokenCount"] = json!(reasoning);
            }
            Some(usage)
        }
    }
}

/// The account in the middle of a stream.
fn usage_so_far(usage: Usage) -> Option<Value> {
    match usage {
        Usage::Counted { .. } => Some(json!({"promptTokenCount": 25, "totalTokenCount": 25})),
        Usage::Absent | Usage::Odd => None,
    }
}

fn status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 | 529 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        400..=499 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}
