//! SQLite's answers in our words. Result codes: <https://www.sqlite.org/rescode.html>.

use std::path::Path;

use libsqlite3_sys as ffi;

use crate::error::{OpenError, StoreError};
use crate::vault::VaultError;

/// The extended result code, if SQLite itself answered.
fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// A page that should be there could not be read in full: the file was cut.
const CUT: i32 = ffi::SQLITE_IOERR_SHORT_READ;

/// For `map_err` while opening the database at `path`.
pub(super) fn opening(path: &Path) -> impl Fn(sqlx::Error) -> OpenError {
    let path = path.to_owned();
    move |error| {
        let path = path.clone();
        match code(&error).map(|code| (code, code & 0xff)) {
            Some((CUT, _) | (_, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_ERROR)) => {
                OpenError::Corrupt { path, what: error.to_string() }
            }
            Some((_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)) => OpenError::Locked { path },
            Some((_, ffi::SQLITE_READONLY)) => OpenError::ReadOnly { path },
            None if is_shape(&error) => OpenError::Corrupt { path, what: error.to_string() },
            _ => OpenError::Io { what: "open the database", path, source: error.into() },
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error).map(|code| (code, code & 0xff)) {
            Some((CUT, _) | (_, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB)) => Self::Corrupt(error.into()),
            Some((_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)) => Self::Busy,
            Some((_, ffi::SQLITE_FULL)) => Self::Full,
            Some((_, ffi::SQLITE_READONLY)) => Self::ReadOnly,
            None if matches!(error, sqlx::Error::PoolTimedOut) => Self::Busy,
            None if is_shape(&error) => Self::Corrupt(error.into()),
            _ => Self::Io(error.into()),
        }
    }
}

/// Whether a row or column is not what the schema promises.
fn is_shape(error: &sqlx::Error) -> bool {
    use sqlx::Error::{
        ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, RowNotFound, TypeNotFound,
    };
    matches!(
        error,
        RowNotFound
            | ColumnNotFound(_)
            | ColumnDecode { .. }
            | ColumnIndexOutOfBounds { .. }
            | Decode(_)
            | TypeNotFound { .. }
    )
}

/// What sealing or opening `what` came to.
pub(super) fn vault_error(error: VaultError, what: impl FnOnce() -> String) -> StoreError {
    match error {
        VaultError::Tampered => StoreError::Tampered { what: what() },
        VaultError::NoEntropy | VaultError::TooLong => StoreError::Io(error.into()),
    }
}
