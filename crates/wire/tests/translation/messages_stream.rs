//! Checks a stream against the grammar of Anthropic Messages as its SDKs need it, and says what a client would have
//! read. Shares no code with the writer: it reads the text of the events naively.
//! Source: CLIENTS, section 3; DIALECTS, section 8.1.

use serde_json::{Value, json};

/// What a client has at the end of a stream.
#[derive(Debug, Default)]
pub struct Read {
    /// The message as an SDK has put it together.
    pub message: Value,
    /// The error object, when the stream ended in one.
    pub error: Option<Value>,
}

impl Read {
    /// All texts or all thoughts, joined.
    pub fn joined(&self, kind: &str, field: &str) -> String {
        self.blocks(kind).map(|block| block[field].as_str().unwrap()).collect()
    }

    pub fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let content = self.message["content"].as_array().into_iter().flatten();
        content.filter(move |block| block["type"] == kind)
    }

    /// Name and arguments of each call.
    pub fn calls(&self) -> Vec<(String, Value)> {
        let call = |block: &Value| (block["name"].as_str().unwrap().to_owned(), block["input"].clone());
        self.blocks("tool_use").map(call).collect()
    }
}

/// Panics with the rule that is broken.
pub fn check(case: &str, stream: &[u8]) -> Read {
    let stream = std::str::from_utf8(stream).expect("a stream is UTF-8");
    let mut checker =
        Checker { case, state: State::Begin, open: None, args: String::new(), read: Read::default() };
    for event in stream.strip_suffix("\n\n").expect("a stream ends in a blank line").split("\n\n") {
        checker.event(event);
    }
    checker.end()
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Begin,
    Blocks,
    /// `message_delta` has come.
    Stopping,
    Ended,
}

struct Checker<'a> {
    case: &'a str,
    state: State,
    /// Index of the open block.
    open: Option<u64>,
    /// Its arguments so far.
    args: String,
    read: Read,
}

