//! The audit log in SQLite, read and checked. It is written by `change`.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use super::change::{Event, link, masked_sum};
use super::ledger::timestamp;
use super::state;
use crate::Audit;
use crate::error::StoreError;
use crate::types::{AuditEntry, AuditVerdict, By};
use crate::vault::{Macs, Sum};

/// Entries that are checked between two reads.
const CHUNK: i64 = 1_000;

#[async_trait]
impl Audit for SqliteStore {
    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let query = "SELECT * FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?";
        let query = sqlx::query(query).bind(before.unwrap_or(i64::MAX)).bind(limit);
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(entry).collect::<sqlx::Result<_>>()?)
    }

    async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        let mut view = self.readers.begin().await?;
        let keys = self.lock.keys_for(&mut view).await?;
        verify(&mut view, &keys.macs).await
    }
}

/// Checks the log as this connection sees it, which must be within a transaction.
pub(super) async fn verify(view: &mut SqliteConnection, macs: &Macs) -> Result<AuditVerdict, StoreError> {
    let (mut seq, mut last) = (0, Vec::new());
    loop {
        let query = "SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?";
        let rows = sqlx::query(query).bind(seq).bind(CHUNK).fetch_all(&mut *view).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            match follows(row, seq, &last, macs) {
                Some(link) => (seq, last) = (seq + 1, link),
                None => return Ok(AuditVerdict::BrokenAt { seq: seq + 1 }),
            }
        }
    }
    // The sum over all rows is bound to the last link. What fits no log that is cut fits no rows either; so if the rows
    // are as the log has them, a sum that does not fit means that entries are missing at the end.
    let stored = Sum::unmask(&masked_sum(view).await?, macs, &last);
    if stored.matches(&state::recorded(view).await?) {
        return Ok(AuditVerdict::Intact { entries: seq });
    }
    Ok(AuditVerdict::Cut { seq })
}

/// The link of an entry, if it follows from the one before it.
fn follows(row: &SqliteRow, before: i64, last: &[u8], macs: &Macs) -> Option<Vec<u8>> {
    let AuditEntry { seq, at, actor, action, target, detail, request_id } = entry(row).ok()?;
    let digest: Option<Vec<u8>> = row.try_get("digest").ok()?;
    let digest = digest.map(TryInto::try_into).transpose().ok()?;
    let found: Vec<u8> = row.try_get("link").ok()?;
    let by = By { actor, request_id, at };
    let event = Event { action: &action, target: &target, detail: &detail, digest };
    let right = seq == before + 1 && link(macs, last, seq, &by, &event) == *found;
    right.then_some(found)
}

fn entry(row: &SqliteRow) -> sqlx::Result<AuditEntry> {
    let request_id: Option<&str> = row.try_get("request_id")?;
    Ok(AuditEntry {
        seq: row.try_get("seq")?,
        at: timestamp(row, "at")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        target: row.try_get("target")?,
        detail: row.try_get("detail")?,
        request_id: request_id
            .map(Uuid::parse_str)
            .transpose()
            .map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}
