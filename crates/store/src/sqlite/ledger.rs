//! The ledger in SQLite, and times as SQLite keeps them.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row, Sqlite};
use uuid::Uuid;

use super::{SqliteStore, totals};
use crate::Ledger;
use crate::error::StoreError;
use crate::types::{Entry, Outcome, Totals, Word};

/// Rows of one statement. Fewer round trips to the connection's thread than a row at a time, and only two statements
/// to keep prepared: this one, and one for the rest.
const CHUNK: usize = 128;

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

static INSERT_CHUNK: LazyLock<Arc<str>> = LazyLock::new(|| insert(CHUNK));
static INSERT_ONE: LazyLock<Arc<str>> = LazyLock::new(|| insert(1));

#[async_trait]
impl Ledger for SqliteStore {
    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut turn = self.writers.relaxed.begin().await?;
        let (chunks, rest) = entries.as_chunks::<CHUNK>();
        for chunk in chunks {
            let query = sqlx::query(AssertSqlSafe(Arc::clone(&INSERT_CHUNK)));
            chunk.iter().fold(query, bind).execute(turn.connection()).await?;
        }
        for entry in rest {
            let query = sqlx::query(AssertSqlSafe(Arc::clone(&INSERT_ONE)));
            bind(query, entry).execute(turn.connection()).await?;
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

type Insert<'q> = Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Insert<'q>, entry: &'q Entry) -> Insert<'q> {
    query
        .bind(entry.id.as_bytes().as_slice())
        .bind(micros(entry.started_at))
        .bind(entry.key_name.as_deref())
        .bind(&*entry.project)
        .bind(&*entry.surface)
        .bind(&*entry.operation)
        .bind(entry.provider.as_deref())
        .bind(entry.wire.as_deref())
        .bind(entry.model_asked.as_deref())
        .bind(entry.model_sent.as_deref())
        .bind(entry.model_answered.as_deref())
        .bind(entry.stream)
        .bind(entry.input)
        .bind(entry.cache_read)
        .bind(entry.cache_write)
        .bind(entry.cache_write_1h)
        .bind(entry.output)
        .bind(entry.reasoning)
        .bind(entry.usage_odd)
        .bind(entry.cost_nanos)
        .bind(entry.stated_cost_nanos)
        .bind(entry.price_source.as_deref())
        .bind(entry.status)
        .bind(entry.outcome.as_str())
        .bind(entry.fault_code.as_deref())
        .bind(entry.attempts)
        .bind(entry.attempts_detail.as_deref())
        .bind(entry.first_byte_us)
        .bind(entry.total_us)
        .bind(entry.client_request_id.as_deref())
        .bind(entry.losses.as_deref())
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
