//! Someone edits the database behind the vault's back: nothing sealed opens in a place it was not sealed for.

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

#[path = "support/stores.rs"]
mod stores;

use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use store::{GLOBAL, Store, StoreError};
use stores::{new_credential, second};
use tempfile::TempDir;

struct Case {
    store: Arc<dyn Store>,
    sql: SqliteConnection,
    first: i64,
    second: i64,
    _directory: TempDir,
}

const CANARY: &str = "sk-canary-5b1d7e90c2aa";

async fn case() -> Case {
    let directory = TempDir::new().unwrap();
    let opened = stores::open(directory.path()).await.unwrap();
    let store = opened.store;
    let sql = SqliteConnectOptions::new().filename(&opened.database).connect().await.unwrap();
    let put = |name| store.put_credential(new_credential("acme", name, GLOBAL, CANARY), second(1));
    let (first, second) = (put("first").await.unwrap().id, put("second").await.unwrap().id);
    Case { store, sql, first, second, _directory: directory }
}

impl Case {
    async fn run(&mut self, sql: &'static str) {
        assert!(sqlx::raw_sql(sql).execute(&mut self.sql).await.unwrap().rows_affected() > 0);
    }

    /// Remembers the rows as they are, in the table `kept`.
    async fn keep(&mut self) {
        sqlx::raw_sql("CREATE TEMP TABLE kept AS SELECT * FROM credentials")
            .execute(&mut self.sql)
            .await
            .unwrap();
    }

    async fn assert_tampered(&self, id: i64) {
        let error = self.store.open_credential(id).await.unwrap_err();
        assert!(matches!(error, StoreError::Tampered { .. }), "{error:?}");
        assert!(!error.to_string().contains(CANARY));
        let shown = self.store.credential(id).await.unwrap().unwrap();
        assert_eq!((&*shown.masked_value, shown.intact), ("***", false));
    }
}

#[tokio::test]
async fn two_rows_that_swap_their_sealed_values_do_not_open() {
    let mut case = case().await;
    case.keep().await;
    case.run(
        "UPDATE credentials SET (body, wrapped_key) =
             (SELECT body, wrapped_key FROM kept WHERE kept.id <> credentials.id)",
    )
    .await;
    case.assert_tampered(case.first).await;
    case.assert_tampered(case.second).await;
}

#[tokio::test]
async fn two_rows_that_swap_only_their_data_keys_do_not_open() {
    let mut case = case().await;
    case.keep().await;
    case.run(
        "UPDATE credentials SET wrapped_key = (SELECT wrapped_key FROM kept WHERE kept.id <> credentials.id)",
    )
    .await;
    case.assert_tampered(case.first).await;
}

#[tokio::test]
async fn a_row_moved_to_another_project_does_not_open() {
    let mut case = case().await;
    case.run("UPDATE credentials SET project = 'thief' WHERE key_name = 'first'").await;
    case.assert_tampered(case.first).await;
    assert_eq!(case.store.open_credential(case.second).await.unwrap().expose(), CANARY, "the other is well");
}

#[tokio::test]
async fn a_row_renamed_or_given_to_another_provider_does_not_open() {
    let mut case = case().await;
    case.run("UPDATE credentials SET key_name = 'other' WHERE key_name = 'first'").await;
    case.run("UPDATE credentials SET provider = 'thief' WHERE key_name = 'second'").await;
    case.assert_tampered(case.first).await;
    case.assert_tampered(case.second).await;
}

#[tokio::test]
async fn an_older_value_under_a_newer_version_does_not_open() {
    let mut case = case().await;
    case.keep().await;
    let newer = new_credential("acme", "first", GLOBAL, "sk-newer");
    case.store.put_credential(newer, second(2)).await.unwrap();
    case.run(
        "UPDATE credentials SET (body, wrapped_key) = (SELECT body, wrapped_key FROM kept WHERE key_name = 'first')
         WHERE key_name = 'first'",
    )
    .await;
    case.assert_tampered(case.first).await;
}

#[tokio::test]
async fn a_row_under_another_uuid_or_none_does_not_open() {
    let mut case = case().await;
    case.run("UPDATE credentials SET uuid = randomblob(16) WHERE key_name = 'first'").await;
    case.run("UPDATE credentials SET uuid = x'00' WHERE key_name = 'second'").await;
    case.assert_tampered(case.first).await;
    case.assert_tampered(case.second).await;
}

#[tokio::test]
async fn a_damaged_row_can_be_stored_anew() {
    let mut case = case().await;
    case.run("UPDATE credentials SET uuid = x'00', body = x'', version = 9223372036854775807 WHERE key_name = 'first'")
        .await;
    case.assert_tampered(case.first).await;
    let put =
        case.store.put_credential(new_credential("acme", "first", GLOBAL, CANARY), second(2)).await.unwrap();
    assert_eq!(put.id, case.first);
    assert_eq!(case.store.open_credential(put.id).await.unwrap().expose(), CANARY);
}

#[tokio::test]
async fn a_worn_out_key_seals_nothing_more_and_still_opens() {
    let mut case = case().await;
    case.run("UPDATE vault SET kek_wraps = 2147483647").await;
    let put = || case.store.put_credential(new_credential("acme", "new", GLOBAL, CANARY), second(2));
    put().await.unwrap();
    assert!(matches!(put().await, Err(StoreError::KeyExhausted)));
    assert_eq!(case.store.open_credential(case.first).await.unwrap().expose(), CANARY);
    assert!(case.store.delete_credential(case.first).await.unwrap());
}

#[tokio::test]
async fn every_seal_is_counted() {
    let mut case = case().await;
    let wraps: i64 =
        sqlx::query_scalar("SELECT kek_wraps FROM vault").fetch_one(&mut case.sql).await.unwrap();
    assert_eq!(wraps, 2);
}
