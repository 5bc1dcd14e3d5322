//! Words of messages.

use std::time::Duration;

pub(super) fn unknown_model(model: &str, nearest: &[String]) -> String {
    if nearest.is_empty() {
        return format!(
            "no configured provider has the model '{model}'; GET /v1/models lists what is available"
        );
    }
    format!("no configured provider has the model '{model}'; did you mean {}?", nearest.join(", "))
}

pub(super) fn unknown_provider(provider: &str, known: &[String]) -> String {
    format!("there is no provider '{provider}'; known providers are {}", known.join(", "))
}

pub(super) fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
