//! What clients ask for besides a conversation to be continued.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod completions;
mod counting;
mod embeddings;

use serde_json::Value;
use wire::RawObject;

/// A body as received.
fn body(json: Value) -> RawObject {
    text(&json.to_string())
}

fn text(text: &str) -> RawObject {
    RawObject::parse(text.to_owned().into()).unwrap()
}

/// What a body says.
fn json(bytes: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(bytes.as_ref()).unwrap()
}

/// The field that a refusal blames.
#[track_caller]
fn blamed<T: std::fmt::Debug>(refusal: Result<T, wire::Fault>) -> String {
    match refusal {
        Err(wire::Fault::Malformed { at, .. }) => at.unwrap_or_default(),
        other => panic!("not refused: {other:?}"),
    }
}
