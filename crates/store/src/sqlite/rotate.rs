//! New keys for the vault while it is in use. Only wrapped data keys are written anew, 60 bytes a row.

use std::path::Path;
use std::sync::Arc;

use sqlx::SqliteConnection;

use super::SqliteStore;
use super::change::{Change, Event};
use super::errors::vault_error;
use super::place;
use super::sealed::{Stored, TABLES, Table};
use super::state;
use super::unlock::{LockRow, Unlocked, mac_key_place};
use crate::error::StoreError;
use crate::master_key;
use crate::types::By;
use crate::vault::{self, RootKey, Sealed, SystemEntropy, Vault, VaultError};

/// Rows that are moved in one transaction: other writers wait no longer than these take.
const BATCH: i64 = 100;

/// The vault itself in the audit log.
const VAULT: &str = "vault";

/// A new key-encryption key for all rows, or the rest of them.
pub(super) async fn kek(store: &SqliteStore, by: &By) -> Result<u64, StoreError> {
    let mut reader = store.readers.acquire().await?;
    if behind(&mut reader).await? == 0 {
        let mut change = store.change(by).await?;
        let kek_no = change.next_kek();
        let keys = change.keys.clone();
        move_mac_key(&mut change, &keys.vault, kek_no).await?;
        let detail = format!("key-encryption key {kek_no}");
        change
            .record(&Event { action: "vault.kek_rotated", target: VAULT, detail: &detail, digest: None })
            .await?;
        change.commit().await?;
    }
    drop(reader);
    let mut moved = 0;
    for table in TABLES {
        let mut last = 0;
        while let Some(batch) = move_batch(store, table, last, by).await? {
            (last, moved) = (batch.last, moved + batch.moved);
        }
    }
    Ok(moved)
}

struct Batch {
    last: i64,
    moved: u64,
}

/// Moves the next rows under the present key; `None` when there are no more. A row that does not open stays behind.
async fn move_batch(
    store: &SqliteStore,
    table: &'static Table,
    after: i64,
    by: &By,
) -> Result<Option<Batch>, StoreError> {
    let mut change = store.change(by).await?;
    let kek_no = change.kek_no();
    let query = sqlx::query(table.behind).bind(kek_no).bind(after).bind(BATCH);
    let rows = query.fetch_all(change.connection()).await?;
    let rows = rows.iter().map(Stored::read).collect::<sqlx::Result<Vec<_>>>()?;
    let Some(last) = rows.last().map(|row| row.id) else { return Ok(None) };
    let mut moved = 0;
    let keys = change.keys.clone();
    for row in rows {
        if move_row(&mut change, table, &row, &keys.vault, kek_no).await.is_ok() {
            moved += 1;
        }
    }
    change.commit().await?;
    Ok(Some(Batch { last, moved }))
}

async fn move_row(
    change: &mut Change<'_>,
    table: &'static Table,
    row: &Stored,
    to: &Vault,
    kek_no: u32,
) -> Result<(), StoreError> {
    let tampered = |error| vault_error(error, || table.target(row.id));
    let place = row.place(table).ok_or(VaultError::Tampered).map_err(tampered)?;
    let wrapped = change.keys.vault.rewrap(to, kek_no, &place, &row.sealed).map_err(tampered)?;
    change.count_wraps(1)?;
    let query = sqlx::query(table.rewrap).bind(wrapped).bind(kek_no).bind(row.id);
    query.execute(change.connection()).await?;
    Ok(())
}

async fn move_mac_key(change: &mut Change<'_>, to: &Vault, kek_no: u32) -> Result<(), StoreError> {
    let LockRow { vault, mac_key, .. } = LockRow::read(change.connection()).await?;
    let wrapped = change.keys.vault.rewrap(to, kek_no, &mac_key_place(vault), &mac_key);
    let wrapped = wrapped.map_err(|error| vault_error(error, || "the vault's own key".to_owned()))?;
    change.count_wraps(1)?;
    let query = sqlx::query("UPDATE vault SET mac_key_wrapped = ?, mac_key_kek_no = ?");
    query.bind(wrapped).bind(kek_no).execute(change.connection()).await?;
    Ok(())
}

