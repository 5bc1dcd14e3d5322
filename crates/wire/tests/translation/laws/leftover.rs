//! Fields of answers that nobody knows: given back to clients of the same dialect, a declared loss for all others.

use bytes::{Bytes, BytesMut};
use proptest::collection::btree_map;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wire::chat::{Event, Loss, Undo};
use wire::dialect::Echo;
use wire::{SurfaceId, WireId};

use super::any::words;
use crate::{events, streams};

/// A dialect's answer with room for fields: where they may stand, whole and in a stream.
struct Sample {
    wire: WireId,
    surface: SurfaceId,
    whole: fn() -> Value,
    stream: fn() -> Vec<Value>,
    /// Pointers to objects of the whole answer, and what stands before the names in losses.
    in_whole: &'static [(&'static str, &'static str)],
    /// The same of the stream, with the number of the event.
    in_stream: &'static [(usize, &'static str, &'static str)],
}

const SAMPLES: [Sample; 4] = [
    Sample {
        wire: WireId::OpenAiChat,
        surface: SurfaceId::OpenAiChat,
        whole: || {
            json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}]})
        },
        stream: || {
            let chunk = |delta: Value, finish: Value| {
                json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
            };
            vec![
                chunk(json!({"role": "assistant", "content": ""}), Value::Null),
                chunk(json!({"content": "a"}), Value::Null),
                chunk(json!({}), json!("stop")),
            ]
        },
        in_whole: &[("", ""), ("/choices/0", "choices."), ("/choices/0/message", "choices.message.")],
        in_stream: &[
            (0, "", ""),
            (1, "", ""),
            (1, "/choices/0", "choices."),
            (2, "/choices/0/delta", "choices.message."),
        ],
    },
    Sample {
        wire: WireId::OpenAiResponses,
        surface: SurfaceId::OpenAiResponses,
        whole: || responses("completed"),
        stream: || {
            vec![
                json!({"type": "response.created", "sequence_number": 0, "response": responses("in_progress")}),
                json!({"type": "response.in_progress", "sequence_number": 1,
                    "response": responses("in_progress")}),
                json!({"type": "response.completed", "sequence_number": 2, "response": responses("completed")}),
            ]
        },
        in_whole: &[("", "")],
        in_stream: &[(0, "/response", ""), (1, "/response", ""), (2, "/response", "")],
    },
    Sample {
        wire: WireId::AnthropicMessages,
        surface: SurfaceId::AnthropicMessages,
        whole: || message(json!([{"type": "text", "text": "a"}]), json!("end_turn")),
        stream: || {
            vec![
                json!({"type": "message_start", "message": message(json!([]), Value::Null)}),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}),
                json!({"type": "message_stop"}),
            ]
        },
        in_whole: &[("", "")],
        in_stream: &[(0, "/message", ""), (0, "", ""), (1, "", ""), (1, "/delta", "")],
    },
    Sample {
        wire: WireId::Gemini,
        surface: SurfaceId::Gemini,
        whole: || {
            json!({"candidates": [{"content": {"parts": [{"text": "a"}], "role": "model"}, "index": 0,
                "finishReason": "STOP"}], "modelVersion": "m", "responseId": "r"})
        },
        stream: || {
            let chunk = |candidate: Value| json!({"candidates": [candidate], "responseId": "r"});
            vec![
                chunk(json!({"content": {"parts": [{"text": "a"}], "role": "model"}, "index": 0})),
                chunk(json!({"content": {"parts": [{"text": "b"}], "role": "model"}, "index": 0,
                    "finishReason": "STOP"})),
            ]
        },
        in_whole: &[("", ""), ("/candidates/0", "candidates.")],
        in_stream: &[(0, "", ""), (0, "/candidates/0", "candidates."), (1, "", "")],
    },
];

fn responses(status: &str) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status, "output": [
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "a", "annotations": []}]}]})
}

fn message(content: Value, reason: Value) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
        "stop_reason": reason, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}})
}

/// Fields that no dialect has.
fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        words().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        words().prop_map(|words| json!({"inner": [words, null]})),
    ];
    btree_map("x_[a-z]{1,4}", value, 1..4).prop_map(|fields| fields.into_iter().collect())
}

