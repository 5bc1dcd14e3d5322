//! Tables of sealed rows, which differ in names only: credentials and files.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use super::change::{Change, Event};
use super::errors::vault_error;
use super::ledger::{micros, timestamp};
use super::unlock::Unlocked;
use crate::error::StoreError;
use crate::secret::Secret;
use crate::types::{By, Version};
use crate::vault::{Digest, Macs, Place, Sealed, TAG_LEN, VaultError, fresh_id};

/// One such table: its names and its statements.
pub(super) struct Table {
    /// In SQL, and in what a sealed value is bound to.
    pub name: &'static str,
    /// One row of it, in messages and in the audit log.
    pub what: &'static str,
    pub all: &'static str,
    of_project: &'static str,
    one: &'static str,
    present: &'static str,
    upsert: &'static str,
    delete: &'static str,
    /// Rows that another key-encryption key wraps than this one.
    pub behind: &'static str,
    pub rewrap: &'static str,
}

/// All columns; `recorded` is the row's digest as the gateway last wrote it.
macro_rules! select {
    ($table:literal, $what:literal, $column:literal) => {
        concat!(
            "SELECT id, uuid, provider, ",
            $column,
            " AS name, project, version, kek_no, wrapped_key, body, created_at, updated_at, ",
            "(SELECT digest FROM audit WHERE target = '",
            $what,
            "/' || id ORDER BY seq DESC LIMIT 1) AS recorded FROM ",
            $table
        )
    };
}

/// The statements of a table in which a row's own name stands in `$column`.
macro_rules! table {
    ($table:literal, $what:literal, $column:literal) => {
        Table {
            name: $table,
            what: $what,
            all: concat!(select!($table, $what, $column), " ORDER BY provider, name, project"),
            of_project: concat!(
                select!($table, $what, $column),
                " WHERE project IN (?, '_global') ORDER BY provider, name, project"
            ),
            one: concat!(select!($table, $what, $column), " WHERE id = ?"),
            present: concat!(
                "SELECT id, uuid, version FROM ",
                $table,
                " WHERE provider = ? AND ",
                $column,
                " = ? AND project = ?"
            ),
            upsert: concat!(
                "INSERT INTO ",
                $table,
                " (uuid, provider, ",
                $column,
                ", project, version, kek_no, wrapped_key, body, created_at, updated_at) ",
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) ON CONFLICT (provider, ",
                $column,
                ", project) DO UPDATE SET uuid = excluded.uuid, version = excluded.version, ",
                "kek_no = excluded.kek_no, wrapped_key = excluded.wrapped_key, body = excluded.body, ",
                "updated_at = excluded.updated_at RETURNING id, created_at"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE id = ?"),
            behind: concat!(
                select!($table, $what, $column),
                " WHERE kek_no <> ? AND id > ? ORDER BY id LIMIT ?"
            ),
            rewrap: concat!("UPDATE ", $table, " SET wrapped_key = ?, kek_no = ? WHERE id = ?"),
        }
    };
}

pub(super) static CREDENTIALS: Table = table!("credentials", "credential", "key_name");
pub(super) static FILES: Table = table!("files", "file", "file_name");

/// Every table of sealed rows.
pub(super) static TABLES: [&Table; 2] = [&CREDENTIALS, &FILES];

/// What identifies a row for people, and its secret.
pub(super) struct New<'a> {
    pub provider: &'a str,
    pub name: &'a str,
    pub project: &'a str,
    pub secret: &'a Secret,
}

/// What became of a row that was stored.
pub(super) struct Put {
    pub version: Version,
    /// The time of its first write.
    pub created_at: Timestamp,
}

/// A row as it was read.
pub(super) struct Stored {
    pub id: i64,
    /// `None` if the column holds no uuid; then nothing opens.
    uuid: Option<Uuid>,
    pub provider: String,
    pub name: String,
    pub project: String,
    pub version: i64,
    pub sealed: Sealed,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    recorded: Option<Vec<u8>>,
}

impl Table {
    /// The name of a row in the audit log.
    pub(super) fn target(&self, id: i64) -> String {
        format!("{}/{id}", self.what)
    }
}

