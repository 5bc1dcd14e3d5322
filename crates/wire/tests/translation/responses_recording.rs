//! What a recorded answer of Responses says, read naively from its JSON.

use serde_json::Value;
use wire::chat::StopReason;

use super::fixtures::Fixture;
use super::recording::{Said, datas};

/// What a whole or streamed recording says: that of a stream stands in its last event.
pub fn of_recording(fixture: &Fixture) -> Said {
    let answer = match fixture.stream {
        true => datas(&fixture.stream_bytes()).last().unwrap()["response"].clone(),
        false => fixture.json().clone(),
    };
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
