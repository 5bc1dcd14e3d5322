//! Every beginning of every recorded stream, at every surface: a legal stream of the surface's dialect that ends in its
//! error, and never in a clean stop.

use wire::WireId;
use wire::frame::SseSplitter;

use super::clients::CLIENTS;
use super::recorded::{Answer, RECORDED, Recorded};
use crate::streams;

/// So many of the smallest streams of a dialect are cut at each byte.
const SMALLEST: usize = 10;

fn streams_of(recorded: &Recorded) -> Vec<Answer> {
    let mut streams: Vec<Answer> = (recorded.answers)().into_iter().filter(Answer::is_stream).collect();
    streams.sort_by_key(|answer| answer.pieces.iter().map(String::len).sum::<usize>());
    streams
}

/// A stream that broke off here is an error for every client, unless it had said why it ended.
fn broken_off(recorded: &Recorded, case: &str, beginning: &[u8]) {
    let outcome = streams::read_whole(recorded.wire.wire(), beginning);
    let Err(fault) = outcome.end else {
        let text = String::from_utf8_lossy(beginning);
        let may_end = recorded.ends.iter().any(|end| text.contains(end));
        return assert!(may_end, "{case}: a clean end of what had none");
    };
    let fault = fault.named("provider");
    for client in &CLIENTS {
        let case = format!("{case} for {}", client.surface.name());
        let got = (client.read_stream)(&case, &client.written(&outcome.events, Some(&fault)));
        assert!(got.failed, "{case}: no error");
    }
}

fn cut_at_each_event(wire: WireId) {
    let recorded = RECORDED.iter().find(|recorded| recorded.wire == wire).unwrap();
    for answer in streams_of(recorded) {
        let mut beginning = Vec::new();
        for (kept, frame) in answer.pieces.iter().enumerate() {
            broken_off(recorded, &format!("{} after {kept} events", answer.id), &beginning);
            beginning.extend_from_slice(frame.as_bytes());
        }
    }
}

/// Bytes of a frame after which the end of the stream would complete an event; any other end within it leaves what the
/// frames before have said.
fn telling_cuts(frame: &str) -> impl Iterator<Item = usize> {
    (1..frame.len()).filter(|kept| {
        let mut splitter = SseSplitter::new(1 << 20);
        splitter.push(&frame.as_bytes()[..*kept]);
        let complete = splitter.next().unwrap().is_some();
        complete || splitter.finish().unwrap().is_some()
    })
}

#[test]
fn streams_of_chat_cut_at_each_event_end_in_an_error_for_every_client() {
    cut_at_each_event(WireId::OpenAiChat);
}

#[test]
fn streams_of_responses_cut_at_each_event_end_in_an_error_for_every_client() {
    cut_at_each_event(WireId::OpenAiResponses);
}

#[test]
fn streams_of_messages_cut_at_each_event_end_in_an_error_for_every_client() {
    cut_at_each_event(WireId::AnthropicMessages);
}

#[test]
fn streams_of_gemini_cut_at_each_event_end_in_an_error_for_every_client() {
    cut_at_each_event(WireId::Gemini);
}

#[test]
fn the_smallest_streams_cut_at_each_byte_end_in_an_error_for_every_client() {
    for recorded in &RECORDED {
        for answer in streams_of(recorded).iter().take(SMALLEST) {
            let mut before = Vec::new();
            for frame in &answer.pieces {
                for kept in telling_cuts(frame) {
                    let beginning = [&before, &frame.as_bytes()[..kept]].concat();
                    broken_off(
                        recorded,
                        &format!("{} after {} bytes", answer.id, beginning.len()),
                        &beginning,
                    );
                }
                before.extend_from_slice(frame.as_bytes());
            }
        }
    }
}

#[test]
fn an_end_within_a_line_tells_nothing_new() {
    for recorded in &RECORDED {
        let answer = &streams_of(recorded)[0];
        let bytes = answer.bytes();
        let mut known = 0;
        for kept in 0..bytes.len() {
            let outcome = streams::read_whole(recorded.wire.wire(), &bytes[..kept]);
            if outcome.events.len() != known {
                let line_is_over = matches!(bytes[kept - 1], b'\n' | b'\r');
                assert!(line_is_over, "{} after {kept} bytes", answer.id);
                known = outcome.events.len();
            }
        }
    }
}
