//! Answers of Anthropic Messages as recorded, against what the codec makes of them.

use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{Event, Undo};
use wire::fault::Class;
use wire::frame::Frame;
use wire::{Fault, RawObject, Wire};

use super::{events, fixtures, recording, streams};

const DIALECT: &str = "anthropic.messages";

/// The recording of a stream that ends in an error.
const OVERLOADED: &str = "composed-stream-overloaded";

fn complete_streams() -> impl Iterator<Item = fixtures::Fixture> {
    fixtures::streamed(DIALECT).filter(|fixture| !fixture.id.contains(OVERLOADED))
}

#[test]
fn whole_answers_say_what_the_recording_says() {
    for fixture in fixtures::whole(DIALECT) {
        let response = AnthropicMessages.decode_response(&fixture.body(), &Undo::default()).unwrap();
        assert_eq!(recording::of_response(&response), recording::of_recording(&fixture), "{}", fixture.id);
    }
}

#[test]
fn streams_say_what_the_recording_says() {
    for fixture in complete_streams() {
        let outcome = streams::read_whole(&AnthropicMessages, &fixture.stream_bytes());
        events::check(&fixture.id, &outcome.events);
        let response = outcome.folded(&fixture.id);
        assert_eq!(recording::of_response(&response), recording::of_recording(&fixture), "{}", fixture.id);
    }
}

#[test]
fn a_stream_cut_anywhere_yields_the_same_events() {
    for fixture in complete_streams() {
        let bytes = fixture.stream_bytes();
        let at_once = streams::read_whole(&AnthropicMessages, &bytes);
        for size in [1, 2, 3, 7, 64, 1000] {
            let outcome = streams::read(&AnthropicMessages, &Undo::default(), bytes.chunks(size));
            assert!(outcome.end.is_ok(), "{}: {:?}", fixture.id, outcome.end);
            assert!(outcome.events == at_once.events, "{} in chunks of {size}", fixture.id);
        }
    }
}

#[test]
fn a_stream_that_breaks_off_is_never_a_clean_stop() {
    for fixture in complete_streams() {
        let frames = fixture.stream_events();
        let last = frames.iter().position(|frame| frame.contains("\"message_stop\"")).unwrap();
        for kept in 0..=last {
            let outcome = streams::read_whole(&AnthropicMessages, frames[..kept].concat().as_bytes());
            assert!(matches!(outcome.end, Err(Fault::Cut { .. })), "{} after {kept} frames", fixture.id);
            assert!(
                !outcome.events.iter().any(|event| matches!(event, Event::Stop { .. })),
                "{}",
                fixture.id
            );
        }
    }
}

#[test]
fn a_stream_cut_inside_a_frame_is_an_error() {
    let fixture = complete_streams().find(|fixture| fixture.id.contains("test-tools.003243")).unwrap();
    let bytes = fixture.stream_bytes();
    let end = bytes.trim_ascii_end().len();
    for kept in 0..end {
        let outcome = streams::read_whole(&AnthropicMessages, &bytes[..kept]);
        assert!(outcome.end.is_err(), "after {kept} of {end} bytes");
    }
}

#[test]
fn an_error_inside_a_stream_is_the_upstreams() {
    let fixture = fixtures::streamed(DIALECT).find(|fixture| fixture.id.contains(OVERLOADED)).unwrap();
    let outcome = streams::read_whole(&AnthropicMessages, &fixture.stream_bytes());
    let Err(Fault::Upstream(fault)) = outcome.end else { panic!("no upstream fault: {:?}", outcome.end) };
    assert_eq!((fault.class, fault.message.as_str()), (Class::Overloaded, "Overloaded"));
}

#[test]
fn refusals_have_the_class_of_their_status() {
    for fixture in fixtures::refused(DIALECT) {
        let fault = AnthropicMessages.decode_fault(fixture.status, None, &fixture.body());
        let Fault::Upstream(fault) = fault else { panic!("{}: {fault:?}", fixture.id) };
        let expected = match fixture.status {
            400 => Class::BadRequest,
            403 => Class::Permission,
            404 => Class::NotFound,
            413 => Class::TooLarge,
            429 => Class::RateLimit,
            500 => Class::Server,
            529 => Class::Overloaded,
            other => panic!("no recording has {other}"),
        };
        assert_eq!(fault.class, expected, "{}", fixture.id);
        assert_eq!(Some(fault.message.as_str()), fixture.json()["error"]["message"].as_str());
    }
}

#[test]
fn a_glance_at_every_frame_sees_what_the_reader_reads() {
    for fixture in complete_streams() {
        let frames = recording::datas(&fixture.stream_bytes());
        let glances: Vec<_> = frames
            .iter()
            .map(|data| AnthropicMessages.glance(Frame { event: "", data: &data.to_string() }).unwrap())
            .collect();
        let response = streams::read_whole(&AnthropicMessages, &fixture.stream_bytes()).folded(&fixture.id);
        let said = |frame: &wire::dialect::Glance| frame.stop.clone();
        assert_eq!(glances.iter().rev().find_map(said).unwrap().reason, response.choices[0].stop.reason);
        assert_eq!(glances.iter().find_map(|glance| glance.model.clone()), response.model);
        assert_eq!(glances.iter().any(|glance| glance.content), !response.choices[0].parts.is_empty());
        let output = glances.iter().rev().find_map(|glance| glance.usage?.output);
        assert_eq!(output, response.usage.unwrap().output, "{}", fixture.id);
        assert_eq!(glances.iter().filter(|glance| glance.end).count(), 1);
    }
}

#[test]
fn a_glance_at_a_whole_answer_sees_usage_model_and_stop() {
    for fixture in fixtures::whole(DIALECT) {
        let response = AnthropicMessages.decode_response(&fixture.body(), &Undo::default()).unwrap();
        let body = RawObject::parse(fixture.body().into()).unwrap();
        let glance = AnthropicMessages.glance_whole(&body).unwrap();
        assert_eq!((glance.usage, glance.model), (response.usage, response.model), "{}", fixture.id);
        assert_eq!(glance.stop.unwrap().reason, response.choices[0].stop.reason, "{}", fixture.id);
    }
}
