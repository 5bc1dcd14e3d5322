//! Requests to count, as each dialect has them.

use serde_json::{Value, json};
use wire::chat::{Part, Profile};
use wire::count::{ANTHROPIC_MESSAGES, GEMINI, OPENAI_RESPONSES};
use wire::{Head, SurfaceId, WireId};

use crate::{body, json, text};

/// A conversation with everything that only an answer needs.
fn conversation() -> wire::chat::ChatRequest {
    let request = json!({"model": "m", "max_tokens": 5, "temperature": 0.5, "stop": ["x"], "user": "u",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]});
    SurfaceId::OpenAiChat.surface().decode_request(&Head::default(), &body(request)).unwrap()
}

#[test]
fn a_request_to_count_has_nothing_that_only_an_answer_needs() {
    let (wire, profile) = (WireId::AnthropicMessages, Profile::unknown("p", "target"));
    let counts = wire.counts().unwrap();
    let (sent, _) = counts.encode_request(wire.wire(), &conversation(), &profile).unwrap();
    let sent = json(sent.into_bytes());
    let mut keys: Vec<&String> = sent.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["messages", "model", "system", "tools"], "{sent}");
    assert_eq!(sent["model"], "target");
}

#[test]
fn a_carried_request_changes_nothing_but_the_model_wherever_it_stands() {
    let mut carried = text(r#"{ "model":"a", "messages" : [] }"#);
    ANTHROPIC_MESSAGES.retarget(&mut carried, "b").unwrap();
    assert_eq!(carried.into_bytes(), r#"{ "model":"b", "messages" : [] }"#);
    let plain = r#"{"contents" : []}"#;
    let mut carried = text(plain);
    GEMINI.retarget(&mut carried, "b").unwrap();
    assert_eq!(carried.into_bytes(), plain);
    let mut carried = text(r#"{"generateContentRequest":{"model":"models/a", "contents" : []}}"#);
    GEMINI.retarget(&mut carried, "b").unwrap();
    assert_eq!(carried.into_bytes(), r#"{"generateContentRequest":{"model":"models/b", "contents" : []}}"#);
}

#[test]
fn the_number_is_read_and_written_in_its_place_and_an_estimate_says_so_where_clients_take_it() {
    for (counting, plain, estimated) in [
        (&ANTHROPIC_MESSAGES, json!({"input_tokens": 7}), json!({"input_tokens": 7, "estimated": true})),
        (&GEMINI, json!({"totalTokens": 7}), json!({"totalTokens": 7})),
        (
            &OPENAI_RESPONSES,
            json!({"object": "response.input_tokens", "input_tokens": 7}),
            json!({"object": "response.input_tokens", "input_tokens": 7, "estimated": true}),
        ),
    ] {
        assert_eq!(json(counting.encode_response(7, false)), plain);
        assert_eq!(json(counting.encode_response(7, true)), estimated);
        assert_eq!(counting.decode_response(&body(plain)).unwrap(), 7);
        for nothing in [json!({}), json!({"input_tokens": "7", "totalTokens": -1})] {
            assert!(counting.decode_response(&body(nothing)).is_err());
        }
    }
}

/// The text of every turn, to see that a conversation has arrived.
#[test]
fn a_conversation_to_count_is_decoded_as_one_to_answer() {
    let request: Value = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let surface = SurfaceId::OpenAiChat.surface();
    let decoded = ANTHROPIC_MESSAGES.decode_request(surface, &Head::default(), &body(request)).unwrap();
    assert_eq!(decoded.messages[0].parts, [Part::text("Hi")]);
    assert_eq!(decoded.max_output, None);
}
