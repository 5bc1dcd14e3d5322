//! How one response is written: its events as they are, a text each. What it said is remembered.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::event;
use super::history::History;
use crate::items::{Items, sent_back};
use crate::problem::Refusal;
use crate::socket::answers::{Script, on_one_line};

/// Passes events on, and remembers the response when it is complete.
pub(super) struct ResponsesScript {
    history: Arc<Mutex<History>>,
    /// What was said so far: the input, then the items of the answer that are done.
    said: Items,
    /// Items of the answer among them.
    done: usize,
}

/// What is read of an event.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    output: Vec<&'a RawValue>,
}

impl ResponsesScript {
    pub(super) fn new(history: Arc<Mutex<History>>, input: Items) -> Self {
        Self { history, said: input, done: 0 }
    }

    fn learn(&mut self, data: &str) {
        // Most events are deltas, and need not be read.
        if !data.contains("response.output_item.done") && !data.contains("\"output\"") {
            return;
        }
        let Ok(event) = serde_json::from_str::<Event<'_>>(data) else { return };
        match &*event.kind {
            "response.output_item.done" => self.item(event.item),
            "response.completed" | "response.incomplete" => self.complete(event.response),
            _ => {}
        }
    }

    fn item(&mut self, item: Option<&RawValue>) {
        self.done += 1;
        self.said.extend(item.and_then(|item| sent_back(item.get())));
    }

    /// The last event repeats all items. From a server that leaves them out, those that were seen have to do.
    fn complete(&mut self, response: Option<Response<'_>>) {
        let Some(response) = response else { return };
        if self.done == 0 {
            self.said.extend(response.output.iter().filter_map(|item| sent_back(item.get())));
        }
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.remember(&response.id, std::mem::take(&mut self.said));
    }
}

impl Script for ResponsesScript {
    fn event(&mut self, data: &str, out: &mut VecDeque<Utf8Bytes>) {
        self.learn(data);
        out.push_back(Utf8Bytes::from(on_one_line(data).into_owned()));
    }

    fn refusal(&mut self, refusal: &Refusal, out: &mut VecDeque<Utf8Bytes>) {
        out.push_back(event::error(refusal).into());
    }

    fn end(&mut self, _: &mut VecDeque<Utf8Bytes>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(events: &[&str]) -> Option<Vec<String>> {
        let history = Arc::new(Mutex::new(History::new(1 << 20)));
        let mut script = ResponsesScript::new(history.clone(), vec!["{\"asked\":1}".into()]);
        let mut out = VecDeque::new();
        events.iter().for_each(|event| script.event(event, &mut out));
        script.end(&mut out);
        assert_eq!(out.iter().map(Utf8Bytes::as_str).collect::<Vec<_>>(), events, "events pass as they are");
        let history = history.lock().unwrap();
        history.items("r").map(|items| items.iter().map(|item| item.to_string()).collect())
    }

    const ITEM: &str = r#"{"type":"message","role":"assistant","content":[]}"#;

    #[test]
    fn question_and_answer_are_remembered_whichever_event_has_the_items() {
        let done = format!(r#"{{"type":"response.output_item.done","item":{ITEM}}}"#);
        let full = format!(r#"{{"type":"response.completed","response":{{"id":"r","output":[{ITEM}]}}}}"#);
        let empty = r#"{"type":"response.completed","response":{"id":"r","output":[]}}"#;
        for events in [vec![done.as_str(), &full], vec![&full], vec![&done, empty]] {
            assert_eq!(remembered(&events).unwrap(), ["{\"asked\":1}", ITEM]);
        }
    }

    #[test]
    fn a_response_that_failed_is_not_remembered() {
        let failed = r#"{"type":"response.failed","response":{"id":"r","output":[]}}"#;
        assert_eq!(remembered(&[failed]), None);
    }
}
