//! Gemini, written and read again: what the dialect can say comes back as it was, and what cannot is declared.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use wire::chat::{
    ChatRequest, ChatResponse, Choice, Event, Extra, MediaSource, Message, Part, Profile, Role, Sampling,
    StopReason, ToolKind, Undo, Usage, unfold,
};
use wire::dialect::Echo;
use wire::gemini::Gemini;
use wire::{Dialect, Head, RawObject, Surface, Wire};

use super::any::{response as any_response, words};
use crate::{events, gemini_grammar, streams};

fn said() -> impl Strategy<Value = String> {
    words().prop_map(|words| format!("{words}."))
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None, extra: Extra::default() }
}

fn thought(text: String, signature: Option<String>) -> Part {
    let origin = Some(Dialect::Gemini.into());
    Part::Thinking { text, signature, encrypted: None, id: None, origin }
}

fn seal() -> impl Strategy<Value = String> {
    "[A-Za-z0-9+/]{4,8}"
}

fn call(id: usize, name: String, value: String, signature: Option<String>) -> Part {
    let args = json!({"k": value}).to_string();
    Part::ToolCall { id: format!("call_{id}"), name, args, signature, kind: ToolKind::Function }
}

/// What a model's turn may hold, in the order in which models say it.
fn model_parts() -> impl Strategy<Value = Vec<Part>> {
    let calls = vec(("[a-z]{1,8}", words(), option::of(seal())), 0..3);
    (option::of((said(), option::of(seal()))), option::of((said(), option::of(seal()))), calls).prop_map(
        |(thoughts, text, calls)| {
            let mut parts: Vec<Part> = thoughts.map(|(text, seal)| thought(text, seal)).into_iter().collect();
            let signed_text = text.as_ref().is_some_and(|(_, seal)| seal.is_some());
            if let Some((text, seal)) = text {
                parts.push(Part::text(text));
                parts.extend(seal.map(|seal| thought(String::new(), Some(seal))));
            }
            let named = calls.into_iter().enumerate().map(|(id, (name, value, seal))| {
                // A signature right before a call without one is taken for the call's.
                let seal = if signed_text && id == 0 { seal.or(Some("AAAA".into())) } else { seal };
                call(id, name, value, seal)
            });
            parts.extend(named);
            parts
        },
    )
}

fn results(parts: &[Part], answer: &str) -> Option<Message> {
    let of_call = |part: &Part| match part {
        Part::ToolCall { id, name, .. } => Some(Part::ToolResult {
            call_id: id.clone(),
            name: Some(name.clone()),
            parts: vec![Part::text(answer)],
            is_error: false,
            cache: None,
        }),
        _ => None,
    };
    let results: Vec<Part> = parts.iter().filter_map(of_call).collect();
    (!results.is_empty()).then(|| message(Role::Tool, results))
}

fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let image = Just(Part::Image {
        source: MediaSource::Base64 { mime: "image/png".into(), data: "iVBORw0KGgo=".into() },
        detail: None,
        cache: None,
    });
    let user = vec(prop_oneof![said().prop_map(Part::text), image], 1..3);
    let turn = (user, model_parts(), said()).prop_map(|(user, model, answer)| {
        let results = results(&model, &answer);
        let model = (!model.is_empty()).then(|| message(Role::Assistant, model));
        let parts = [Some(message(Role::User, user)), model, results];
        parts.into_iter().flatten().collect::<Vec<_>>()
    });
    (option::of(said()), vec(turn, 1..2)).prop_map(|(system, turns)| {
        let system = system.map(|text| message(Role::System, vec![Part::text(text)]));
        system.into_iter().chain(turns.concat()).collect()
    })
}

fn response() -> impl Strategy<Value = ChatResponse> {
    let usage = (0..1_000_000u64, 0..1_000u64, 0..1_000u64).prop_map(|(input, cached, output)| Usage {
        input: Some(input),
        cache_read: Some(cached),
        output: Some(output),
        ..Usage::default()
    });
    (model_parts(), usage).prop_map(|(parts, usage)| {
        let called = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        let reason = if called { StopReason::ToolUse } else { StopReason::End };
        let choice = Choice { index: 0, parts, stop: reason.into(), logprobs: None };
        ChatResponse {
            id: Some("r".into()),
            model: Some("m".into()),
            choices: vec![choice],
            usage: Some(usage),
            ..ChatResponse::default()
        }
    })
}

fn stream(events: &[Event]) -> BytesMut {
    let mut writer = Gemini.stream_writer(Echo { resolved_model: "m".into(), ..Echo::default() });
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    bytes
}

/// An answer without the model in the origin of its thoughts, which a reader adds.
fn plain(mut response: ChatResponse) -> ChatResponse {
    for part in response.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
        if let Part::Thinking { origin: Some(origin), .. } = part {
            origin.model = None;
        }
    }
    response
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(messages in conversation(), max_output in option::of(1..9000u64), seed in option::of(any::<i32>())) {
        let sampling = Sampling { seed: seed.map(i64::from), temperature: Some(0.5), top_k: Some(40), ..Sampling::default() };
        let request = ChatRequest { messages, sampling, max_output, stop: vec!["x".into()], ..ChatRequest::default() };
        let encoded = Gemini.encode_request(&request, &Profile::unknown("p", "m")).unwrap();
        prop_assert_eq!(&encoded.losses, &vec![]);
        let body = RawObject::parse(encoded.body).unwrap();
        let again = Gemini.decode_request(&Head::default(), &body).unwrap();
        prop_assert_eq!(again.messages, request.messages);
        prop_assert_eq!(again.sampling, request.sampling);
        prop_assert_eq!((again.stop, again.max_output), (request.stop, request.max_output));
    }

    #[test]
    fn a_stream_is_read_as_it_was_written(response in response(), cut in 1..40usize) {
        let bytes = stream(&unfold(&response));
        gemini_grammar::check("generated", &bytes);
        let outcome = streams::read(&Gemini, &Undo::default(), bytes.chunks(cut));
        events::check("generated", &outcome.events);
        prop_assert_eq!(plain(outcome.folded("generated")), response);
    }

    #[test]
    fn a_whole_answer_is_read_as_it_was_written(response in response()) {
        let body = Gemini.encode_response(&response, &Echo::default(), &mut Vec::new());
        let again = Gemini.decode_response(&body, &Undo::default()).unwrap();
        prop_assert_eq!(plain(again), response);
    }

    #[test]
    fn any_answer_becomes_a_legal_stream_and_the_same_whole(response in any_response()) {
        let streamed = gemini_grammar::check("generated", &stream(&unfold(&response)));
        let body = Gemini.encode_response(&response, &Echo::default(), &mut Vec::new());
        let whole = gemini_grammar::check_chunks("generated", &[serde_json::from_slice(&body).unwrap()]);
        prop_assert_eq!(streamed.candidates, whole.candidates);
    }

    #[test]
    fn any_events_are_written_without_harm(events in vec(super::any::event(), 0..20)) {
        let bytes = stream(&events);
        prop_assert!(bytes.ends_with(b"\n\n"));
    }
}
