//! Answers of Gemini as recorded, against what the codec makes of them.

use wire::chat::{Event, Part, Undo};
use wire::fault::Class;
use wire::frame::{Frame, JsonArraySplitter, SseSplitter};
use wire::gemini::Gemini;
use wire::{Fault, RawObject, Wire};

use super::fixtures::{self, Fixture};
use super::{events, gemini_recording, recording, streams};

pub const DIALECT: &str = "gemini.generate";

#[test]
fn whole_answers_say_what_the_recording_says() {
    for fixture in fixtures::whole(DIALECT) {
        let response = Gemini.decode_response(&fixture.body(), &Undo::default()).unwrap();
        let expected = gemini_recording::of_recording(&fixture);
        assert_eq!(recording::of_response(&response), expected, "{}", fixture.id);
    }
}

#[test]
fn streams_say_what_the_recording_says() {
    for fixture in fixtures::streamed(DIALECT) {
        let outcome = streams::read_whole(&Gemini, &fixture.stream_bytes());
        events::check(&fixture.id, &outcome.events);
        let response = outcome.folded(&fixture.id);
        let expected = gemini_recording::of_recording(&fixture);
        assert_eq!(recording::of_response(&response), expected, "{}", fixture.id);
    }
}

#[test]
fn a_whole_answer_is_the_same_as_a_stream_of_it() {
    for fixture in fixtures::whole(DIALECT) {
        let whole = Gemini.decode_response(&fixture.body(), &Undo::default()).unwrap();
        let stream = format!("data: {}\r\n\r\n", fixture.json());
        let outcome = streams::read_whole(&Gemini, stream.as_bytes());
        assert_eq!(outcome.folded(&fixture.id), whole, "{}", fixture.id);
    }
}

#[test]
fn a_list_of_chunks_is_the_same_as_the_stream() {
    for fixture in fixtures::streamed(DIALECT).filter(|fixture| fixture.json().is_array()) {
        let whole = Gemini.decode_response(&fixture.body(), &Undo::default()).unwrap();
        let outcome = streams::read_whole(&Gemini, &fixture.stream_bytes());
        assert_eq!(outcome.folded(&fixture.id), whole, "{}", fixture.id);
    }
}

#[test]
fn an_array_cut_anywhere_yields_the_same_events() {
    for fixture in fixtures::streamed(DIALECT).filter(|fixture| fixture.json().is_array()) {
        let expected = streams::read_whole(&Gemini, &fixture.stream_bytes()).events;
        let bytes = fixture.body();
        for size in [1, 2, 7, 100, bytes.len()] {
            let mut splitter = JsonArraySplitter::new(1 << 20);
            let mut reader = Gemini.stream_reader(&Undo::default());
            let mut events = Vec::new();
            for chunk in bytes.chunks(size) {
                splitter.push(chunk);
                while let Some(frame) = splitter.next().unwrap() {
                    reader.read(frame, &mut events).unwrap();
                }
            }
            assert!(splitter.is_complete());
            reader.finish(&mut events).unwrap();
            assert!(events == expected, "{} in chunks of {size}", fixture.id);
        }
    }
}

/// In chunks of one size, and cut inside of every character that can be.
fn cuttings(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut cuttings: Vec<Vec<&[u8]>> =
        [1, 2, 3, 7, 64, 1000].map(|size| bytes.chunks(size).collect()).into();
    let inside = |at: &usize| (0x80..0xc0).contains(&bytes[*at]);
    let places: Vec<usize> = (1..bytes.len()).filter(inside).chain([bytes.len()]).collect();
    let mut from = 0;
    cuttings.push(
        places
            .into_iter()
            .map(|at| {
                let chunk = &bytes[from..at];
                from = at;
                chunk
            })
            .collect(),
    );
    cuttings
}

#[test]
fn a_stream_cut_anywhere_yields_the_same_events() {
    for fixture in fixtures::streamed(DIALECT) {
        let bytes = fixture.stream_bytes();
        let at_once = streams::read_whole(&Gemini, &bytes);
        for chunks in cuttings(&bytes) {
            let outcome = streams::read(&Gemini, &Undo::default(), chunks.into_iter());
            assert!(outcome.end.is_ok(), "{}: {:?}", fixture.id, outcome.end);
            assert!(outcome.events == at_once.events, "{}", fixture.id);
        }
    }
}

#[test]
fn a_stream_that_breaks_off_is_never_a_clean_stop() {
    for fixture in fixtures::streamed(DIALECT) {
        let frames = fixture.stream_events();
        let last = frames.iter().position(|frame| frame.contains("\"finishReason\"")).unwrap();
        for kept in 0..=last {
            let outcome = streams::read_whole(&Gemini, frames[..kept].concat().as_bytes());
            assert!(matches!(outcome.end, Err(Fault::Cut { .. })), "{} after {kept} frames", fixture.id);
            let stopped = outcome.events.iter().any(|event| matches!(event, Event::Stop { .. }));
            assert!(!stopped, "{}", fixture.id);
        }
    }
}

