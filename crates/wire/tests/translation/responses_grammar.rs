//! Checks a stream against the grammar of Responses as its clients need it, and says what one would have read. Shares no
//! code with the writer: it reads the text of the events naively.
//! Source: DIALECTS, section 8.1; CLIENTS, section 3; the fields of recorded answers.

use std::collections::HashSet;

use serde_json::{Value, json};

/// What a client has at the end of a stream.
#[derive(Debug, Default)]
pub struct Read {
    pub text: String,
    pub thoughts: String,
    pub refusal: String,
    /// Name and arguments of each call.
    pub calls: Vec<(String, String)>,
    /// Items as they were done.
    pub items: Vec<Value>,
    /// The last answer object.
    pub response: Value,
    /// The stream ended in an error.
    pub error: Option<Value>,
}

/// Fields that every answer object has. Source: openai-python 3.54, `Response`, and recorded answers.
const REQUIRED: &[&str] = &[
    "id",
    "object",
    "created_at",
    "status",
    "error",
    "incomplete_details",
    "instructions",
    "max_output_tokens",
    "metadata",
    "model",
    "output",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "usage",
    "user",
];

/// Panics with the rule that is broken.
pub fn check(case: &str, stream: &[u8]) -> Read {
    let mut checker = Checker { case, id: None, phase: Phase::Before, open: None, read: Read::default() };
    let events = events(case, std::str::from_utf8(stream).expect("a stream is UTF-8"));
    for (number, event) in events.iter().enumerate() {
        checker.rule("numbers count up from 0", event["sequence_number"] == number);
        checker.event(event);
    }
    checker.rule("the stream ends", checker.phase == Phase::Ended);
    checker.read
}

/// The fields of an answer object, whole or streamed.
pub fn check_object(case: &str, response: &Value) {
    for field in REQUIRED {
        assert!(response.get(field).is_some(), "{case}: an answer has the field {field}");
    }
    assert_eq!(response["object"], "response", "{case}");
    assert!(response["id"].as_str().is_some_and(|id| id.starts_with("resp_")), "{case}: {}", response["id"]);
    assert!(response["created_at"].is_u64() && response["model"].is_string(), "{case}: time and model");
    for item in response["output"].as_array().expect("output is a list") {
        check_item(case, item);
    }
    let usage = &response["usage"];
    if !usage.is_null() {
        let counts =
            ["/input_tokens", "/output_tokens", "/total_tokens", "/input_tokens_details/cached_tokens"];
        let all = counts.iter().chain(&["/output_tokens_details/reasoning_tokens"]);
        all.for_each(|count| assert!(usage.pointer(count).is_some_and(Value::is_u64), "{case}: {count}"));
    }
    let (status, error) = (response["status"].as_str().expect("a status"), &response["error"]);
    assert_eq!(error["code"].is_string() && error["message"].is_string(), status == "failed", "{case}");
    let reason = &response["incomplete_details"]["reason"];
    assert_eq!(reason.is_string(), status == "incomplete", "{case}");
}

fn check_item(case: &str, item: &Value) {
    let fields: &[&str] = match item["type"].as_str().expect("an item has a type") {
        "message" => &["id", "status", "role", "content"],
        "reasoning" => &["id", "summary"],
        "function_call" => &["id", "status", "call_id", "name", "arguments"],
        "custom_tool_call" => &["id", "status", "call_id", "name", "input"],
        _ => &["id"],
    };
    fields.iter().for_each(|field| assert!(item.get(field).is_some(), "{case}: {field} in {item}"));
    for part in item["content"].as_array().into_iter().flatten().filter(|part| part["type"] == "output_text")
    {
        assert!(part["text"].is_string() && part["annotations"].is_array(), "{case}: {part}");
    }
}

/// The events; each has a name and one line of data, and the two agree.
fn events(case: &str, stream: &str) -> Vec<Value> {
    let events = stream.strip_suffix("\n\n").expect("a stream ends in a blank line").split("\n\n");
    let parse = |event: &str| {
        let (name, data) =
            event.split_once("\ndata: ").unwrap_or_else(|| panic!("{case}: odd event {event}"));
        let event: Value = serde_json::from_str(data).unwrap_or_else(|why| panic!("{case}: {why}: {data}"));
        assert_eq!(name.strip_prefix("event: "), event["type"].as_str(), "{case}: the name is the type");
        event
    };
    events.map(parse).collect()
}

