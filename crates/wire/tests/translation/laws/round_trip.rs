//! OpenAI Chat, written and read again: what the dialect can say comes back as it was.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use wire::chat::{
    ChatRequest, ChatResponse, Choice, Event, Extra, Fold, ImageDetail, MediaSource, Message, Part, Profile,
    Role, Sampling, StopReason, ToolKind, Undo, Usage, unfold,
};
use wire::dialect::Echo;
use wire::openai_chat::OpenAiChat;
use wire::{Head, RawObject, Surface, Wire};

use super::any::words;
use crate::{chat_grammar, events, streams};

fn said() -> impl Strategy<Value = String> {
    words().prop_map(|words| format!("{words}."))
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None, extra: Extra::default() }
}

fn image() -> impl Strategy<Value = Part> {
    let url = Just(MediaSource::Url("https://example.com/a.png".into()));
    let data = Just(MediaSource::Base64 { mime: "image/png".into(), data: "iVBORw0KGgo=".into() });
    let source = prop_oneof![url, data];
    (source, any::<bool>()).prop_map(|(source, high)| {
        let detail = high.then(|| ImageDetail("high".into()));
        Part::Image { source, detail, cache: None }
    })
}

fn call(id: usize, name: String, value: String) -> Part {
    let args = json!({"k": value}).to_string();
    Part::ToolCall { id: format!("call_{id}"), name, args, signature: None, kind: ToolKind::Function }
}

fn result(call: &Part, text: &str) -> Message {
    let Part::ToolCall { id, .. } = call else { unreachable!("only calls are answered") };
    let parts = vec![Part::text(text)];
    let part = Part::ToolResult { call_id: id.clone(), name: None, parts, is_error: false, cache: None };
    message(Role::Tool, vec![part])
}

/// A turn or two.
fn turns() -> impl Strategy<Value = Vec<Message>> {
    let user = vec(prop_oneof![said().prop_map(Part::text), image()], 1..4);
    let called = (option::of(said()), vec(("[a-z]{1,8}", words()), 1..3), said());
    prop_oneof![
        said().prop_map(|text| vec![message(Role::System, vec![Part::text(text)])]),
        said().prop_map(|text| vec![message(Role::Developer, vec![Part::text(text)])]),
        user.prop_map(|parts| vec![message(Role::User, parts)]),
        said().prop_map(|text| vec![message(Role::Assistant, vec![Part::text(text)])]),
        called.prop_map(|(text, calls, answer)| {
            let calls = calls.into_iter().enumerate().map(|(id, (name, value))| call(id, name, value));
            let calls: Vec<Part> = calls.collect();
            let results = calls.iter().map(|call| result(call, &answer)).collect();
            let parts = text.map(Part::text).into_iter().chain(calls).collect();
            [vec![message(Role::Assistant, parts)], results].concat()
        }),
    ]
}

pub fn request() -> impl Strategy<Value = ChatRequest> {
    let hundredths = |most: u32| (0..=most).prop_map(|hundredths| f64::from(hundredths) / 100.0);
    let sampling = (option::of(hundredths(200)), option::of(hundredths(100)), option::of(any::<i64>()));
    let sampling = sampling.prop_map(|(temperature, top_p, seed)| Sampling {
        temperature,
        top_p,
        seed,
        ..Sampling::default()
    });
    (vec(turns(), 0..5), said(), sampling, vec(said(), 0..4), option::of(1..100_000u64), any::<bool>())
        .prop_map(|(turns, question, sampling, stop, max_output, stream)| {
            let mut messages = turns.concat();
            messages.push(message(Role::User, vec![Part::text(question)]));
            ChatRequest {
                model: "m".into(),
                messages,
                sampling,
                stop,
                max_output,
                stream,
                ..ChatRequest::default()
            }
        })
}

pub fn response() -> impl Strategy<Value = ChatResponse> {
    let calls = vec(("[a-z]{1,8}", words()), 0..3);
    let usage = (0..1_000_000u64, 0..1_000_000u64).prop_map(|(input, output)| Usage {
        input: Some(input),
        output: Some(output),
        ..Usage::default()
    });
    (option::of(said()), option::of(said()), calls, usage).prop_map(|(thought, text, calls, usage)| {
        let calls = calls.into_iter().enumerate().map(|(id, (name, value))| call(id, name, value));
        let calls: Vec<Part> = calls.collect();
        let reason = if calls.is_empty() { StopReason::End } else { StopReason::ToolUse };
        let thought = thought.map(|text| Part::Thinking {
            text,
            signature: None,
            encrypted: None,
            id: None,
            origin: Some(wire::Dialect::OpenAiChat.into()),
        });
        let parts = thought.into_iter().chain(text.map(Part::text)).chain(calls).collect();
        let choice = Choice { index: 0, parts, stop: reason.into(), logprobs: None };
        ChatResponse {
            id: Some("chatcmpl-1".into()),
            model: Some("m".into()),
            created: Some(1_700_000_000),
            choices: vec![choice],
            usage: Some(usage),
            ..ChatResponse::default()
        }
    })
}

fn profile() -> Profile {
    Profile { developer_role: true, ..Profile::unknown("p", "m") }
}

fn echo() -> Echo {
    Echo { include_usage: true, created: 1_700_000_000, resolved_model: "m".into(), ..Echo::default() }
}

/// A stream as a client of OpenAI Chat gets it.
fn stream(events: &[Event]) -> BytesMut {
    let mut writer = OpenAiChat.stream_writer(echo());
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    bytes
}

/// An answer without what a count of zero adds in passing.
pub fn plain(mut response: ChatResponse) -> ChatResponse {
    if let Some(usage) = &mut response.usage {
        *usage = Usage { input: usage.prompt(), output: usage.output, ..Usage::default() };
    }
    response.created = None;
    response
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in request()) {
        let encoded = OpenAiChat.encode_request(&request, &profile()).unwrap();
        prop_assert_eq!(&encoded.losses, &vec![]);
        let again = OpenAiChat.decode_request(&Head::default(), &RawObject::parse(encoded.body).unwrap()).unwrap();
        prop_assert_eq!(again.messages, request.messages);
        prop_assert_eq!(again.sampling, request.sampling);
        prop_assert_eq!((again.stop, again.max_output), (request.stop, request.max_output));
        prop_assert_eq!((again.model, again.stream), (request.model, request.stream));
    }

    #[test]
    fn a_stream_is_read_as_it_was_written(response in response(), cut in 1..40usize) {
        let bytes = stream(&unfold(&response));
        chat_grammar::check("generated", &bytes, true);
        let outcome = streams::read(&OpenAiChat, &Undo::default(), bytes.chunks(cut));
        events::check("generated", &outcome.events);
        prop_assert_eq!(plain(outcome.folded("generated")), plain(response));
    }

    #[test]
    fn a_whole_answer_is_read_as_it_was_written(response in response()) {
        let body = OpenAiChat.encode_response(&response, &echo(), &mut Vec::new());
        let again = OpenAiChat.decode_response(&body, &Undo::default()).unwrap();
        prop_assert_eq!(plain(again), plain(response));
    }

    #[test]
    fn a_stream_and_a_whole_answer_say_the_same(response in response()) {
        let body = OpenAiChat.encode_response(&response, &echo(), &mut Vec::new());
        let whole = OpenAiChat.decode_response(&body, &Undo::default()).unwrap();
        let outcome = streams::read_whole(&OpenAiChat, &stream(&unfold(&response)));
        let mut fold = Fold::new();
        outcome.events.iter().for_each(|event| fold.push(event));
        prop_assert_eq!(plain(fold.finish()).choices, plain(whole).choices);
    }
}