/// Rows that another key-encryption key wraps than the present one.
pub(super) async fn behind(view: &mut SqliteConnection) -> Result<i64, StoreError> {
    let query = "SELECT (SELECT count(*) FROM credentials WHERE kek_no <> vault.kek_no) + \
                 (SELECT count(*) FROM files WHERE kek_no <> vault.kek_no) FROM vault";
    Ok(sqlx::query_scalar(query).fetch_one(view).await?)
}

/// A new master key. It waits beside the present one until the vault is under it; a kill in between leaves one of the
/// two right, and the next start finds out which.
pub(super) async fn root(store: &SqliteStore, by: &By) -> Result<(), StoreError> {
    let file = store.lock.key_file().ok_or(StoreError::KeyGiven)?.to_owned();
    // Nobody opens the store meanwhile: that would clear away the key that waits.
    let _turn = lock_directory(&file).await?;
    let mut change = store.change(by).await?;
    let keys = change.keys.clone();
    require_whole(&mut change, &keys).await?;
    let LockRow { vault, mac_key, .. } = LockRow::read(change.connection()).await?;
    let root = RootKey::generate(&SystemEntropy).map_err(|error| StoreError::Io(error.into()))?;
    master_key::stage(&file, &root).map_err(|error| StoreError::Io(error.into()))?;
    let new = Vault::new(vault, &root, Arc::new(SystemEntropy));
    let kek_no = change.next_kek();
    move_mac_key(&mut change, &new, kek_no).await?;
    move_all(&mut change, &new, kek_no).await?;
    let check = root.check(vault, vault::FORMAT);
    sqlx::query("UPDATE vault SET key_check = ?").bind(check.as_slice()).execute(change.connection()).await?;
    let unlocked = unlocked_after(&mut change, &root, mac_key).await?;
    let event =
        Event { action: "vault.root_rotated", target: VAULT, detail: "a new master key", digest: None };
    change.record(&event).await?;
    change.commit().await?;
    store.lock.replace(unlocked);
    master_key::promote(&file).map_err(|error| StoreError::Io(error.into()))
}

/// What does not open now would never open again under a new master key.
async fn require_whole(change: &mut Change<'_>, keys: &Unlocked) -> Result<(), StoreError> {
    let (_, complaints) = state::complaints(change.connection(), keys).await?;
    match complaints.into_iter().next() {
        None => Ok(()),
        Some(what) => {
            Err(StoreError::Refused { what: format!("the master key stays as it is, since {what}") })
        }
    }
}

async fn move_all(change: &mut Change<'_>, to: &Vault, kek_no: u32) -> Result<(), StoreError> {
    for table in TABLES {
        for row in sqlx::query(table.all).fetch_all(change.connection()).await? {
            move_row(change, table, &Stored::read(&row)?, to, kek_no).await?;
        }
    }
    Ok(())
}

/// The keys as they are when the change has been committed; made before, so that it cannot fail after.
async fn unlocked_after(
    change: &mut Change<'_>,
    root: &RootKey,
    old: Sealed,
) -> Result<Unlocked, StoreError> {
    let row = LockRow::read(change.connection()).await?;
    debug_assert_eq!(row.mac_key.body, old.body, "only its wrapping has changed");
    Unlocked::new(&row, root, Arc::new(SystemEntropy))
}

async fn lock_directory(key_file: &Path) -> Result<std::fs::File, StoreError> {
    let directory = place::directory_of(key_file).to_owned();
    let locked = tokio::task::spawn_blocking(move || place::lock(&directory)).await;
    locked.map_err(|error| StoreError::Io(error.into()))?.map_err(|_| StoreError::Busy)
}
