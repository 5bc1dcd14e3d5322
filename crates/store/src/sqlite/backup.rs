//! Copies of the database made while it is in use, and the way back.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::SqliteStore;
use super::access_keys::{self, KeyRow};
use super::change::Change;
use super::connect::options;
use super::inspect;
use super::sealed::{New, Stored, TABLES, Table, delete_in, put_in};
use super::state;
use super::unlock::{LockRow, Unlocked};
use crate::error::StoreError;
use crate::types::{By, Restored};

/// Writes a copy. SQLite makes it from one moment of the database, whatever is written meanwhile.
pub(super) async fn write(store: &SqliteStore, to: &Path) -> Result<(), StoreError> {
    let refused = |error: std::io::Error| StoreError::Refused {
        what: format!("the backup {} cannot be made: {error}", to.display()),
    };
    let file = File::options().write(true).create_new(true).mode(0o600).open(to).map_err(refused)?;
    let name = to.to_str().ok_or_else(|| StoreError::Refused {
        what: format!("{} is not a name that SQLite can write to", to.display()),
    })?;
    let mut connection = options(store.lock.database()).connect().await?;
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut connection).await?;
    connection.close().await?;
    file.sync_all().map_err(refused)
}

/// Makes the vault what it is in the copy, in one change.
pub(super) async fn restore(store: &SqliteStore, from: &Path, by: &By) -> Result<Restored, StoreError> {
    let refused = |what: String| StoreError::Refused { what: format!("{}: {what}", from.display()) };
    let identity = inspect::identity(from).await.map_err(|error| refused(error.to_string()))?;
    if identity.schema != super::schema::LATEST {
        return Err(refused(
            "this backup has an older schema; start a gateway on a copy of it first".to_owned(),
        ));
    }
    let mut copy = options(from).read_only(true).immutable(true).connect().await?;
    let mut change = store.change(by).await?;
    let keys = change.keys.clone();
    let (ours, theirs) = (LockRow::read(change.connection()).await?, LockRow::read(&mut copy).await?);
    if ours.vault != theirs.vault || ours.check != theirs.check {
        return Err(refused("this is a backup of another vault, or under another master key".to_owned()));
    }
    let (_, complaints) = state::complaints(&mut copy, &keys).await?;
    if let Some(complaint) = complaints.into_iter().next() {
        return Err(refused(complaint));
    }
    let mut restored = Restored::default();
    for table in TABLES {
        bring_back(&mut change, &mut copy, table, &keys, &mut restored).await?;
    }
    bring_back_keys(&mut change, &mut copy, &mut restored).await?;
    change.commit().await?;
    Ok(restored)
}

async fn bring_back(
    change: &mut Change<'_>,
    copy: &mut SqliteConnection,
    table: &'static Table,
    keys: &Unlocked,
    restored: &mut Restored,
) -> Result<(), StoreError> {
    let old = read(copy, table).await?;
    for row in read(change.connection(), table).await? {
        let is_same = |old: &Stored| {
            (&old.provider, &old.name, &old.project) == (&row.provider, &row.name, &row.project)
        };
        if !old.iter().any(is_same) && delete_in(change, table, row.id).await? {
            restored.taken_away += 1;
        }
    }
    for row in &old {
        let secret =
            row.open(table, keys).map_err(|_| StoreError::Tampered { what: table.target(row.id) })?;
        let (provider, name, project) = (&*row.provider, &*row.name, &*row.project);
        put_in(change, table, &New { provider, name, project, secret: &secret }).await?;
        restored.brought_back += 1;
    }
    Ok(())
}

async fn read(connection: &mut SqliteConnection, table: &'static Table) -> Result<Vec<Stored>, StoreError> {
    let rows = sqlx::query(table.all).fetch_all(connection).await?;
    Ok(rows.iter().map(Stored::read).collect::<sqlx::Result<_>>()?)
}

/// Keys that were made since are revoked rather than forgotten: the ledger still speaks of them.
async fn bring_back_keys(
    change: &mut Change<'_>,
    copy: &mut SqliteConnection,
    restored: &mut Restored,
) -> Result<(), StoreError> {
    let old = read_keys(copy).await?;
    let now = read_keys(change.connection()).await?;
    let revoked: Vec<String> = now
        .iter()
        .filter(|row| row.held.key.revoked_at.is_some())
        .map(|row| row.held.key.id.clone())
        .collect();
    for mut row in now {
        let is_old = old.iter().any(|old| old.held.key.id == row.held.key.id);
        if !is_old && row.held.key.revoked_at.is_none() {
            row.revoke(change.by);
            row.write(change, "key.revoked").await?;
            restored.taken_away += 1;
        }
    }
    // A key that was revoked since stays revoked: somebody had a reason.
    for mut row in old.into_iter().filter(|row| !revoked.contains(&row.held.key.id)) {
        row.touch(change.by);
        row.write(change, "key.restored").await?;
        restored.brought_back += 1;
    }
    Ok(())
}

async fn read_keys(connection: &mut SqliteConnection) -> Result<Vec<KeyRow>, StoreError> {
    let rows = sqlx::query(access_keys::ALL).fetch_all(connection).await?;
    Ok(rows.iter().map(KeyRow::read).collect::<sqlx::Result<_>>()?)
}
