//! Care of the vault as a whole: new keys while it is in use, inspection, backup and restore.

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

#[path = "support/files.rs"]
mod files;
#[path = "support/stores.rs"]
mod stores;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use files::new_file;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use store::{GLOBAL, KeyRole, NewAccessKey, OpenOptions, Opened, Secret, Store, StoreError};
use stores::{by, new_credential, open, second};
use tempfile::TempDir;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A store with `count` credentials, a file and an access key.
async fn filled(count: usize) -> (TempDir, Opened, Secret) {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    for number in 0..count {
        put(&*opened.store, number).await;
    }
    opened.store.put_file(new_file("claude", "auth.json", GLOBAL, "{}"), &by(1)).await.unwrap();
    let (_, key) = opened.store.create_key(grant("ci"), &by(1)).await.unwrap();
    (directory, opened, key)
}

fn grant(name: &str) -> NewAccessKey {
    NewAccessKey {
        name: name.into(),
        role: KeyRole::Caller,
        project: None,
        models: Vec::new(),
        providers: Vec::new(),
        labels: Default::default(),
        expires_at: None,
    }
}

async fn put(store: &dyn Store, number: usize) {
    let new = new_credential("acme", &format!("k{number}"), GLOBAL, &format!("sk-{number}"));
    store.put_credential(new, &by(1)).await.unwrap();
}

/// Every credential opens and is the right one; so does the file, and the access key opens the door.
async fn assert_readable(store: &dyn Store, count: usize, key: &Secret) {
    let credentials = store.credentials(None).await.unwrap();
    assert_eq!(credentials.len(), count);
    for credential in &credentials {
        assert!(credential.intact);
        let number = credential.key_name.strip_prefix('k').unwrap();
        let secret = store.open_credential(credential.id).await.unwrap();
        assert_eq!(secret.expose(), format!("sk-{number}"));
    }
    assert!(store.files(None).await.unwrap().iter().all(|file| file.intact));
    assert!(store.issued_keys().await.unwrap().find(key.expose(), second(2)).is_some());
    assert_eq!(store.inspect().await.unwrap().complaints, Vec::<String>::new());
}

async fn sql(opened: &Opened, statement: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(&opened.database).connect().await.unwrap();
    assert!(sqlx::raw_sql(statement).execute(&mut connection).await.unwrap().rows_affected() > 0);
}

#[tokio::test]
async fn a_new_key_encryption_key_moves_every_row_and_changes_none() {
    let (directory, opened, key) = filled(250).await;
    assert_eq!(opened.store.rotate_kek(&by(2)).await.unwrap(), 251);
    assert_readable(&*opened.store, 250, &key).await;
    let mut connection = SqliteConnectOptions::new().filename(&opened.database).connect().await.unwrap();
    let numbers: Vec<i64> =
        sqlx::query_scalar("SELECT DISTINCT kek_no FROM credentials UNION SELECT kek_no FROM vault")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(numbers, [2]);
    opened.store.close().await;
    assert_readable(&*open(directory.path()).await.unwrap().store, 250, &key).await;
}

#[tokio::test]
async fn a_rotation_that_was_broken_off_is_brought_to_its_end() {
    let (_directory, opened, key) = filled(3).await;
    // As a kill after the first transaction leaves it: the vault names the new key, no row is under it.
    opened.store.rotate_kek(&by(2)).await.unwrap();
    put(&*opened.store, 1).await;
    let keep = "CREATE TABLE kept AS SELECT * FROM credentials; INSERT INTO migrations VALUES (0, 'x')";
    sql(&opened, keep).await;
    opened.store.rotate_kek(&by(2)).await.unwrap();
    let undo = "UPDATE credentials SET (kek_no, wrapped_key) = \
                (SELECT kek_no, wrapped_key FROM kept WHERE kept.id = credentials.id) WHERE key_name <> 'k1'";
    sql(&opened, undo).await;
    let complaints = opened.store.inspect().await.unwrap().complaints;
    assert!(
        complaints.len() == 1 && complaints[0].starts_with("2 rows are still under an older key"),
        "{complaints:?}"
    );
    assert_eq!(opened.store.rotate_kek(&by(3)).await.unwrap(), 2, "no third key is begun");
    assert_readable(&*opened.store, 3, &key).await;
}

