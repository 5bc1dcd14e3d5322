//! What SQLite's file says of stored responses: nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may say so by panicking")]

#[path = "support/stores.rs"]
mod stores;
#[path = "support/turns.rs"]
mod turns;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use store::{Opened, StoreError};
use stores::{by, new_credential, open, second};
use tempfile::TempDir;
use turns::{chain, ids, limits, owner, talk};

async fn opened() -> (TempDir, Opened) {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    (directory, opened)
}

#[tokio::test]
async fn texts_are_sealed_and_a_new_master_key_leaves_them_readable() {
    let (directory, Opened { store, database, .. }) = opened().await;
    talk(&*store, 2).await;
    store.put_credential(new_credential("acme", "default", store::GLOBAL, "sk-1"), &by(1)).await.unwrap();
    store.rotate_root(&by(1)).await.unwrap();
    store.rotate_kek(&by(2)).await.unwrap();
    assert_eq!(ids(&chain(&*store, "r2", limits()).await).len(), 2);
    store.close().await;
    let bytes = std::fs::read(&database).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"question"), "nothing stands there in the clear");
    let store = open(directory.path()).await.unwrap().store;
    assert_eq!(ids(&chain(&*store, "r2", limits()).await), ["r1", "r2"], "after opening it again");
}

#[tokio::test]
async fn a_row_that_was_moved_to_another_owner_does_not_open() {
    let (_directory, Opened { store, database, .. }) = opened().await;
    talk(&*store, 1).await;
    let mut connection = SqliteConnectOptions::new().filename(&database).connect().await.unwrap();
    sqlx::raw_sql("UPDATE responses SET key = 'thief'").execute(&mut connection).await.unwrap();
    let stolen = store.response(&owner("thief", "blue"), "r1", second(0)).await;
    assert!(matches!(stolen, Err(StoreError::Tampered { .. })), "{stolen:?}");
}
