//! Numbers for Prometheus. Labels are ids of the catalogue and names of dialects, never anything that a client chose.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// How often the guard of translated streams stepped in: each time an upstream broke the grammar of its dialect.
const STREAM_REPAIRS: &str = "llm_gateway_stream_repairs_total";

/// Whether the configuration was valid when it was last read again.
const RELOAD_OK: &str = "llm_gateway_config_reload_ok";

/// How often the configuration was read again.
const RELOADS: &str = "llm_gateway_config_reloads_total";

/// Handlers that panicked. Each is a mistake of ours; its request got a 500.
const PANICS: &str = "llm_gateway_panics_total";

/// Answers that were to be kept and could not be. Their clients have got them.
const NOT_STORED: &str = "llm_gateway_responses_not_stored_total";

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
            metrics::describe_gauge!(
                RELOAD_OK,
                "1 while what was last read of the configuration is in force"
            );
            metrics::describe_counter!(RELOADS, "How often the configuration was read again");
            metrics::gauge!(RELOAD_OK).set(1.0);
            metrics::describe_counter!(PANICS, "Requests that failed because their handler panicked");
            metrics::describe_counter!(NOT_STORED, "Responses that were to be stored and could not be");
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

/// The configuration was read again, and is in force unless it is not `valid`.
pub fn configuration_read(valid: bool) {
    if recorder().is_some() {
        metrics::gauge!(RELOAD_OK).set(if valid { 1.0 } else { 0.0 });
        let outcome = if valid { "in_force" } else { "invalid" };
        metrics::counter!(RELOADS, "outcome" => outcome).increment(1);
    }
}

/// Counts a handler that panicked.
pub fn panicked() {
    if recorder().is_some() {
        metrics::counter!(PANICS).increment(1);
    }
}

/// Counts an answer that was to be kept and could not be.
pub fn response_not_stored() {
    if recorder().is_some() {
        metrics::counter!(NOT_STORED).increment(1);
    }
}

/// All numbers, in Prometheus' text format.
pub fn render() -> String {
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}
