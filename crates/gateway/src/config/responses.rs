//! `responses:` - whether answers of the Responses API are kept here, for how long, and how many bytes of them.

use std::time::Duration;

use super::section::{Reader, Section};

/// As long as OpenAI keeps them (API reference, Responses, `store`, read 2026-11-25).
const RETENTION: Duration = Duration::from_secs(30 * 86_400);
const MAX_BYTES: u64 = 1 << 30;

/// What is kept of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredResponses {
    /// Whether any is.
    pub store: bool,
    /// How long.
    pub retention: Duration,
    /// Bytes of all of them as they are sealed, at most; the oldest give way.
    pub max_bytes: u64,
}

impl Default for StoredResponses {
    fn default() -> Self {
        Self { store: false, retention: RETENTION, max_bytes: MAX_BYTES }
    }
}

pub(super) fn read(mut section: Section<'_>, reader: &mut Reader<'_>) -> StoredResponses {
    let otherwise = StoredResponses::default();
    let read = StoredResponses {
        store: section.flag("store", reader).unwrap_or(otherwise.store),
        retention: section.duration("retention", reader).unwrap_or(otherwise.retention),
        max_bytes: section.size("max_bytes", reader).map_or(otherwise.max_bytes, |bytes| bytes as u64),
    };
    section.close(reader);
    read
}
