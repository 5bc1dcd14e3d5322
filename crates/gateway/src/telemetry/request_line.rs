//! One request as a line.

use std::io::Write;

use serde::Serialize;
use store::Entry;

/// One flat JSON object and a line feed. Names are those of the ledger's columns.
pub(super) fn json(entry: &Entry, out: &mut Vec<u8>) {
    let mut line = Line { out };
    let _ = write!(line.out, "{{\"timestamp\":\"{:.6}\"", entry.started_at);
    line.word("level", level(entry));
    line.word("message", "request");
    let _ = write!(line.key("request_id"), "\"{}\"", entry.id);
    line.value("client_request_id", entry.client_request_id.as_deref());
    line.value("key", entry.key_name.as_deref());
    line.value("project", &entry.project);
    line.word("surface", &entry.surface);
    line.value("provider", entry.provider.as_deref());
    line.value("wire", entry.wire.as_deref());
    line.value("model_asked", entry.model_asked.as_deref());
    line.value("model", model(entry));
    line.value("stream", entry.stream);
    line.value("status", entry.status);
    line.word("outcome", entry.outcome.as_str());
    line.value("error", entry.fault_code.as_deref());
    line.value("attempts", entry.attempts);
    line.value("latency_ms", millis(entry.total_us));
    line.value("ttft_ms", entry.first_byte_us.map(millis));
    line.value("tokens_in", prompt(entry));
    line.value("tokens_cached", entry.cache_read);
    line.value("tokens_out", entry.output);
    line.value("cost_usd", entry.cost_nanos.map(|nanos| nanos as f64 / 1e9));
    line.value("warnings", entry.losses.as_deref());
    out.extend_from_slice(b"}\n");
}

/// A flat object in the making. One is written for every request: a derived serialiser would look into each key for
/// what needs escaping, at half the price of the line.
struct Line<'a> {
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A word of ours, in which nothing needs escaping.
    fn word(&mut self, key: &'static str, word: &str) {
        let out = self.key(key);
        out.push(b'"');
        out.extend_from_slice(word.as_bytes());
        out.push(b'"');
    }

    /// Anything else. Numbers and strings only: cannot fail into a `Vec`.
    fn value(&mut self, key: &'static str, value: impl Serialize) {
        let _ = serde_json::to_writer(self.key(key), &value);
    }
}

/// A line for a terminal.
pub(super) fn readable(entry: &Entry, out: &mut Vec<u8>) {
    let model = model(entry).or(entry.model_asked.as_deref()).unwrap_or("-");
    let provider = entry.provider.as_deref().unwrap_or("-");
    let tokens = |count: Option<i64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let _ = write!(
        out,
        "{:.6} {:>5} {} {provider}/{model} {:.1} ms, {} in, {} out",
        entry.started_at,
        level(entry).to_ascii_uppercase(),
        entry.status,
        millis(entry.total_us),
        tokens(prompt(entry)),
        tokens(entry.output),
    );
    if let Some(nanos) = entry.cost_nanos {
        let _ = write!(out, ", ${:.6}", nanos as f64 / 1e9);
    }
    if let Some(code) = &entry.fault_code {
        let _ = write!(out, ", {code}");
    } else if entry.outcome != store::Outcome::Completed {
        let _ = write!(out, ", {}", entry.outcome.as_str());
    }
    let _ = writeln!(out, " [{}]", entry.id);
}

fn level(entry: &Entry) -> &'static str {
    match entry.outcome {
        store::Outcome::Completed | store::Outcome::ClientGone => "info",
        store::Outcome::ClientError | store::Outcome::UpstreamError => "warn",
        store::Outcome::GatewayError => "error",
    }
}

fn model(entry: &Entry) -> Option<&str> {
    entry.model_answered.as_deref().or(entry.model_sent.as_deref())
}

fn prompt(entry: &Entry) -> Option<i64> {
    let buckets = [entry.input, entry.cache_read, entry.cache_write, entry.cache_write_1h];
    buckets.into_iter().flatten().reduce(i64::saturating_add)
}

fn millis(micros: i64) -> f64 {
    micros as f64 / 1000.0
}
