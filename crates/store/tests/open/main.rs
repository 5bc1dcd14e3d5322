//! Opening a store: whose database, which key, with which modes; and what is refused, untouched, with which exit code.

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

mod keys;
mod refusals;
mod starts;
#[path = "../support/stores.rs"]
mod stores;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{AuditVerdict, GLOBAL, KeySource, OpenError, OpenOptions, Opened, Secret, StoreError};
use stores::{by, new_credential, open};
use tempfile::TempDir;

const CANARY: &str = "sk-canary-5b1d7e90c2aa";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Every file of the directory with its bytes.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

async fn open_with_key(directory: &TempDir, key: &str) -> Result<Opened, OpenError> {
    let master_key = Some(Secret::new(key.into()));
    store::open(OpenOptions { data_dir: data(directory), db_path: None, master_key }).await
}

async fn sql(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

/// A store with a credential in it, closed again.
async fn used_store() -> TempDir {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    opened.store.put_credential(new_credential("acme", "default", GLOBAL, CANARY), &by(1)).await.unwrap();
    opened.store.close().await;
    directory
}

/// A refusal, one line long, with its exit code, that changes nothing in the data directory.
async fn refused(directory: &TempDir, exit_code: u8) -> OpenError {
    let before = contents(&data(directory));
    let error = open(directory.path()).await.err().expect("it is refused");
    assert_eq!(error.exit_code(), exit_code, "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    assert!(contents(&data(directory)) == before, "files were changed: {error}");
    error
}