/// Reads all the time, and says whether everything could be read.
fn reader(store: Arc<dyn Store>, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<usize> {
    tokio::spawn(async move {
        let mut reads = 0;
        while !stop.load(Ordering::Relaxed) {
            for credential in store.credentials(None).await.unwrap() {
                assert!(credential.intact);
                store.open_credential(credential.id).await.unwrap();
                reads += 1;
            }
            tokio::task::yield_now().await;
        }
        reads
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_use_of_the_vault_fails_while_its_keys_are_replaced() {
    let (directory, one, key) = filled(20).await;
    let other = open(directory.path()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let readers = [reader(one.store.clone(), stop.clone()), reader(other.store.clone(), stop.clone())];
    for round in 0..3 {
        one.store.rotate_root(&by(2)).await.unwrap();
        put(&*other.store, 20 + 2 * round).await;
        other.store.rotate_kek(&by(2)).await.unwrap();
        put(&*one.store, 21 + 2 * round).await;
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    assert_readable(&*one.store, 26, &key).await;
    assert_readable(&*other.store, 26, &key).await;
}

#[tokio::test]
async fn a_new_master_key_opens_what_the_old_one_does_not_any_more() {
    let (directory, opened, key) = filled(3).await;
    let file = directory.path().join("data/master.key");
    let old = std::fs::read(&file).unwrap();
    opened.store.rotate_root(&by(2)).await.unwrap();
    assert_ne!(std::fs::read(&file).unwrap(), old);
    opened.store.close().await;
    let again = open(directory.path()).await.unwrap();
    assert_readable(&*again.store, 3, &key).await;
    again.store.close().await;
    std::fs::write(&file, old).unwrap();
    assert_eq!(open(directory.path()).await.err().unwrap().exit_code(), 78);
}

/// The three moments at which a kill may leave the two key files.
#[tokio::test]
async fn whatever_a_kill_leaves_of_a_new_master_key_the_vault_opens() {
    let (directory, opened, key) = filled(1).await;
    let (file, next) =
        (directory.path().join("data/master.key"), directory.path().join("data/master.key.next"));
    let old = std::fs::read(&file).unwrap();
    opened.store.close().await;
    std::fs::copy(&file, &next).unwrap();
    std::fs::write(&next, format!("{KEY}\n")).unwrap();
    let opened = open(directory.path()).await.unwrap();
    assert_readable(&*opened.store, 1, &key).await;
    assert!(!next.exists(), "before the vault was under it");
    opened.store.rotate_root(&by(2)).await.unwrap();
    opened.store.close().await;
    std::fs::rename(&file, &next).unwrap();
    std::fs::write(&file, &old).unwrap();
    std::fs::set_permissions(&file, std::fs::metadata(&next).unwrap().permissions()).unwrap();
    let opened = open(directory.path()).await.unwrap();
    assert_readable(&*opened.store, 1, &key).await;
    assert!(!next.exists() && std::fs::read(&file).unwrap() != old, "after");
}

#[tokio::test]
async fn a_master_key_that_was_given_is_not_replaced() {
    let directory = TempDir::new().unwrap();
    let master_key = Some(Secret::new(KEY.into()));
    let options = OpenOptions { data_dir: directory.path().join("data"), db_path: None, master_key };
    let opened = store::open(options).await.unwrap();
    assert!(matches!(opened.store.rotate_root(&by(1)).await, Err(StoreError::KeyGiven)));
    assert_eq!(opened.store.rotate_kek(&by(1)).await.unwrap(), 0);
}

#[tokio::test]
async fn an_inspection_names_every_row_that_is_not_as_it_was_written() {
    let (_directory, opened, _) = filled(4).await;
    sql(&opened, "UPDATE credentials SET project = 'thief' WHERE key_name = 'k0'").await;
    sql(&opened, "DELETE FROM credentials WHERE key_name = 'k1'").await;
    sql(&opened, "UPDATE access_keys SET models = '[\"*\"]'").await;
    sql(
        &opened,
        "INSERT INTO files SELECT 9, randomblob(16), provider, 'x', project, version, kek_no, wrapped_key, body, 1, 1 FROM files",
    )
    .await;
    let found = opened.store.inspect().await.unwrap();
    let named = |what: &str| found.complaints.iter().any(|complaint| complaint.contains(what));
    for what in
        ["acme/k0 of thief) was changed", "acme/k1 of _global) was removed", "(ci) was changed", "file/9"]
    {
        assert!(named(what), "{what}: {:?}", found.complaints);
    }
    assert_eq!((found.complaints.len(), found.audit_entries), (4, 6));
    let error = opened.store.rotate_root(&by(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    for credential in opened.store.credentials(None).await.unwrap() {
        assert_eq!(opened.store.open_credential(credential.id).await.is_ok(), credential.key_name != "k0");
    }
}

#[tokio::test]
async fn a_backup_brings_back_what_was_lost_and_takes_away_what_came_since() {
    let (directory, opened, key) = filled(3).await;
    let (store, copy) = (&*opened.store, directory.path().join("copy.db"));
    let (gone, gone_key) = store.create_key(grant("revoked since"), &by(1)).await.unwrap();
    store.backup(&copy).await.unwrap();
    assert!(store.backup(&copy).await.is_err(), "no file is overwritten");
    put(store, 7).await;
    store.revoke_key(&gone.id, &by(2)).await.unwrap();
    let (_, new_key) = store.create_key(grant("made since"), &by(2)).await.unwrap();
    let first = store.credentials(None).await.unwrap()[0].id;
    store.delete_credential(first, &by(2)).await.unwrap();
    store.rotate_kek(&by(2)).await.unwrap();
    let restored = store.restore(&copy, &by(3)).await.unwrap();
    assert_eq!((restored.brought_back, restored.taken_away), (3 + 1 + 1, 1 + 1));
    assert_readable(store, 3, &key).await;
    let issued = store.issued_keys().await.unwrap();
    for secret in [gone_key, new_key] {
        assert!(issued.find(secret.expose(), second(3)).is_none());
    }
}

#[tokio::test]
async fn a_backup_of_another_vault_is_refused() {
    let (directory, opened, key) = filled(1).await;
    let (_other_directory, other, _) = filled(2).await;
    let copy = directory.path().join("copy.db");
    other.store.backup(&copy).await.unwrap();
    let error = opened.store.restore(&copy, &by(2)).await.unwrap_err();
    assert!(error.to_string().contains("another vault"), "{error}");
    assert_readable(&*opened.store, 1, &key).await;
}