#[derive(Debug, PartialEq)]
enum Phase {
    Before,
    Created,
    Running,
    Failing,
    Ended,
}

/// The open item, and what its deltas have told.
#[derive(Debug)]
struct Open {
    index: u64,
    item: Value,
    /// The open part: its index, and its text so far.
    part: Option<(u64, String)>,
    /// Parts that are done.
    parts: Vec<Value>,
    args: String,
    args_done: bool,
    annotations: Vec<Value>,
}

struct Checker<'a> {
    case: &'a str,
    id: Option<Value>,
    phase: Phase,
    open: Option<Open>,
    read: Read,
}

impl Checker<'_> {
    fn rule(&self, rule: &str, holds: bool) {
        assert!(holds, "{}: {rule}", self.case);
    }

    fn event(&mut self, event: &Value) {
        let kind = event["type"].as_str().expect("an event has a type");
        self.rule("nothing follows the end", self.phase != Phase::Ended);
        let failing = self.phase == Phase::Failing;
        self.rule("only response.failed follows an error", !failing || kind == "response.failed");
        match kind {
            "response.created" => self.step(event, &Phase::Before, Phase::Created, "in_progress"),
            "response.in_progress" => self.step(event, &Phase::Created, Phase::Running, "in_progress"),
            "error" => {
                let text = |field: &str| event[field].is_string();
                self.rule("an error says what and why", text("code") && text("message"));
                self.read.error = Some(event.clone());
                self.phase = Phase::Failing;
            }
            "response.failed" => {
                self.step(event, &Phase::Failing, Phase::Ended, "failed");
                self.open = None;
            }
            "response.completed" => self.end(event, "completed"),
            "response.incomplete" => self.end(event, "incomplete"),
            _ => self.item_event(kind, event),
        }
    }

    fn step(&mut self, event: &Value, from: &Phase, to: Phase, status: &str) {
        let response = &event["response"];
        // An upstream may say itself that it failed, without an error in the stream.
        let in_order = self.phase == *from || (status == "failed" && self.phase == Phase::Running);
        self.rule("created, in progress, end: in this order", in_order);
        check_object(self.case, response);
        self.rule("the status fits", response["status"] == status);
        let id = self.id.get_or_insert_with(|| response["id"].clone());
        assert_eq!(*id, response["id"], "{}: the id stays", self.case);
        let output = response["output"].as_array().expect("output is a list");
        let so_far = if to == Phase::Ended { self.read.items.as_slice() } else { &[] };
        assert_eq!(output.as_slice(), so_far, "{}: the output is the items", self.case);
        self.read.response = response.clone();
        self.phase = to;
    }

    fn end(&mut self, event: &Value, status: &str) {
        self.rule("all items are done at the end", self.open.is_none());
        self.step(event, &Phase::Running, Phase::Ended, status);
    }

    fn item_event(&mut self, kind: &str, event: &Value) {
        self.rule("items come after response.in_progress", self.phase == Phase::Running);
        let index = event["output_index"].as_u64().expect("an item has an index");
        if kind == "response.output_item.added" {
            self.rule("one item at a time", self.open.is_none());
            self.rule("indexes of items count up", index == self.read.items.len() as u64);
            check_item(self.case, &event["item"]);
            self.open = Some(Open {
                index,
                item: event["item"].clone(),
                part: None,
                parts: Vec::new(),
                args: String::new(),
                args_done: false,
                annotations: Vec::new(),
            });
            return;
        }
        let case = self.case;
        let open = self.open.as_mut().unwrap_or_else(|| panic!("{case}: {kind} outside an item"));
        assert_eq!(open.index, index, "{case}: {kind} of another item");
        if kind == "response.output_item.done" {
            let open = self.open.take().expect("it is open");
            return self.done(&open, &event["item"]);
        }
        assert_eq!(event["item_id"], open.item["id"], "{case}: the id of an item stays");
        open.event(case, kind, event);
    }

    fn done(&mut self, open: &Open, item: &Value) {
        check_item(self.case, item);
        self.rule(
            "id and type of an item stay",
            ["id", "type"].iter().all(|key| item[key] == open.item[key]),
        );
        self.rule("parts are done before their item", open.part.is_none());
        match item["type"].as_str().expect("an item has a type") {
            "message" => {
                assert_eq!(item["content"], json!(open.parts).without_logprobs(item), "{}", self.case);
                for part in item["content"].as_array().expect("content is a list") {
                    self.read.text.push_str(part["text"].as_str().unwrap_or_default());
                    self.read.refusal.push_str(part["refusal"].as_str().unwrap_or_default());
                }
            }
            "reasoning" => {
                assert_eq!(item["summary"], json!(open.parts), "{}", self.case);
                let texts = open.parts.iter().filter_map(|part| part["text"].as_str());
                self.read.thoughts.extend(texts);
            }
            "function_call" | "custom_tool_call" => {
                self.rule("arguments are done before their call", open.args_done);
                let args = item["arguments"].as_str().or(item["input"].as_str()).expect("arguments");
                assert_eq!(open.args, args, "{}: the deltas are the arguments", self.case);
                let name = item["name"].as_str().expect("a name").to_owned();
                self.read.calls.push((name, args.to_owned()));
            }
            _ => {}
        }
        let ids: HashSet<&str> = self.read.items.iter().filter_map(|item| item["id"].as_str()).collect();
        self.rule("ids of items differ", !ids.contains(item["id"].as_str().expect("an id")));
        self.read.items.push(item.clone());
    }
}

