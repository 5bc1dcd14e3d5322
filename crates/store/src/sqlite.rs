//! The store on SQLite: one file, a write-ahead log, two writers and a few readers.
//!
//! Credentials are written with `synchronous = FULL` and acknowledged when durable; the ledger with `NORMAL`, in
//! batches. Several processes may have the same file open.

mod connect;
mod errors;
mod inspect;
mod ledger;
mod open;
mod place;
mod schema;
mod secrets;
mod totals;

use std::path::Path;

use async_trait::async_trait;
use sqlx::SqlitePool;

use crate::Store;
use crate::error::StoreError;
use crate::vault::Vault;
use connect::{Writers, readers};

pub use inspect::is_foreign;
pub(crate) use open::open;

/// An open database and the vault in it.
pub(crate) struct SqliteStore {
    vault: Vault,
    writers: Writers,
    readers: SqlitePool,
}

impl SqliteStore {
    fn new(path: &Path, vault: Vault, writers: Writers) -> Self {
        Self { vault, writers, readers: readers(path) }
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
        self.writers.relaxed.close().await;
        self.writers.durable.close().await;
    }
}
