//! Access keys in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::change::{Change, Event};
use super::errors::vault_error;
use super::ledger::{micros, timestamp};
use crate::AccessKeys;
use crate::access_key::{Held, IssuedKeys, ending, mint, mint_id};
use crate::error::StoreError;
use crate::secret::Secret;
use crate::types::{AccessKey, By, KeyChanges, KeyRole, NewAccessKey};
use crate::vault::{Digest, Macs};

pub(super) const TABLE: &str = "access_keys";
const WHAT: &str = "key";

/// `recorded` is the row's digest as the gateway last wrote it.
pub(super) const ALL: &str = "SELECT *, (SELECT digest FROM audit WHERE target = 'key/' || access_keys.id \
                              ORDER BY seq DESC LIMIT 1) AS recorded FROM access_keys ORDER BY created_at, id";
const ONE: &str = "SELECT *, (SELECT digest FROM audit WHERE target = 'key/' || access_keys.id \
                   ORDER BY seq DESC LIMIT 1) AS recorded FROM access_keys WHERE id = ?";

#[async_trait]
impl AccessKeys for SqliteStore {
    async fn create_key(&self, new: NewAccessKey, by: &By) -> Result<(AccessKey, Secret), StoreError> {
        let mut change = self.change(by).await?;
        let entropy = change.keys.vault.entropy();
        let id = mint_id(entropy).map_err(|error| vault_error(error, || "a new key".into()))?;
        let secret = mint(&id, entropy).map_err(|error| vault_error(error, || "a new key".into()))?;
        let key = AccessKey {
            id,
            grant: new,
            ending: ending(&secret),
            old_until: None,
            created_by: by.actor.clone(),
            created_at: by.at,
            updated_at: by.at,
            revoked_at: None,
            intact: true,
        };
        let held = Held { mac: change.keys.macs.token(secret.expose()).to_vec(), old_mac: None, key };
        let row = KeyRow { held, version: 1, recorded: None };
        row.write(&mut change, "key.created").await?;
        change.commit().await?;
        Ok((row.held.key, secret))
    }

    async fn access_keys(&self) -> Result<Vec<AccessKey>, StoreError> {
        Ok(self.held_keys().await?.into_iter().map(|held| held.key).collect())
    }

    async fn update_key(&self, id: &str, changes: KeyChanges, by: &By) -> Result<AccessKey, StoreError> {
        let (mut change, mut row) = self.change_key(id, by).await?;
        let KeyChanges { name, models, providers, labels, expires_at } = changes;
        let grant = &mut row.held.key.grant;
        grant.name = name.unwrap_or(std::mem::take(&mut grant.name));
        grant.models = models.unwrap_or(std::mem::take(&mut grant.models));
        grant.providers = providers.unwrap_or(std::mem::take(&mut grant.providers));
        grant.labels = labels.unwrap_or(std::mem::take(&mut grant.labels));
        grant.expires_at = expires_at.unwrap_or(grant.expires_at);
        row.touch(by);
        row.write(&mut change, "key.updated").await?;
        change.commit().await?;
        Ok(row.held.key)
    }

    async fn rotate_key(
        &self,
        id: &str,
        old_until: Timestamp,
        by: &By,
    ) -> Result<(AccessKey, Secret), StoreError> {
        let (mut change, mut row) = self.change_key(id, by).await?;
        let secret = mint(id, change.keys.vault.entropy());
        let secret = secret.map_err(|error| vault_error(error, || format!("key {id}")))?;
        let mac = change.keys.macs.token(secret.expose()).to_vec();
        row.held.old_mac = Some(std::mem::replace(&mut row.held.mac, mac));
        row.held.key.old_until = Some(old_until);
        row.held.key.ending = ending(&secret);
        row.touch(by);
        row.write(&mut change, "key.rotated").await?;
        change.commit().await?;
        Ok((row.held.key, secret))
    }

    async fn revoke_key(&self, id: &str, by: &By) -> Result<AccessKey, StoreError> {
        let (mut change, mut row) = self.change_key(id, by).await?;
        if row.held.key.revoked_at.is_some() {
            return Ok(row.held.key);
        }
        row.revoke(by);
        row.write(&mut change, "key.revoked").await?;
        change.commit().await?;
        Ok(row.held.key)
    }

    async fn issued_keys(&self) -> Result<IssuedKeys, StoreError> {
        let held = self.held_keys().await?;
        Ok(IssuedKeys::new(self.lock.keys().macs.clone(), held))
    }
}

impl SqliteStore {
    async fn held_keys(&self) -> Result<Vec<Held>, StoreError> {
        let rows = sqlx::query(ALL).fetch_all(&self.readers).await?;
        let keys = self.lock.keys();
        Ok(rows.iter().map(|row| Ok(KeyRow::read(row)?.judged(&keys.macs))).collect::<sqlx::Result<_>>()?)
    }

