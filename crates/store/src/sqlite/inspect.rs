//! Looks at a database file without changing a byte of it or beside it: is it there, is it ours, which vault is it?

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sqlx::{ConnectOptions, Row, SqliteConnection};
use uuid::Uuid;

use super::connect::options;
use super::errors::opening;
use super::place::Place;
use super::schema;
use crate::error::OpenError;

/// Source: <https://www.sqlite.org/fileformat2.html#the_database_header>.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_LEN: usize = 100;
const APPLICATION_ID_AT: usize = 68;

/// The first SQLite without the WAL-reset fault. Source: <https://www.sqlite.org/wal.html>.
const OLDEST: (&str, [u32; 3]) = ("3.51.3", [3, 51, 3]);

/// What is at the database's path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Ours,
}

/// The vault's row, and the schema it stands in.
pub(super) struct Identity {
    pub vault: Uuid,
    pub format: u32,
    pub kek_no: u32,
    pub key_check: Vec<u8>,
    pub schema: i64,
}

/// Finds out whose file is at `path`. A foreign or damaged one is an error.
pub(super) async fn look(path: &Path) -> Result<Found, OpenError> {
    let Some(header) = header(path)? else { return Ok(Found::Nothing) };
    let id: [u8; 4] = *header[APPLICATION_ID_AT..].first_chunk().expect("the header is longer");
    if u32::from_be_bytes(id) == schema::APPLICATION_ID { Ok(Found::Ours) } else { Err(stranger(path).await) }
}

/// Whether the file at `path` is a database of another program, such as mcp-llm-bridge. Does not touch it.
pub async fn is_foreign(path: &Path) -> Result<bool, OpenError> {
    match look(path).await {
        Ok(_) => Ok(false),
        Err(OpenError::ForeignVault { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Reads the vault's row, before anything is written.
pub(super) async fn identity(path: &Path) -> Result<Identity, OpenError> {
    let mut connection = reader(path).await.map_err(opening(path))?;
    require_version(&mut connection, path).await?;
    let schema = schema::version(&mut connection).await.map_err(opening(path))?;
    if schema > schema::LATEST {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found: schema, known: schema::LATEST });
    }
    read_identity(&mut connection, schema).await.map_err(opening(path))
}

/// A connection that changes nothing.
pub(super) async fn reader(path: &Path) -> sqlx::Result<SqliteConnection> {
    // Without a write-ahead log the file is complete and nobody uses it, so SQLite need not even make side files.
    options(path).read_only(true).immutable(!Place::has_wal(path)).connect().await
}

async fn read_identity(connection: &mut SqliteConnection, schema: i64) -> sqlx::Result<Identity> {
    let row = sqlx::query("SELECT id, format, kek_no, key_check FROM vault").fetch_one(connection).await?;
    let vault = Uuid::from_slice(row.try_get(0)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Identity {
        vault,
        format: row.try_get(1)?,
        kek_no: row.try_get(2)?,
        key_check: row.try_get(3)?,
        schema,
    })
}

/// Refuses a SQLite that could lose data.
pub(super) async fn require_version(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let query = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection);
    let found: String = query.await.map_err(opening(path))?;
    let parts: Vec<u32> = found.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts.as_slice() >= OLDEST.1.as_slice() {
        Ok(())
    } else {
        Err(OpenError::SqliteTooOld { found, needed: OLDEST.0 })
    }
}

/// The header of a SQLite file, or `None` if there is no file.
fn header(path: &Path) -> Result<Option<[u8; HEADER_LEN]>, OpenError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(OpenError::io("read the database", path))?,
    };
    let mut header = [0; HEADER_LEN];
    match file.read_exact(&mut header) {
        Ok(()) if header.starts_with(MAGIC) => Ok(Some(header)),
        Ok(()) => Err(damaged(path, "it is not a SQLite database")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(damaged(path, "the file was cut short"))
        }
        Err(error) => Err(OpenError::io("read the database", path)(error)),
    }
}

/// Why a SQLite file without our mark is refused.
async fn stranger(path: &Path) -> OpenError {
    match tables(path).await {
        Err(error) => opening(path)(error),
        Ok(tables) if tables.contains("key_check") => damaged(path, "the mark in its header is gone"),
        Ok(tables) if tables.contains("auth_tag") => foreign(path, "one of mcp-llm-bridge"),
        Ok(_) => foreign(path, "a database of another program"),
    }
}

/// The statements that made the tables, in one text.
async fn tables(path: &Path) -> sqlx::Result<String> {
    // Immutable: SQLite makes no side file, takes no lock, and replays no log.
    let mut connection = options(path).read_only(true).immutable(true).connect().await?;
    let statements = sqlx::query_scalar("SELECT coalesce(group_concat(sql), '') FROM sqlite_schema");
    statements.fetch_one(&mut connection).await
}

fn foreign(path: &Path, what: &str) -> OpenError {
    OpenError::ForeignVault { path: path.to_owned(), what: what.to_owned() }
}

fn damaged(path: &Path, what: &str) -> OpenError {
    OpenError::Corrupt { path: path.to_owned(), what: what.to_owned() }
}