impl Checker<'_> {
    fn rule(&self, rule: &str, holds: bool) {
        assert!(holds, "{}: {rule}", self.case);
    }

    fn event(&mut self, event: &str) {
        let (name, data) = event.split_once('\n').expect("an event has a name and data");
        let name = name.strip_prefix("event: ").expect("the first line is the name");
        let data: Value =
            serde_json::from_str(data.strip_prefix("data: ").expect("then the data")).expect("data is JSON");
        self.rule("the name is the type", data["type"] == name);
        self.rule("nothing follows the end", self.state != State::Ended);
        match name {
            "message_start" => self.start(&data["message"]),
            "error" => self.error(&data),
            "ping" => {}
            _ => {
                self.rule("message_start comes first", self.state != State::Begin);
                self.rest(name, &data);
            }
        }
    }

    fn rest(&mut self, name: &str, data: &Value) {
        match name {
            "content_block_start" => self.open(data),
            "content_block_delta" => self.delta(data),
            "content_block_stop" => self.close(data),
            "message_delta" => self.stop(data),
            "message_stop" => {
                self.rule("a reason comes before the end", self.state == State::Stopping);
                self.state = State::Ended;
            }
            other => panic!("{}: an unknown event {other}", self.case),
        }
    }

    fn start(&mut self, message: &Value) {
        self.rule("one message_start", self.state == State::Begin);
        self.state = State::Blocks;
        self.rule("an id of this dialect", message["id"].as_str().is_some_and(|id| id.starts_with("msg_")));
        self.rule(
            "a message says what it is",
            message["type"] == "message" && message["role"] == "assistant",
        );
        self.rule("a model is named", message["model"].as_str().is_some_and(|model| !model.is_empty()));
        self.rule("it begins empty", message["content"] == json!([]) && message["stop_reason"].is_null());
        self.usage(&message["usage"]);
        self.read.message = message.clone();
    }

    fn usage(&mut self, usage: &Value) {
        self.rule("counts are numbers", usage["input_tokens"].is_u64() && usage["output_tokens"].is_u64());
        if let Value::Object(mine) = &mut self.read.message["usage"] {
            mine.extend(usage.as_object().expect("usage is an object").clone());
        }
    }

    fn open(&mut self, data: &Value) {
        self.rule("blocks come before the reason", self.state == State::Blocks);
        self.rule("one block at a time", self.open.is_none());
        let blocks = self.read.message["content"].as_array_mut().expect("content is a list");
        let expected = blocks.len() as u64;
        blocks.push(data["content_block"].clone());
        self.rule("indexes count up from 0", data["index"] == expected);
        self.open = Some(expected);
        self.args.clear();
        let block = &data["content_block"];
        match block["type"].as_str().expect("a block has a type") {
            "text" => self.rule("a text begins empty", block["text"] == ""),
            "thinking" => {
                self.rule("a thought begins empty", block["thinking"] == "" && block["signature"] == "")
            }
            "tool_use" => {
                let named = ["id", "name"].iter().all(|field| block[field].is_string());
                self.rule("a call has id, name and an empty input", named && block["input"] == json!({}));
            }
            _ => {}
        }
    }

    fn delta(&mut self, data: &Value) {
        self.rule("a delta is of the open block", self.open.is_some() && data["index"].as_u64() == self.open);
        let block = self.read.message["content"].as_array_mut().expect("content is a list").last_mut();
        let block = block.expect("a block is open");
        let delta = &data["delta"];
        let (kind, field) = match delta["type"].as_str().expect("a delta has a type") {
            "text_delta" => ("text", "text"),
            "thinking_delta" => ("thinking", "thinking"),
            "signature_delta" => ("thinking", "signature"),
            "input_json_delta" => {
                assert_eq!(block["type"], "tool_use", "{}: arguments of a call", self.case);
                return self.args.push_str(delta["partial_json"].as_str().expect("arguments are text"));
            }
            "citations_delta" => {
                assert_eq!(block["type"], "text", "{}: a citation of a text", self.case);
                assert!(delta["citation"]["type"].is_string(), "{}: a citation has a type", self.case);
                return;
            }
            other => panic!("{}: an unknown delta {other}", self.case),
        };
        assert_eq!(block["type"], kind, "{}: a delta fits its block", self.case);
        let more = delta[field].as_str().expect("more is text");
        block[field] = Value::String(format!("{}{more}", block[field].as_str().expect("so far is text")));
    }

    fn close(&mut self, data: &Value) {
        self.rule("a stop is of the open block", self.open.is_some() && data["index"].as_u64() == self.open);
        self.open = None;
        if !self.args.is_empty() {
            let input = serde_json::from_str(&self.args).unwrap_or_else(|_| json!({"broken": self.args}));
            let blocks = self.read.message["content"].as_array_mut().expect("content is a list");
            blocks.last_mut().expect("a block was open")["input"] = input;
        }
        let last = self.read.message["content"].as_array().and_then(|blocks| blocks.last());
        let empty_text = last.is_some_and(|block| block["type"] == "text" && block["text"] == "");
        self.rule("no text stays empty, for it could not be sent back", !empty_text);
    }

    fn stop(&mut self, data: &Value) {
        self.rule("no block is open at the reason", self.open.is_none());
        self.state = State::Stopping;
        let delta = &data["delta"];
        self.rule("a reason is given", delta["stop_reason"].is_string());
        let matched = delta["stop_sequence"].is_string();
        self.rule("a stop text with its reason only", matched == (delta["stop_reason"] == "stop_sequence"));
        for name in ["stop_reason", "stop_sequence", "stop_details"] {
            self.read.message[name] = delta[name].clone();
        }
        self.usage(&data["usage"]);
    }

    fn error(&mut self, data: &Value) {
        let error = &data["error"];
        self.rule("an error has type and message", error["type"].is_string() && error["message"].is_string());
        self.read.error = Some(error.clone());
        self.state = State::Ended;
    }

    fn end(self) -> Read {
        self.rule("a stream ends in message_stop or in an error", self.state == State::Ended);
        self.read
    }
}
