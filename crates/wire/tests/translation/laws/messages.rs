//! Anthropic Messages, written and read again: what the dialect can say comes back as it was.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{
    CacheMark, ChatRequest, ChatResponse, Choice, Effort, Event, Extra, MediaSource, Message, Part, Profile,
    Role, Sampling, Stop, StopReason, Thinking, Tool, ToolChoice, ToolKind, Undo, Usage, unfold,
};
use wire::dialect::Echo;
use wire::{Dialect, Head, RawObject, Surface, Wire};

use super::any::{event, response as any_response, words};
use crate::{events, messages_grammar, messages_stream, streams};

fn said() -> impl Strategy<Value = String> {
    words().prop_map(|words| format!("{words}."))
}

fn mark() -> impl Strategy<Value = Option<CacheMark>> {
    let ttl = prop_oneof![Just(None), Just(Some("1h".to_owned()))];
    // Rarely, for a request has four at most.
    (0..20u8, ttl).prop_map(|(dice, ttl)| (dice == 0).then_some(CacheMark { ttl }))
}

fn text() -> impl Strategy<Value = Part> {
    (said(), mark()).prop_map(|(text, cache)| Part::Text { text, citations: vec![], cache })
}

fn media() -> impl Strategy<Value = Part> {
    let url = MediaSource::Url("https://example.com/a".into());
    let data = |mime: &str, data: &str| MediaSource::Base64 { mime: mime.into(), data: data.into() };
    let image = prop_oneof![Just(url.clone()), Just(data("image/png", "iVBORw0KGgo="))]
        .prop_map(|source| Part::Image { source, detail: None, cache: None });
    let source =
        prop_oneof![Just(url), Just(data("application/pdf", "JVBERi0x")), said().prop_map(MediaSource::Text)];
    let file =
        (source, option::of(said())).prop_map(|(source, name)| Part::File { source, name, cache: None });
    prop_oneof![image, file]
}

fn thought() -> impl Strategy<Value = Part> {
    let origin = || Some(Dialect::AnthropicMessages.into());
    let signed = (words(), "[a-z]{1,5}").prop_map(move |(text, signature)| Part::Thinking {
        text,
        signature: Some(signature),
        encrypted: None,
        id: None,
        origin: origin(),
    });
    let origin = || Some(Dialect::AnthropicMessages.into());
    prop_oneof![signed, "[a-z]{1,5}".prop_map(move |data| Part::RedactedThinking { data, origin: origin() })]
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None, extra: Extra::default() }
}

/// A question and its answer, the answer's calls answered before the next question.
fn exchange() -> impl Strategy<Value = Vec<Message>> {
    let question = (vec(prop_oneof![3 => text(), 1 => media()], 0..3), text());
    let results = vec((words(), any::<bool>(), vec(prop_oneof![text(), media()], 0..2)), 0..3);
    (question, option::of(thought()), text(), results).prop_map(
        |((mut asked, last), thought, told, calls)| {
            asked.push(last);
            let call = |(place, (value, _, _)): (usize, &(String, bool, Vec<Part>))| Part::ToolCall {
                id: format!("call_{place}"),
                name: "f".into(),
                args: json!({"k": value}).to_string(),
                signature: None,
                kind: ToolKind::Function,
            };
            let answer =
                thought.into_iter().chain([told]).chain(calls.iter().enumerate().map(call)).collect();
            let result =
                |(place, (_, is_error, parts)): (usize, (String, bool, Vec<Part>))| Part::ToolResult {
                    call_id: format!("call_{place}"),
                    name: None,
                    parts,
                    is_error,
                    cache: None,
                };
            let results: Vec<Part> = calls.into_iter().enumerate().map(result).collect();
            let mut turns = vec![message(Role::User, asked), message(Role::Assistant, answer)];
            if !results.is_empty() {
                turns.push(message(Role::Tool, results));
            }
            turns
        },
    )
}

fn tool() -> impl Strategy<Value = Tool> {
    ("[a-z]{1,6}", option::of(said()), any::<bool>()).prop_map(|(name, description, strict)| Tool {
        name,
        description,
        kind: ToolKind::Function,
        parameters: Some(serde_json::value::to_raw_value(&json!({"type": "object"})).unwrap()),
        strict: strict.then_some(true),
        cache: None,
        raw: None,
    })
}

fn request() -> impl Strategy<Value = ChatRequest> {
    let thinking = prop_oneof![
        Just(None),
        Just(Some(Thinking { effort: Some(Effort::None), budget: None, show: Some(false) })),
        Just(Some(Thinking { effort: Some(Effort::High), budget: None, show: Some(true) })),
    ];
    let choice = prop_oneof![Just(None), Just(Some(ToolChoice::Auto)), Just(Some(ToolChoice::None))];
    let limits = (1..9000u64, vec(said(), 0..3), any::<bool>(), option::of(said()));
    (option::of(text()), vec(exchange(), 1..3), vec(tool(), 0..3), choice, thinking, limits).prop_map(
        |(system, exchanges, mut tools, choice, thinking, (max_output, stop, stream, user))| {
            tools.dedup_by(|a, b| a.name == b.name);
            let system = system.map(|part| message(Role::System, vec![part]));
            let last = message(Role::User, vec![Part::text("and?")]);
            let messages = system.into_iter().chain(exchanges.into_iter().flatten()).chain([last]).collect();
            ChatRequest {
                model: "m".into(),
                messages,
                tool_choice: choice.filter(|_| !tools.is_empty()),
                tools,
                sampling: Sampling::default(),
                max_output: Some(max_output),
                stop,
                thinking,
                stream,
                include_usage: true,
                end_user: user.map(|user| user.replace('@', "")),
                ..ChatRequest::default()
            }
        },
    )
}

