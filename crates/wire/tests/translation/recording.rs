//! What a recorded answer of Anthropic Messages says, read naively from its JSON; and the same of our canonical form.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use wire::chat::{ChatResponse, Part, StopReason};

use super::fixtures::Fixture;

/// What must survive every translation.
#[derive(Debug, PartialEq, Default)]
pub struct Said {
    pub text: String,
    pub thoughts: String,
    /// Name and arguments of each call.
    pub calls: Vec<(String, Value)>,
    pub stop: Option<StopReason>,
    /// Whole prompt, output and cache reads, as far as they are stated.
    pub prompt: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub model: Option<String>,
}

/// What a whole or streamed recording says.
pub fn of_recording(fixture: &Fixture) -> Said {
    if fixture.stream { of_message(&gather(fixture)) } else { of_message(fixture.json()) }
}

/// What our canonical form says.
pub fn of_response(response: &ChatResponse) -> Said {
    let choice = &response.choices[0];
    let usage = response.usage.unwrap_or_default();
    let mut said = Said {
        stop: Some(choice.stop.reason),
        prompt: usage.prompt(),
        output: usage.output,
        cache_read: usage.cache_read,
        model: response.model.clone(),
        ..Said::default()
    };
    for part in &choice.parts {
        match part {
            Part::Text { text, .. } => said.text.push_str(text),
            Part::Thinking { text, .. } => said.thoughts.push_str(text),
            Part::ToolCall { name, args, .. } => {
                said.calls.push((name.clone(), serde_json::from_str(args).unwrap()));
            }
            _ => {}
        }
    }
    said
}

fn of_message(message: &Value) -> Said {
    let usage = &message["usage"];
    let buckets = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    let mut said = Said {
        prompt: Some(buckets.iter().filter_map(|name| usage[name].as_u64()).sum()),
        output: usage["output_tokens"].as_u64(),
        cache_read: usage["cache_read_input_tokens"].as_u64(),
        model: message["model"].as_str().map(str::to_owned),
        ..Said::default()
    };
    for block in message["content"].as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "text" => said.text.push_str(block["text"].as_str().unwrap()),
            "thinking" => said.thoughts.push_str(block["thinking"].as_str().unwrap()),
            "tool_use" => {
                said.calls.push((block["name"].as_str().unwrap().to_owned(), block["input"].clone()))
            }
            _ => {}
        }
    }
    said.stop = Some(match message["stop_reason"].as_str().unwrap() {
        "end_turn" => StopReason::End,
        "tool_use" => StopReason::ToolUse,
        "max_tokens" => StopReason::Length,
        "stop_sequence" => StopReason::StopSequence,
        "refusal" => StopReason::Filter,
        other => panic!("no recording has {other}"),
    });
    said
}

/// The message that a stream amounts to.
fn gather(fixture: &Fixture) -> Value {
    let mut message = Value::Null;
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    for event in datas(&fixture.stream_bytes()) {
        let index = event["index"].as_u64();
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => drop(blocks.insert(index.unwrap(), event["content_block"].clone())),
            "content_block_delta" => apply(&event["delta"], blocks.get_mut(&index.unwrap()).unwrap()),
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                let usage: &mut Map<_, _> = message["usage"].as_object_mut().unwrap();
                usage.extend(event["usage"].as_object().unwrap().clone());
            }
            _ => {}
        }
    }
    message["content"] = blocks.into_values().map(with_input).collect();
    message
}

/// Puts the streamed arguments where a whole answer has them.
fn with_input(mut block: Value) -> Value {
    if let Some(json) = block["partial_json"].as_str().filter(|json| !json.is_empty()) {
        block["input"] = serde_json::from_str(json).unwrap();
    }
    block
}

fn apply(delta: &Value, block: &mut Value) {
    for name in ["text", "thinking", "partial_json"] {
        if let Some(more) = delta[name].as_str() {
            let so_far = block[name].as_str().unwrap_or_default();
            block[name] = Value::String(format!("{so_far}{more}"));
        }
    }
}

/// The data of all events of a stream whose events have one data line each, as the recordings do.
pub fn datas(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("data:"));
    lines
        .map(str::trim)
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}
