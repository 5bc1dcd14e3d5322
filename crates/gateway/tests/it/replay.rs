//! Recorded traffic of eighteen providers through the real gateway: whole, byte by byte and split inside characters.
//! What comes out is compared with a naive reading of the recording, and so is what the ledger counts.

mod carried;
mod recordings;
mod refused;
mod requests;
mod said;
mod translated;

use fakeprov::FakeProv;
use serde_json::json;
use store::{Entry, Outcome};

use crate::support::{Gateway, Reply, block_on, chat_body};
use recordings::Recording;
use said::Usage;

/// How every recording is cut on its way, in words of the scripted provider: as it is, byte by byte, and inside every
/// character of more than one byte.
const CUTS: [&str; 3] = ["", "+cut=1", "+cut=utf8"];

/// A gateway in front of a provider that answers with recordings.
struct Bench {
    gateway: Gateway,
    provider: FakeProv,
    /// What the ledger must hold in the end: model asked for, and tokens.
    counted: Vec<(String, Usage)>,
}

impl Bench {
    fn new() -> Self {
        let provider = block_on(FakeProv::with_fixtures(recordings::folder()));
        Self { gateway: Gateway::before(&provider), provider, counted: Vec::new() }
    }

    /// Asks for a recording that is complete; a stream with its usage, if `usage`.
    fn ask(&mut self, recording: &Recording, cut: &str, usage: bool) -> Reply {
        let model = recording.model() + cut;
        let mut body = chat_body(&model, recording.stream);
        if recording.stream {
            body["stream_options"] = json!({"include_usage": usage});
        }
        let reply = self.gateway.post("/v1/chat/completions", &body);
        assert!(reply.status == 200 && reply.complete, "{model}: {} {}", reply.status, reply.text());
        self.counted.push((model, said::of_recording(recording).usage));
        reply
    }

    /// One row a request, each with the tokens of its recording.
    fn check_ledger(mut self) {
        let rows = self.gateway.ledger(self.counted.len());
        assert!(rows.iter().all(|row| row.outcome == Outcome::Completed && row.attempts == 1), "{rows:#?}");
        let mut written: Vec<_> =
            rows.iter().map(|row| (row.model_asked.clone().unwrap(), tokens(row))).collect();
        written.sort_by(|one, other| one.0.cmp(&other.0));
        self.counted.sort_by(|one, other| one.0.cmp(&other.0));
        for (row, counted) in written.iter().zip(&self.counted) {
            assert_eq!(row, counted);
        }
    }
}

fn tokens(row: &Entry) -> Usage {
    let prompt = [row.input, row.cache_read, row.cache_write, row.cache_write_1h];
    let prompt = prompt.iter().any(Option::is_some).then(|| prompt.iter().flatten().sum::<i64>());
    let count = |count: i64| u64::try_from(count).unwrap();
    Usage { prompt: prompt.map(count), output: row.output.map(count) }
}
