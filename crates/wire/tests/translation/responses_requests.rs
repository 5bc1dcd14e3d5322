//! Requests of Responses read, and requests of other dialects as Responses: what is sent, what is lost, what is refused.

mod input;
mod sent;

use bytes::Bytes;
use serde_json::{Value, json};
use wire::chat::{ChatRequest, Encoded, Profile};
use wire::openai_responses::OpenAiResponses;
use wire::{Fault, Head, RawObject, Surface, WireId};

use super::{fixtures, messages_grammar, responses_recording};

/// The request that a body holds.
fn decoded(body: &Value) -> Result<ChatRequest, Fault> {
    let body = RawObject::parse(Bytes::from(body.to_string())).unwrap();
    OpenAiResponses.decode_request(&Head::default(), &body)
}

/// A body with this input.
fn of_input(input: &Value) -> Value {
    json!({"model": "m", "input": input})
}

/// Where and why a body is refused.
fn refusal(body: &Value) -> (String, String) {
    let fault = decoded(body).unwrap_err();
    (fault.param().unwrap_or_default().to_owned(), fault.to_string())
}

fn encode(request: &ChatRequest, wire: WireId, profile: &Profile) -> Encoded {
    wire.wire().encode_request(request, profile).unwrap()
}

/// What a provider of another dialect gets, and the codes of the losses.
fn translated(body: &Value, wire: WireId) -> (Value, Vec<String>) {
    let encoded = encode(&decoded(body).unwrap(), wire, &Profile::unknown("p", "target"));
    let losses = encoded.losses.iter().map(|loss| loss.code.to_string()).collect();
    (serde_json::from_slice(&encoded.body).unwrap(), losses)
}

/// One line: the losses of a translation, or why it is refused.
fn line(fixture: &fixtures::Fixture, wire: WireId) -> Option<String> {
    let id = responses_recording::named(&fixture.id);
    let body = Value::Object(fixture.request.as_object()?.clone());
    let at = |fault: &Fault| fault.param().unwrap_or("-").to_owned();
    let request = match decoded(&body) {
        Ok(request) => request,
        Err(fault) => return Some(format!("{id} not read: {}: {fault}", at(&fault))),
    };
    let encoded = match wire.wire().encode_request(&request, &Profile::unknown("p", "target")) {
        Ok(encoded) => encoded,
        Err(fault) => return Some(format!("{id} refused: {}: {fault}", at(&fault))),
    };
    if wire == WireId::AnthropicMessages {
        messages_grammar::check(&fixture.id, &serde_json::from_slice(&encoded.body).unwrap());
    }
    let losses: Vec<_> = encoded.losses.iter().map(|loss| format!("{} at {}", loss.code, loss.at)).collect();
    Some(format!("{id} losses {losses:?}"))
}

fn golden(wire: WireId) -> String {
    let all = fixtures::all("openai.responses");
    all.iter().filter_map(|fixture| line(fixture, wire)).collect::<Vec<_>>().join("\n")
}

#[test]
fn recorded_requests_to_openai_chat() {
    insta::assert_snapshot!(golden(WireId::OpenAiChat));
}

#[test]
fn recorded_requests_to_anthropic_messages() {
    insta::assert_snapshot!(golden(WireId::AnthropicMessages));
}