/// Probabilities may arrive when their part is done already; the item has them all.
trait Logprobs {
    fn without_logprobs(self, item: &Value) -> Value;
}

impl Logprobs for Value {
    fn without_logprobs(mut self, item: &Value) -> Value {
        for (part, whole) in
            self.as_array_mut().into_iter().flatten().zip(item["content"].as_array().unwrap())
        {
            if part["type"] == "output_text" {
                part["logprobs"] = whole["logprobs"].clone();
            }
        }
        self
    }
}

impl Open {
    fn event(&mut self, case: &str, kind: &str, event: &Value) {
        let place = event["content_index"].as_u64().or(event["summary_index"].as_u64());
        let delta = event["delta"].as_str();
        match kind {
            "response.content_part.added" | "response.reasoning_summary_part.added" => {
                assert!(self.part.is_none(), "{case}: one part at a time");
                assert_eq!(place, Some(self.parts.len() as u64), "{case}: indexes of parts count up");
                self.part = Some((self.parts.len() as u64, String::new()));
            }
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.reasoning_summary_text.delta" => {
                let (at, text) =
                    self.part.as_mut().unwrap_or_else(|| panic!("{case}: a delta outside a part"));
                assert_eq!(place, Some(*at), "{case}: a delta of another part");
                text.push_str(delta.expect("a delta"));
                let spoken = kind == "response.output_text.delta";
                assert_eq!(event["logprobs"].is_array(), spoken, "{case}: texts have probabilities");
            }
            "response.output_text.annotation.added" => {
                assert_eq!(event["annotation_index"], self.annotations.len(), "{case}: annotations count up");
                self.annotations.push(event["annotation"].clone());
            }
            "response.output_text.done"
            | "response.refusal.done"
            | "response.reasoning_summary_text.done" => {
                let (_, text) = self.part.as_ref().unwrap_or_else(|| panic!("{case}: done outside a part"));
                let whole = event["text"].as_str().or(event["refusal"].as_str());
                assert_eq!(whole, Some(text.as_str()), "{case}: the deltas are the text");
            }
            "response.content_part.done" | "response.reasoning_summary_part.done" => {
                let (at, text) = self.part.take().unwrap_or_else(|| panic!("{case}: no part to be done"));
                let part = &event["part"];
                assert_eq!(place, Some(at), "{case}: another part is done");
                assert_eq!(part["text"].as_str().or(part["refusal"].as_str()), Some(text.as_str()), "{case}");
                if part["type"] == "output_text" {
                    assert_eq!(
                        part["annotations"],
                        json!(self.annotations),
                        "{case}: annotations were added"
                    );
                }
                self.annotations.clear();
                self.parts.push(part.clone());
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                assert!(!self.args_done, "{case}: arguments go on after they were done");
                self.args.push_str(delta.expect("a delta"));
            }
            "response.function_call_arguments.done" | "response.custom_tool_call_input.done" => {
                let whole = event["arguments"].as_str().or(event["input"].as_str());
                assert_eq!(whole, Some(self.args.as_str()), "{case}: the deltas are the arguments");
                self.args_done = true;
            }
            other => panic!("{case}: an event that we do not write: {other}"),
        }
    }
}
