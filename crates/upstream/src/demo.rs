//! The built-in demonstration provider: speaks OpenAI Chat, whole and streamed, and asks no model.
//!
//! It answers where nothing is configured yet, so that the first request of a newcomer shows the whole path. Its text
//! says what it is. The same request always gets the same words.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

use crate::in_process::{InProcess, InProcessReply};
use ask::Ask;

mod ask;

/// Time between two words of a stream: fast reading, and still visible as a stream.
const PAUSE: Duration = Duration::from_millis(20);
/// Characters of the last user message that are quoted.
const QUOTED: usize = 80;

/// The demonstration provider.
#[derive(Debug, Clone, Copy)]
pub struct Demo {
    /// Seconds since 1970, for the `created` of answers.
    pub clock: fn() -> u64,
}

impl InProcess for Demo {
    fn answer(&self, _headers: &HeaderMap, body: &[Bytes]) -> InProcessReply {
        match Ask::read(&body.concat()) {
            Ok(ask) => Answer::new(&ask, (self.clock)()).reply(&ask),
            Err(why) => refusal(&why),
        }
    }
}

/// What is said, before it takes the shape of a whole answer or a stream. A token of this provider is a word.
struct Answer {
    id: String,
    created: u64,
    model: String,
    words: Vec<String>,
    finish_reason: &'static str,
    usage: Value,
}

impl Answer {
    fn new(ask: &Ask, created: u64) -> Self {
        let text = text(ask.last_user_text());
        let all = text.split_inclusive(' ');
        let words: Vec<String> = all.clone().take(ask.max_words()).map(str::to_owned).collect();
        let finish_reason = if words.len() < all.count() { "length" } else { "stop" };
        let (input, output) = (ask.words(), words.len());
        let usage =
            json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
        let id = format!("chatcmpl-demo-{created:x}");
        Answer { id, created, model: ask.model().to_owned(), words, finish_reason, usage }
    }

    fn reply(&self, ask: &Ask) -> InProcessReply {
        if ask.stream() {
            let chunks = self.events(ask.wants_usage());
            InProcessReply { status: 200, headers: content_type("text/event-stream"), chunks, pause: PAUSE }
        } else {
            json_reply(200, &self.whole())
        }
    }

    fn whole(&self) -> Value {
        let message = json!({ "role": "assistant", "content": self.words.concat(), "refusal": null });
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": self.finish_reason }],
            "usage": self.usage,
        })
    }

    /// One server-sent event a word, between the one that names the role and the one that ends the answer.
    fn events(&self, with_usage: bool) -> Vec<Bytes> {
        let mut events = vec![self.event(json!({ "role": "assistant", "content": "" }), Value::Null)];
        events.extend(self.words.iter().map(|word| self.event(json!({ "content": word }), Value::Null)));
        events.push(self.event(json!({}), self.finish_reason.into()));
        if with_usage {
            let mut last = self.chunk(json!([]));
            last["usage"] = self.usage.clone();
            events.push(framed(&last.to_string()));
        }
        events.push(framed("[DONE]"));
        events
    }

    fn event(&self, delta: Value, finish_reason: Value) -> Bytes {
        let choice = json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason });
        framed(&self.chunk(json!([choice])).to_string())
    }

    fn chunk(&self, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        })
    }
}

fn text(asked: &str) -> String {
    let quote = match quoted(asked) {
        quote if quote.is_empty() => String::new(),
        quote => format!("You wrote: \"{quote}\". "),
    };
    format!(
        "This is a demonstration answer of the gateway itself; no model was asked. {quote}The path is the real one: a \
         model's answer reaches you the same way. To talk to a model, give the gateway a provider's key: set \
         <PROVIDER>_API_KEY in its environment and start it again, or store one with POST /v1/credentials."
    )
}

/// The beginning of a text on one line.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

fn framed(data: &str) -> Bytes {
    Bytes::from(format!("data: {data}\n\n"))
}

fn refusal(why: &str) -> InProcessReply {
    let error =
        json!({ "message": why, "type": "invalid_request_error", "param": null, "code": "invalid_request" });
    json_reply(400, &json!({ "error": error }))
}

fn json_reply(status: u16, body: &Value) -> InProcessReply {
    let chunks = vec![Bytes::from(body.to_string())];
    InProcessReply { status, headers: content_type("application/json"), chunks, pause: Duration::ZERO }
}

fn content_type(value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))])
}

#[cfg(test)]
mod tests;