fn put(object: &mut Value, place: &str, fields: &Map<String, Value>) {
    let object = object.pointer_mut(place).unwrap().as_object_mut().unwrap();
    object.extend(fields.clone());
}

/// The codes of all fields at these places, in order.
fn codes<'a>(prefixes: impl Iterator<Item = &'a str>, fields: &Map<String, Value>) -> Vec<String> {
    let of =
        |prefix: &str| fields.keys().map(move |name| format!("field:{prefix}{name}")).collect::<Vec<_>>();
    let mut codes: Vec<String> = prefixes.flat_map(of).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// The losses of fields, in order.
fn lost(losses: Vec<Loss>) -> Vec<String> {
    let codes = losses.into_iter().map(|loss| loss.code.into_owned());
    let mut fields: Vec<String> = codes.filter(|code| code.starts_with("field:")).collect();
    fields.sort();
    fields
}

/// The fields that stand at a place, in order.
fn found(object: &Value, place: &str) -> Map<String, Value> {
    let object = object.pointer(place).unwrap().as_object().unwrap();
    object.iter().filter(|(name, _)| name.starts_with("x_")).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn surfaces(own: SurfaceId) -> impl Iterator<Item = SurfaceId> {
    SAMPLES.iter().map(|sample| sample.surface).filter(move |surface| *surface != own)
}

fn written(surface: SurfaceId, events: &[Event]) -> (Bytes, Vec<Loss>) {
    let mut writer = surface.surface().stream_writer(Echo::default());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.finish(&mut out);
    (out.freeze(), writer.losses())
}

proptest! {
    #[test]
    fn unknown_fields_of_a_whole_answer_survive_or_are_declared_lost(fields in unknown()) {
        for sample in &SAMPLES {
            let mut answer = (sample.whole)();
            sample.in_whole.iter().for_each(|(place, _)| put(&mut answer, place, &fields));
            let wire = sample.wire.wire();
            let read = wire.decode_response(answer.to_string().as_bytes(), &Undo::default()).unwrap();
            let mut losses = Vec::new();
            let own = sample.surface.surface().encode_response(&read, &Echo::default(), &mut losses);
            prop_assert_eq!(losses, vec![]);
            let own: Value = serde_json::from_slice(&own).unwrap();
            for (place, _) in sample.in_whole {
                prop_assert_eq!(&found(&own, place), &fields, "{:?} at {}", sample.wire, place);
            }
            let expected = codes(sample.in_whole.iter().map(|(_, prefix)| *prefix), &fields);
            for surface in surfaces(sample.surface) {
                let mut losses = Vec::new();
                surface.surface().encode_response(&read, &Echo::default(), &mut losses);
                prop_assert_eq!(lost(losses), expected.clone(), "{:?} for {:?}", sample.wire, surface);
            }
        }
    }

    #[test]
    fn unknown_fields_of_a_stream_survive_or_are_declared_lost_once(fields in unknown()) {
        for sample in &SAMPLES {
            let mut chunks = (sample.stream)();
            for (event, place, _) in sample.in_stream {
                put(&mut chunks[*event], place, &fields);
            }
            let sse: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
            let wire = sample.wire.wire();
            let read = streams::read(wire, &Undo::default(), std::iter::once(sse.as_bytes()));
            events::check("unknown fields", &read.events);
            let (bytes, losses) = written(sample.surface, &read.events);
            prop_assert_eq!(losses, vec![]);
            let again = streams::read(wire, &Undo::default(), std::iter::once(&*bytes));
            let (first, second) = (read.folded("read"), again.folded("read again"));
            prop_assert_eq!(first.extra.from, sample.wire.dialect());
            prop_assert_eq!(&first.extra, &second.extra, "{:?}", sample.wire);
            let expected = codes(sample.in_stream.iter().map(|(_, _, prefix)| *prefix), &fields);
            for surface in surfaces(sample.surface) {
                let (_, losses) = written(surface, &read.events);
                prop_assert_eq!(lost(losses), expected.clone(), "{:?} for {:?}", sample.wire, surface);
            }
        }
    }
}
