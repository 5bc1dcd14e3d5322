//! A line for each recorded answer and each surface: what its client gets, and what was lost. One snapshot a pair.

use wire::chat::Event;

use super::clients::CLIENTS;
use super::recorded::RECORDED;
use crate::{gemini_written, golden, responses_golden, responses_recording, to_messages};

/// Writes the line of an answer for the client of a surface.
type Line = fn(&str, &[Event]) -> String;

/// In the order of [`CLIENTS`].
const LINES: [Line; 4] = [golden::chat_line, responses_golden::line, to_messages::line, gemini_written::line];

#[test]
fn every_answer_for_every_client() {
    for recorded in &RECORDED {
        let answers = (recorded.answers)();
        for (client, line) in CLIENTS.iter().zip(LINES) {
            let lines: Vec<String> = answers
                .iter()
                .map(|answer| line(&responses_recording::named(&answer.id), &answer.events(recorded.wire)))
                .collect();
            let pair = format!("{}_to_{}", recorded.wire.name(), client.surface.name());
            insta::assert_snapshot!(pair, lines.join("\n"));
        }
    }
}
