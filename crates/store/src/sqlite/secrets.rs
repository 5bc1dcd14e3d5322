//! Credentials in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use super::errors::vault_error;
use super::ledger::{micros, timestamp};
use crate::Secrets;
use crate::error::StoreError;
use crate::secret::Secret;
use crate::types::{Credential, NewCredential};
use crate::vault::{MAX_WRAPS, Place, Sealed, Vault, VaultError};

const TABLE: &str = "credentials";

#[async_trait]
impl Secrets for SqliteStore {
    async fn put_credential(&self, new: NewCredential, now: Timestamp) -> Result<Credential, StoreError> {
        let mut turn = self.writers.durable.begin().await?;
        let (row, version) = match present(turn.connection(), &new).await? {
            Some((row, version)) => (row, version.saturating_add(1)),
            None => (self.vault.row_id().map_err(|error| vault_error(error, || describe(&new)))?, 1),
        };
        let place = place(row, &new.provider, &new.key_name, &new.project, version);
        let sealed =
            self.vault.seal(&place, &new.api_key).map_err(|error| vault_error(error, || describe(&new)))?;
        count_wrap(turn.connection(), sealed.kek_no).await?;
        let (id, created_at) = upsert(turn.connection(), &place, &sealed, now).await?;
        turn.commit().await?;
        Ok(Credential {
            id,
            masked_value: new.api_key.mask(),
            provider: new.provider,
            key_name: new.key_name,
            project: new.project,
            intact: true,
            created_at,
            updated_at: now,
        })
    }

    async fn credentials(&self, project: Option<&str>) -> Result<Vec<Credential>, StoreError> {
        let query = "SELECT * FROM credentials WHERE ?1 IS NULL OR project IN (?1, '_global') \
                     ORDER BY provider, key_name, project";
        let rows = sqlx::query(query).bind(project).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok(Stored::read(row)?.show(&self.vault))).collect()
    }

    async fn credential(&self, id: i64) -> Result<Option<Credential>, StoreError> {
        Ok(self.stored(id).await?.map(|stored| stored.show(&self.vault)))
    }

    async fn delete_credential(&self, id: i64) -> Result<bool, StoreError> {
        let mut turn = self.writers.durable.begin().await?;
        let deleted =
            sqlx::query("DELETE FROM credentials WHERE id = ?").bind(id).execute(turn.connection()).await?;
        turn.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }

    async fn open_credential(&self, id: i64) -> Result<Secret, StoreError> {
        let what = || format!("credential {id}");
        let stored = self.stored(id).await?.ok_or_else(|| StoreError::NotFound { what: what() })?;
        stored.open(&self.vault).map_err(|error| vault_error(error, what))
    }
}

impl SqliteStore {
    async fn stored(&self, id: i64) -> Result<Option<Stored>, StoreError> {
        let query = sqlx::query("SELECT * FROM credentials WHERE id = ?").bind(id);
        let row = query.fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(Stored::read).transpose()?)
    }
}

/// A row of `credentials`.
struct Stored {
    id: i64,
    /// `None` if the column holds no uuid; then nothing opens.
    row: Option<Uuid>,
    provider: String,
    key_name: String,
    project: String,
    version: i64,
    sealed: Sealed,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Stored {
    fn read(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            row: Uuid::from_slice(row.try_get("uuid")?).ok(),
            provider: row.try_get("provider")?,
            key_name: row.try_get("key_name")?,
            project: row.try_get("project")?,
            version: row.try_get("version")?,
            sealed: Sealed {
                body: row.try_get("body")?,
                wrapped_key: row.try_get("wrapped_key")?,
                kek_no: row.try_get("kek_no")?,
            },
            created_at: timestamp(row, "created_at")?,
            updated_at: timestamp(row, "updated_at")?,
        })
    }

    fn open(&self, vault: &Vault) -> Result<Secret, VaultError> {
        let row = self.row.ok_or(VaultError::Tampered)?;
        vault.open(&place(row, &self.provider, &self.key_name, &self.project, self.version), &self.sealed)
    }

    /// The mask is made from the secret each time: stored, it would be seven characters of a key in the clear.
    fn show(self, vault: &Vault) -> Credential {
        let secret = self.open(vault);
        Credential {
            id: self.id,
            intact: secret.is_ok(),
            masked_value: secret.map_or_else(|_| "***".into(), |secret| secret.mask()),
            provider: self.provider,
            key_name: self.key_name,
            project: self.project,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

fn place<'a>(row: Uuid, provider: &'a str, name: &'a str, project: &'a str, version: i64) -> Place<'a> {
    Place { table: TABLE, row, provider, name, project, version }
}

fn describe(new: &NewCredential) -> String {
    format!("credential {}/{} of {}", new.provider, new.key_name, new.project)
}

/// The uuid and version of the row to be replaced. One without a uuid is damaged and counts as absent.
async fn present(
    connection: &mut SqliteConnection,
    new: &NewCredential,
) -> sqlx::Result<Option<(Uuid, i64)>> {
    let query = "SELECT uuid, version FROM credentials WHERE provider = ? AND key_name = ? AND project = ?";
    let query = sqlx::query(query).bind(&new.provider).bind(&new.key_name).bind(&new.project);
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    let version = row.try_get(1)?;
    Ok(Uuid::from_slice(row.try_get(0)?).ok().map(|uuid| (uuid, version)))
}

/// Counts a use of the key-encryption key, and refuses one too many.
async fn count_wrap(connection: &mut SqliteConnection, kek_no: u32) -> Result<(), StoreError> {
    let query = "UPDATE vault SET kek_wraps = kek_wraps + 1 WHERE kek_no = ? AND kek_wraps < ?";
    let counted = sqlx::query(query).bind(kek_no).bind(MAX_WRAPS).execute(connection).await?;
    if counted.rows_affected() == 1 { Ok(()) } else { Err(StoreError::KeyExhausted) }
}

/// Writes the row; gives its id, and the time of its first write.
async fn upsert(
    connection: &mut SqliteConnection,
    place: &Place<'_>,
    sealed: &Sealed,
    now: Timestamp,
) -> sqlx::Result<(i64, Timestamp)> {
    let query = "INSERT INTO credentials \
                 (uuid, provider, key_name, project, version, kek_no, wrapped_key, body, created_at, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) \
                 ON CONFLICT (provider, key_name, project) DO UPDATE SET uuid = excluded.uuid, \
                 version = excluded.version, kek_no = excluded.kek_no, wrapped_key = excluded.wrapped_key, \
                 body = excluded.body, updated_at = excluded.updated_at \
                 RETURNING id, created_at";
    let row = sqlx::query(query)
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
