//! Settings of circuit breakers as they are kept; in JSON they look as in mcp-llm-bridge.

use serde::{Deserialize, Serialize};

/// When breakers open and close, as far as somebody has said it: the usual value holds for what is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BreakerRule {
    /// Whether they open at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Failures in a row that open one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
    /// How long one stays open, where it has no backoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_timeout_ms: Option<u64>,
    /// Successes in a row that close it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_open_max_attempts: Option<u32>,
    /// How long one stays open the first time. `Some(None)`: it was said that there is no backoff.
    #[serde(deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub backoff_base_ms: Option<Option<u64>>,
    /// How many times longer it stays open after each probe that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_multiplier: Option<u32>,
    /// The longest that one stays open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_max_ms: Option<u64>,
}

impl BreakerRule {
    /// The same with what `newer` says in its place.
    #[must_use]
    pub fn with(self, newer: Self) -> Self {
        Self {
            enabled: newer.enabled.or(self.enabled),
            failure_threshold: newer.failure_threshold.or(self.failure_threshold),
            reset_timeout_ms: newer.reset_timeout_ms.or(self.reset_timeout_ms),
            half_open_max_attempts: newer.half_open_max_attempts.or(self.half_open_max_attempts),
            backoff_base_ms: newer.backoff_base_ms.or(self.backoff_base_ms),
            backoff_multiplier: newer.backoff_multiplier.or(self.backoff_multiplier),
            backoff_max_ms: newer.backoff_max_ms.or(self.backoff_max_ms),
        }
    }

    /// Nothing is said.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

/// What is there was said, be it null.
fn said<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<u64>>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}
