//! What can go wrong: `OpenError` before the gateway serves, `StoreError` while it does.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a store did not open. `Display` is one line that says what, where, and what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The master key is not 64 hexadecimal digits.
    #[error(
        "the master key in {from} is not 64 hexadecimal digits; restore the key that belongs to this vault"
    )]
    KeyFormat {
        /// Where the key came from: a file's path, or the setting.
        from: String,
    },
    /// There is a vault but no key. A new key could never open it, so none is made.
    #[error(
        "{} holds a vault, but its master key is missing: restore {}, or set LLM_GATEWAY_MASTER_KEY (no new key is made, it could not open this vault)",
        database.display(), key_file.display()
    )]
    KeyMissing {
        /// The vault.
        database: PathBuf,
        /// Where its key was looked for.
        key_file: PathBuf,
    },
    /// The master key belongs to another vault.
    #[error("the master key from {from} does not belong to the vault {}; nothing was changed", database.display())]
    KeyWrong {
        /// The vault.
        database: PathBuf,
        /// Where the key came from.
        from: String,
    },
    /// Others could read or replace the key file.
    #[error("the key file {} is not safe: {why}", path.display())]
    KeyFileUnsafe {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it, and how to mend it.
        why: String,
    },
    /// Others could reach into the directory that holds the key file.
    #[error("the data directory {} is not safe to keep a key in: {why}", path.display())]
    DataDirUnsafe {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it, and how to mend it.
        why: String,
    },
    /// The database belongs to another program; it was not touched.
    #[error("{} is not a vault of llm-gateway but {what}; it was left untouched. {}", path.display(), advice(path))]
    ForeignVault {
        /// The database.
        path: PathBuf,
        /// Whose it seems to be.
        what: String,
    },
    /// There is a database where one should be put.
    #[error("{} is there already; it was left untouched", path.display())]
    Exists {
        /// The database.
        path: PathBuf,
    },
    /// A newer program has migrated this database.
    #[error(
        "{} was written by a newer llm-gateway (schema {found}, this program knows {known}); update the program",
        path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// The schema version found.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The database file is damaged; it was not changed.
    #[error("the vault {} is damaged ({what}) and was left as it is; restore it from a backup", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// The sign of damage.
        what: String,
    },
    /// The database or its directory cannot be written.
    #[error("{} cannot be written; make it writable for this user, or choose another LLM_GATEWAY_DATA_DIR", path.display())]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
    },
    /// Another process holds the database.
    #[error("{} is locked by another process; try again when it is done", path.display())]
    Locked {
        /// The database, or its directory while another process opens it.
        path: PathBuf,
    },
    /// The SQLite linked in is older than the first one without a known fault in its write-ahead log.
    #[error("SQLite {found} is linked in, but {needed} or newer is needed to keep data safe")]
    SqliteTooOld {
        /// The version found.
        found: String,
        /// The oldest accepted.
        needed: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was attempted, as in "cannot ... PATH".
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: Source,
    },
}

/// What to do about a database that is not ours.
fn advice(path: &Path) -> String {
    format!(
        "To take over a vault of mcp-llm-bridge, run `llm-gateway import mcp-llm-bridge {}`; to leave it alone, set LLM_GATEWAY_DATA_DIR to another directory",
        path.display()
    )
}

impl OpenError {
    /// The exit code for a program that cannot go on. Source: CONVENTIONS.md, "Exit codes" (after BSD sysexits).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Exists { .. } => 7,
            Self::Corrupt { .. } => 65,
            Self::ReadOnly { .. } | Self::Io { .. } => 74,
            Self::Locked { .. } => 75,
            Self::KeyFormat { .. }
            | Self::KeyMissing { .. }
            | Self::KeyWrong { .. }
            | Self::KeyFileUnsafe { .. }
            | Self::DataDirUnsafe { .. }
            | Self::ForeignVault { .. }
            | Self::NewerSchema { .. }
            | Self::SqliteTooOld { .. } => 78,
        }
    }

    /// For `map_err`: an I/O error with what was attempted and where.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            _ => Self::Io { what, path, source: source.into() },
        }
    }
}

/// Why a call on an open store failed. Nothing was acknowledged and nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has held the database for longer than the busy timeout (5 s).
    #[error("the database is locked by another process")]
    Busy,
    /// No space is left on the disk.
    #[error("the disk that holds the database is full")]
    Full,
    /// The database cannot be written.
    #[error("the database cannot be written")]
    ReadOnly,
    /// There is no such row.
    #[error("there is no {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The row is no longer what the call builds on.
    #[error("{what} is not what it was: another has replaced or deleted it since")]
    Stale {
        /// The row.
        what: String,
    },
    /// A sealed value was moved or changed outside the gateway.
    #[error("{what} does not open: its row was changed outside the gateway; store it anew")]
    Tampered {
        /// The row.
        what: String,
    },
    /// The database file is damaged.
    #[error("the database is damaged")]
    Corrupt(#[source] Source),
    /// Another process has given the vault a new master key, and this one cannot find it.
    #[error("the vault has a new master key that this process does not have; start it again with that key")]
    KeyReplaced,
    /// The master key was given from outside, so a new one could not be kept.
    #[error(
        "the master key is given by LLM_GATEWAY_MASTER_KEY and cannot be replaced from here; put it into the key file first"
    )]
    KeyGiven,
    /// A file is not what it is given as.
    #[error("{what}")]
    Refused {
        /// Which file, and why.
        what: String,
    },
    /// The vault key has sealed as many values as is safe.
    #[error("the vault key has sealed as many values as is safe; rotate it")]
    KeyExhausted,
    /// The operating system, or its random number generator, failed.
    #[error("the database could not be read or written: {0}")]
    Io(#[source] Source),
}

impl StoreError {
    /// Whether the same call may succeed later without anyone changing it.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Io(_))
    }
}
