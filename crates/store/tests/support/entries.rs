//! Ledger rows for tests.

use jiff::Timestamp;
use store::{Entry, Outcome};
use uuid::Uuid;

/// A row with little in it.
pub fn bare_entry(id: Uuid) -> Entry {
    let started_at = Timestamp::from_second(1_767_225_600).unwrap();
    let mut entry = Entry::admitted(id, started_at, "openai_chat".into(), "chat".into());
    (entry.status, entry.outcome, entry.total_us) = (404, Outcome::ClientError, 120);
    entry
}
