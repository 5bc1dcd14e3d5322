//! Where the gateway keeps what must last: the vault (sealed credentials and files, access keys, the audit log of their
//! changes), stored responses and the ledger of requests.
//!
//! One trait per aggregate; `Store` is all of them. `open` finds or makes the master key, checks it against the
//! vault before anything is written, and returns a store. Backends live in folders of their own. What a credential
//! is used for, what a request costs, and HTTP are not known here.

mod access_key;
mod bundle;
mod error;
mod ledger_writer;
mod master_key;
mod secret;
mod sqlite;
mod types;
mod vault;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use access_key::IssuedKeys;
pub use bundle::{Bundle, BundleError};
pub use error::{OpenError, StoreError};
pub use ledger_writer::{LedgerClosed, LedgerHandle, LedgerSettings, LedgerStats, LedgerWriter, Slot};
pub use master_key::KeySource;
pub use secret::Secret;
pub use sqlite::is_foreign;
pub use types::{
    AccessKey, AuditEntry, AuditVerdict, AuthFile, BreakerRule, By, Chain, ChainLimits, Credential, Entry,
    GLOBAL, Group, GroupMember, GroupRule, Inspection, KeyChanges, KeyRole, NewAccessKey, NewAuthFile,
    NewCredential, NewResponse, NoVersion, Outcome, ResponseOwner, ResponseRef, Restored, StoredResponse,
    Totals, Version, Word,
};
pub use vault::Sealer;

/// Credentials of providers and auth files of programs, sealed at rest.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Stores or replaces a credential. When this returns `Ok`, it is durable: power may fail.
    async fn put_credential(&self, new: NewCredential, by: &By) -> Result<Credential, StoreError>;

    /// Credentials by provider, name and project: all, or those of one project and the global ones.
    async fn credentials(&self, project: Option<&str>) -> Result<Vec<Credential>, StoreError>;

    /// One credential, without its secret.
    async fn credential(&self, id: i64) -> Result<Option<Credential>, StoreError>;

    /// Removes a credential durably; `false` if there was none. One that was removed outside the gateway counts as there
    /// until it is removed here too.
    async fn delete_credential(&self, id: i64, by: &By) -> Result<bool, StoreError>;

    /// The secret of a credential, for use now.
    async fn open_credential(&self, id: i64) -> Result<Secret, StoreError>;

    /// Stores or replaces an auth file. When this returns `Ok`, it is durable.
    async fn put_file(&self, new: NewAuthFile, by: &By) -> Result<AuthFile, StoreError>;

    /// Replaces an auth file if it is still what it was in this version, which may be long ago: `Stale` if not. For who
    /// writes back what a program made of the file.
    async fn replace_file(&self, new: NewAuthFile, version: Version, by: &By)
    -> Result<AuthFile, StoreError>;

    /// Auth files by provider, name and project: all, or those of one project and the global ones.
    async fn files(&self, project: Option<&str>) -> Result<Vec<AuthFile>, StoreError>;

    /// One auth file, without its content.
    async fn file(&self, id: i64) -> Result<Option<AuthFile>, StoreError>;

    /// Removes an auth file durably, as `delete_credential` does.
    async fn delete_file(&self, id: i64, by: &By) -> Result<bool, StoreError>;

    /// The content of an auth file, for use now.
    async fn open_file(&self, id: i64) -> Result<Secret, StoreError>;

    /// A number that grows with every change of credentials, files, access keys, groups and breakers, whichever process made it.
    async fn generation(&self) -> Result<i64, StoreError>;
}

/// Keys by which callers come in.
#[async_trait]
pub trait AccessKeys: Send + Sync {
    /// Makes a key. The key itself is given out here and never again.
    async fn create_key(&self, new: NewAccessKey, by: &By) -> Result<(AccessKey, Secret), StoreError>;

    /// All keys, revoked ones too, oldest first.
    async fn access_keys(&self) -> Result<Vec<AccessKey>, StoreError>;

    /// Changes what a key may do.
    async fn update_key(&self, id: &str, changes: KeyChanges, by: &By) -> Result<AccessKey, StoreError>;

    /// Gives a key a new secret part. The old one is accepted until `old_until`.
    async fn rotate_key(
        &self,
        id: &str,
        old_until: Timestamp,
        by: &By,
    ) -> Result<(AccessKey, Secret), StoreError>;

    /// Makes a key open nothing any more, for good. Revoking it again changes nothing.
    async fn revoke_key(&self, id: &str, by: &By) -> Result<AccessKey, StoreError>;

