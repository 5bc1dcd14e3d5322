//! Responses, written and read again: what the dialect can say comes back as it was, and what is written is legal.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use wire::chat::{ChatRequest, ChatResponse, Event, Message, Part, Profile, Role, Undo, unfold};
use wire::dialect::Echo;
use wire::openai_responses::OpenAiResponses;
use wire::{Head, RawObject, Surface, Wire};

use super::any;
use super::round_trip::{plain, request, response};
use crate::{events, responses_grammar, responses_input_grammar, streams};

fn echo() -> Echo {
    Echo { request_id: "req_1".into(), resolved_model: "m".into(), ..Echo::default() }
}

fn stream(events: &[Event]) -> BytesMut {
    let mut writer = OpenAiResponses.stream_writer(echo());
    let mut bytes = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    bytes
}

/// A request without what is emulated or lost here; what the model says in a row is one turn.
fn sayable(mut request: ChatRequest) -> ChatRequest {
    request.stop.clear();
    request.sampling.seed = None;
    request.max_output = request.max_output.map(|limit| limit.max(16));
    let mut merged: Vec<Message> = Vec::new();
    for message in std::mem::take(&mut request.messages) {
        match merged.last_mut() {
            Some(last) if last.role == Role::Assistant && message.role == Role::Assistant => {
                last.parts.extend(message.parts);
            }
            _ => merged.push(message),
        }
    }
    request.messages = merged;
    request
}

/// An answer whose thoughts are of this dialect; ids of items are the writer's affair.
fn own(response: ChatResponse) -> ChatResponse {
    let mut response = plain(response);
    for part in response.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
        if let Part::Thinking { encrypted, id, origin, .. } = part {
            *id = None;
            *origin = Some(wire::Dialect::OpenAiResponses.into());
            encrypted.get_or_insert_with(|| "gAAAA".into());
        }
    }
    response
}

/// An answer whose built-in tools are left out: the made-up ones are of no dialect.
fn without_server_tools(mut response: ChatResponse) -> ChatResponse {
    for choice in &mut response.choices {
        choice.parts.retain(|part| !matches!(part, Part::ServerTool { .. }));
    }
    response
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in request()) {
        let request = sayable(request);
        let encoded = OpenAiResponses.encode_request(&request, &Profile::unknown("p", "m")).unwrap();
        prop_assert_eq!(&encoded.losses, &vec![]);
        responses_input_grammar::check("generated", &serde_json::from_slice(&encoded.body).unwrap());
        let again = RawObject::parse(encoded.body).unwrap();
        let again = OpenAiResponses.decode_request(&Head::default(), &again).unwrap();
        prop_assert_eq!(again.messages, request.messages);
        prop_assert_eq!(again.sampling, request.sampling);
        prop_assert_eq!((again.model, again.stream), (request.model, request.stream));
        prop_assert_eq!(again.max_output, request.max_output);
    }

    #[test]
    fn a_stream_is_read_as_it_was_written(response in response(), cut in 1..40usize) {
        let response = own(response);
        let bytes = stream(&unfold(&response));
        responses_grammar::check("generated", &bytes);
        let outcome = streams::read(&OpenAiResponses, &Undo::default(), bytes.chunks(cut));
        events::check("generated", &outcome.events);
        let again = own(outcome.folded("generated"));
        prop_assert_eq!((again.choices, again.usage), (response.choices, response.usage));
    }

    #[test]
    fn a_whole_answer_is_read_as_it_was_written(response in response()) {
        let response = own(response);
        let body = OpenAiResponses.encode_response(&response, &echo(), &mut Vec::new());
        let again = own(OpenAiResponses.decode_response(&body, &Undo::default()).unwrap());
        prop_assert_eq!((again.choices, again.usage), (response.choices, response.usage));
    }

    #[test]
    fn every_answer_becomes_a_legal_stream_that_ends_in_the_whole_answer(response in any::response()) {
        let response = without_server_tools(response);
        let read = responses_grammar::check("generated", &stream(&unfold(&response)));
        let body = OpenAiResponses.encode_response(&response, &echo(), &mut Vec::new());
        prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), read.response);
    }

    #[test]
    fn any_events_become_a_legal_stream(events in vec(any::event(), 0..20)) {
        responses_grammar::check("generated", &stream(&events));
    }
}
