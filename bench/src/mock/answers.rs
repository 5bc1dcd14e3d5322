//! The answers, written once and sent many times, and how a request says which it wants.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use memchr::memmem;
use serde_json::{Value, json};

/// Chunks of a bunched stream, and in how many writes they leave.
const BUNCH: usize = 64;
const WRITES: usize = 4;

/// The two wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Chat,
    Messages,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Whole(Wire),
    /// 64 chunks as fast as they can be written.
    Bunched(Wire),
    /// One chunk at a time, each stamped with the time it was written.
    Paced,
    /// One chunk, then silence.
    Hold,
}

impl Kind {
    /// Looks for words rather than parse: the beginning and the end of a long body hold all that matters.
    pub(crate) fn of(head: &[u8], body: &[u8]) -> Self {
        const EDGE: usize = 2048;
        let edges = [&body[..body.len().min(EDGE)], &body[body.len().saturating_sub(EDGE)..]];
        let has = |word: &str| edges.iter().any(|edge| memmem::find(edge, word.as_bytes()).is_some());
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let wire = if memmem::find(line, b"/messages").is_some() { Wire::Messages } else { Wire::Chat };
        if !has("\"stream\":true") && !has("\"stream\": true") {
            Self::Whole(wire)
        } else if has("paced\"") {
            Self::Paced
        } else if has("hold\"") {
            Self::Hold
        } else {
            Self::Bunched(wire)
        }
    }
}

/// The answers.
pub(crate) struct Answers {
    whole: [Bytes; 2],
    bunched: [Vec<Bytes>; 2],
    opening: Bytes,
    closing: Bytes,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self {
            whole: [whole(&chat_whole()), whole(&messages_whole())],
            bunched: [bunched(chat_events()), bunched(messages_events())],
            opening: [STREAM_HEAD, &chunk(&chat_event(&json!({"role": "assistant", "content": ""}), None))]
                .concat()
                .into(),
            closing: [chat_ending(), "0\r\n\r\n".into()].concat().into(),
        }
    }

    pub(crate) fn whole(&self, wire: Wire) -> &Bytes {
        &self.whole[wire as usize]
    }

    pub(crate) fn bunched(&self, wire: Wire) -> &[Bytes] {
        &self.bunched[wire as usize]
    }

    /// The head and first chunk of a Chat stream.
    pub(crate) fn opening(&self) -> &Bytes {
        &self.opening
    }

    /// The last chunks of a Chat stream.
    pub(crate) fn closing(&self) -> &Bytes {
        &self.closing
    }
}

/// A Chat chunk whose text is `@` and the nanoseconds since 1970.
pub(crate) fn stamped() -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    chunk(&format!(
        "data: {{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"mock\",\
         \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"@{now} \"}},\"finish_reason\":null}}]}}\n\n"
    ))
}

const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: mock\r\ntransfer-encoding: chunked\r\n\r\n";

fn whole(body: &Value) -> Bytes {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: mock\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// The head and all chunks in a few writes.
fn bunched(events: Vec<String>) -> Vec<Bytes> {
    let chunks: Vec<Vec<u8>> = events.iter().map(|event| chunk(event)).collect();
    let mut writes: Vec<Vec<u8>> =
        chunks.chunks(chunks.len().div_ceil(WRITES)).map(<[Vec<u8>]>::concat).collect();
    writes[0].splice(..0, STREAM_HEAD.iter().copied());
    if let Some(last) = writes.last_mut() {
        last.extend_from_slice(b"0\r\n\r\n");
    }
    writes.into_iter().map(Bytes::from).collect()
}

fn chunk(event: &str) -> Vec<u8> {
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}

/// About 350 characters: with its envelope an answer of 0.6 kB.
fn text() -> String {
    "The quick brown fox jumps over the lazy dog. ".repeat(7)
}

fn chat_whole() -> Value {
    json!({
        "id": "chatcmpl-mock", "object": "chat.completion", "created": 1_767_225_600, "model": "mock",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text()}, "finish_reason": "stop"}],
        "usage": chat_usage(),
    })
}

fn chat_usage() -> Value {
    json!({"prompt_tokens": 200, "completion_tokens": 64, "total_tokens": 264})
}

fn chat_event(delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
    let chunk = json!({
        "id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1_767_225_600, "model": "mock",
        "choices": [choice],
    });
    format!("data: {chunk}\n\n")
}

fn chat_events() -> Vec<String> {
    let deltas = (0..BUNCH).map(|number| chat_event(&json!({"content": format!("word{number} ")}), None));
    deltas.chain(chat_last_events()).collect()
}

fn chat_last_events() -> Vec<String> {
    let usage = json!({
        "id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1_767_225_600, "model": "mock",
        "choices": [], "usage": chat_usage(),
    });
    vec![chat_event(&json!({}), Some("stop")), format!("data: {usage}\n\n"), "data: [DONE]\n\n".into()]
}

fn chat_ending() -> Vec<u8> {
    chat_last_events().iter().flat_map(|event| chunk(event)).collect()
}

fn messages_whole() -> Value {
    json!({
        "id": "msg_mock", "type": "message", "role": "assistant", "model": "mock",
        "content": [{"type": "text", "text": text()}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 200, "output_tokens": 64},
    })
}

fn messages_events() -> Vec<String> {
    let event = |name: &str, mut fields: Value| {
        fields["type"] = json!(name);
        format!("event: {name}\ndata: {fields}\n\n")
    };
    let message = json!({
        "id": "msg_mock", "type": "message", "role": "assistant", "model": "mock", "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 200, "output_tokens": 1},
    });
    let block = json!({"index": 0, "content_block": {"type": "text", "text": ""}});
    let first = [event("message_start", json!({"message": message})), event("content_block_start", block)];
    let delta =
        |number| json!({"index": 0, "delta": {"type": "text_delta", "text": format!("word{number} ")}});
    let stop =
        json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 64}});
    let last = [
        event("content_block_stop", json!({"index": 0})),
        event("message_delta", stop),
        event("message_stop", json!({})),
    ];
    let deltas = (0..BUNCH).map(|number| event("content_block_delta", delta(number)));
    first.into_iter().chain(deltas).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_which_answer_it_wants() {
        let chat: &[u8] = b"POST /v1/chat/completions HTTP/1.1\r\n\r\n";
        let messages: &[u8] = b"POST /v1/messages HTTP/1.1\r\n\r\n";
        assert_eq!(Kind::of(chat, br#"{"model":"bench"}"#), Kind::Whole(Wire::Chat));
        assert_eq!(Kind::of(messages, br#"{"model":"benchm","stream":true}"#), Kind::Bunched(Wire::Messages));
        assert_eq!(Kind::of(chat, br#"{"model":"paced","stream": true}"#), Kind::Paced);
        assert_eq!(Kind::of(chat, br#"{"stream":true,"model":"hold"}"#), Kind::Hold);
    }

    #[test]
    fn a_whole_answer_is_about_six_hundred_bytes() {
        for answer in [chat_whole(), messages_whole()] {
            assert!((500..700).contains(&answer.to_string().len()), "{answer}");
        }
    }

    #[test]
    fn a_bunched_stream_has_all_its_chunks_in_a_few_writes() {
        let writes = bunched(chat_events());
        let bytes = writes.concat();
        assert_eq!(writes.len(), WRITES);
        assert_eq!(memmem::find_iter(&bytes, "\"content\":\"word").count(), BUNCH);
        assert!(bytes.ends_with(b"data: [DONE]\n\n\r\n0\r\n\r\n"));
    }
}