    /// Begins the change of a key. One that was changed outside the gateway can only be revoked or made anew.
    async fn change_key<'a>(&'a self, id: &str, by: &'a By) -> Result<(Change<'a>, KeyRow), StoreError> {
        let mut change = self.change(by).await?;
        let row = sqlx::query(ONE).bind(id).fetch_optional(change.connection()).await?;
        let row = row.ok_or_else(|| StoreError::NotFound { what: format!("access key {id}") })?;
        Ok((change, KeyRow::read(&row)?))
    }
}

/// A row of `access_keys`.
pub(super) struct KeyRow {
    pub held: Held,
    version: i64,
    pub recorded: Option<Vec<u8>>,
}

impl KeyRow {
    pub(super) fn read(row: &SqliteRow) -> sqlx::Result<Self> {
        let key = AccessKey {
            id: row.try_get("id")?,
            grant: grant(row)?,
            ending: row.try_get("ending")?,
            old_until: maybe_timestamp(row, "old_until")?,
            created_by: row.try_get("created_by")?,
            created_at: timestamp(row, "created_at")?,
            updated_at: timestamp(row, "updated_at")?,
            revoked_at: maybe_timestamp(row, "revoked_at")?,
            intact: true,
        };
        let held = Held { key, mac: row.try_get("mac")?, old_mac: row.try_get("old_mac")? };
        Ok(Self { held, version: row.try_get("version")?, recorded: row.try_get("recorded")? })
    }

    /// With the verdict whether the row is the one that the gateway last wrote.
    fn judged(mut self, macs: &Macs) -> Held {
        self.held.key.intact = self.recorded.as_deref() == Some(self.digest(macs).as_slice());
        self.held
    }

    pub(super) fn revoke(&mut self, by: &By) {
        self.held.key.revoked_at = Some(by.at);
        self.held.old_mac = None;
        self.held.key.old_until = None;
        self.touch(by);
    }

    /// The row changes; its version and time say so.
    pub(super) fn touch(&mut self, by: &By) {
        self.version = self.version.saturating_add(1);
        self.held.key.updated_at = by.at;
    }

    pub(super) fn target(&self) -> String {
        format!("{WHAT}/{}", self.held.key.id)
    }

    /// Everything in the row counts: a wider scope is as bad as another key.
    pub(super) fn digest(&self, macs: &Macs) -> Digest {
        let key = &self.held.key;
        let content = serde_json::json!([
            key.grant.name,
            key.grant.role.as_str(),
            key.grant.project,
            key.grant.models,
            key.grant.providers,
            key.grant.labels,
            key.grant.expires_at.map(micros),
            self.held.mac,
            key.ending,
            self.held.old_mac,
            key.old_until.map(micros),
            key.created_by,
            micros(key.created_at),
            micros(key.updated_at),
            key.revoked_at.map(micros),
        ]);
        macs.row(TABLE, key.id.as_bytes(), self.version, content.to_string().as_bytes())
    }

    pub(super) async fn write(&self, change: &mut Change<'_>, action: &str) -> Result<(), StoreError> {
        self.insert(change).await?;
        let digest = Some(self.digest(&change.keys.macs));
        let detail = &self.held.key.grant.name;
        change.record(&Event { action, target: &self.target(), detail, digest }).await
    }

    async fn insert(&self, change: &mut Change<'_>) -> sqlx::Result<()> {
        let AccessKey {
            id, grant, ending, old_until, created_by, created_at, updated_at, revoked_at, ..
        } = &self.held.key;
        let query = "INSERT OR REPLACE INTO access_keys (id, name, role, project, models, providers, labels, mac, ending, \
                     old_mac, old_until, version, created_by, created_at, updated_at, expires_at, revoked_at) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        sqlx::query(query)
            .bind(id)
            .bind(&grant.name)
            .bind(grant.role.as_str())
            .bind(&grant.project)
            .bind(serde_json::json!(grant.models).to_string())
            .bind(serde_json::json!(grant.providers).to_string())
            .bind(serde_json::json!(grant.labels).to_string())
            .bind(&self.held.mac)
            .bind(ending)
            .bind(&self.held.old_mac)
            .bind(old_until.map(micros))
            .bind(self.version)
            .bind(created_by)
            .bind(micros(*created_at))
            .bind(micros(*updated_at))
            .bind(grant.expires_at.map(micros))
            .bind(revoked_at.map(micros))
            .execute(change.connection())
            .await?;
        Ok(())
    }
}

fn grant(row: &SqliteRow) -> sqlx::Result<NewAccessKey> {
    let role: &str = row.try_get("role")?;
    Ok(NewAccessKey {
        name: row.try_get("name")?,
        role: KeyRole::from_name(role).ok_or_else(|| odd(format!("no role is called {role}")))?,
        project: row.try_get("project")?,
        models: json(row, "models")?,
        providers: json(row, "providers")?,
        labels: json(row, "labels")?,
        expires_at: maybe_timestamp(row, "expires_at")?,
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &str) -> sqlx::Result<T> {
    serde_json::from_str(row.try_get(column)?).map_err(odd)
}

fn odd(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

fn maybe_timestamp(row: &SqliteRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    let found: Option<i64> = row.try_get(column)?;
    found.map(|_| timestamp(row, column)).transpose()
}
