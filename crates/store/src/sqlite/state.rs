//! The vault as a whole: do the rows that are there add up to the sum that was stored with the last change, and if not,
//! which of them are to blame.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection};
use tracing::warn;

use super::access_keys::{self, KeyRow};
use super::change::{end_of_log, masked_sum};
use super::sealed::{Stored, TABLES, Table};
use super::unlock::Unlocked;
use crate::error::StoreError;
use crate::vault::{Digest, Sum};

/// What the audit log says of every row that should be there.
const RECORDED: &str = "SELECT target, detail, digest FROM audit AS entry WHERE digest IS NOT NULL AND seq = \
                        (SELECT max(seq) FROM audit WHERE target = entry.target)";

/// The sum over all rows as the audit log has them.
pub(super) async fn recorded(view: &mut SqliteConnection) -> Result<Sum, StoreError> {
    let mut sum = Sum::default();
    for row in expected(view).await?.values() {
        sum.add(&row.digest);
    }
    Ok(sum)
}

/// A row that should be there.
struct Expected {
    detail: String,
    digest: Digest,
}

async fn expected(view: &mut SqliteConnection) -> Result<BTreeMap<String, Expected>, StoreError> {
    let rows = sqlx::query(RECORDED).fetch_all(view).await?;
    let expected = rows.iter().map(|row| {
        let digest: Vec<u8> = row.try_get("digest")?;
        // A digest of another length can be no row's.
        let digest = digest.try_into().unwrap_or_default();
        Ok((row.try_get("target")?, Expected { detail: row.try_get("detail")?, digest }))
    });
    Ok(expected.collect::<sqlx::Result<_>>()?)
}

/// Whether the rows add up to the stored sum.
pub(super) async fn is_whole(view: &mut SqliteConnection, keys: &Unlocked) -> Result<bool, StoreError> {
    let mut sum = Sum::default();
    for found in rows(view, keys, |_, _, _| true).await? {
        let Some(digest) = found.digest else { return Ok(false) };
        sum.add(&digest);
    }
    let (_, link) = end_of_log(view).await?;
    Ok(Sum::unmask(&masked_sum(view).await?, &keys.macs, &link).matches(&sum))
}

/// Says so in the log when the rows do not add up. What is to blame does not open; the rest can be used.
pub(super) async fn warn_if_changed(view: &mut SqliteConnection, keys: &Unlocked) -> Result<(), StoreError> {
    if !is_whole(view, keys).await? {
        warn!("the vault was changed outside the gateway; `llm-gateway doctor` says where");
    }
    Ok(())
}

/// A row that is there.
struct Found {
    target: String,
    detail: String,
    /// `None` where it cannot even be read.
    digest: Option<Digest>,
    opens: bool,
}

/// Every row of the vault; `opens` judges the sealed ones.
async fn rows(
    view: &mut SqliteConnection,
    keys: &Unlocked,
    opens: fn(&Stored, &Table, &Unlocked) -> bool,
) -> Result<Vec<Found>, StoreError> {
    let mut found = Vec::new();
    for table in TABLES {
        for row in sqlx::query(table.all).fetch_all(&mut *view).await? {
            let row = Stored::read(&row)?;
            found.push(Found {
                target: table.target(row.id),
                detail: format!("{}/{} of {}", row.provider, row.name, row.project),
                digest: row.digest(table, &keys.macs),
                opens: opens(&row, table, keys),
            });
        }
    }
    for row in sqlx::query(access_keys::ALL).fetch_all(&mut *view).await? {
        let row = KeyRow::read(&row)?;
        let digest = row.digest(&keys.macs);
        let opens = row.recorded.as_deref() == Some(digest.as_slice());
        let detail = row.held.key.grant.name.clone();
        found.push(Found { target: row.target(), detail, digest: Some(digest), opens });
    }
    Ok(found)
}

/// How many rows there are, and one sentence for each that is not as the gateway wrote it.
pub(super) async fn complaints(
    view: &mut SqliteConnection,
    keys: &Unlocked,
) -> Result<(u64, Vec<String>), StoreError> {
    let mut missing = expected(view).await?;
    let (mut seen, mut complaints) = (0, Vec::new());
    for found in rows(view, keys, |row, table, keys| row.open(table, keys).is_ok()).await? {
        seen += 1;
        let Found { target, detail, .. } = &found;
        match missing.remove(target) {
            Some(_) if found.opens => {}
            Some(_) => {
                complaints.push(format!("{target} ({detail}) was changed outside the gateway: store it anew"))
            }
            None => complaints.push(format!("{target} ({detail}) was put in outside the gateway: delete it")),
        }
    }
    complaints.extend(missing.iter().map(|(target, row)| {
        format!(
            "{target} ({}) was removed outside the gateway: delete it here too, or restore a backup",
            row.detail
        )
    }));
    Ok((seen, complaints))
}
