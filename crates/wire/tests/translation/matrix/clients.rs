//! The clients of the four dialects: what each reads of an answer, through a checker that shares no code with the codecs.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use wire::chat::{ChatResponse, Event, StopReason};
use wire::dialect::{Echo, Thoughts};
use wire::{Fault, SurfaceId};

use crate::recording::Said;
use crate::{
    chat_grammar, gemini_grammar, golden, messages_stream, naive, responses_golden, responses_grammar,
};

/// What a client has in the end, in the words that all dialects share.
#[derive(Debug, PartialEq, Default)]
pub struct Got {
    /// Words by which the model declines included.
    pub text: String,
    pub thoughts: String,
    /// Name and arguments of each call.
    pub calls: Vec<(String, Value)>,
    /// See [`coarse`].
    pub stop: &'static str,
    pub prompt: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    /// It ended in an error.
    pub failed: bool,
}

/// One dialect's client.
pub struct Client {
    pub surface: SurfaceId,
    pub read_stream: fn(&str, &[u8]) -> Got,
    pub read_whole: fn(&str, &Value) -> Got,
}

/// All of them.
pub const CLIENTS: [Client; 4] = [
    Client { surface: SurfaceId::OpenAiChat, read_stream: chat_stream, read_whole: chat },
    Client { surface: SurfaceId::OpenAiResponses, read_stream: responses_stream, read_whole: responses },
    Client { surface: SurfaceId::AnthropicMessages, read_stream: messages_stream, read_whole: messages },
    Client { surface: SurfaceId::Gemini, read_stream: gemini_stream, read_whole: gemini },
];

impl Client {
    /// The stream of these events, to its end or to its error.
    pub fn written(&self, events: &[Event], fault: Option<&Fault>) -> BytesMut {
        let mut writer = self.surface.surface().stream_writer(echo());
        let mut out = BytesMut::new();
        events.iter().for_each(|event| writer.write(event, &mut out));
        match fault {
            Some(fault) => writer.fail(fault, &mut out),
            None => writer.finish(&mut out),
        }
        out
    }

    /// The whole answer.
    pub fn whole(&self, response: &ChatResponse) -> Bytes {
        self.surface.surface().encode_response(response, &echo(), &mut Vec::new())
    }
}

fn echo() -> Echo {
    let request_fields = Some(responses_golden::request_fields());
    Echo { thoughts: Thoughts::Shown, request_fields, ..golden::echo() }
}

/// Why an answer ended, as far as every dialect can say it: a stop text is an end, and who declines is cut off.
/// Source: DIALECTS, section 6.
pub fn coarse(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End | StopReason::StopSequence | StopReason::Pause => "end",
        StopReason::Length | StopReason::Context => "length",
        StopReason::ToolUse => "tool",
        StopReason::Filter | StopReason::Refusal => "filter",
        StopReason::BadCall | StopReason::Error => "error",
    }
}

