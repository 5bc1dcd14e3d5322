//! How one answer is written at `/v1/ws`.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use wire::RawObject;

use crate::problem::Refusal;
use crate::socket::answers::{Script, on_one_line};

const DONE: &str = "[DONE]";

/// Writes chunks as they are; those of a request with an id get it as `request_id`.
pub(super) struct ChatScript {
    id: Option<String>,
}

impl ChatScript {
    /// `id` as JSON text.
    pub(super) fn new(id: Option<&str>) -> Self {
        Self { id: id.map(str::to_owned) }
    }

    /// An object on one line, with the id.
    fn text(&self, json: &str) -> Utf8Bytes {
        let marked = self.id.as_ref().and_then(|id| with_id(json, id));
        framed(&on_one_line(marked.as_deref().unwrap_or(json)))
    }
}

impl Script for ChatScript {
    fn event(&mut self, data: &str, out: &mut VecDeque<Utf8Bytes>) {
        if data != DONE {
            out.push_back(self.text(data));
        }
    }

    fn refusal(&mut self, refusal: &Refusal, out: &mut VecDeque<Utf8Bytes>) {
        out.push_back(self.text(&String::from_utf8_lossy(&refusal.body)));
    }

    /// The end marker comes after an error too, as users of LLM-Bridge expect (DECISIONS 10). It cannot carry an id; the
    /// chunk right before it does.
    fn end(&mut self, out: &mut VecDeque<Utf8Bytes>) {
        if self.id.is_some() {
            out.push_back(self.text(r#"{"object":"chat.completion.chunk","choices":[],"done":true}"#));
        }
        out.push_back(framed(DONE));
    }
}

fn framed(data: &str) -> Utf8Bytes {
    format!("data: {data}\n\n").into()
}

fn with_id(json: &str, id: &str) -> Option<String> {
    let mut object = RawObject::parse(Bytes::copy_from_slice(json.as_bytes())).ok()?;
    object.set_raw("request_id", id.to_owned());
    String::from_utf8(object.into_bytes().into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(id: Option<&str>, data: &[&str]) -> Vec<String> {
        let mut script = ChatScript::new(id);
        let mut out = VecDeque::new();
        data.iter().for_each(|data| script.event(data, &mut out));
        script.end(&mut out);
        out.iter().map(Utf8Bytes::to_string).collect()
    }

    #[test]
    fn an_answer_without_an_id_is_passed_on_and_ends_once() {
        let texts = written(None, &[r#"{"a":1}"#, "{\"b\":\n2}", DONE]);
        assert_eq!(texts, ["data: {\"a\":1}\n\n", "data: {\"b\": 2}\n\n", "data: [DONE]\n\n"]);
    }

    #[test]
    fn every_chunk_of_a_request_with_an_id_has_it_and_so_has_the_one_before_the_end() {
        let texts = written(Some("\"q\""), &[r#"{"a":1}"#]);
        assert_eq!(texts[0], "data: {\"a\":1,\"request_id\":\"q\"}\n\n");
        assert!(texts[1].contains(r#""done":true,"request_id":"q""#), "{texts:?}");
        assert_eq!((texts[2].as_str(), texts.len()), ("data: [DONE]\n\n", 3));
    }
}
