//! A change of the vault: one transaction that writes the row, the audit entry, and the sum over all rows. None of them
//! is there without the others.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use super::SqliteStore;
use super::connect::Turn;
use super::errors::vault_error;
use super::ledger::micros;
use super::unlock::Unlocked;
use crate::error::StoreError;
use crate::secret::Secret;
use crate::types::By;
use crate::vault::{Digest, MAX_WRAPS, Macs, MaskedSum, Place, Sealed, Sum, VaultError};

/// A change under way. Dropped without `commit`, it leaves no trace.
pub(super) struct Change<'a> {
    turn: Turn<'a>,
    pub keys: Arc<Unlocked>,
    pub by: &'a By,
    vault: VaultRow,
    sum: Sum,
    /// The end of the audit log: number and link of its last entry.
    seq: i64,
    link: Vec<u8>,
}

/// What of the vault's row changes.
struct VaultRow {
    kek_no: u32,
    kek_wraps: i64,
    generation: i64,
}

/// What happened to one row.
pub(super) struct Event<'e> {
    /// Such as `credential.stored`.
    pub action: &'e str,
    /// Such as `credential/7`.
    pub target: &'e str,
    /// The target as people know it.
    pub detail: &'e str,
    /// Of the row after the change; `None`: it is gone.
    pub digest: Option<Digest>,
}

impl SqliteStore {
    /// Begins a change.
    pub(super) async fn change<'a>(&'a self, by: &'a By) -> Result<Change<'a>, StoreError> {
        let mut turn = self.writers.durable.begin().await?;
        let keys = self.lock.keys_for(turn.connection()).await?;
        Change::on(turn, keys, by).await
    }
}

impl<'a> Change<'a> {
    /// Within a transaction that has begun.
    pub(super) async fn on(mut turn: Turn<'a>, keys: Arc<Unlocked>, by: &'a By) -> Result<Self, StoreError> {
        let (seq, link) = end_of_log(turn.connection()).await?;
        let (vault, masked) = read(turn.connection()).await?;
        let sum = Sum::unmask(&masked, &keys.macs, &link);
        Ok(Self { turn, keys, by, vault, sum, seq, link })
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        self.turn.connection()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.by.at
    }

    /// The key-encryption key that wraps now.
    pub(super) fn kek_no(&self) -> u32 {
        self.vault.kek_no
    }

    /// From here on another one wraps.
    pub(super) fn next_kek(&mut self) -> u32 {
        self.vault.kek_no += 1;
        self.vault.kek_wraps = 0;
        self.vault.kek_no
    }

    /// Seals a secret, and counts it.
    pub(super) fn seal(
        &mut self,
        place: &Place<'_>,
        secret: &Secret,
        what: &str,
    ) -> Result<Sealed, StoreError> {
        self.count_wraps(1)?;
        let sealed = self.keys.vault.seal(self.vault.kek_no, place, secret);
        sealed.map_err(|error| vault_error(error, || what.to_owned()))
    }

    /// Counts uses of the key-encryption key, and refuses one too many.
    pub(super) fn count_wraps(&mut self, wraps: i64) -> Result<(), StoreError> {
        if self.vault.kek_wraps.saturating_add(wraps) > MAX_WRAPS {
            return Err(StoreError::KeyExhausted);
        }
        self.vault.kek_wraps += wraps;
        Ok(())
    }

    /// The digest of a row as the audit log has it: what the row was when the gateway last wrote it.
    pub(super) async fn recorded(&mut self, target: &str) -> Result<Option<Digest>, StoreError> {
        let query = "SELECT digest FROM audit WHERE target = ? ORDER BY seq DESC LIMIT 1";
        let found: Option<Option<Vec<u8>>> =
            sqlx::query_scalar(query).bind(target).fetch_optional(self.connection()).await?;
        Ok(found.flatten().and_then(|digest| digest.try_into().ok()))
    }

