//! What a recorded answer of Responses says, read naively from its JSON.

use serde_json::Value;
use wire::chat::StopReason;

use super::fixtures::{self, Fixture};
use super::recording::{Said, datas};

const DIALECT: &str = "openai.responses";
/// The recording of a stream that fails.
pub const FAILED: &str = "openai.openai-responses.openai-error-1";

/// A recorded stream of one answer.
pub struct Stream {
    pub id: String,
    pub frames: Vec<String>,
}

impl Stream {
    pub fn bytes(&self) -> Vec<u8> {
        self.frames.concat().into_bytes()
    }

    /// The answer in the last event.
    pub fn answer(&self) -> Value {
        datas(&self.bytes()).pop().unwrap()["response"].take()
    }
}

/// Streams that end well. One recording (of Azure) holds several answers one after the other.
pub fn streamed() -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    for fixture in fixtures::streamed(DIALECT).filter(|fixture| !fixture.id.starts_with(FAILED)) {
        for frame in fixture.stream_events() {
            if frame.contains("\"response.created\"") {
                let id = format!("{} {}", fixture.id, streams.len());
                streams.push(Stream { id, frames: Vec::new() });
            }
            streams.last_mut().unwrap().frames.push(frame.to_owned());
        }
    }
    streams
}

/// Whole answers.
pub fn whole() -> impl Iterator<Item = Fixture> {
    fixtures::whole(DIALECT)
}

/// The name of a recording in a snapshot. Some names begin like keys of a provider, which no file may hold.
pub fn named(id: &str) -> String {
    id.replace("xai-", "")
}

/// What an answer says.
pub fn said(answer: &Value) -> Said {
    let usage = &answer["usage"];
    let mut said = Said {
        prompt: usage["input_tokens"].as_u64(),
        output: usage["output_tokens"].as_u64(),
        cache_read: usage["input_tokens_details"]["cached_tokens"].as_u64(),
        model: answer["model"].as_str().map(str::to_owned),
        ..Said::default()
    };
    for item in answer["output"].as_array().unwrap() {
        match item["type"].as_str().unwrap() {
            "message" => texts(&item["content"]).for_each(|text| said.text.push_str(text)),
            "reasoning" => said.thoughts.push_str(&thoughts(item)),
            "function_call" => {
                let args = serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
                said.calls.push((item["name"].as_str().unwrap().to_owned(), args));
            }
            _ => {}
        }
    }
    said.stop = Some(match (answer["status"].as_str().unwrap(), said.calls.is_empty()) {
        ("completed", true) => StopReason::End,
        ("completed", false) => StopReason::ToolUse,
        (other, _) => panic!("no recording has {other}"),
    });
    said
}

fn thoughts(item: &Value) -> String {
    let summary: Vec<&str> = texts(&item["summary"]).collect();
    let told = if summary.is_empty() { texts(&item["content"]).collect() } else { summary };
    told.join("\n\n")
}

fn texts(parts: &Value) -> impl Iterator<Item = &str> {
    parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str())
}