/// Neighbours of one role become one turn here; results stay apart.
fn merged(messages: Vec<Message>) -> Vec<Message> {
    let mut all: Vec<Message> = Vec::new();
    for next in messages {
        match all.last_mut() {
            Some(last) if last.role == next.role => last.parts.extend(next.parts),
            _ => all.push(next),
        }
    }
    all
}

fn answered() -> impl Strategy<Value = ChatResponse> {
    let call = (0..99u8, words()).prop_map(|(id, value)| Part::ToolCall {
        id: format!("toolu_{id}"),
        name: "f".into(),
        args: json!({"k": value}).to_string(),
        signature: None,
        kind: ToolKind::Function,
    });
    let part = prop_oneof![said().prop_map(Part::text), thought().prop_map(of_model), call];
    let count = || option::of(any::<u32>().prop_map(u64::from));
    let usage = (any::<u32>(), any::<u32>(), count(), count(), count());
    (vec(part, 1..5), usage, said()).prop_map(|(parts, (input, output, read, written, thinking), matched)| {
        let called = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        let stop = match called {
            true => StopReason::ToolUse.into(),
            false => Stop { sequence: Some(matched), ..StopReason::StopSequence.into() },
        };
        let usage = Usage {
            input: Some(input.into()),
            output: Some(output.into()),
            cache_read: read,
            cache_write: written,
            reasoning: thinking,
            ..Usage::default()
        };
        ChatResponse {
            id: Some("msg_1".into()),
            model: Some("claude".into()),
            choices: vec![Choice { index: 0, parts, stop, logprobs: None }],
            usage: Some(usage),
            service_tier: Some("standard".into()),
            ..ChatResponse::default()
        }
    })
}

/// Readers note the model that thought.
fn of_model(mut part: Part) -> Part {
    if let Part::Thinking { origin: Some(origin), .. } | Part::RedactedThinking { origin: Some(origin), .. } =
        &mut part
    {
        origin.model = Some("claude".into());
    }
    part
}

fn stream(events: &[Event]) -> BytesMut {
    let mut writer = AnthropicMessages.stream_writer(Echo { resolved_model: "m".into(), ..Echo::default() });
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    bytes
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in request()) {
        let profile = Profile { system_in_messages: true, ..Profile::unknown("anthropic", "m") };
        let encoded = AnthropicMessages.encode_request(&request, &profile).unwrap();
        let lost: Vec<_> = encoded.losses.iter().map(|loss| loss.code.as_ref()).collect();
        messages_grammar::check("generated", &serde_json::from_slice(&encoded.body).unwrap());
        // More marks than the dialect takes, or calls without the thoughts that led there.
        prop_assume!(lost.is_empty());
        let body = RawObject::parse(encoded.body).unwrap();
        let again = AnthropicMessages.decode_request(&Head::default(), &body).unwrap();
        prop_assert_eq!(again.messages, merged(request.messages));
        prop_assert_eq!((again.tool_choice, again.thinking), (request.tool_choice, request.thinking));
        prop_assert_eq!((again.stop, again.max_output), (request.stop, request.max_output));
        prop_assert_eq!((again.model, again.stream, again.end_user), (request.model, request.stream, request.end_user));
        let named = |tools: &[Tool]| tools.iter().map(|it| (it.name.clone(), it.description.clone(), it.strict)).collect::<Vec<_>>();
        prop_assert_eq!(named(&again.tools), named(&request.tools));
    }

    #[test]
    fn a_whole_answer_and_a_stream_are_read_as_they_were_written(response in answered(), cut in 1..40usize) {
        let body = AnthropicMessages.encode_response(&response, &Echo::default(), &mut Vec::new());
        let again = AnthropicMessages.decode_response(&body, &Undo::default()).unwrap();
        prop_assert_eq!(&again, &response);
        let bytes = stream(&unfold(&response));
        messages_stream::check("generated", &bytes);
        let outcome = streams::read(&AnthropicMessages, &Undo::default(), bytes.chunks(cut));
        events::check("generated", &outcome.events);
        let mut folded = outcome.folded("generated");
        folded.service_tier.clone_from(&response.service_tier);
        prop_assert_eq!(folded, response);
    }

    #[test]
    fn any_answer_is_written_as_a_stream_of_the_dialect(response in any_response()) {
        let read = messages_stream::check("generated", &stream(&unfold(&response)));
        prop_assert!(read.error.is_none());
    }

    #[test]
    fn any_events_at_all_are_written_as_a_stream_of_the_dialect(events in vec(event(), 0..20)) {
        messages_stream::check("generated", &stream(&events));
    }
}
