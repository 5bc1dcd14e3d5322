//! One request as a line.

use std::io::Write;

use serde::Serialize;
use store::Entry;

/// The flat JSON form. Names are those of the ledger's columns.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    request_id: String,
    client_request_id: Option<&'a str>,
    key: Option<&'a str>,
    project: &'a str,
    surface: &'a str,
    provider: Option<&'a str>,
    wire: Option<&'a str>,
    model_asked: Option<&'a str>,
    model: Option<&'a str>,
    stream: bool,
    status: u16,
    outcome: &'a str,
    error: Option<&'a str>,
    attempts: u32,
    latency_ms: f64,
    ttft_ms: Option<f64>,
    tokens_in: Option<i64>,
    tokens_cached: Option<i64>,
    tokens_out: Option<i64>,
    cost_usd: Option<f64>,
    warnings: Option<&'a str>,
}

/// One JSON object and a line feed.
pub(super) fn json(entry: &Entry, out: &mut Vec<u8>) {
    let line = Line {
        timestamp: timestamp(entry),
        level: level(entry),
        message: "request",
        request_id: entry.id.to_string(),
        client_request_id: entry.client_request_id.as_deref(),
        key: entry.key_name.as_deref(),
        project: &entry.project,
        surface: &entry.surface,
        provider: entry.provider.as_deref(),
        wire: entry.wire.as_deref(),
        model_asked: entry.model_asked.as_deref(),
        model: model(entry),
        stream: entry.stream,
        status: entry.status,
        outcome: entry.outcome.as_str(),
        error: entry.fault_code.as_deref(),
        attempts: entry.attempts,
        latency_ms: millis(entry.total_us),
        ttft_ms: entry.first_byte_us.map(millis),
        tokens_in: prompt(entry),
        tokens_cached: entry.cache_read,
        tokens_out: entry.output,
        cost_usd: entry.cost_nanos.map(|nanos| nanos as f64 / 1e9),
        warnings: entry.losses.as_deref(),
    };
    // Numbers and strings only: cannot fail into a Vec.
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}

/// A line for a terminal.
pub(super) fn readable(entry: &Entry, out: &mut Vec<u8>) {
    let at = timestamp(entry);
    let model = model(entry).or(entry.model_asked.as_deref()).unwrap_or("-");
    let provider = entry.provider.as_deref().unwrap_or("-");
    let tokens = |count: Option<i64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let _ = write!(
        out,
        "{at} {:>5} {} {provider}/{model} {:.1} ms, {} in, {} out",
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

fn timestamp(entry: &Entry) -> String {
    format!("{:.6}", entry.started_at)
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