impl Stored {
    pub(super) fn read(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            uuid: Uuid::from_slice(row.try_get("uuid")?).ok(),
            provider: row.try_get("provider")?,
            name: row.try_get("name")?,
            project: row.try_get("project")?,
            version: row.try_get("version")?,
            sealed: Sealed {
                body: row.try_get("body")?,
                wrapped_key: row.try_get("wrapped_key")?,
                kek_no: row.try_get("kek_no")?,
            },
            created_at: timestamp(row, "created_at")?,
            updated_at: timestamp(row, "updated_at")?,
            recorded: row.try_get("recorded")?,
        })
    }

    /// Where its secret was sealed for; `None` without a uuid.
    pub(super) fn place(&self, table: &Table) -> Option<Place<'_>> {
        Some(Place {
            table: table.name,
            row: self.uuid?,
            provider: &self.provider,
            name: &self.name,
            project: &self.project,
            version: self.version,
        })
    }

    pub(super) fn digest(&self, table: &Table, macs: &Macs) -> Option<Digest> {
        Some(digest(macs, &self.place(table)?, &self.sealed))
    }

    /// Opens the secret, if the row is the one that the gateway last wrote.
    pub(super) fn open(&self, table: &Table, keys: &Unlocked) -> Result<Secret, VaultError> {
        let place = self.place(table).ok_or(VaultError::Tampered)?;
        let is_latest = self.digest(table, &keys.macs).map(Vec::from) == self.recorded;
        if is_latest { keys.vault.open(&place, &self.sealed) } else { Err(VaultError::Tampered) }
    }
}

/// What a sealed row is, in the sum over all rows: the tag stands for its content.
fn digest(macs: &Macs, place: &Place<'_>, sealed: &Sealed) -> Digest {
    let tag = sealed.body.last_chunk::<TAG_LEN>().map(<[u8; TAG_LEN]>::as_slice).unwrap_or_default();
    macs.row(place.table, place.row.as_bytes(), place.version, tag)
}

impl SqliteStore {
    /// Rows of one project and the global ones, or all, each with its secret if that opens.
    pub(super) async fn list(
        &self,
        table: &'static Table,
        project: Option<&str>,
    ) -> Result<Vec<(Stored, Option<Secret>)>, StoreError> {
        let mut opened = Vec::new();
        for attempt in 0..ATTEMPTS {
            let query = match project {
                None => sqlx::query(table.all),
                Some(project) => sqlx::query(table.of_project).bind(project),
            };
            let rows = query.fetch_all(&self.readers).await?;
            let keys = self.lock.keys();
            opened = rows.iter().map(Stored::read).collect::<sqlx::Result<Vec<_>>>()?;
            let secrets: Vec<_> = opened.iter().map(|row| row.open(table, &keys).ok()).collect();
            if attempt + 1 == ATTEMPTS || secrets.iter().all(Option::is_some) {
                return Ok(opened.into_iter().zip(secrets).collect());
            }
            self.renew_keys().await?;
        }
        Ok(opened.into_iter().map(|row| (row, None)).collect())
    }

    /// One row, with its secret or why that does not open.
    pub(super) async fn stored(
        &self,
        table: &'static Table,
        id: i64,
    ) -> Result<Option<(Stored, Result<Secret, VaultError>)>, StoreError> {
        for attempt in 1.. {
            let row = sqlx::query(table.one).bind(id).fetch_optional(&self.readers).await?;
            let Some(row) = row.as_ref().map(Stored::read).transpose()? else { break };
            let secret = row.open(table, &self.lock.keys());
            if attempt == ATTEMPTS || secret.is_ok() {
                return Ok(Some((row, secret)));
            }
            self.renew_keys().await?;
        }
        Ok(None)
    }

    pub(super) async fn open_secret(&self, table: &'static Table, id: i64) -> Result<Secret, StoreError> {
        let what = || format!("{} {id}", table.what);
        let found = self.stored(table, id).await?;
        let (_, secret) = found.ok_or_else(|| StoreError::NotFound { what: what() })?;
        secret.map_err(|error| vault_error(error, what))
    }

    /// Stores or replaces; with a version, only what is still in that one.
    pub(super) async fn put(
        &self,
        table: &'static Table,
        new: &New<'_>,
        version: Option<Version>,
        by: &By,
    ) -> Result<Put, StoreError> {
        let mut change = self.change(by).await?;
        if let Some(version) = version {
            require(&mut change, table, new, version).await?;
        }
        let put = put_in(&mut change, table, new).await?;
        change.commit().await?;
        Ok(put)
    }

    /// Removes a row. One that only the audit log still knows counts as there: so its loss can be acknowledged.
    pub(super) async fn delete(&self, table: &'static Table, id: i64, by: &By) -> Result<bool, StoreError> {
        let mut change = self.change(by).await?;
        let was_there = delete_in(&mut change, table, id).await?;
        change.commit().await?;
        Ok(was_there)
    }