/// The words of a dialect, and what they mean.
fn meaning(words: &[(&str, &'static str)], word: Option<&str>) -> &'static str {
    let known = words.iter().find(|(known, _)| Some(*known) == word);
    known.unwrap_or_else(|| panic!("an unknown reason: {word:?}")).1
}

fn args(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!({}))
}

fn chat_stream(case: &str, stream: &[u8]) -> Got {
    let mut read = chat_grammar::check(case, stream, true);
    let usage = read.usage.unwrap_or_default();
    let failed = read.error.is_some();
    let first = read.choices.remove(&0).unwrap_or_default();
    let declined = !first.refusal.is_empty();
    let calls: Vec<_> = first.calls.into_iter().map(|call| (call.name, args(&call.args))).collect();
    Got {
        text: first.text + &first.refusal,
        thoughts: first.thoughts,
        calls,
        stop: if failed { "" } else { chat_stop(first.finish.as_deref(), declined) },
        failed,
        ..chat_usage(&usage)
    }
}

const CHAT_STOPS: &[(&str, &str)] =
    &[("stop", "end"), ("length", "length"), ("tool_calls", "tool"), ("content_filter", "filter")];

fn chat_stop(word: Option<&str>, declined: bool) -> &'static str {
    if declined { "filter" } else { meaning(CHAT_STOPS, word) }
}

fn chat_usage(usage: &Value) -> Got {
    Got {
        prompt: usage["prompt_tokens"].as_u64(),
        output: usage["completion_tokens"].as_u64(),
        cache_read: usage["prompt_tokens_details"]["cached_tokens"].as_u64(),
        ..Got::default()
    }
}

fn chat(_case: &str, answer: &Value) -> Got {
    let declined = answer["choices"][0]["message"]["refusal"].is_string();
    let Said { text, thoughts, calls, .. } = crate::chat_recording::of_first(naive::of_whole(answer));
    let stop = chat_stop(answer["choices"][0]["finish_reason"].as_str(), declined);
    Got { text, thoughts, calls, stop, ..chat_usage(&answer["usage"]) }
}

fn responses_stream(case: &str, stream: &[u8]) -> Got {
    let read = responses_grammar::check(case, stream);
    if read.error.is_some() {
        assert_eq!(read.response["status"], "failed", "{case}");
        return Got { failed: true, ..Got::default() };
    }
    let got = responses(case, &read.response);
    assert_eq!(got.text, read.text + &read.refusal, "{case}: the answer repeats the deltas");
    assert_eq!(got.thoughts, read.thoughts, "{case}: the answer repeats the deltas");
    got
}

fn responses(case: &str, answer: &Value) -> Got {
    responses_grammar::check_object(case, answer);
    let mut got = Got {
        prompt: answer["usage"]["input_tokens"].as_u64(),
        output: answer["usage"]["output_tokens"].as_u64(),
        cache_read: answer["usage"]["input_tokens_details"]["cached_tokens"].as_u64(),
        ..Got::default()
    };
    let mut declined = false;
    for item in answer["output"].as_array().unwrap() {
        for part in item["content"].as_array().into_iter().flatten() {
            declined |= part["refusal"].is_string();
            let words = part["text"].as_str().or(part["refusal"].as_str()).unwrap_or_default();
            if item["type"] == "message" { &mut got.text } else { &mut got.thoughts }.push_str(words);
        }
        let thoughts: Vec<_> = item["summary"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|part| part["text"].as_str())
            .collect();
        got.thoughts.push_str(&thoughts.join("\n\n"));
        if let Some(text) = item["arguments"].as_str().filter(|_| item["type"] == "function_call") {
            got.calls.push((item["name"].as_str().unwrap().to_owned(), args(text)));
        }
    }
    let reason = answer["incomplete_details"]["reason"].as_str();
    got.stop = match reason {
        Some(reason) => {
            meaning(&[("max_output_tokens", "length"), ("content_filter", "filter")], Some(reason))
        }
        None if declined => "filter",
        None if !got.calls.is_empty() => "tool",
        None => "end",
    };
    got
}

const MESSAGES_STOPS: &[(&str, &str)] = &[
    ("end_turn", "end"),
    ("stop_sequence", "end"),
    ("pause_turn", "end"),
    ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"),
    ("tool_use", "tool"),
    ("refusal", "filter"),
];

fn messages_stream(case: &str, stream: &[u8]) -> Got {
    let read = messages_stream::check(case, stream);
    if read.error.is_some() {
        return Got { failed: true, ..Got::default() };
    }
    messages(case, &read.message)
}

fn messages(_case: &str, message: &Value) -> Got {
    let usage = &message["usage"];
    let buckets = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    let mut got = Got {
        stop: meaning(MESSAGES_STOPS, message["stop_reason"].as_str()),
        prompt: Some(buckets.iter().filter_map(|name| usage[name].as_u64()).sum()),
        output: usage["output_tokens"].as_u64(),
        cache_read: usage["cache_read_input_tokens"].as_u64(),
        ..Got::default()
    };
    for block in message["content"].as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            // A picture has no block of its own.
            "text" => got.text.push_str(&block["text"].as_str().unwrap().replace("[image]", "")),
            "thinking" => got.thoughts.push_str(block["thinking"].as_str().unwrap()),
            "tool_use" => {
                got.calls.push((block["name"].as_str().unwrap().to_owned(), block["input"].clone()))
            }
            _ => {}
        }
    }
    got
}

/// Reasons of Gemini for cutting off. Source: DIALECTS, section 6.
const GEMINI_FILTERS: &[&str] = &["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "MODEL_ARMOR"];

fn gemini_stream(case: &str, stream: &[u8]) -> Got {
    gemini_got(gemini_grammar::check(case, stream))
}

fn gemini(case: &str, answer: &Value) -> Got {
    gemini_got(gemini_grammar::check_chunks(case, std::slice::from_ref(answer)))
}

fn gemini_got(mut read: gemini_grammar::Read) -> Got {
    let failed = read.error.is_some();
    let candidate = read.candidates.remove(&0).unwrap_or_default();
    let usage = read.usage.unwrap_or_default();
    let output = ["candidatesTokenCount", "thoughtsTokenCount"].map(|name| usage[name].as_u64());
    let stop = match candidate.finish.as_deref() {
        Some("STOP") if candidate.calls.is_empty() => "end",
        // A call all the same: DIALECTS, section 6, rule 1.
        Some("STOP" | "UNEXPECTED_TOOL_CALL") => "tool",
        Some("MAX_TOKENS") => "length",
        Some(word) if GEMINI_FILTERS.contains(&word) => "filter",
        None if failed => "",
        other => panic!("an unknown reason: {other:?}"),
    };
    Got {
        text: candidate.text,
        thoughts: candidate.thoughts,
        calls: candidate.calls,
        stop,
        prompt: usage["promptTokenCount"].as_u64(),
        output: output.iter().any(Option::is_some).then(|| output.iter().flatten().sum()),
        cache_read: usage["cachedContentTokenCount"].as_u64(),
        failed,
    }
}