#[test]
fn signatures_stay_with_what_they_sign() {
    let signed = |response: &wire::chat::ChatResponse| -> Vec<String> {
        let of_part = |part: &Part| match part {
            Part::Thinking { signature, .. } | Part::ToolCall { signature, .. } => signature.clone(),
            Part::ServerTool { raw, .. } => raw["thoughtSignature"].as_str().map(str::to_owned),
            _ => None,
        };
        response.choices[0].parts.iter().filter_map(of_part).collect()
    };
    for fixture in fixtures::streamed(DIALECT) {
        let response = streams::read_whole(&Gemini, &fixture.stream_bytes()).folded(&fixture.id);
        let chunks = recording::datas(&fixture.stream_bytes());
        let parts = chunks.iter().flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array());
        let recorded: Vec<String> =
            parts.flatten().filter_map(|part| Some(part["thoughtSignature"].as_str()?.to_owned())).collect();
        assert_eq!(signed(&response), recorded, "{}", fixture.id);
    }
}

#[test]
fn sources_are_cited_where_the_recording_has_them() {
    let mut cited = 0;
    for fixture in fixtures::all(DIALECT).into_iter().filter(|fixture| fixture.status == 200) {
        let response = match fixture.stream {
            true => streams::read_whole(&Gemini, &fixture.stream_bytes()).folded(&fixture.id),
            false => Gemini.decode_response(&fixture.body(), &Undo::default()).unwrap(),
        };
        for part in &response.choices[0].parts {
            let Part::Text { text, citations, .. } = part else { continue };
            for citation in citations {
                cited += 1;
                let Some((start, end)) = citation.span else { continue };
                assert!(start < end && end <= text.chars().count() as u64, "{}: {citation:?}", fixture.id);
            }
        }
    }
    assert!(cited > 5, "{cited}");
}

fn errors() -> impl Iterator<Item = Fixture> {
    fixtures::refused(DIALECT)
}

/// Part of a fixture's name, and what its error is.
const CLASSES: &[(&str, Class)] = &[
    ("composed-400-key", Class::Auth),
    ("composed-403", Class::Permission),
    ("composed-500", Class::Server),
    ("composed-503", Class::Overloaded),
    ("google-429-retry-info", Class::RateLimit),
    ("test-model-name-suggestion-google", Class::NotFound),
    ("test-generate-content-invalid-role", Class::BadRequest),
    ("test-generate-content-missing-model", Class::NotFound),
    ("test-multimodal-tool-return-matrix-direct-url-im", Class::BadRequest),
];

#[test]
fn recorded_errors_are_of_the_kind_they_are() {
    let mut seen = 0;
    for fixture in errors() {
        let Fault::Upstream(fault) = Gemini.decode_fault(fixture.status, None, &fixture.body()) else {
            panic!("{}", fixture.id)
        };
        let (_, class) = CLASSES.iter().find(|(name, _)| fixture.id.contains(name)).unwrap();
        assert_eq!(fault.class, *class, "{}: {}", fixture.id, fault.message);
        assert!(!fault.message.contains("projects/example"), "{}", fault.message);
        seen += 1;
    }
    assert_eq!(seen, CLASSES.len());
}

#[test]
fn glances_see_what_the_recording_says() {
    for fixture in fixtures::streamed(DIALECT) {
        let said = gemini_recording::of_recording(&fixture);
        let bytes = fixture.stream_bytes();
        let mut splitter = SseSplitter::new(1 << 20);
        splitter.push(&bytes);
        let (mut content, mut usage, mut stop, mut model) = (false, wire::chat::Usage::default(), None, None);
        while let Some(event) = splitter.next().unwrap() {
            let seen = Gemini.glance(event.frame()).unwrap();
            content |= seen.content;
            usage.update(&seen.usage.unwrap_or_default());
            stop = seen.stop.or(stop);
            model = seen.model.or(model);
        }
        assert_eq!((usage.prompt(), usage.output), (said.prompt, said.output), "{}", fixture.id);
        assert!(content && stop.is_some() && model == said.model, "{}", fixture.id);
    }
    for fixture in fixtures::whole(DIALECT) {
        let seen = Gemini.glance_whole(&RawObject::parse(fixture.body().into()).unwrap()).unwrap();
        let said = gemini_recording::of_recording(&fixture);
        let usage = seen.usage.unwrap_or_default();
        assert_eq!((usage.prompt(), usage.output), (said.prompt, said.output), "{}", fixture.id);
        assert_eq!(
            (seen.model, seen.stop.map(|stop| stop.reason)),
            (said.model, said.stop),
            "{}",
            fixture.id
        );
    }
}

#[test]
fn an_error_in_a_stream_ends_it() {
    for data in [
        r#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#,
        r#"[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]"#,
    ] {
        let stream = format!("data: {{\"candidates\":[]}}\n\ndata: {data}\n\n");
        let outcome = streams::read_whole(&Gemini, stream.as_bytes());
        let Err(Fault::Upstream(fault)) = outcome.end else { panic!("{data}") };
        assert_eq!((fault.class, fault.message.as_str()), (Class::Overloaded, "busy"));
        assert!(Gemini.glance(Frame { event: "", data }).is_err());
    }
}
