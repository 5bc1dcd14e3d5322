//! Recorded answers of Responses, read: whole, streamed, cut anywhere, broken off, refused.

use serde_json::Value;
use wire::chat::{ChatResponse, Event, Part, StopReason, Undo};
use wire::fault::Class;
use wire::frame::{Frame, SseSplitter};
use wire::{Fault, WireId};

use super::responses_recording::{self, FAILED, streamed, whole};
use super::{events, fixtures, recording, streams};

const DIALECT: &str = "openai.responses";

fn wire() -> &'static dyn wire::Wire {
    WireId::OpenAiResponses.wire()
}

/// OpenRouter gives its items other ids at the end than before, and Azure encrypts its thoughts anew.
fn without_ids(mut response: ChatResponse) -> ChatResponse {
    for part in response.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
        match part {
            Part::Thinking { id, encrypted, .. } => {
                *id = None;
                *encrypted = encrypted.take().map(|_| "sealed".to_owned());
            }
            Part::ServerTool { raw, .. } => raw["id"] = Value::Null,
            _ => {}
        }
    }
    response
}

#[test]
fn a_stream_says_what_the_recording_says() {
    for fixture in streamed() {
        let outcome = streams::read_whole(wire(), &fixture.bytes());
        let response = outcome.folded(&fixture.id);
        events::check(&fixture.id, &outcome.events);
        let said = recording::of_response(&response);
        assert_eq!(said, responses_recording::said(&fixture.answer()), "{}", fixture.id);
    }
}

#[test]
fn a_whole_answer_says_what_the_recording_says() {
    for fixture in whole() {
        let response = wire().decode_response(&fixture.body(), &Undo::default()).unwrap();
        let said = recording::of_response(&response);
        assert_eq!(said, responses_recording::said(fixture.json()), "{}", fixture.id);
    }
}

#[test]
fn folding_a_stream_equals_decoding_the_answer_in_its_last_event() {
    for fixture in streamed() {
        let last = fixture.answer().to_string();
        let whole = wire().decode_response(last.as_bytes(), &Undo::default()).unwrap();
        let folded = streams::read_whole(wire(), &fixture.bytes()).folded(&fixture.id);
        let (mut whole, mut folded) = (without_ids(whole), without_ids(folded));
        // Some servers repeat the probabilities at the end, some do not.
        whole.choices[0].logprobs = None;
        folded.choices[0].logprobs = None;
        assert_eq!(folded, whole, "{}", fixture.id);
    }
}

#[test]
fn any_cutting_of_the_bytes_gives_the_same_events() {
    for fixture in streamed() {
        let bytes = fixture.bytes();
        let expected = streams::read_whole(wire(), &bytes).events;
        for size in [1, 7, 1000] {
            let outcome = streams::read(wire(), &Undo::default(), bytes.chunks(size));
            assert!(outcome.end.is_ok());
            assert_eq!(outcome.events, expected, "{} in pieces of {size}", fixture.id);
        }
    }
}

#[test]
fn a_glance_agrees_with_the_reader() {
    for fixture in streamed() {
        let (mut splitter, mut glances) = (SseSplitter::new(1 << 20), Vec::new());
        splitter.push(&fixture.bytes());
        while let Some(event) = splitter.next().unwrap() {
            glances.push(wire().glance(event.frame()).unwrap());
        }
        let response = streams::read_whole(wire(), &fixture.bytes()).folded(&fixture.id);
        let last = glances.iter().rfind(|glance| glance.end).unwrap();
        assert_eq!(last.usage, response.usage, "{}", fixture.id);
        assert_eq!(last.stop.as_ref(), Some(&response.choices[0].stop), "{}", fixture.id);
        assert_eq!((glances[0].model.as_ref(), glances[0].content), (response.model.as_ref(), false));
        assert!(glances.iter().any(|glance| glance.content), "{}", fixture.id);
        let numbers: Vec<u64> = glances.iter().filter_map(|glance| glance.sequence).collect();
        assert!(numbers.is_sorted(), "{}", fixture.id);
    }
    for fixture in whole() {
        let body = wire::RawObject::parse(fixture.body().into()).unwrap();
        let glance = wire().glance_whole(&body).unwrap();
        let response = wire().decode_response(&fixture.body(), &Undo::default()).unwrap();
        assert_eq!((glance.usage, glance.model), (response.usage, response.model), "{}", fixture.id);
        assert_eq!(glance.stop.as_ref(), Some(&response.choices[0].stop), "{}", fixture.id);
    }
}

