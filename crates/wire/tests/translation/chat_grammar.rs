//! Checks a stream against the grammar of OpenAI Chat chunks as its SDKs need it, and says what a client would have
//! read. Shares no code with the writer: it reads the text of the events naively.
//! Source: CLIENTS, section 3.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

/// What a client has at the end of a stream.
#[derive(Debug, Default)]
pub struct Read {
    pub choices: BTreeMap<u64, Choice>,
    pub usage: Option<Value>,
    /// The error object, when the stream ended in one.
    pub error: Option<Value>,
}

/// One answer as a client has put it together.
#[derive(Debug, Default)]
pub struct Choice {
    pub text: String,
    pub thoughts: String,
    pub refusal: String,
    pub calls: Vec<Call>,
    pub finish: Option<String>,
}

/// A call as a client has put it together.
#[derive(Debug, Default)]
pub struct Call {
    pub id: String,
    pub name: String,
    pub args: String,
}

/// Panics with the rule that is broken.
pub fn check(case: &str, stream: &[u8], include_usage: bool) -> Read {
    let datas = datas(case, std::str::from_utf8(stream).expect("a stream is UTF-8"));
    let (last, chunks) = datas.split_last().expect("a stream has events");
    let mut checker = Checker { case, include_usage, id: None, read: Read::default() };
    if *last != "[DONE]" {
        let error: Value = serde_json::from_str(last).expect("data is JSON");
        checker.rule("a stream ends in [DONE] or in an error", error["error"]["message"].is_string());
        checker.read.error = Some(error["error"].clone());
    }
    for data in chunks {
        checker.chunk(&serde_json::from_str(data).expect("data is JSON"));
    }
    checker.end()
}

/// The data of each event; nothing but one `data:` line and a blank one is written.
fn datas<'a>(case: &str, stream: &'a str) -> Vec<&'a str> {
    let events = stream.strip_suffix("\n\n").expect("a stream ends in a blank line").split("\n\n");
    let data = |event: &'a str| {
        let data = event.strip_prefix("data: ");
        data.filter(|data| !data.contains('\n')).unwrap_or_else(|| panic!("{case}: an odd event: {event}"))
    };
    events.map(data).collect()
}

struct Checker<'a> {
    case: &'a str,
    include_usage: bool,
    id: Option<Value>,
    read: Read,
}

impl Checker<'_> {
    fn rule(&self, rule: &str, holds: bool) {
        assert!(holds, "{}: {rule}", self.case);
    }

    fn chunk(&mut self, chunk: &Value) {
        self.rule("a chunk says what it is", chunk["object"] == "chat.completion.chunk");
        self.rule("a chunk has id, model and time", chunk["id"].is_string() && chunk["model"].is_string());
        self.rule("a chunk has its time", chunk["created"].is_u64());
        let id = self.id.get_or_insert_with(|| chunk["id"].clone()).clone();
        self.rule("all chunks have one id", id == chunk["id"]);
        let choices = chunk["choices"].as_array().expect("choices is a list");
        self.rule("nothing follows the usage", self.read.usage.is_none());
        if choices.is_empty() {
            self.rule("usage is sent to who asked", self.include_usage && chunk["usage"].is_object());
            let finished = self.read.choices.values().all(|choice| choice.finish.is_some());
            self.rule("usage comes after the finish", finished);
            self.read.usage = Some(chunk["usage"].clone());
        } else {
            self.rule("usage comes in a chunk of its own", !chunk["usage"].is_object());
        }
        choices.iter().for_each(|choice| self.choice(choice));
    }

    fn choice(&mut self, choice: &Value) {
        let index = choice["index"].as_u64().expect("a choice has an index");
        let delta = &choice["delta"];
        self.rule("a choice has a delta", delta.is_object());
        let first = !self.read.choices.contains_key(&index);
        let role = delta.get("role");
        self.rule("the first delta, and no other, has the role", first == role.is_some());
        self.rule("the role is the assistant's", role.is_none_or(|role| role == "assistant"));
        let finished = self.read.choices.get(&index).is_some_and(|choice| choice.finish.is_some());
        self.rule("nothing follows the finish", !finished);
        let so_far = self.read.choices.entry(index).or_default();
        so_far.text.push_str(delta["content"].as_str().unwrap_or_default());
        so_far.thoughts.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        so_far.refusal.push_str(delta["refusal"].as_str().unwrap_or_default());
        so_far.finish = choice["finish_reason"].as_str().map(str::to_owned);
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            self.call(index, piece);
        }
    }

    fn call(&mut self, choice: u64, piece: &Value) {
        let place = piece["index"].as_u64().expect("a piece of a call has its index");
        let place = usize::try_from(place).expect("an index is small");
        let (id, name) = (piece["id"].as_str(), piece["function"]["name"].as_str());
        let known = self.read.choices[&choice].calls.len();
        self.rule("indexes of calls count up", place <= known);
        self.rule(
            "id and name stand on the first piece only",
            (place == known) == (id.is_some() && name.is_some()),
        );
        self.rule("a later piece has neither", place == known || (id.is_none() && name.is_none()));
        let calls = &mut self.read.choices.get_mut(&choice).expect("the choice has begun").calls;
        if place == known {
            let (id, name) = (id.unwrap_or_default().to_owned(), name.unwrap_or_default().to_owned());
            calls.push(Call { id, name, args: String::new() });
        }
        calls[place].args.push_str(piece["function"]["arguments"].as_str().unwrap_or_default());
    }

    fn end(self) -> Read {
        if self.read.error.is_none() {
            self.rule("there is an answer", !self.read.choices.is_empty());
            let finished = self.read.choices.values().all(|choice| choice.finish.is_some());
            self.rule("each choice has a finish reason", finished);
        }
        for choice in self.read.choices.values() {
            let ids: HashSet<&str> = choice.calls.iter().map(|call| call.id.as_str()).collect();
            self.rule("ids of calls differ", ids.len() == choice.calls.len());
            self.rule("calls have ids", !ids.contains(""));
        }
        self.read
    }
}
