//! Connections: two writers with different promises, and readers.
//!
//! A writer's connection is owned by the transaction that runs on it and goes home only after a commit. Whatever
//! else happens - an error, a caller that leaves - it is closed, which rolls back; the next transaction opens another.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::place::with_suffix;
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

/// The two writers of a database, which take turns.
pub(super) struct Writers {
    /// Its commits are on the disk when they return.
    pub durable: Writer,
    /// Its commits survive the death of the process, but perhaps not the loss of power.
    pub relaxed: Writer,
}

impl Writers {
    /// Opens both connections: what is wrong shows now, and the first write need not wait for it.
    pub(super) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let line = Arc::new(Mutex::new(()));
        // Overwriting deleted content costs little here, and a deleted key should be gone.
        let durable = wal(path).synchronous(SqliteSynchronous::Full).pragma("secure_delete", "ON");
        let relaxed = wal(path).synchronous(SqliteSynchronous::Normal);
        let queue = with_suffix(path, "-turn");
        let made = File::options().create(true).truncate(false).write(true).mode(0o600).open(&queue);
        made.map_err(sqlx::Error::Io)?;
        let durable = Writer::new(durable, BUSY, &line, &queue);
        let relaxed = Writer::new(relaxed, IMPATIENT, &line, &queue);
        tokio::try_join!(durable.connect(), relaxed.connect())?;
        Ok(Self { durable, relaxed })
    }

    /// Closes both, when what runs on them has ended.
    pub(super) async fn close(&self) {
        self.relaxed.close().await;
        self.durable.close().await;
    }
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

/// A connection that may write, and the line of those who wait to.
pub(super) struct Writer {
    options: SqliteConnectOptions,
    /// How long to wait, in line and for another process.
    patience: Duration,
    /// First come, first served. SQLite's own waiting is a matter of luck, by which one writer can starve the other.
    line: Arc<Mutex<()>>,
    /// The same among processes: who waits to begin holds the lock of this file. Whoever has just ended comes after.
    queue: PathBuf,
    home: std::sync::Mutex<Option<SqliteConnection>>,
}

impl Writer {
    fn new(options: SqliteConnectOptions, patience: Duration, line: &Arc<Mutex<()>>, queue: &Path) -> Self {
        let options = options.busy_timeout(patience);
        let home = std::sync::Mutex::default();
        Self { options, patience, line: Arc::clone(line), queue: queue.to_owned(), home }
    }

    /// Starts a transaction that may write. Dropped without `commit`, it leaves no trace.
    pub(super) async fn begin(&self) -> Result<Turn<'_>, StoreError> {
        let line = timeout(self.patience, self.line.lock()).await.map_err(|_| StoreError::Busy)?;
        let mut connection = match self.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        let place = self.queue().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        drop(place);
        Ok(Turn { connection, writer: self, _line: line })
    }

    /// The first place in the queue of processes, kept until it is dropped. `None` where files cannot be locked, as on
    /// some network file systems: there, luck decides.
    async fn queue(&self) -> Result<Option<File>, StoreError> {
        let Ok(file) = File::open(&self.queue) else { return Ok(None) };
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
        }
        // The one before us holds it for as long as a transaction takes. If we leave, the thread gives it back.
        let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        let waited = timeout(self.patience, waiting).await.map_err(|_| StoreError::Busy)?;
        let locked = waited.map_err(io::Error::other).and_then(|locked| locked);
        locked.map(Some).map_err(|error| StoreError::Io(error.into()))
    }

    async fn connect(&self) -> Result<(), sqlx::Error> {
        self.put(self.options.connect().await?);
        Ok(())
    }

    /// Closes the connection once its transaction has ended.
    async fn close(&self) {
        let _line = self.line.lock().await;
        if let Some(connection) = self.take() {
            // What was committed is safe whatever this says: it only checkpoints.
            let _ = connection.close().await;
        }
    }

    fn take(&self) -> Option<SqliteConnection> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, connection: SqliteConnection) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

/// A transaction under way.
pub(super) struct Turn<'a> {
    connection: SqliteConnection,
    writer: &'a Writer,
    _line: MutexGuard<'a, ()>,
}

impl Turn<'_> {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Makes the changes last.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        self.writer.put(self.connection);
        Ok(())
    }
}