    /// What it takes to recognise every key at the door.
    async fn issued_keys(&self) -> Result<IssuedKeys, StoreError>;
}

/// Groups of providers that were made by API.
#[async_trait]
pub trait Groups: Send + Sync {
    /// All of them, by name.
    async fn groups(&self) -> Result<Vec<Group>, StoreError>;

    /// Makes a group. Its id is the slug; where that is taken, with a number.
    async fn create_group(
        &self,
        slug: &str,
        name: &str,
        rule: GroupRule,
        by: &By,
    ) -> Result<Group, StoreError>;

    /// Gives a group another name and rule; the id stays.
    async fn update_group(&self, id: &str, name: &str, rule: GroupRule, by: &By)
    -> Result<Group, StoreError>;

    /// Removes a group; `false` if there was none.
    async fn delete_group(&self, id: &str, by: &By) -> Result<bool, StoreError>;
}

/// Settings of circuit breakers that were made by API.
#[async_trait]
pub trait Breakers: Send + Sync {
    /// What has been said of them.
    async fn breakers(&self) -> Result<BreakerRule, StoreError>;

    /// Keeps what is said now; what is not stays. Yields all that has been said.
    async fn change_breakers(&self, changes: BreakerRule, by: &By) -> Result<BreakerRule, StoreError>;
}

/// Answers that clients may ask for again and go on from, sealed at rest. Only their owner sees them. `since` leaves out
/// what is older: how long they are kept is the caller's to know, and to see to.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Keeps a response. When this returns `Ok`, it survives the death of the process. Two may have the same id; by it,
    /// the later one is found.
    async fn keep_response(&self, new: NewResponse) -> Result<(), StoreError>;

    /// One response, the latest of its id.
    async fn response(
        &self,
        owner: &ResponseOwner,
        id: &str,
        since: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError>;

    /// A response and all turns that it goes on from.
    async fn conversation(
        &self,
        owner: &ResponseOwner,
        id: &str,
        limits: ChainLimits,
    ) -> Result<Chain, StoreError>;

    /// Removes every response of an id durably; `false` if there was none.
    async fn delete_response(
        &self,
        owner: &ResponseOwner,
        id: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Removes some of what is older, and of the oldest that have no room in so many bytes. Yields whether there may be
    /// more to remove.
    async fn prune_responses(&self, before: Timestamp, max_bytes: u64) -> Result<bool, StoreError>;
}

/// Who changed what in the vault. Entries are written by the changes themselves, in the same transaction.
#[async_trait]
pub trait Audit: Send + Sync {
    /// The newest entries before `before` (all, if `None`), newest first.
    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;

    /// Checks the whole log.
    async fn verify_audit(&self) -> Result<AuditVerdict, StoreError>;
}

/// Care of the vault as a whole.
#[async_trait]
pub trait Custody: Send + Sync {
    /// Puts every data key under a new key-encryption key, a batch at a time, while everything goes on. When a rotation
    /// was broken off, this brings it to its end instead of beginning another. Yields how many rows were moved.
    async fn rotate_kek(&self, by: &By) -> Result<u64, StoreError>;

    /// Makes a new master key, and puts everything under it: all or nothing, also when the power fails. Other processes
    /// find the new key in the key file. Refused where the key does not stand in the file, or a row does not open.
    async fn rotate_root(&self, by: &By) -> Result<(), StoreError>;

    /// Looks at every row, the sum over them and the audit log.
    async fn inspect(&self) -> Result<Inspection, StoreError>;

    /// Writes a consistent copy of the whole database to a file that must not exist. It needs the same master key.
    async fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// Makes credentials, files and access keys what they are in a backup of this vault; groups and breakers stay as
    /// they are. The audit log goes on: it notes every row that was brought back or taken away.
    async fn restore(&self, from: &Path, by: &By) -> Result<Restored, StoreError>;
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
pub trait Store: Secrets + AccessKeys + Groups + Breakers + Conversations + Audit + Custody + Ledger {
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

/// Puts a backup where there is no database yet, if the master key there opens it.
pub async fn place_backup(options: OpenOptions, from: &Path) -> Result<(), OpenError> {
    sqlite::place_backup(options, from).await
}

/// Opens the store, or makes a new one where there is nothing. Must run within a tokio runtime.
pub async fn open(options: OpenOptions) -> Result<Opened, OpenError> {
    sqlite::open(options).await
}
