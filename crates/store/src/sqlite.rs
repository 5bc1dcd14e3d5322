//! The store on SQLite: one file, a write-ahead log, two writers and a few readers.
//!
//! What the vault holds is written with `synchronous = FULL` and acknowledged when durable; the ledger with `NORMAL`,
//! in batches. Several processes may have the same file open.

mod access_keys;
mod audit;
mod backup;
mod breakers;
mod change;
mod connect;
mod conversations;
mod custody;
mod errors;
mod groups;
mod inspect;
mod ledger;
mod open;
mod place;
mod rotate;
mod schema;
mod sealed;
mod secrets;
mod state;
mod totals;
mod unlock;
mod upgrade;

use async_trait::async_trait;
use sqlx::SqlitePool;

use crate::Store;
use crate::error::StoreError;
use connect::{Writers, readers};
use unlock::Lock;

pub use inspect::is_foreign;
pub(crate) use open::{open, place_backup};

/// An open database and the keys to what is sealed in it.
pub(crate) struct SqliteStore {
    lock: Lock,
    writers: Writers,
    readers: SqlitePool,
}

impl SqliteStore {
    fn new(lock: Lock, writers: Writers) -> Self {
        let readers = readers(lock.database());
        Self { lock, writers, readers }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn health(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT kek_wraps FROM vault").fetch_one(&self.readers).await?;
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}
