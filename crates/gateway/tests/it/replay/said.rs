//! What an answer says, read naively from its JSON. Shares no code with the gateway.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::recordings::{Dialect, Recording};
use crate::support::events;

/// What must come through.
#[derive(Debug, Default, PartialEq)]
pub struct Said {
    pub choices: BTreeMap<u64, Choice>,
    pub usage: Usage,
}

/// One answer of perhaps several.
#[derive(Debug, Default, PartialEq)]
pub struct Choice {
    pub text: String,
    pub thoughts: String,
    pub refusal: String,
    /// Name and arguments of each call.
    pub calls: Vec<(String, Value)>,
    /// In the words of OpenAI Chat.
    pub finish: Option<String>,
}

/// Tokens, as far as they are stated.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Usage {
    pub prompt: Option<u64>,
    pub output: Option<u64>,
}

/// What a recorded answer says.
pub fn of_recording(recording: &Recording) -> Said {
    match (recording.dialect, recording.stream) {
        (Dialect::Chat, false) => of_chat(std::slice::from_ref(&recording.body)),
        (Dialect::Chat, true) => of_chat(&events(&recording.events.concat())),
        (Dialect::Messages, false) => of_message(&recording.body),
        (Dialect::Messages, true) => of_message(&gathered(&events(&recording.events.concat()))),
    }
}

/// What an answer in OpenAI Chat says: one whole answer, or all chunks.
pub fn of_chat(answers: &[Value]) -> Said {
    let mut choices: BTreeMap<u64, Reading> = BTreeMap::new();
    let mut usage = Usage::default();
    for answer in answers.iter().filter(|answer| answer.is_object()) {
        for choice in answer["choices"].as_array().into_iter().flatten() {
            let reading = choices.entry(choice["index"].as_u64().unwrap_or(0)).or_default();
            reading.message(if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] });
            let finish = choice["finish_reason"].as_str().map(str::to_owned);
            reading.choice.finish = reading.choice.finish.take().or(finish);
        }
        usage = usage_of_chat(answer).unwrap_or(usage);
    }
    Said { choices: choices.into_iter().map(|(index, reading)| (index, reading.done())).collect(), usage }
}

/// All that was generated is what is not prompt: that holds wherever servers put their reasoning (DIALECTS, section 7).
fn usage_of_chat(answer: &Value) -> Option<Usage> {
    let places = ["/usage", "/x_groq/usage"];
    let usage = places.iter().find_map(|place| answer.pointer(place).filter(|usage| usage.is_object()))?;
    let prompt = usage["prompt_tokens"].as_u64()?;
    Some(Usage { prompt: Some(prompt), output: Some(usage["total_tokens"].as_u64()? - prompt) })
}

#[derive(Default)]
struct Reading {
    choice: Choice,
    /// Name and arguments of each call so far, by its index.
    calls: BTreeMap<u64, (String, String)>,
}

impl Reading {
    fn message(&mut self, message: &Value) {
        match &message["content"] {
            Value::String(text) => self.choice.text.push_str(text),
            Value::Array(parts) => parts.iter().for_each(|part| self.part(part)),
            _ => {}
        }
        let thoughts = [&message["reasoning_content"], &message["reasoning"]];
        self.choice.thoughts.push_str(thoughts.into_iter().find_map(Value::as_str).unwrap_or_default());
        self.choice.refusal.push_str(message["refusal"].as_str().unwrap_or_default());
        for (place, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
            self.call(call["index"].as_u64().unwrap_or(place as u64), &call["function"]);
        }
        self.call(0, &message["function_call"]);
    }

    /// Mistral's content is a list.
    fn part(&mut self, part: &Value) {
        self.choice.text.push_str(part["text"].as_str().unwrap_or_default());
        for thought in part["thinking"].as_array().into_iter().flatten() {
            self.choice.thoughts.push_str(thought["text"].as_str().unwrap());
        }
    }

    fn call(&mut self, index: u64, function: &Value) {
        if !function.is_object() {
            return;
        }
        let (name, arguments) = self.calls.entry(index).or_default();
        if let Some(given) = function["name"].as_str().filter(|given| !given.is_empty()) {
            *name = given.to_owned();
        }
        arguments.push_str(function["arguments"].as_str().unwrap_or_default());
    }

    fn done(mut self) -> Choice {
        let parsed = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        self.choice.calls =
            self.calls.into_values().map(|(name, arguments)| (name, parsed(arguments))).collect();
        self.choice
    }
}

/// Reasons to stop in Anthropic's words, and in OpenAI's (DIALECTS, section 6).
const FINISHES: &[(&str, &str)] = &[
    ("end_turn", "stop"),
    ("stop_sequence", "stop"),
    ("max_tokens", "length"),
    ("tool_use", "tool_calls"),
    ("refusal", "content_filter"),
];

fn of_message(message: &Value) -> Said {
    let mut choice = Choice::default();
    for block in message["content"].as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "text" => choice.text.push_str(block["text"].as_str().unwrap()),
            "thinking" => choice.thoughts.push_str(block["thinking"].as_str().unwrap()),
            "tool_use" => {
                choice.calls.push((block["name"].as_str().unwrap().to_owned(), block["input"].clone()))
            }
            _ => {}
        }
    }
    let reason = message["stop_reason"].as_str().unwrap();
    let known = FINISHES.iter().find(|(theirs, _)| *theirs == reason);
    choice.finish = Some(known.unwrap_or_else(|| panic!("no recording has {reason}")).1.to_owned());
    choice.refusal = message["stop_details"]["explanation"].as_str().unwrap_or_default().to_owned();
    Said { choices: [(0, choice)].into(), usage: usage_of_message(&message["usage"]) }
}

fn usage_of_message(usage: &Value) -> Usage {
    let prompt = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    let prompt = prompt.iter().filter_map(|name| usage[name].as_u64()).sum();
    Usage { prompt: Some(prompt), output: usage["output_tokens"].as_u64() }
}

/// The message that the events of a stream amount to.
fn gathered(events: &[Value]) -> Value {
    let mut message = Value::Null;
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    for event in events {
        let index = event["index"].as_u64();
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => drop(blocks.insert(index.unwrap(), event["content_block"].clone())),
            "content_block_delta" => extend(blocks.get_mut(&index.unwrap()).unwrap(), &event["delta"]),
            "message_delta" => {
                update(&mut message, &event["delta"]);
                update(&mut message["usage"], &event["usage"]);
            }
            _ => {}
        }
    }
    message["content"] = blocks.into_values().map(with_input).collect();
    message
}

fn update(object: &mut Value, news: &Value) {
    object.as_object_mut().unwrap().extend(news.as_object().cloned().unwrap_or_default());
}

fn extend(block: &mut Value, delta: &Value) {
    for name in ["text", "thinking", "partial_json"] {
        if let Some(more) = delta[name].as_str() {
            block[name] = json!(block[name].as_str().unwrap_or_default().to_owned() + more);
        }
    }
}

/// Puts streamed arguments where a whole answer has them.
fn with_input(mut block: Value) -> Value {
    if let Some(text) = block["partial_json"].as_str().filter(|text| !text.is_empty()) {
        block["input"] = serde_json::from_str(text).unwrap();
    }
    block
}
