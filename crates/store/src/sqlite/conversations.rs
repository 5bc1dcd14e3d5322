//! Stored responses in SQLite. Keeping one is quick and survives the death of the process; deleting one is durable, and
//! what is deleted is overwritten.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use super::errors::vault_error;
use super::ledger::{micros, timestamp};
use super::unlock::Unlocked;
use crate::Conversations;
use crate::error::StoreError;
use crate::types::{Chain, ChainLimits, NewResponse, ResponseOwner, ResponseRef, StoredResponse};
use crate::vault::{ResponsePlace, ResponseText, fresh_id};

/// Rows that one step of pruning removes, at most: other writers wait no longer than these take.
const STEP: u32 = 50;

const KEEP: &str = "INSERT INTO responses (uuid, key, project, id, previous, previous_row, created_at, bytes, input, \
                    answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Of several with the same id, the latest.
const NEWEST: &str = "SELECT * FROM responses WHERE id = ? AND key IS ? AND project = ? AND created_at >= ? \
                      ORDER BY row DESC LIMIT 1";

/// Without the texts; the first is the one that was asked for, each next one that which the one before goes on from.
const CHAIN: &str = "WITH RECURSIVE chain (row, id, previous, previous_row, created_at, bytes, depth) AS (\
                     SELECT row, id, previous, previous_row, created_at, bytes, 1 FROM responses WHERE row = ?1 \
                     UNION ALL SELECT r.row, r.id, r.previous, r.previous_row, r.created_at, r.bytes, chain.depth + 1 \
                     FROM chain JOIN responses AS r ON r.row = chain.previous_row WHERE chain.depth < ?2) \
                     SELECT * FROM chain ORDER BY depth";

const DELETE: &str = "DELETE FROM responses WHERE id = ? AND key IS ? AND project = ? AND created_at >= ?";

/// Both are answered by the index of ages alone.
const TOTAL: &str = "SELECT coalesce(sum(bytes), 0) FROM responses";
const OLDEST: &str = "SELECT row, created_at, bytes FROM responses ORDER BY created_at, row LIMIT ?";

#[async_trait]
impl Conversations for SqliteStore {
    async fn keep_response(&self, new: NewResponse) -> Result<(), StoreError> {
        let keys = self.lock.keys();
        let failed = |error| vault_error(error, || format!("response {}", new.id));
        let entropy = keys.vault.entropy();
        let row = fresh_id(entropy).map_err(failed)?;
        let previous = new.previous.as_ref();
        let place = ResponsePlace {
            row,
            key: new.owner.key.as_deref(),
            project: &new.owner.project,
            id: &new.id,
            previous: previous.map(|previous| previous.row),
            created_at: micros(new.created_at),
        };
        let seal = |which, text: &str| keys.responses.seal(&place, which, text, entropy).map_err(failed);
        let input = seal(ResponseText::Input, &new.input)?;
        let answer = seal(ResponseText::Answer, &new.answer)?;
        let mut turn = self.writers.relaxed.begin().await?;
        sqlx::query(KEEP)
            .bind(row.as_bytes().as_slice())
            .bind(place.key)
            .bind(place.project)
            .bind(place.id)
            .bind(previous.map(|previous| previous.id.as_str()))
            .bind(place.previous)
            .bind(place.created_at)
            .bind(i64::try_from(input.len() + answer.len()).unwrap_or(i64::MAX))
            .bind(input)
            .bind(answer)
            .execute(turn.connection())
            .await?;
        turn.commit().await
    }

