//! What a recorded answer of Gemini says, read naively from its JSON.

use serde_json::{Value, json};
use wire::chat::StopReason;

use super::fixtures::Fixture;
use super::recording::{self, Said};

/// What a whole or streamed recording says.
pub fn of_recording(fixture: &Fixture) -> Said {
    match fixture.stream {
        true => of_chunks(&recording::datas(&fixture.stream_bytes())),
        false => of_chunks(std::slice::from_ref(fixture.json())),
    }
}

/// What chunks say together.
pub fn of_chunks(chunks: &[Value]) -> Said {
    let mut said = Said::default();
    let mut finish = None;
    for chunk in chunks {
        said.model = chunk["modelVersion"].as_str().map(str::to_owned).or(said.model);
        let candidate = &chunk["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            take(part, &mut said);
        }
        finish = Some(&candidate["finishReason"]).filter(|it| !it.is_null()).or(finish);
        count(&chunk["usageMetadata"], &mut said);
        if !chunk["promptFeedback"]["blockReason"].is_null() {
            said.stop = Some(StopReason::Filter);
        }
    }
    if let Some(finish) = finish {
        said.stop = Some(reason(finish, !said.calls.is_empty()));
    }
    said
}

fn take(part: &Value, said: &mut Said) {
    let call = &part["functionCall"];
    if let Some(text) = part["text"].as_str() {
        if part["thought"] == true { &mut said.thoughts } else { &mut said.text }.push_str(text);
    } else if let Some(name) = call["name"].as_str() {
        let args = call.get("args").cloned().unwrap_or_else(|| json!({}));
        said.calls.push((name.to_owned(), args));
    }
    for piece in call["partialArgs"].as_array().into_iter().flatten() {
        let (_, args) = said.calls.last_mut().unwrap();
        put(args, piece);
    }
}

/// A piece of arguments at its place; all recorded pieces are texts.
fn put(args: &mut Value, piece: &Value) {
    let path = piece["jsonPath"].as_str().unwrap().replace('[', ".").replace(']', "");
    let mut place = args;
    for step in path.split('.').skip(1) {
        place = match step.parse::<usize>() {
            Ok(index) => {
                if !place.is_array() {
                    *place = json!([]);
                }
                let list = place.as_array_mut().unwrap();
                if list.len() == index {
                    list.push(Value::Null);
                }
                &mut list[index]
            }
            Err(_) => &mut place[step],
        };
    }
    let so_far = place.as_str().unwrap_or_default();
    *place = format!("{so_far}{}", piece["stringValue"].as_str().unwrap()).into();
}

fn count(usage: &Value, said: &mut Said) {
    let field = |name: &str| usage[name].as_u64();
    let sum = |names: [&str; 2]| {
        let stated: Vec<u64> = names.iter().filter_map(|name| field(name)).collect();
        (!stated.is_empty()).then(|| stated.iter().sum())
    };
    said.prompt = sum(["promptTokenCount", "toolUsePromptTokenCount"]).or(said.prompt);
    said.output = sum(["candidatesTokenCount", "thoughtsTokenCount"]).or(said.output);
    said.cache_read = field("cachedContentTokenCount").or(said.cache_read);
}

fn reason(finish: &Value, called: bool) -> StopReason {
    match finish {
        Value::String(word) => match word.as_str() {
            "MAX_TOKENS" => StopReason::Length,
            "SAFETY" | "MODEL_ARMOR" => StopReason::Filter,
            "STOP" | "UNEXPECTED_TOOL_CALL" if called => StopReason::ToolUse,
            "STOP" => StopReason::End,
            other => panic!("no recording has {other}"),
        },
        number if *number == 1 && called => StopReason::ToolUse,
        other => panic!("no recording has {other}"),
    }
}
