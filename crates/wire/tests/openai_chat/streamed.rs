//! Streams, read.

use wire::chat::{Event, Fold, Undo};
use wire::frame::SseSplitter;
use wire::openai_chat::OpenAiChat;
use wire::{Fault, Wire};

use crate::{fixtures, naive};

/// Events of a stream that arrives in these chunks, and how it ends.
pub fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, Result<(), Fault>) {
    let mut events = Vec::new();
    let end = run(chunks, &mut events);
    (events, end)
}

fn run<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, events: &mut Vec<Event>) -> Result<(), Fault> {
    let mut splitter = SseSplitter::new(1 << 20);
    let mut reader = OpenAiChat.stream_reader(&Undo::default());
    for chunk in chunks {
        splitter.push(chunk);
        while let Some(event) = splitter.next()? {
            reader.read(event.frame(), events)?;
        }
    }
    if let Some(event) = splitter.finish()? {
        reader.read(event.frame(), events)?;
    }
    reader.finish(events)
}

/// A stream in the words of the standard, an event a chunk.
fn events_of(chunks: &[&str]) -> (Vec<Event>, Result<(), Fault>) {
    let stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    read([stream.as_bytes()])
}

fn folded(events: &[Event]) -> wire::chat::ChatResponse {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    fold.finish()
}

#[test]
fn recorded_streams_say_what_the_recording_says() {
    for fixture in fixtures::streamed() {
        let bytes = fixture.stream().unwrap();
        let (events, end) = read([&bytes[..]]);
        assert!(end.is_ok(), "{}: {end:?}", fixture.id);
        let said = naive::of_response(&folded(&events));
        assert_eq!(said, naive::of_stream(&bytes), "{}", fixture.id);
    }
}

#[test]
fn recorded_streams_cut_anywhere_yield_the_same_events() {
    for fixture in fixtures::streamed() {
        let bytes = fixture.stream().unwrap();
        let (whole, _) = read([&bytes[..]]);
        let (single, end) = read(bytes.chunks(1));
        assert!(end.is_ok() && single == whole, "{}: byte by byte", fixture.id);
        // Before every byte that goes on with a character.
        let inside = |pair: &[u8], next: &u8| !pair.is_empty() && (0x80..0xc0).contains(next);
        let mut chunks = Vec::new();
        let mut from = 0;
        for at in 1..bytes.len() {
            if inside(&bytes[from..at], &bytes[at]) {
                chunks.push(&bytes[from..at]);
                from = at;
            }
        }
        chunks.push(&bytes[from..]);
        let (inside, end) = read(chunks);
        assert!(end.is_ok() && inside == whole, "{}: inside characters", fixture.id);
    }
}

#[test]
fn a_stream_that_ends_before_its_finish_reason_is_cut() {
    let (_, end) = events_of(&[r#"{"id":"a","choices":[{"index":0,"delta":{"content":"hi"}}]}"#, "[DONE]"]);
    assert!(matches!(end, Err(Fault::Cut { .. })));
    assert!(matches!(events_of(&[]).1, Err(Fault::Cut { .. })));
}

#[test]
fn a_missing_end_marker_is_no_cut() {
    let stop = r#"{"id":"a","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}"#;
    assert!(events_of(&[stop]).1.is_ok());
}

#[test]
fn junk_and_errors_end_the_stream() {
    assert!(matches!(events_of(&["{\"choices\":"]).1, Err(Fault::BadAnswer { .. })));
    let error = r#"{"id":"a","choices":[],"error":{"code":429,"message":"slow down"}}"#;
    let (_, Err(Fault::Upstream(fault))) = events_of(&[error]) else { panic!() };
    assert_eq!((fault.class, fault.message.as_str()), (wire::fault::Class::RateLimit, "slow down"));
}

#[test]
fn interleaved_calls_and_missing_indexes_come_out_right() {
    let piece =
        |calls: &str| format!(r#"{{"id":"a","choices":[{{"index":0,"delta":{{"tool_calls":[{calls}]}}}}]}}"#);
    let stop = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#.to_owned();
    let streams = [
        [
            piece(
                r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{"}},{"index":1,"id":"y","function":{"name":"g","arguments":""}}"#,
            ),
            piece(
                r#"{"index":1,"id":"","function":{"name":"g","arguments":"{}"}},{"index":0,"function":{"arguments":"}"}}"#,
            ),
            stop.clone(),
        ],
        [
            piece(r#"{"id":"x","function":{"name":"f","arguments":"{}"}}"#),
            piece(r#"{"id":"y","function":{"name":"g","arguments":{}}}"#),
            stop.clone(),
        ],
        [
            piece(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
            piece(r#"{"index":0,"id":"y","function":{"name":"g","arguments":"{}"}}"#),
            stop,
        ],
    ];
    for stream in streams {
        let (events, end) = events_of(&stream.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(end.is_ok());
        let said = naive::of_response(&folded(&events));
        let calls: Vec<_> = said.choices[&0].calls.values().cloned().collect();
        assert_eq!(
            calls,
            [("f".to_owned(), "{}".to_owned()), ("g".to_owned(), "{}".to_owned())],
            "{stream:?}"
        );
    }
}
