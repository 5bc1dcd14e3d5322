//! Streams of Messages against whole answers that say the same.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::WireId;
use wire::chat::Undo;

use super::any::{name, words};
use crate::{events, streams};

proptest! {
    #[test]
    fn folding_a_stream_equals_decoding_the_whole_answer(message in message(), size in 1..9usize, cut in 1..50usize) {
        let wire = WireId::AnthropicMessages.wire();
        let whole = wire.decode_response(message.to_string().as_bytes(), &Undo::default()).unwrap();
        let stream = streamed(&message, size);
        let outcome = streams::read(wire, &Undo::default(), stream.as_bytes().chunks(cut));
        events::check("streamed", &outcome.events);
        prop_assert_eq!(outcome.folded("streamed"), whole);
    }

    #[test]
    fn the_way_back_is_the_same_for_streams_and_whole_answers(message in message(), size in 1..9usize) {
        let names: Vec<String> = message["content"].as_array().unwrap().iter()
            .filter(|block| block["type"] == "tool_use")
            .map(|block| block["name"].as_str().unwrap().to_owned())
            .collect();
        let undo = Undo {
            tool_names: names.first().map(|name| (name.clone(), "alias".to_owned())).into_iter().collect(),
            custom_tools: vec!["alias".into()],
            json_tool: names.get(1).cloned(),
            ..Undo::default()
        };
        let wire = WireId::AnthropicMessages.wire();
        let whole = wire.decode_response(message.to_string().as_bytes(), &undo).unwrap();
        let stream = streamed(&message, size);
        let outcome = streams::read(wire, &undo, std::iter::once(stream.as_bytes()));
        prop_assert_eq!(outcome.folded("streamed"), whole);
    }
}

/// A block of a Messages answer.
fn block() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({"type": "text", "text": text})),
        (words(), words()).prop_map(|(text, cited)| json!({"type": "text", "text": text, "citations": [
            {"type": "web_search_result_location", "url": "https://example.com", "title": cited}]})),
        (words(), "[a-z]{1,4}").prop_map(
            |(thinking, signature)| json!({"type": "thinking", "thinking": thinking, "signature": signature})
        ),
        words().prop_map(|data| json!({"type": "redacted_thinking", "data": data})),
        (name(), name(), words()).prop_map(
            |(id, name, value)| json!({"type": "tool_use", "id": id, "name": name, "input": {"k": value}})
        ),
        words().prop_map(|query| json!({"type": "server_tool_use", "id": "s", "name": "web_search",
            "input": {"query": query}})),
        words().prop_map(|content| json!({"type": "of_tomorrow", "content": content})),
    ]
}

fn message() -> impl Strategy<Value = Value> {
    let reason =
        prop_oneof![Just("end_turn"), Just("tool_use"), Just("max_tokens"), Just("refusal"), Just("new")];
    (vec(block(), 0..5), reason, any::<u32>(), any::<u32>()).prop_map(|(content, reason, input, output)| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content,
            "stop_reason": reason, "stop_sequence": null,
            "usage": {"input_tokens": input, "output_tokens": output, "service_tier": "standard"}})
    })
}

/// The stream of a message, its strings in pieces of `size` characters.
fn streamed(message: &Value, size: usize) -> String {
    let mut start = message.clone();
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    start["usage"]["output_tokens"] = json!(1);
    let mut events = vec![json!({"type": "message_start", "message": start}), json!({"type": "ping"})];
    for (index, block) in message["content"].as_array().unwrap().iter().enumerate() {
        let (opening, deltas) = pieces(block, size);
        events.push(json!({"type": "content_block_start", "index": index, "content_block": opening}));
        let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
        events.extend(deltas.into_iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events
        .push(json!({"type": "message_delta", "usage": {"output_tokens": message["usage"]["output_tokens"]},
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": null}}));
    events.push(json!({"type": "message_stop"}));
    let sse = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(sse).collect()
}

/// A block's start, and its deltas.
fn pieces(block: &Value, size: usize) -> (Value, Vec<Value>) {
    let cut = |text: String, kind: &str, field: &str| -> Vec<Value> {
        let characters: Vec<char> = text.chars().collect();
        let piece = |piece: &[char]| json!({"type": kind, field: piece.iter().collect::<String>()});
        characters.chunks(size).map(piece).collect()
    };
    let mut opening = block.clone();
    let deltas = match block["type"].as_str().unwrap() {
        "text" => {
            opening["text"] = json!("");
            let citations = opening["citations"].take();
            let citations = citations.as_array().cloned().unwrap_or_default();
            let cited = citations.into_iter().map(|it| json!({"type": "citations_delta", "citation": it}));
            cited.chain(cut(block["text"].as_str().unwrap().to_owned(), "text_delta", "text")).collect()
        }
        "thinking" => {
            opening["thinking"] = json!("");
            opening["signature"] = json!("");
            let signature = json!({"type": "signature_delta", "signature": block["signature"]});
            let mut deltas =
                cut(block["thinking"].as_str().unwrap().to_owned(), "thinking_delta", "thinking");
            deltas.push(signature);
            deltas
        }
        "tool_use" | "server_tool_use" => {
            opening["input"] = json!({});
            cut(block["input"].to_string(), "input_json_delta", "partial_json")
        }
        _ => Vec::new(),
    };
    (opening, deltas)
}
