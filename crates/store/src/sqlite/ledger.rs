//! The ledger in SQLite, and times as SQLite keeps them.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Row};
use uuid::Uuid;

use super::{SqliteStore, totals};
use crate::Ledger;
use crate::error::StoreError;
use crate::types::{Entry, Outcome, Totals, Word};

/// Rows of one statement, largest first. Every statement is a round trip to the connection's thread and is kept
/// prepared: a few sizes make both few.
const CHUNKS: [usize; 3] = [128, 16, 1];

/// In the order in which `bind` binds them.
const COLUMNS: [&str; 31] = [
    "id",
    "started_at",
    "key_name",
    "project",
    "surface",
    "operation",
    "provider",
    "wire",
    "model_asked",
    "model_sent",
    "model_answered",
    "stream",
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "output",
    "reasoning",
    "usage_odd",
    "cost_nanos",
    "stated_cost_nanos",
    "price_source",
    "status",
    "outcome",
    "fault_code",
    "attempts",
    "attempts_detail",
    "first_byte_us",
    "total_us",
    "client_request_id",
    "losses",
];

/// One statement a size of [`CHUNKS`].
static INSERTS: LazyLock<[Arc<str>; CHUNKS.len()]> = LazyLock::new(|| CHUNKS.map(insert));

#[async_trait]
impl Ledger for SqliteStore {
    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut turn = self.writers.relaxed.begin().await?;
        let mut rest = entries;
        for (size, insert) in CHUNKS.into_iter().zip(&*INSERTS) {
            let chunks = rest.chunks_exact(size);
            rest = chunks.remainder();
            for chunk in chunks {
                let query = sqlx::query_with(AssertSqlSafe(Arc::clone(insert)), values(chunk)?);
                query.execute(turn.connection()).await?;
            }
        }
        turn.commit().await
    }

    async fn recent(&self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let query = sqlx::query("SELECT * FROM ledger ORDER BY id DESC LIMIT ?").bind(limit);
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(entry).collect::<sqlx::Result<_>>()?)
    }

    async fn count(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM ledger").fetch_one(&self.readers).await?)
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        Ok(totals::read(&self.readers).await?)
    }
}

/// The statement that inserts `rows` rows. A row that is there already stays as it is.
fn insert(rows: usize) -> Arc<str> {
    let row = format!("({})", ["?"; COLUMNS.len()].join(","));
    let values = vec![row; rows].join(",");
    format!("INSERT INTO ledger ({}) VALUES {values} ON CONFLICT (id) DO NOTHING", COLUMNS.join(",")).into()
}

/// The values of a statement, room for all of them taken at once.
fn values(entries: &[Entry]) -> sqlx::Result<SqliteArguments> {
    let mut values = SqliteArguments::default();
    values.reserve(COLUMNS.len() * entries.len(), 0);
    entries.iter().try_for_each(|entry| bind(&mut values, entry)).map_err(sqlx::Error::Encode)?;
    Ok(values)
}

fn bind(values: &mut SqliteArguments, entry: &Entry) -> Result<(), BoxDynError> {
    values.add(entry.id.as_bytes().as_slice())?;
    values.add(micros(entry.started_at))?;
    values.add(entry.key_name.as_deref().map(text))?;
    values.add(text(&entry.project))?;
    values.add(text(&entry.surface))?;
    values.add(text(&entry.operation))?;
    values.add(entry.provider.as_deref().map(text))?;
    values.add(entry.wire.as_deref().map(text))?;
    values.add(entry.model_asked.as_deref().map(text))?;
    values.add(entry.model_sent.as_deref().map(text))?;
    values.add(entry.model_answered.as_deref().map(text))?;
    values.add(entry.stream)?;
    values.add(entry.input)?;
    values.add(entry.cache_read)?;
    values.add(entry.cache_write)?;
    values.add(entry.cache_write_1h)?;
    values.add(entry.output)?;
    values.add(entry.reasoning)?;
    values.add(entry.usage_odd)?;
    values.add(entry.cost_nanos)?;
    values.add(entry.stated_cost_nanos)?;
    values.add(entry.price_source.as_deref().map(text))?;
    values.add(entry.status)?;
    values.add(text(entry.outcome.as_str()))?;
    values.add(entry.fault_code.as_deref().map(text))?;
    values.add(entry.attempts)?;
    values.add(entry.attempts_detail.as_deref().map(text))?;
    values.add(entry.first_byte_us)?;
    values.add(entry.total_us)?;
    values.add(entry.client_request_id.as_deref().map(text))?;
    values.add(entry.losses.as_deref().map(text))
}

/// A text to bind, allocated once; a `&str` would be twice.
fn text(text: &str) -> Arc<str> {
    text.into()
}

fn entry(row: &SqliteRow) -> sqlx::Result<Entry> {
    Ok(Entry {
        id: Uuid::from_slice(row.try_get("id")?).map_err(|error| sqlx::Error::Decode(error.into()))?,
        started_at: timestamp(row, "started_at")?,
        key_name: row.try_get("key_name")?,
        project: word(row, "project")?,
        surface: word(row, "surface")?,
        operation: word(row, "operation")?,
        provider: maybe_word(row, "provider")?,
        wire: maybe_word(row, "wire")?,
        model_asked: row.try_get("model_asked")?,
        model_sent: row.try_get("model_sent")?,
        model_answered: row.try_get("model_answered")?,
        stream: row.try_get("stream")?,
        input: row.try_get("input")?,
        cache_read: row.try_get("cache_read")?,
        cache_write: row.try_get("cache_write")?,
        cache_write_1h: row.try_get("cache_write_1h")?,
        output: row.try_get("output")?,
        reasoning: row.try_get("reasoning")?,
        usage_odd: row.try_get("usage_odd")?,
        cost_nanos: row.try_get("cost_nanos")?,
        stated_cost_nanos: row.try_get("stated_cost_nanos")?,
        price_source: maybe_word(row, "price_source")?,
        status: row.try_get("status")?,
        outcome: outcome(row)?,
        fault_code: maybe_word(row, "fault_code")?,
        attempts: row.try_get("attempts")?,
        attempts_detail: row.try_get("attempts_detail")?,
        first_byte_us: row.try_get("first_byte_us")?,
        total_us: row.try_get("total_us")?,
        client_request_id: row.try_get("client_request_id")?,
        losses: row.try_get("losses")?,
    })
}

fn outcome(row: &SqliteRow) -> sqlx::Result<Outcome> {
    let name: &str = row.try_get("outcome")?;
    Outcome::from_name(name).ok_or_else(|| sqlx::Error::Decode(format!("no outcome is called {name}").into()))
}

fn word(row: &SqliteRow, column: &str) -> sqlx::Result<Word> {
    row.try_get::<String, _>(column).map(Word::Owned)
}

fn maybe_word(row: &SqliteRow, column: &str) -> sqlx::Result<Option<Word>> {
    row.try_get::<Option<String>, _>(column).map(|text| text.map(Word::Owned))
}

/// A time as it is stored.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A stored time.
pub(super) fn timestamp(row: &SqliteRow, column: &str) -> sqlx::Result<Timestamp> {
    Timestamp::from_microsecond(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}
