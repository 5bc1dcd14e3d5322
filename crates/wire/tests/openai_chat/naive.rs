//! What an answer says, read naively from its JSON; and the same of our canonical form.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::chat::{ChatResponse, Part, StopReason};

/// What must survive.
#[derive(Debug, PartialEq, Default)]
pub struct Said {
    pub model: Option<String>,
    pub choices: BTreeMap<u64, Choice>,
    pub prompt: Option<u64>,
    pub output: Option<u64>,
}

#[derive(Debug, PartialEq, Default)]
pub struct Choice {
    pub text: String,
    pub thoughts: String,
    pub refusal: String,
    /// Name and arguments of each call, by index.
    pub calls: BTreeMap<u64, (String, String)>,
    pub stop: Option<StopReason>,
}

/// What our canonical form says.
pub fn of_response(response: &ChatResponse) -> Said {
    let usage = response.usage.unwrap_or_default();
    let choices = response.choices.iter().map(|choice| {
        let mut said = Choice { stop: Some(choice.stop.reason), ..Choice::default() };
        for part in &choice.parts {
            match part {
                Part::Text { text, .. } => said.text.push_str(text),
                Part::Thinking { text, .. } => said.thoughts.push_str(text),
                Part::Refusal { text } => said.refusal.push_str(text),
                Part::ToolCall { name, args, .. } => {
                    said.calls.insert(said.calls.len() as u64, (name.clone(), args.clone()));
                }
                _ => {}
            }
        }
        (u64::from(choice.index), said)
    });
    Said {
        model: response.model.clone(),
        choices: choices.collect(),
        prompt: usage.prompt(),
        output: usage.output,
    }
}

/// What a whole answer says.
pub fn of_whole(answer: &Value) -> Said {
    let mut said = Said::default();
    said.take(answer, "message");
    said.end();
    said
}

/// What a stream says.
pub fn of_stream(bytes: &[u8]) -> Said {
    let mut said = Said::default();
    for chunk in datas(bytes) {
        said.take(&chunk, "delta");
    }
    said.end();
    said
}

/// The data of all events; the recordings have one data line an event.
pub fn datas(bytes: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(bytes).unwrap().lines().filter_map(|line| line.strip_prefix("data:"));
    lines.filter(|data| data.trim() != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

impl Said {
    fn take(&mut self, chunk: &Value, message: &str) {
        let model = chunk["model"].as_str().filter(|model| !model.is_empty());
        self.model = self.model.take().or_else(|| model.map(str::to_owned));
        for choice in chunk["choices"].as_array().unwrap() {
            let said = self.choices.entry(choice["index"].as_u64().unwrap()).or_default();
            said.take(&choice[message]);
            said.stop = said.stop.or(stop(&choice["finish_reason"]));
        }
        let usage = if chunk["usage"].is_object() { &chunk["usage"] } else { &chunk["x_groq"]["usage"] };
        if let Some(prompt) = usage["prompt_tokens"].as_u64() {
            self.prompt = Some(prompt);
            self.output = usage["total_tokens"].as_u64().map(|total| total - prompt);
        }
    }

    fn end(&mut self) {
        for choice in self.choices.values_mut() {
            if !choice.calls.is_empty() {
                choice.stop = Some(StopReason::ToolUse);
            } else if !choice.refusal.is_empty() {
                choice.stop = Some(StopReason::Refusal);
            }
        }
    }
}

impl Choice {
    fn take(&mut self, message: &Value) {
        match &message["content"] {
            Value::String(text) => self.text.push_str(text),
            Value::Array(parts) => parts.iter().for_each(|part| self.part(part)),
            _ => {}
        }
        let thoughts = [&message["reasoning_content"], &message["reasoning"]];
        self.thoughts.push_str(thoughts.into_iter().find_map(Value::as_str).unwrap_or_default());
        self.refusal.push_str(message["refusal"].as_str().unwrap_or_default());
        for (position, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let index = call["index"].as_u64().unwrap_or(position as u64);
            self.call(index, &call["function"]);
        }
        if message["function_call"].is_object() {
            self.call(0, &message["function_call"]);
        }
    }

    fn part(&mut self, part: &Value) {
        self.text.push_str(part["text"].as_str().unwrap_or_default());
        for thought in part["thinking"].as_array().into_iter().flatten() {
            self.thoughts.push_str(thought["text"].as_str().unwrap());
        }
    }

    fn call(&mut self, index: u64, function: &Value) {
        let (name, args) = self.calls.entry(index).or_default();
        if let Some(given) = function["name"].as_str().filter(|given| !given.is_empty()) {
            *name = given.to_owned();
        }
        args.push_str(function["arguments"].as_str().unwrap_or_default());
    }
}

fn stop(word: &Value) -> Option<StopReason> {
    Some(match word.as_str()? {
        "stop" => StopReason::End,
        "length" => StopReason::Length,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "content_filter" => StopReason::Filter,
        "eos" => StopReason::End,
        other => panic!("no recording has {other}"),
    })
}