    /// After something did not open: perhaps the vault has another master key by now. Asked again when that one is
    /// replaced in its turn before it could be read.
    async fn renew_keys(&self) -> Result<(), StoreError> {
        let mut reader = self.readers.acquire().await?;
        let mut renewed = self.lock.keys_for(&mut reader).await;
        for _ in 1..ATTEMPTS {
            if !matches!(renewed, Err(StoreError::KeyReplaced)) {
                break;
            }
            renewed = self.lock.keys_for(&mut reader).await;
        }
        renewed.map(drop)
    }
}

/// A row that does not open is read again, with new keys if there are any. Three times, since keys may be replaced
/// between reading the one and the other.
const ATTEMPTS: usize = 3;

/// `put`, within a change.
pub(super) async fn put_in(
    change: &mut Change<'_>,
    table: &'static Table,
    new: &New<'_>,
) -> Result<Put, StoreError> {
    let detail = format!("{}/{} of {}", new.provider, new.name, new.project);
    let what = format!("{} {detail}", table.what);
    let (row, version) = match present(change.connection(), table, new).await? {
        Some((row, version)) => (row, version.number.saturating_add(1)),
        None => {
            let id = fresh_id(change.keys.vault.entropy());
            (id.map_err(|error| vault_error(error, || what.clone()))?, 1)
        }
    };
    let (provider, name, project) = (new.provider, new.name, new.project);
    let place = Place { table: table.name, row, provider, name, project, version };
    let sealed = change.seal(&place, new.secret, &what)?;
    let now = change.now();
    let (id, created_at) = upsert(change.connection(), table, &place, &sealed, now).await?;
    let digest = Some(digest(&change.keys.macs, &place, &sealed));
    let action = format!("{}.stored", table.what);
    change.record(&Event { action: &action, target: &table.target(id), detail: &detail, digest }).await?;
    Ok(Put { version: Version { row: id, number: version }, created_at })
}

/// The row that is to be replaced must be what its writer builds on.
async fn require(
    change: &mut Change<'_>,
    table: &'static Table,
    new: &New<'_>,
    version: Version,
) -> Result<(), StoreError> {
    let found = present(change.connection(), table, new).await?;
    if found.is_some_and(|(_, found)| found == version) {
        return Ok(());
    }
    Err(StoreError::Stale {
        what: format!("{} {}/{} of {}", table.what, new.provider, new.name, new.project),
    })
}

/// `delete`, within a change.
pub(super) async fn delete_in(
    change: &mut Change<'_>,
    table: &'static Table,
    id: i64,
) -> Result<bool, StoreError> {
    let row = sqlx::query(table.one).bind(id).fetch_optional(change.connection()).await?;
    let row = row.as_ref().map(Stored::read).transpose()?;
    let target = table.target(id);
    if row.is_none() && change.recorded(&target).await?.is_none() {
        return Ok(false);
    }
    sqlx::query(table.delete).bind(id).execute(change.connection()).await?;
    let detail = row.map(|row| format!("{}/{} of {}", row.provider, row.name, row.project));
    let detail = detail.unwrap_or_else(|| "the row was gone already".to_owned());
    let action = format!("{}.deleted", table.what);
    change.record(&Event { action: &action, target: &target, detail: &detail, digest: None }).await?;
    Ok(true)
}

/// The uuid and version of the row to be replaced. One without a uuid is damaged and counts as absent.
async fn present(
    connection: &mut SqliteConnection,
    table: &'static Table,
    new: &New<'_>,
) -> sqlx::Result<Option<(Uuid, Version)>> {
    let query = sqlx::query(table.present).bind(new.provider).bind(new.name).bind(new.project);
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    let version = Version { row: row.try_get(0)?, number: row.try_get(2)? };
    Ok(Uuid::from_slice(row.try_get(1)?).ok().map(|uuid| (uuid, version)))
}

/// Writes the row; gives its id, and the time of its first write.
async fn upsert(
    connection: &mut SqliteConnection,
    table: &'static Table,
    place: &Place<'_>,
    sealed: &Sealed,
    now: Timestamp,
) -> sqlx::Result<(i64, Timestamp)> {
    let row = sqlx::query(table.upsert)
        .bind(place.row.as_bytes().as_slice())
        .bind(place.provider)
        .bind(place.name)
        .bind(place.project)
        .bind(place.version)
        .bind(sealed.kek_no)
        .bind(sealed.wrapped_key.as_slice())
        .bind(sealed.body.as_slice())
        .bind(micros(now))
        .fetch_one(connection)
        .await?;
    Ok((row.try_get("id")?, timestamp(&row, "created_at")?))
}
