//! Thoughts that clients give back: to the family they came from, and to no other.

use bytes::BytesMut;
use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{Event, Origin, Part, PartId, PartKind, Piece, StopReason, ToolKind, custody};
use wire::dialect::{Echo, Thoughts};
use wire::{Dialect, Surface, WireId};

use super::{asking, decoded, translated};
use crate::messages_stream;

/// A conversation in which the assistant's blocks were these, and thinking is on.
fn after(blocks: &Value) -> Value {
    asking(json!({"thinking": {"type": "adaptive"}, "messages": [{"role": "user", "content": "hi"},
        {"role": "assistant", "content": blocks}, {"role": "user", "content": "go on"}]}))
}

fn thought(dialect: Dialect) -> Part {
    Part::Thinking {
        text: "hm".into(),
        signature: Some("sig".into()),
        encrypted: (dialect == Dialect::OpenAiResponses).then(|| "enc".into()),
        id: None,
        origin: Some(Origin::from(dialect)),
    }
}

/// The stream of an answer with this part, and a text, for a client that asked for thinking.
fn streamed(part: &Part, thoughts: Thoughts) -> Value {
    let response = wire::chat::ChatResponse {
        choices: vec![wire::chat::Choice {
            parts: vec![part.clone(), Part::text("so")],
            ..Default::default()
        }],
        ..Default::default()
    };
    let echo = Echo { thoughts, resolved_model: "m".into(), request_id: "r".into(), ..Echo::default() };
    let mut writer = AnthropicMessages.stream_writer(echo.clone());
    let mut bytes = BytesMut::new();
    wire::chat::unfold(&response).iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    let message = messages_stream::check("custody", &bytes).message;
    let whole: Value =
        serde_json::from_slice(&AnthropicMessages.encode_response(&response, &echo, &mut Vec::new()))
            .unwrap();
    assert_eq!(whole["content"], message["content"]);
    message
}

#[test]
fn a_thought_of_any_family_comes_back_from_a_client_as_it_was() {
    for dialect in
        [Dialect::AnthropicMessages, Dialect::Gemini, Dialect::OpenAiResponses, Dialect::OpenAiChat]
    {
        for thoughts in [Thoughts::Shown, Thoughts::Sealed] {
            let message = streamed(&thought(dialect), thoughts);
            let again = decoded(&after(&message["content"])).messages.swap_remove(1).parts;
            let Part::Thinking { text, .. } = &again[0] else { panic!("{again:?}") };
            // Anthropic's seal holds the thought itself; no text is needed.
            let lost = dialect == Dialect::AnthropicMessages && thoughts == Thoughts::Sealed;
            assert_eq!(text, if lost { "" } else { "hm" }, "{dialect:?}");
            if !lost {
                assert_eq!(again[0], thought(dialect));
            }
        }
    }
}

#[test]
fn a_wrapped_thought_is_seen_in_the_body_and_anthropics_own_is_not() {
    for (dialect, wrapped) in
        [(Dialect::Gemini, true), (Dialect::OpenAiChat, true), (Dialect::AnthropicMessages, false)]
    {
        let message = streamed(&thought(dialect), Thoughts::Shown);
        let body = after(&message["content"]).to_string();
        assert_eq!(custody::is_in(body.as_bytes()), wrapped, "{dialect:?}");
    }
}

#[test]
fn a_thought_of_another_family_is_dropped_and_said_so() {
    let message = streamed(&thought(Dialect::Gemini), Thoughts::Shown);
    let body = after(&message["content"]);
    let (same, losses) = translated(&body, WireId::AnthropicMessages);
    assert_eq!(same["messages"][1]["content"], json!([{"type": "text", "text": "so"}]));
    assert_eq!(losses, ["thinking_dropped"]);
    let (_, losses) = translated(&body, WireId::OpenAiChat);
    assert!(losses.contains(&"thinking_dropped".to_owned()), "{losses:?}");
}

#[test]
fn anthropics_thoughts_go_back_verbatim() {
    let blocks = json!([{"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "zzz"}, {"type": "text", "text": "so"}]);
    let (same, losses) = translated(&after(&blocks), WireId::AnthropicMessages);
    assert_eq!((&same["messages"][1]["content"], losses), (&blocks, vec![]));
    let (_, losses) = translated(&after(&blocks), WireId::OpenAiChat);
    assert_eq!(losses, ["thinking_dropped", "thinking_dropped"]);
}

fn signed_call(place: usize) -> Vec<Event> {
    let part = PartId(0);
    let kind = PartKind::ToolCall { id: "a".into(), name: "f".into(), kind: ToolKind::Function };
    let mut events = vec![
        Event::Start { id: None, model: None, created: None },
        Event::Open { part, choice: 0, kind },
        Event::Delta { part, piece: Piece::ToolInput("{\"k\":1}".into()) },
        Event::Close { part },
        Event::Stop { choice: 0, stop: StopReason::ToolUse.into() },
    ];
    events.insert(place, Event::Delta { part, piece: Piece::Signature("gemini".into()) });
    events
}

#[test]
fn the_signature_of_a_call_stands_beside_it_and_finds_it_again() {
    for (place, kinds) in [(2, ["thinking", "tool_use"]), (3, ["tool_use", "thinking"])] {
        let echo = Echo { resolved_model: "m".into(), ..Echo::default() };
        let mut writer = AnthropicMessages.stream_writer(echo);
        let mut bytes = BytesMut::new();
        signed_call(place).iter().for_each(|event| writer.write(event, &mut bytes));
        writer.finish(&mut bytes);
        let content = messages_stream::check("signed", &bytes).message["content"].clone();
        let found: Vec<&Value> = content.as_array().unwrap().iter().map(|block| &block["type"]).collect();
        assert_eq!(found, kinds);
        let again = decoded(&after(&content)).messages.swap_remove(1).parts;
        assert!(
            matches!(&again[..], [Part::ToolCall { signature: Some(signature), .. }] if signature == "gemini"),
            "{again:?}"
        );
    }
}
