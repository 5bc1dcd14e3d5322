//! Where the gateway keeps what must last: sealed credentials (the vault) and the ledger of requests.
//!
//! One trait per aggregate; `Store` is all of them. `open` finds or makes the master key, checks it against the
//! vault before anything is written, and returns a store. Backends live in folders of their own. What a credential
//! is used for, what a request costs, and HTTP are not known here.

mod error;
mod ledger_writer;
mod master_key;
mod secret;
mod sqlite;
mod types;
mod vault;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use error::{OpenError, StoreError};
pub use ledger_writer::{LedgerClosed, LedgerHandle, LedgerSettings, LedgerStats, LedgerWriter, Slot};
pub use master_key::KeySource;
pub use secret::Secret;
pub use sqlite::is_foreign;
pub use types::{Credential, Entry, GLOBAL, NewCredential, Outcome, Totals, Word};
pub use vault::Sealer;

/// Credentials of providers, sealed at rest.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Stores or replaces a credential. When this returns `Ok`, it is durable: power may fail.
    async fn put_credential(&self, new: NewCredential, now: Timestamp) -> Result<Credential, StoreError>;

    /// Credentials by provider, name and project: all, or those of one project and the global ones.
    async fn credentials(&self, project: Option<&str>) -> Result<Vec<Credential>, StoreError>;

    /// One credential, without its secret.
    async fn credential(&self, id: i64) -> Result<Option<Credential>, StoreError>;

    /// Removes a credential durably; `false` if there was none.
    async fn delete_credential(&self, id: i64) -> Result<bool, StoreError>;

    /// The secret of a credential, for use now.
    async fn open_credential(&self, id: i64) -> Result<Secret, StoreError>;
}

/// One row per admitted request.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Adds rows, all or none. A row whose id is there already is left as it is, so that a batch may be repeated.
    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError>;

    /// The newest rows, newest first.
    async fn recent(&self, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// How many rows there are.
    async fn count(&self) -> Result<i64, StoreError>;

    /// Sums over all rows.
    async fn totals(&self) -> Result<Totals, StoreError>;
}

/// Everything the gateway keeps.
#[async_trait]
pub trait Store: Secrets + Ledger {
    /// Whether the database can be read now.
    async fn health(&self) -> Result<(), StoreError>;

    /// Closes the database cleanly, when calls under way have finished. For the end of the program: later calls fail.
    async fn close(&self);
}

/// Where the store is, and the key if it was given.
#[derive(Debug)]
pub struct OpenOptions {
    /// Holds `master.key`, and `vault.db` unless `db_path` says otherwise. Made, with mode 0700, if absent.
    pub data_dir: PathBuf,
    /// The database file, if not `vault.db` in `data_dir`.
    pub db_path: Option<PathBuf>,
    /// The master key as 64 hexadecimal digits. Without it the key file is used, or made for a new vault.
    pub master_key: Option<Secret>,
}

/// An open store.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Whether the vault was made just now.
    pub created: bool,
    /// Where the master key came from.
    pub key_source: KeySource,
    /// The database file.
    pub database: PathBuf,
}

/// Opens the store, or makes a new one where there is nothing. Must run within a tokio runtime.
pub async fn open(options: OpenOptions) -> Result<Opened, OpenError> {
    sqlite::open(options).await
}