#[test]
fn a_stream_that_breaks_off_is_an_error_and_never_a_stop() {
    for fixture in streamed() {
        let frames = &fixture.frames;
        let last = frames.iter().rposition(|frame| frame.contains("\"response.completed\"")).unwrap();
        for kept in 0..=last {
            let outcome = streams::read_whole(wire(), frames[..kept].concat().as_bytes());
            assert!(matches!(outcome.end, Err(Fault::Cut { .. })), "{} after {kept} frames", fixture.id);
            let stopped = outcome.events.iter().any(|event| matches!(event, Event::Stop { .. }));
            assert!(!stopped, "{} after {kept} frames", fixture.id);
        }
    }
}

#[test]
fn a_quota_error_inside_http_200_is_a_fault_of_ours() {
    let fixture = fixtures::streamed(DIALECT).find(|fixture| fixture.id.starts_with(FAILED)).unwrap();
    let outcome = streams::read_whole(wire(), &fixture.stream_bytes());
    let Err(Fault::Upstream(fault)) = outcome.end else { panic!("{:?}", outcome.end) };
    assert_eq!((fault.class, fault.status), (Class::Billing, 200));
    let failed = fixture.stream_events()[3].split_once("data: ").unwrap().1.to_owned();
    let glance = wire().glance(Frame { event: "response.failed", data: &failed });
    assert!(matches!(glance, Err(Fault::Upstream(fault)) if fault.class == Class::Billing));
}

#[test]
fn refusals_are_classed_by_what_they_say() {
    for fixture in fixtures::refused(DIALECT) {
        let Fault::Upstream(fault) = wire().decode_fault(fixture.status, None, &fixture.body()) else {
            panic!()
        };
        let expected = match (fixture.status, fixture.json()["error"]["code"].as_str()) {
            (_, Some("model_not_found")) => Class::NotFound,
            (_, Some("insufficient_quota")) => Class::Billing,
            (429, _) => Class::RateLimit,
            (400, _) => Class::BadRequest,
            (503, _) => Class::Overloaded,
            _ => Class::Server,
        };
        assert_eq!(fault.class, expected, "{}", fixture.id);
        assert_eq!(
            Some(fault.message.as_str()),
            fixture.json()["error"]["message"].as_str(),
            "{}",
            fixture.id
        );
    }
}

#[test]
fn an_emulated_stop_text_ends_a_stream_there_and_its_usage_still_counts() {
    let fixture =
        streamed().into_iter().find(|stream| stream.id.contains("function-tool-stream.07b84d")).unwrap();
    // The recorded text is "The current temperature in Tokyo is **21.0°C**.", one token an event.
    let undo = Undo { stops: vec!["in Tokyo is **2".into()], ..Undo::default() };
    for size in [1, 100_000] {
        let outcome = streams::read(wire(), &undo, fixture.bytes().chunks(size));
        events::check(&fixture.id, &outcome.events);
        let response = outcome.folded(&fixture.id);
        assert_eq!(response.choices[0].parts, [Part::text("The current temperature ")]);
        let stop = &response.choices[0].stop;
        assert_eq!((stop.reason, stop.sequence.as_ref()), (StopReason::StopSequence, Some(&undo.stops[0])));
        assert_eq!(response.usage.unwrap().total(), Some(454));
    }
}
