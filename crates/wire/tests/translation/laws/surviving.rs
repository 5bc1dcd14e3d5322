//! Readers against frames that no upstream should send.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::WireId;
use wire::chat::Undo;
use wire::frame::Frame;

use super::any::words;

proptest! {
    #[test]
    fn readers_survive_any_frames(frames in vec(frame_data(), 0..8), start in 0..=STARTS.len()) {
        for id in WireId::ALL {
            let wire = id.wire();
            let mut reader = wire.stream_reader(&Undo::default());
            let mut out = Vec::new();
            let start = STARTS.get(start).map(|start| (*start).to_owned());
            for data in start.iter().chain(&frames) {
                let frame = Frame { event: "", data };
                let _ = wire.glance(frame);
                if reader.read(frame, &mut out).is_err() {
                    break;
                }
            }
            let _ = reader.finish(&mut out);
            let _ = wire.decode_response(frames.concat().as_bytes(), &Undo::default());
            let _ = wire.decode_fault(500, None, frames.concat().as_bytes());
        }
    }
}

/// What readers wait for before they hear the rest.
const STARTS: [&str; 2] = [
    r#"{"type":"message_start","message":{"id":"m","content":[]}}"#,
    r#"{"type":"response.created","response":{"id":"r"}}"#,
];

/// JSON of the words that streams are made of, in any order.
fn frame_data() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(1e308)),
        words().prop_map(Value::from),
        prop::sample::select(VALUES).prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((prop::sample::select(KEYS), inner), 0..5).prop_map(|members| Value::Object(
                members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    });
    prop_oneof![tree.prop_map(|tree| tree.to_string()), words()]
}

const KEYS: &[&str] = &[
    "type",
    "index",
    "delta",
    "content_block",
    "message",
    "usage",
    "text",
    "partial_json",
    "thinking",
    "signature",
    "id",
    "name",
    "input",
    "content",
    "citations",
    "stop_reason",
    "choices",
    "tool_calls",
    "function",
    "arguments",
    "finish_reason",
    "role",
    "error",
    "output_tokens",
    "prompt_tokens",
    "candidates",
    "parts",
    "thought",
    "thoughtSignature",
    "functionCall",
    "partialArgs",
    "jsonPath",
    "stringValue",
    "willContinue",
    "inlineData",
    "mimeType",
    "data",
    "args",
    "finishReason",
    "groundingMetadata",
    "groundingChunks",
    "groundingSupports",
    "segment",
    "logprobsResult",
    "promptFeedback",
    "blockReason",
    "usageMetadata",
    "promptTokenCount",
    "response",
    "item",
    "output",
    "output_index",
    "content_index",
    "summary",
    "call_id",
    "status",
    "annotation",
    "logprobs",
    "encrypted_content",
    "sequence_number",
];
const VALUES: &[&str] = &[
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
    "text",
    "tool_use",
    "thinking",
    "redacted_thinking",
    "text_delta",
    "input_json_delta",
    "assistant",
    "stop",
    "tool_calls",
    "end_turn",
    "STOP",
    "$.a[0].b",
    "response.created",
    "response.completed",
    "response.failed",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.content_part.done",
    "response.reasoning_summary_text.delta",
    "response.function_call_arguments.delta",
    "message",
    "reasoning",
    "function_call",
    "custom_tool_call",
    "image_generation_call",
    "output_text",
    "completed",
    "incomplete",
];