    async fn response(
        &self,
        owner: &ResponseOwner,
        id: &str,
        since: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError> {
        let query = sqlx::query(NEWEST).bind(id).bind(owner.key.as_deref());
        let query = query.bind(&owner.project).bind(micros(since));
        let row = query.fetch_optional(&self.readers).await?;
        row.map(|row| stored(&row, &self.lock.keys())).transpose()
    }

    async fn conversation(
        &self,
        owner: &ResponseOwner,
        id: &str,
        limits: ChainLimits,
    ) -> Result<Chain, StoreError> {
        // One view for all of it: a turn is not deleted between looking and reading.
        let mut view = self.readers.begin().await?;
        let newest = "SELECT row FROM responses WHERE id = ? AND key IS ? AND project = ? AND created_at >= ? \
                      ORDER BY row DESC LIMIT 1";
        let query = sqlx::query_scalar(newest).bind(id).bind(owner.key.as_deref());
        let query = query.bind(&owner.project).bind(micros(limits.since));
        let Some(row) = query.fetch_optional(&mut *view).await? else { return Ok(Chain::Unknown) };
        let links = links(&mut view, row, limits.turns.saturating_add(1)).await?;
        if let Some(refused) = refused(&links, limits) {
            return Ok(refused);
        }
        let keys = self.lock.keys();
        let mut turns = Vec::with_capacity(links.len());
        for link in links.iter().rev() {
            let query = sqlx::query("SELECT * FROM responses WHERE row = ?").bind(link.row);
            turns.push(stored(&query.fetch_one(&mut *view).await?, &keys)?);
        }
        Ok(Chain::Whole(turns))
    }

    async fn delete_response(
        &self,
        owner: &ResponseOwner,
        id: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut turn = self.writers.durable.begin().await?;
        let query = sqlx::query(DELETE).bind(id).bind(owner.key.as_deref());
        let query = query.bind(&owner.project).bind(micros(since));
        let deleted = query.execute(turn.connection()).await?.rows_affected();
        turn.commit().await?;
        Ok(deleted > 0)
    }

    async fn prune_responses(&self, before: Timestamp, max_bytes: u64) -> Result<bool, StoreError> {
        let surplus = self.surplus(micros(before), i64::try_from(max_bytes).unwrap_or(i64::MAX)).await?;
        if surplus.is_empty() {
            return Ok(false);
        }
        let mut turn = self.writers.durable.begin().await?;
        for row in &surplus {
            let query = sqlx::query("DELETE FROM responses WHERE row = ?").bind(row);
            query.execute(turn.connection()).await?;
        }
        turn.commit().await?;
        Ok(surplus.len() == STEP as usize)
    }
}

impl SqliteStore {
    /// The oldest rows that are too old, or for which there is no room beside the newer ones; a step of them.
    async fn surplus(&self, before: i64, room: i64) -> sqlx::Result<Vec<i64>> {
        // One view for both: what another process prunes meanwhile is not counted twice.
        let mut view = self.readers.begin().await?;
        let mut total: i64 = sqlx::query_scalar(TOTAL).fetch_one(&mut *view).await?;
        let oldest: Vec<(i64, i64, i64)> = sqlx::query_as(OLDEST).bind(STEP).fetch_all(&mut *view).await?;
        let mut surplus = Vec::new();
        for (row, created_at, bytes) in oldest {
            if created_at >= before && total <= room {
                break;
            }
            total -= bytes;
            surplus.push(row);
        }
        Ok(surplus)
    }
}

/// A turn without its texts.
struct Link {
    row: i64,
    id: String,
    previous: Option<String>,
    created_at: Timestamp,
    bytes: u64,
}

/// A turn and those before it, newest first, `most` of them at most.
async fn links(view: &mut SqliteConnection, row: i64, most: u32) -> Result<Vec<Link>, StoreError> {
    let rows = sqlx::query(CHAIN).bind(row).bind(most).fetch_all(view).await?;
    let link = |row: &SqliteRow| {
        Ok(Link {
            row: row.try_get("row")?,
            id: row.try_get("id")?,
            previous: row.try_get("previous")?,
            created_at: timestamp(row, "created_at")?,
            bytes: row.try_get::<i64, _>("bytes")?.unsigned_abs(),
        })
    };
    Ok(rows.iter().map(link).collect::<sqlx::Result<_>>()?)
}

/// Why a conversation is not read.
fn refused(links: &[Link], limits: ChainLimits) -> Option<Chain> {
    if links.len() > limits.turns as usize {
        return Some(Chain::TooManyTurns);
    }
    if let Some(old) = links.iter().find(|link| link.created_at < limits.since) {
        return Some(Chain::Broken { missing: old.id.clone() });
    }
    // The last one begins the conversation, or goes on from one that is gone.
    if let Some(missing) = links.last().and_then(|link| link.previous.clone()) {
        return Some(Chain::Broken { missing });
    }
    let bytes = links.iter().fold(0, |sum: u64, link| sum.saturating_add(link.bytes));
    (bytes > limits.bytes).then_some(Chain::TooLarge)
}

fn stored(row: &SqliteRow, keys: &Unlocked) -> Result<StoredResponse, StoreError> {
    let id: String = row.try_get("id")?;
    let (key, project): (Option<String>, String) = (row.try_get("key")?, row.try_get("project")?);
    let place = ResponsePlace {
        // Nothing opens for a uuid that is none.
        row: Uuid::from_slice(row.try_get("uuid")?).unwrap_or_default(),
        key: key.as_deref(),
        project: &project,
        id: &id,
        previous: row.try_get("previous_row")?,
        created_at: row.try_get("created_at")?,
    };
    let open = |which, column| {
        let sealed: &[u8] = row.try_get(column)?;
        let opened = keys.responses.open(&place, which, sealed);
        opened.map_err(|error| vault_error(error, || format!("response {id}")))
    };
    let (input, answer) = (open(ResponseText::Input, "input")?, open(ResponseText::Answer, "answer")?);
    let created_at = timestamp(row, "created_at")?;
    let at = ResponseRef { row: row.try_get("row")?, id };
    Ok(StoredResponse { at, created_at, input, answer })
}
