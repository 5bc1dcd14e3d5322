//! Logs: operational events as they happen, and one line a request, written with its ledger row, off the path.
//!
//! Everything goes to standard error, readable lines on a terminal and one flat JSON object a line elsewhere. No line
//! holds a prompt, an answer or a key: there is no field for one.

pub mod metrics;
mod request_line;

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use store::Entry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// rmcp logs whole messages, which hold prompts and keys, from its level `debug` on.
const QUIET: &str = "rmcp=error";

/// Installs the log of this process. `level` is a `tracing` filter such as `info` or `gateway=debug`.
pub fn install(level: &str) {
    let lines = fmt().with_env_filter(filter(level)).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        let colour = std::env::var_os("NO_COLOR").is_none();
        let lines = lines.with_ansi(colour).with_target(false).compact().with_filter_reloading();
        let handle = lines.reload_handle();
        adjustable(lines.try_init().is_ok(), move |filter| drop(handle.reload(filter)));
    } else {
        let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
        let lines = lines.with_filter_reloading();
        let handle = lines.reload_handle();
        adjustable(lines.try_init().is_ok(), move |filter| drop(handle.reload(filter)));
    }
}

/// Puts another filter in the place of the one that the log was installed with.
type Adjust = Box<dyn Fn(EnvFilter) + Send + Sync>;

static ADJUST: OnceLock<Adjust> = OnceLock::new();

/// A second installation (tests) keeps the first log.
fn adjustable(installed: bool, adjust: impl Fn(EnvFilter) + Send + Sync + 'static) {
    if installed {
        let _ = ADJUST.set(Box::new(adjust));
    }
}

/// From now on the log of this process holds what `level` lets through.
pub fn set_level(level: &str) {
    if let Some(adjust) = ADJUST.get() {
        adjust(filter(level));
    }
}

fn filter(level: &str) -> EnvFilter {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    filter.add_directive(QUIET.parse().expect("the directive is well formed"))
}

/// The request log: writes each batch of ledger rows at once.
pub fn request_log() -> impl FnMut(&[Entry]) + Send {
    let line = if std::io::stderr().is_terminal() { request_line::readable } else { request_line::json };
    let mut lines = Vec::new();
    move |entries| {
        lines.clear();
        for entry in entries {
            line(entry, &mut lines);
        }
        // A log that cannot be written must not stop the ledger.
        let _ = std::io::stderr().lock().write_all(&lines);
    }
}
