//! What a recorded answer of OpenAI Chat says, read naively from its JSON: its first choice, in the words that all
//! dialects share.

use serde_json::json;

use super::fixtures::Fixture;
use super::naive;
use super::recording::Said;

/// What a whole or streamed recording says.
pub fn of_recording(fixture: &Fixture) -> Said {
    let said = match fixture.stream {
        true => naive::of_stream(&fixture.stream_bytes()),
        false => naive::of_whole(fixture.json()),
    };
    of_first(said)
}

/// The first choice. Words by which the model declines are words; arguments that are none become an empty object.
pub fn of_first(mut said: naive::Said) -> Said {
    let first = said.choices.remove(&0).unwrap_or_default();
    let parsed =
        |(name, args): (String, String)| (name, serde_json::from_str(&args).unwrap_or_else(|_| json!({})));
    Said {
        text: first.text + &first.refusal,
        thoughts: first.thoughts,
        calls: first.calls.into_values().map(parsed).collect(),
        stop: first.stop,
        prompt: said.prompt,
        output: said.output,
        cache_read: None,
        model: said.model,
    }
}
