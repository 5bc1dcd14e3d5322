//! Connections: two writers with different promises, and readers.
//!
//! A writer's connection is owned by the transaction that runs on it and goes home only after a commit. Whatever
//! else happens - an error, a caller that leaves - it is closed, which rolls back; the next transaction opens another.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::error::StoreError;

/// How long to wait for another process to release the database. Source: SAFETY.md P10.
const BUSY: Duration = Duration::from_secs(5);

/// The same for the ledger, whose writer tries again by itself and must learn soon that requests should not wait.
const IMPATIENT: Duration = Duration::from_secs(1);

/// Page cache of a connection, in KiB (negative by SQLite's convention). Its default of 2 MiB is more than is used.
const CACHE_KIB: &str = "-512";

/// What every connection has in common. The file must exist: SQLite would make it with the wrong mode.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("cache_size", CACHE_KIB)
        .disable_statement_logging()
}

/// A writer whose commits are on the disk when they return.
pub(super) fn durable(path: &Path) -> Writer {
    // Overwriting deleted content costs little here, and a deleted key should be gone.
    Writer::new(wal(path).synchronous(SqliteSynchronous::Full).pragma("secure_delete", "ON"))
}

/// A writer whose commits survive the death of the process, but perhaps not the loss of power.
pub(super) fn relaxed(path: &Path) -> Writer {
    Writer::new(wal(path).synchronous(SqliteSynchronous::Normal).busy_timeout(IMPATIENT))
}

fn wal(path: &Path) -> SqliteConnectOptions {
    options(path).journal_mode(SqliteJournalMode::Wal)
}

/// Connections that only read; opened when first used.
pub(super) fn readers(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(2)
        .acquire_timeout(BUSY)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(options(path).read_only(true))
}

/// The one connection that may write for a purpose, and the queue for it.
pub(super) struct Writer {
    options: SqliteConnectOptions,
    home: Mutex<Option<SqliteConnection>>,
}

impl Writer {
    fn new(options: SqliteConnectOptions) -> Self {
        Self { options, home: Mutex::new(None) }
    }

    /// Starts a transaction that may write. Dropped without `commit`, it leaves no trace.
    pub(super) async fn begin(&self) -> Result<Turn<'_>, StoreError> {
        let mut home = timeout(BUSY, self.home.lock()).await.map_err(|_| StoreError::Busy)?;
        let mut connection = self.take(&mut home).await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        Ok(Turn { connection, home })
    }

    /// Opens the connection now, to learn early what is wrong.
    pub(super) async fn connect(&self) -> Result<(), sqlx::Error> {
        let mut home = self.home.lock().await;
        *home = Some(self.take(&mut home).await?);
        Ok(())
    }

    /// Closes the connection once its transaction has ended.
    pub(super) async fn close(&self) {
        if let Some(connection) = self.home.lock().await.take() {
            // What was committed is safe whatever this says: it only checkpoints.
            let _ = connection.close().await;
        }
    }

    async fn take(&self, home: &mut Option<SqliteConnection>) -> Result<SqliteConnection, sqlx::Error> {
        match home.take() {
            Some(connection) => Ok(connection),
            None => self.options.connect().await,
        }
    }
}

/// A transaction under way.
pub(super) struct Turn<'a> {
    connection: SqliteConnection,
    home: MutexGuard<'a, Option<SqliteConnection>>,
}

impl Turn<'_> {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Makes the changes last.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        *self.home = Some(self.connection);
        Ok(())
    }
}
