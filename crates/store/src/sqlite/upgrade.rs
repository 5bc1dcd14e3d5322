//! From an older schema to the latest, in one transaction: a kill in between leaves the old one.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::change::{Change, Event};
use super::connect::Writers;
use super::errors::vault_error;
use super::inspect::Identity;
use super::schema;
use super::sealed::{Stored, TABLES};
use super::unlock::{LockRow, Unlocked, mac_key_place};
use crate::error::StoreError;
use crate::types::By;
use crate::vault::{self, Macs, RootKey, Sum, SystemEntropy, Vault};

/// Migrates the tables, and takes the rows of a vault of format 1 into the audit log and the sum.
pub(super) async fn upgrade(path: &Path, identity: &Identity, root: &RootKey) -> Result<(), StoreError> {
    let writers = Writers::open(path).await?;
    let upgraded = upgrade_with(&writers, identity, root).await;
    writers.close().await;
    upgraded
}

async fn upgrade_with(writers: &Writers, identity: &Identity, root: &RootKey) -> Result<(), StoreError> {
    let mut turn = writers.durable.begin().await?;
    // Another process may have done it meanwhile.
    let from = schema::version(turn.connection()).await?;
    schema::migrate(turn.connection(), from).await?;
    if from >= FIRST_WITH_MACS {
        return turn.commit().await;
    }
    give_macs(turn.connection(), identity.vault, identity.kek_no, root).await?;
    sqlx::query("UPDATE vault SET format = ?, key_check = ?")
        .bind(vault::FORMAT)
        .bind(root.check(identity.vault, vault::FORMAT).as_slice())
        .execute(turn.connection())
        .await?;
    let row = LockRow::read(turn.connection()).await?;
    let keys = Arc::new(Unlocked::new(&row, root, Arc::new(SystemEntropy))?);
    // The time of the change is the time of the newest row: the store has no clock.
    let by = By { actor: "upgrade".to_owned(), request_id: None, at: newest(turn.connection()).await? };
    let mut change = Change::on(turn, keys, &by).await?;
    adopt(&mut change).await?;
    change.commit().await
}

/// The schema that came with format 2.
const FIRST_WITH_MACS: i64 = 2;

async fn newest(connection: &mut SqliteConnection) -> Result<Timestamp, StoreError> {
    let query = "SELECT coalesce(max(updated_at), 0) FROM credentials";
    let micros: i64 = sqlx::query_scalar(query).fetch_one(connection).await?;
    Ok(Timestamp::from_microsecond(micros).unwrap_or_default())
}

/// Notes every row that is there. A damaged one is noted too: it does not open, as before.
async fn adopt(change: &mut Change<'_>) -> Result<(), StoreError> {
    for table in TABLES {
        for row in sqlx::query(table.all).fetch_all(change.connection()).await? {
            let row = Stored::read(&row)?;
            let digest = row.digest(table, &change.keys.macs);
            let detail = format!("{}/{} of {}", row.provider, row.name, row.project);
            let action = format!("{}.adopted", table.what);
            let target = table.target(row.id);
            change.record(&Event { action: &action, target: &target, detail: &detail, digest }).await?;
        }
    }
    Ok(())
}

/// Gives a vault the key of its MACs, and the sum of no rows.
pub(super) async fn give_macs(
    connection: &mut SqliteConnection,
    id: Uuid,
    kek_no: u32,
    root: &RootKey,
) -> Result<(), StoreError> {
    let entropy = Arc::new(SystemEntropy);
    let failed = |error| vault_error(error, || "the vault's own key".to_owned());
    let key = Macs::generate(&*entropy).map_err(failed)?;
    let macs = Macs::new(id, &key).map_err(failed)?;
    let sealed =
        Vault::new(id, root, entropy.clone()).seal(kek_no, &mac_key_place(id), &key).map_err(failed)?;
    let sum = Sum::default().mask(&macs, &[], &*entropy).map_err(failed)?;
    sqlx::query(
        "UPDATE vault SET mac_key_body = ?, mac_key_wrapped = ?, mac_key_kek_no = ?, state_nonce = ?, \
         state_sum = ?, state_rows = ?, kek_wraps = kek_wraps + 1",
    )
    .bind(sealed.body)
    .bind(sealed.wrapped_key)
    .bind(sealed.kek_no)
    .bind(sum.nonce)
    .bind(sum.sum)
    .bind(sum.rows)
    .execute(connection)
    .await?;
    Ok(())
}
