//! `/v1/latency`: how quick providers were lately, from live traffic, not from probes.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::json as json_answer;
use crate::app::App;
use crate::body::OutBody;
use crate::clock;

/// Older than this, in seconds, a measurement says little.
const STALE: u64 = 300;

/// Answers the list, the quickest first: moving averages of the time to first content.
pub fn answer(app: &App) -> Response<OutBody> {
    let mut rows = app.health.look(|health, now| {
        let rows = health.paces().filter_map(|(provider, model, pace)| {
            let age = now.saturating_sub(pace.measured?).as_secs();
            Some((pace.latency()?, age, provider.to_string(), model.to_string(), pace.in_flight))
        });
        rows.collect::<Vec<_>>()
    });
    rows.sort();
    let seconds = clock::wall().as_second();
    let rows = rows.into_iter().map(|(latency, age, provider, model, in_flight)| {
        let measured = jiff::Timestamp::from_second(seconds - i64::try_from(age).unwrap_or_default());
        json!({
            "provider": provider,
            "model": model,
            "latencyMs": (latency.as_secs_f64() * 1e6).round() / 1e3,
            "measuredAt": measured.map(|at| at.to_string()).ok(),
            "stale": age > STALE,
            "inFlight": in_flight,
        })
    });
    let rows: Vec<Value> = rows.collect();
    json_answer(StatusCode::OK, &json!({ "providers": rows, "count": rows.len() }))
}
