//! Numbers for Prometheus. Labels are ids of the catalogue and names of dialects, never anything that a client chose.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// How often the guard of translated streams stepped in: each time an upstream broke the grammar of its dialect.
const STREAM_REPAIRS: &str = "llm_gateway_stream_repairs_total";

/// Handlers that panicked. Each is a mistake of ours; its request got a 500.
const PANICS: &str = "llm_gateway_panics_total";

/// The recorder of this process.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let handle = PrometheusBuilder::new().install_recorder().ok()?;
            metrics::describe_counter!(
                STREAM_REPAIRS,
                "Malformed steps of upstream streams that were mended or left out"
            );
            metrics::describe_counter!(PANICS, "Requests that failed because their handler panicked");
            Some(handle)
        })
        .as_ref()
}

/// Counts repairs of one translated stream, by upstream and by the dialect of the client.
pub fn stream_repaired(provider: &str, dialect: &'static str, repairs: u32) {
    if repairs > 0 && recorder().is_some() {
        metrics::counter!(STREAM_REPAIRS, "provider" => provider.to_owned(), "dialect" => dialect)
            .increment(u64::from(repairs));
    }
}

/// Counts a handler that panicked.
pub fn panicked() {
    if recorder().is_some() {
        metrics::counter!(PANICS).increment(1);
    }
}

/// All numbers, in Prometheus' text format.
pub fn render() -> String {
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}
