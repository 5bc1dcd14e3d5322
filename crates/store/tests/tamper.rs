//! Someone edits the database behind the vault's back: nothing sealed opens in a place it was not sealed for.

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

#[path = "support/stores.rs"]
mod stores;

use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use store::{AuditVerdict, GLOBAL, KeyRole, NewAccessKey, Store, StoreError};
use stores::{by, new_credential, second};
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
    let somebody = by(1);
    let put = |name| store.put_credential(new_credential("acme", name, GLOBAL, CANARY), &somebody);
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
    case.store.put_credential(newer, &by(2)).await.unwrap();
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
        case.store.put_credential(new_credential("acme", "first", GLOBAL, CANARY), &by(2)).await.unwrap();
    assert_eq!(put.id, case.first);
    assert_eq!(case.store.open_credential(put.id).await.unwrap().expose(), CANARY);
}

#[tokio::test]
async fn a_worn_out_key_seals_nothing_more_and_still_opens() {
    let mut case = case().await;
    case.run("UPDATE vault SET kek_wraps = 2147483647").await;
    let somebody = by(2);
    let put = || case.store.put_credential(new_credential("acme", "new", GLOBAL, CANARY), &somebody);
    put().await.unwrap();
    assert!(matches!(put().await, Err(StoreError::KeyExhausted)));
    assert_eq!(case.store.open_credential(case.first).await.unwrap().expose(), CANARY);
    assert!(case.store.delete_credential(case.first, &by(9)).await.unwrap());
}

#[tokio::test]
async fn every_seal_is_counted() {
    let mut case = case().await;
    let wraps: i64 =
        sqlx::query_scalar("SELECT kek_wraps FROM vault").fetch_one(&mut case.sql).await.unwrap();
    assert_eq!(wraps, 3, "two credentials, and the key of the MACs");
}

#[tokio::test]
async fn an_older_row_put_back_whole_does_not_open() {
    let mut case = case().await;
    case.keep().await;
    case.store.put_credential(new_credential("acme", "first", GLOBAL, "sk-newer"), &by(2)).await.unwrap();
    case.run("DELETE FROM credentials WHERE key_name = 'first'").await;
    case.run("INSERT INTO credentials SELECT * FROM kept WHERE key_name = 'first'").await;
    case.assert_tampered(case.first).await;
    assert_eq!(case.store.open_credential(case.second).await.unwrap().expose(), CANARY, "the other is well");
}

#[tokio::test]
async fn a_key_that_was_widened_or_brought_back_to_life_opens_nothing() {
    let mut case = case().await;
    let grant = |name: &str| NewAccessKey {
        name: name.into(),
        role: KeyRole::Caller,
        project: Some("team".into()),
        models: vec!["small".into()],
        providers: Vec::new(),
        labels: Default::default(),
        expires_at: None,
    };
    let (_, wide) = case.store.create_key(grant("wide"), &by(2)).await.unwrap();
    let (revoked, dead) = case.store.create_key(grant("dead"), &by(2)).await.unwrap();
    case.store.revoke_key(&revoked.id, &by(3)).await.unwrap();
    case.run("UPDATE access_keys SET models = '[]', role = 'project_admin' WHERE name = 'wide'").await;
    case.run("UPDATE access_keys SET revoked_at = NULL WHERE name = 'dead'").await;
    let issued = case.store.issued_keys().await.unwrap();
    assert!([wide, dead].iter().all(|key| issued.find(key.expose(), second(4)).is_none()));
    assert!(case.store.access_keys().await.unwrap().iter().all(|key| !key.intact));
}

#[tokio::test]
async fn an_audit_entry_that_was_changed_removed_or_put_in_is_named() {
    for (sql, at) in [
        ("UPDATE audit SET actor = 'nobody' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 2", 2),
        (
            "INSERT INTO audit SELECT 4, at, actor, action, target, detail, request_id, digest, link FROM audit WHERE seq = 3",
            4,
        ),
    ] {
        let mut case = case().await;
        case.store.delete_credential(case.second, &by(4)).await.unwrap();
        case.run(sql).await;
        assert_eq!(case.store.verify_audit().await.unwrap(), AuditVerdict::BrokenAt { seq: at }, "{sql}");
    }
}

#[tokio::test]
async fn an_audit_log_that_was_cut_is_noticed() {
    let mut case = case().await;
    case.store.delete_credential(case.second, &by(4)).await.unwrap();
    case.run("DELETE FROM audit WHERE seq = 3").await;
    assert_eq!(case.store.verify_audit().await.unwrap(), AuditVerdict::Cut { seq: 2 });
}

#[tokio::test]
async fn a_row_that_was_removed_can_be_let_go() {
    let mut case = case().await;
    case.run("DELETE FROM credentials WHERE key_name = 'first'").await;
    assert!(case.store.delete_credential(case.first, &by(2)).await.unwrap());
    assert!(!case.store.delete_credential(case.first, &by(2)).await.unwrap());
}
