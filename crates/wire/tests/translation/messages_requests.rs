//! Requests of Anthropic Messages, decoded; and the recorded ones translated, with their losses noted in a snapshot.

mod fields;
mod recorded;
mod refused;
mod thoughts;
mod turns;

use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{ChatRequest, Profile};
use wire::{Head, RawObject, Surface, WireId};

/// A request with one question, and these fields.
fn asking(fields: Value) -> Value {
    let mut body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// A request of these turns.
fn saying(turns: Value) -> Value {
    asking(json!({"messages": turns}))
}

fn object(body: &Value) -> RawObject {
    RawObject::parse(body.to_string().into()).unwrap()
}

fn decoded(body: &Value) -> ChatRequest {
    AnthropicMessages.decode_request(&Head::default(), &object(body)).unwrap()
}

/// What goes upstream, and the codes of what is lost.
fn translated(body: &Value, wire: WireId) -> (Value, Vec<String>) {
    let profile = Profile { developer_role: true, ..Profile::unknown("p", "target") };
    let encoded = wire.wire().encode_request(&decoded(body), &profile).unwrap();
    let codes = encoded.losses.iter().map(|loss| loss.code.to_string()).collect();
    (serde_json::from_slice(&encoded.body).unwrap(), codes)
}