    /// Writes the audit entry of an event, and takes the row's new digest into the sum in place of the recorded one.
    pub(super) async fn record(&mut self, event: &Event<'_>) -> Result<(), StoreError> {
        if let Some(before) = self.recorded(event.target).await? {
            self.sum.remove(&before);
        }
        if let Some(after) = &event.digest {
            self.sum.add(after);
        }
        self.seq += 1;
        self.link = link(&self.keys.macs, &self.link, self.seq, self.by, event).to_vec();
        let request_id = self.by.request_id.map(|id| id.to_string());
        let query = "INSERT INTO audit (seq, at, actor, action, target, detail, request_id, digest, link) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        sqlx::query(query)
            .bind(self.seq)
            .bind(micros(self.by.at))
            .bind(&self.by.actor)
            .bind(event.action)
            .bind(event.target)
            .bind(event.detail)
            .bind(request_id)
            .bind(event.digest.as_ref().map(Digest::as_slice))
            .bind(self.link.as_slice())
            .execute(self.turn.connection())
            .await?;
        Ok(())
    }

    /// Makes the change last.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let entropy = self.keys.vault.entropy();
        let masked = self.sum.mask(&self.keys.macs, &self.link, entropy).map_err(no_entropy)?;
        let query = "UPDATE vault SET kek_no = ?, kek_wraps = ?, generation = ?, \
                     state_nonce = ?, state_sum = ?, state_rows = ?";
        sqlx::query(query)
            .bind(self.vault.kek_no)
            .bind(self.vault.kek_wraps)
            .bind(self.vault.generation.saturating_add(1))
            .bind(masked.nonce)
            .bind(masked.sum)
            .bind(masked.rows)
            .execute(self.turn.connection())
            .await?;
        self.turn.commit().await
    }
}

/// The link of an entry to the one before it.
pub(super) fn link(macs: &Macs, before: &[u8], seq: i64, by: &By, event: &Event<'_>) -> Digest {
    let request_id = by.request_id.map(|id| id.to_string()).unwrap_or_default();
    let entry = [
        &seq.to_be_bytes(),
        &micros(by.at).to_be_bytes(),
        by.actor.as_bytes(),
        event.action.as_bytes(),
        event.target.as_bytes(),
        event.detail.as_bytes(),
        request_id.as_bytes(),
        event.digest.as_ref().map(Digest::as_slice).unwrap_or_default(),
    ];
    macs.link(before, &entry)
}

/// Number and link of the last audit entry; zero and nothing when there is none.
pub(super) async fn end_of_log(connection: &mut SqliteConnection) -> sqlx::Result<(i64, Vec<u8>)> {
    let query = "SELECT seq, link FROM audit ORDER BY seq DESC LIMIT 1";
    let row = sqlx::query(query).fetch_optional(connection).await?;
    row.map_or(Ok((0, Vec::new())), |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

async fn read(connection: &mut SqliteConnection) -> sqlx::Result<(VaultRow, MaskedSum)> {
    let query = "SELECT kek_no, kek_wraps, generation FROM vault";
    let row = sqlx::query(query).fetch_one(&mut *connection).await?;
    let vault = VaultRow { kek_no: row.try_get(0)?, kek_wraps: row.try_get(1)?, generation: row.try_get(2)? };
    Ok((vault, masked_sum(connection).await?))
}

/// The sum over all rows as it is stored.
pub(super) async fn masked_sum(connection: &mut SqliteConnection) -> sqlx::Result<MaskedSum> {
    let query = "SELECT state_nonce, state_sum, state_rows FROM vault";
    let row = sqlx::query(query).fetch_one(connection).await?;
    let bytes = |at: usize| row.try_get::<Option<Vec<u8>>, _>(at).map(Option::unwrap_or_default);
    Ok(MaskedSum { nonce: bytes(0)?, sum: bytes(1)?, rows: row.try_get(2)? })
}

fn no_entropy(error: VaultError) -> StoreError {
    StoreError::Io(error.into())
}
