//! Recorded errors: the status says whose fault it was, and an error object says what.

use super::recordings::{self, Dialect, Recording};
use super::{Bench, CUTS};
use crate::support::{Reply, chat_body};

/// What a client gets for each status (DIALECTS, section 11): a refusal of the gateway's own credential or account is
/// no fault of the client's, and Anthropic's own 529 is a 503.
const STATUSES: &[(u16, u16, &str)] = &[
    (400, 400, "invalid_request"),
    (402, 502, "upstream_billing"),
    (403, 502, "upstream_auth"),
    (404, 404, "model_not_found"),
    (413, 413, "request_too_large"),
    (429, 429, "rate_limited"),
    (500, 502, "upstream_error"),
    (502, 502, "upstream_error"),
    (503, 503, "overloaded"),
    (529, 503, "overloaded"),
];

/// Recordings whose body says more than their status.
const TELLING: &[(&str, u16, &str)] =
    &[("composed-400-context", 400, "context_too_long"), ("composed-429-quota", 502, "upstream_billing")];

fn expected(recording: &Recording) -> (u16, &'static str) {
    let telling = TELLING.iter().find(|(name, ..)| recording.id.contains(name));
    let usual = STATUSES.iter().find(|(status, ..)| *status == recording.status);
    let by_status = || usual.map(|(_, status, code)| (*status, *code));
    telling.map(|(_, status, code)| (*status, *code)).or_else(by_status).unwrap()
}

/// Asks for recordings that fail, and keeps what the ledger must say of each.
#[derive(Default)]
struct Told(Vec<(String, u16, &'static str)>);

impl Told {
    fn ask(
        &mut self,
        bench: &Bench,
        recording: &Recording,
        stream: bool,
        cut: &str,
        code: &'static str,
    ) -> Reply {
        let model = recording.model() + cut;
        let reply = bench.gateway.post("/v1/chat/completions", &chat_body(&model, stream));
        self.0.push((model, reply.status, code));
        reply
    }

    /// One row a request, with the status that the client saw and the code of what went wrong.
    fn check_ledger(mut self, bench: &Bench) {
        let rows = bench.gateway.ledger(self.0.len());
        let written =
            rows.iter().map(|row| (row.model_asked.as_deref(), row.status, row.fault_code.as_deref()));
        let mut written: Vec<_> = written.collect();
        written.sort_unstable();
        self.0.sort_unstable();
        let told: Vec<_> =
            self.0.iter().map(|(model, status, code)| (Some(model.as_str()), *status, Some(*code))).collect();
        assert_eq!(written, told);
    }
}

#[test]
fn refusals_come_with_the_status_and_the_words_of_the_recording() {
    let (bench, mut told) = (Bench::new(), Told::default());
    let all = [Dialect::Chat, Dialect::Messages].map(recordings::all);
    let refused: Vec<_> = all.iter().flatten().filter(|recording| recording.status >= 400).collect();
    assert!(refused.len() > 20, "recordings are missing");
    for (place, recording) in refused.into_iter().enumerate() {
        let (status, code) = expected(recording);
        // A client that wants a stream gets its refusal as JSON all the same.
        let reply = told.ask(&bench, recording, place % 2 == 0, "+cut=1", code);
        assert_eq!(reply.status, status, "{}: {}", recording.id, reply.text());
        let answer = reply.json();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty() && !message.contains('<'), "{}: {answer}", recording.id);
        let words = recording.body["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words.trim_end_matches('.')), "{}: {answer}", recording.id);
        assert_eq!(
            reply.header("retry-after"),
            recording.headers["retry-after"].as_str(),
            "{}",
            recording.id
        );
    }
    told.check_ledger(&bench);
}

/// Streams that end in an error after some content: its stable code, and its words.
const BROKEN_OFF: &[(&str, &str, &str)] = &[
    ("anthropic.anthropic-messages.composed-stream-overloaded.c14e99", "overloaded", "Overloaded"),
    (
        "groq.openai-chat.test-tool-use-failed-error-streaming-with-text.6d7c5d",
        "invalid_request",
        "Tool choice is required, but model did not call a tool",
    ),
    ("openrouter.openai-chat.test-openrouter-stream-error.311d4f", "invalid_request", "Token limit reached"),
];

#[test]
fn streams_that_end_in_an_error_end_in_one_for_the_client_too() {
    let (bench, mut told) = (Bench::new(), Told::default());
    let all = [Dialect::Chat, Dialect::Messages].map(recordings::all);
    let broken: Vec<_> = all.iter().flatten().filter(|recording| recording.breaks_off()).collect();
    assert_eq!(broken.len(), BROKEN_OFF.len(), "{broken:?}");
    for recording in broken {
        let (_, code, words) = BROKEN_OFF.iter().find(|(id, ..)| *id == recording.id).unwrap();
        for cut in CUTS {
            let reply = told.ask(&bench, recording, true, cut, code);
            let events = reply.events();
            assert!(reply.status == 200 && events.len() > 1, "{}: {}", recording.id, reply.text());
            let error = &events.last().unwrap()["error"];
            assert_eq!(error["code"], *code, "{}", recording.id);
            assert!(error["message"].as_str().unwrap().contains(words), "{}: {error}", recording.id);
            let ended = events.iter().any(|event| *event == "[DONE]");
            assert!(!ended, "{}: a broken stream has no clean end", recording.id);
        }
    }
    told.check_ledger(&bench);
}
