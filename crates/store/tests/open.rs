//! Opening a store: whose database, which key, with which modes; and what is refused, untouched, with which exit code.

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

#[path = "support/stores.rs"]
mod stores;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{GLOBAL, KeySource, OpenError, OpenOptions, Opened, Secret, StoreError};
use stores::{new_credential, open, second};
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
    opened.store.put_credential(new_credential("acme", "default", GLOBAL, CANARY), second(1)).await.unwrap();
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

#[tokio::test]
async fn a_first_start_makes_everything_with_the_right_modes() {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    let data = data(&directory);
    assert!(opened.created);
    assert_eq!(opened.key_source, KeySource::Generated(data.join("master.key")));
    assert_eq!(opened.database, data.join("vault.db"));
    opened.store.put_credential(new_credential("acme", "default", GLOBAL, CANARY), second(1)).await.unwrap();

    assert_eq!(mode(&data), 0o700);
    let names: Vec<_> =
        contents(&data).into_keys().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["master.key", "vault.db", "vault.db-shm", "vault.db-wal"]);
    for path in contents(&data).keys() {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    let key = fs::read_to_string(data.join("master.key")).unwrap();
    assert_eq!(key.len(), 65);
    assert!(key.ends_with('\n') && key.trim_end().bytes().all(|digit| digit.is_ascii_hexdigit()));
}

#[tokio::test]
async fn a_first_start_is_fast() {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let directory = TempDir::new().unwrap();
        let start = Instant::now();
        open(directory.path()).await.unwrap();
        best = best.min(start.elapsed());
    }
    eprintln!("best of 5 first starts: {best:?}");
    assert!(best < Duration::from_millis(200), "{best:?}, though 20 ms is the aim");
}

#[tokio::test]
async fn a_second_start_finds_what_the_first_made() {
    let directory = used_store().await;
    let opened = open(directory.path()).await.unwrap();
    assert!(!opened.created);
    assert_eq!(opened.key_source, KeySource::File(data(&directory).join("master.key")));
    let [credential] = opened.store.credentials(None).await.unwrap().try_into().unwrap();
    assert_eq!(opened.store.open_credential(credential.id).await.unwrap().expose(), CANARY);
}

#[tokio::test]
async fn a_given_key_is_used_and_no_file_is_made() {
    let directory = TempDir::new().unwrap();
    let opened = open_with_key(&directory, KEY).await.unwrap();
    assert_eq!(opened.key_source, KeySource::Given);
    assert!(!data(&directory).join("master.key").exists());
    drop(opened);
    open_with_key(&directory, &format!("{}\n", KEY.to_uppercase())).await.unwrap();
}

#[tokio::test]
async fn a_key_file_of_mcp_llm_bridge_serves_a_new_vault() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(data(&directory)).unwrap();
    set_mode(&data(&directory), 0o700);
    fs::write(data(&directory).join("master.key"), format!("{KEY}\n")).unwrap();
    set_mode(&data(&directory).join("master.key"), 0o600);
    assert!(open(directory.path()).await.unwrap().created);
    open_with_key(&directory, KEY).await.unwrap();
}

#[tokio::test]
async fn two_starts_at_once_make_one_vault() {
    let directory = TempDir::new().unwrap();
    let (one, two) = tokio::join!(open(directory.path()), open(directory.path()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.created, two.created);
    let put =
        one.store.put_credential(new_credential("acme", "default", GLOBAL, CANARY), second(1)).await.unwrap();
    assert_eq!(two.store.open_credential(put.id).await.unwrap().expose(), CANARY);
}

#[tokio::test]
async fn leftovers_of_a_start_that_was_killed_do_no_harm() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(data(&directory)).unwrap();
    set_mode(&data(&directory), 0o700);
    for name in ["master.key.new", "vault.db.new", "vault.db.new-wal", "vault.db.new-shm"] {
        fs::write(data(&directory).join(name), "half").unwrap();
    }
    assert!(open(directory.path()).await.unwrap().created);
    assert!(!data(&directory).join("vault.db.new").exists());
    assert!(!data(&directory).join("master.key.new").exists());
}

#[tokio::test]
async fn a_lost_key_is_refused_and_no_new_one_is_made() {
    let directory = used_store().await;
    fs::remove_file(data(&directory).join("master.key")).unwrap();
    let error = refused(&directory, 78).await;
    assert!(matches!(error, OpenError::KeyMissing { .. }), "{error}");
}

#[tokio::test]
async fn a_wrong_key_is_refused_before_anything_is_written() {
    let directory = used_store().await;
    let before = contents(&data(&directory));
    let error = open_with_key(&directory, OTHER_KEY).await.err().unwrap();
    assert!(matches!(error, OpenError::KeyWrong { .. }), "{error}");
    assert_eq!(error.exit_code(), 78);
    assert!(!error.to_string().contains(OTHER_KEY));
    assert!(contents(&data(&directory)) == before);
}

#[tokio::test]
async fn a_wrong_key_leaves_the_log_of_a_killed_process_alone_too() {
    let running = TempDir::new().unwrap();
    let opened = open(running.path()).await.unwrap();
    opened.store.put_credential(new_credential("acme", "default", GLOBAL, CANARY), second(1)).await.unwrap();
    let killed = TempDir::new().unwrap();
    fs::create_dir(data(&killed)).unwrap();
    for (path, bytes) in contents(&data(&running)) {
        fs::write(data(&killed).join(path.file_name().unwrap()), bytes).unwrap();
    }
    let database = |name: &str| fs::read(data(&killed).join(name)).unwrap();
    let before = (database("vault.db"), database("vault.db-wal"));
    assert!(!before.1.is_empty(), "the credential is in the log only");
    let error = open_with_key(&killed, OTHER_KEY).await.err().unwrap();
    assert!(matches!(error, OpenError::KeyWrong { .. }), "{error}");
    assert!((database("vault.db"), database("vault.db-wal")) == before);
}

#[tokio::test]
async fn a_key_that_is_not_64_hexadecimal_digits_is_refused() {
    for text in
        ["", "\n", &KEY[..63], &KEY[1..], &format!("{KEY}00"), &KEY.replace('f', "g"), "ключ", "\u{0}"]
    {
        let directory = used_store().await;
        fs::write(data(&directory).join("master.key"), text).unwrap();
        let error = refused(&directory, 78).await;
        assert!(matches!(error, OpenError::KeyFormat { .. }), "{text:?}: {error}");
        let error = open_with_key(&directory, text).await.err().unwrap();
        assert!(matches!(error, OpenError::KeyFormat { .. }), "{text:?}: {error}");
    }
    let directory = used_store().await;
    fs::write(data(&directory).join("master.key"), [0xff; 64]).unwrap();
    assert!(matches!(refused(&directory, 78).await, OpenError::KeyFormat { .. }));
}

#[tokio::test]
async fn a_key_file_that_others_could_read_or_replace_is_refused() {
    let directory = used_store().await;
    let key = data(&directory).join("master.key");
    for open_mode in [0o640, 0o604, 0o660, 0o644] {
        set_mode(&key, open_mode);
        let error = refused(&directory, 78).await;
        assert!(matches!(error, OpenError::KeyFileUnsafe { .. }), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    set_mode(&key, 0o400);
    open(directory.path()).await.unwrap().store.close().await;

    set_mode(&data(&directory), 0o750);
    let error = refused(&directory, 78).await;
    assert!(matches!(error, OpenError::DataDirUnsafe { .. }), "{error}");
    assert!(error.to_string().contains("chmod 700"), "{error}");
}

#[tokio::test]
async fn a_key_is_not_made_in_a_directory_that_is_open_to_others() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(data(&directory)).unwrap();
    set_mode(&data(&directory), 0o755);
    assert!(matches!(refused(&directory, 78).await, OpenError::DataDirUnsafe { .. }));
    open_with_key(&directory, KEY).await.expect("a given key asks nothing of the directory");
}

#[tokio::test]
async fn a_key_file_that_is_not_a_regular_file_is_refused() {
    let directory = used_store().await;
    let key = data(&directory).join("master.key");
    let elsewhere = directory.path().join("elsewhere");
    fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    assert!(matches!(refused(&directory, 78).await, OpenError::KeyFileUnsafe { .. }));
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    assert!(matches!(refused(&directory, 78).await, OpenError::KeyFileUnsafe { .. }));
    fs::remove_dir(&key).unwrap();
    std::process::Command::new("mkfifo").arg(&key).status().unwrap();
    assert!(matches!(open(directory.path()).await.err().unwrap(), OpenError::KeyFileUnsafe { .. }));
}

/// The tables of mcp-llm-bridge. Source: CONTRACT.md section 7.
const FOREIGN: &str = "
    CREATE TABLE credentials (
        id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, key_name TEXT NOT NULL DEFAULT 'default',
        project TEXT NOT NULL DEFAULT '_global', encrypted_value BLOB NOT NULL, iv BLOB NOT NULL,
        auth_tag BLOB NOT NULL, created_at TEXT, updated_at TEXT, UNIQUE (provider, key_name, project));
    INSERT INTO credentials (provider, encrypted_value, iv, auth_tag) VALUES ('openai', x'00', x'01', x'02');";

/// A vault of mcp-llm-bridge with a key file beside it, as it leaves them: database 0644.
async fn foreign_vault() -> (TempDir, SqliteConnection) {
    let directory = TempDir::new().unwrap();
    fs::create_dir(data(&directory)).unwrap();
    set_mode(&data(&directory), 0o700);
    fs::write(data(&directory).join("master.key"), format!("{KEY}\n")).unwrap();
    set_mode(&data(&directory).join("master.key"), 0o600);
    let mut connection = sql(&data(&directory).join("vault.db")).await;
    sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut connection).await.unwrap();
    sqlx::raw_sql(FOREIGN).execute(&mut connection).await.unwrap();
    (directory, connection)
}

#[tokio::test]
async fn a_vault_of_mcp_llm_bridge_is_refused_untouched() {
    let (directory, connection) = foreign_vault().await;
    connection.close().await.unwrap();
    let database = data(&directory).join("vault.db");
    assert_eq!(contents(&data(&directory)).len(), 2, "no side files: it is not running");
    let error = refused(&directory, 78).await.to_string();
    assert!(error.contains("mcp-llm-bridge") && error.contains(&database.display().to_string()), "{error}");
    assert!(error.contains("`llm-gateway import mcp-llm-bridge"), "{error}");
    assert_eq!(mode(&database), 0o644);
    assert!(store::is_foreign(&database).await.unwrap());
}

#[tokio::test]
async fn a_vault_of_mcp_llm_bridge_in_use_is_refused_untouched() {
    let (directory, _running) = foreign_vault().await;
    assert_eq!(contents(&data(&directory)).len(), 4, "all of its rows are in its log");
    let error = refused(&directory, 78).await;
    assert!(matches!(error, OpenError::ForeignVault { .. }), "{error}");
    assert!(error.to_string().contains("`llm-gateway import mcp-llm-bridge"), "{error}");
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_untouched() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(data(&directory)).unwrap();
    let mut connection = sql(&data(&directory).join("vault.db")).await;
    sqlx::raw_sql("CREATE TABLE notes (text)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert!(matches!(refused(&directory, 78).await, OpenError::ForeignVault { .. }));
}

#[tokio::test]
async fn our_own_and_absent_vaults_are_not_foreign() {
    let directory = used_store().await;
    assert!(!store::is_foreign(&data(&directory).join("vault.db")).await.unwrap());
    assert!(!store::is_foreign(&data(&directory).join("nothing.db")).await.unwrap());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let directory = used_store().await;
    let mut connection = sql(&data(&directory).join("vault.db")).await;
    sqlx::raw_sql("INSERT INTO migrations VALUES (999, 'future')").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let error = refused(&directory, 78).await;
    assert!(matches!(error, OpenError::NewerSchema { found: 999, .. }), "{error}");
}

#[tokio::test]
async fn a_database_cut_short_is_refused() {
    let directory = used_store().await;
    let database = data(&directory).join("vault.db");
    let whole = fs::read(&database).unwrap();
    for length in [0, 1, 99, 100, 512, 4_095, 4_096, 8_192, whole.len() - 4_096] {
        fs::write(&database, &whole[..length]).unwrap();
        let error = refused(&directory, 65).await;
        assert!(matches!(error, OpenError::Corrupt { .. }), "{length} bytes: {error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = used_store().await;
    fs::write(data(&directory).join("vault.db"), [0x5a; 8_192]).unwrap();
    assert!(matches!(refused(&directory, 65).await, OpenError::Corrupt { .. }));
}

#[tokio::test]
async fn a_damaged_first_page_never_panics_and_is_never_written_over() {
    let directory = used_store().await;
    let database = data(&directory).join("vault.db");
    let whole = fs::read(&database).unwrap();
    let mut refusals = 0;
    for at in (0..200).chain((200..4_096).step_by(61)) {
        let mut bent = whole.clone();
        bent[at] ^= 0xff;
        fs::write(&database, &bent).unwrap();
        if let Err(error) = open(directory.path()).await {
            refusals += 1;
            assert!(
                fs::read(&database).unwrap() == bent,
                "byte {at} is flipped, and more was changed: {error}"
            );
            assert!([65, 74, 78].contains(&error.exit_code()), "byte {at}: {error}");
        }
    }
    assert!(refusals > 40, "only {refusals} were noticed");
    for at in [0, 16, 68, 100] {
        let mut bent = whole.clone();
        bent[at..at + 8].fill(0xff);
        fs::write(&database, &bent).unwrap();
        assert_eq!(refused(&directory, 65).await.exit_code(), 65, "byte {at}");
    }
}

#[tokio::test]
async fn garbage_in_the_log_is_ignored() {
    let directory = used_store().await;
    fs::write(data(&directory).join("vault.db-wal"), [0x5a; 10_000]).unwrap();
    let opened = open(directory.path()).await.unwrap();
    assert_eq!(opened.store.credentials(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_that_others_can_read_is_taken_away_from_them() {
    let directory = used_store().await;
    let database = data(&directory).join("vault.db");
    set_mode(&database, 0o644);
    let opened = open(directory.path()).await.unwrap();
    opened.store.put_credential(new_credential("acme", "default", GLOBAL, CANARY), second(2)).await.unwrap();
    for path in contents(&data(&directory)).keys() {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn the_database_may_lie_elsewhere() {
    let directory = TempDir::new().unwrap();
    let db_path = Some(directory.path().join("elsewhere/gateway.db"));
    let options = || OpenOptions { data_dir: data(&directory), db_path: db_path.clone(), master_key: None };
    let opened = store::open(options()).await.unwrap();
    assert_eq!(Some(&opened.database), db_path.as_ref());
    assert_eq!(mode(&opened.database), 0o600);
    assert!(data(&directory).join("master.key").exists());
    assert!(!store::open(options()).await.unwrap().created);
}

#[tokio::test]
async fn a_place_that_cannot_be_a_directory_is_refused() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    for data_dir in
        [directory.path().join("file"), directory.path().join("file/data"), "/proc/llm-gateway".into()]
    {
        let error =
            store::open(OpenOptions { data_dir, db_path: None, master_key: None }).await.err().unwrap();
        assert_eq!(error.exit_code(), 74, "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn a_write_while_another_process_holds_the_database_is_busy_and_may_be_repeated() {
    let directory = used_store().await;
    let opened = open(directory.path()).await.unwrap();
    let mut other = sql(&opened.database).await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let start = Instant::now();
    let put = || opened.store.put_credential(new_credential("acme", "late", GLOBAL, CANARY), second(2));
    let error = put().await.unwrap_err();
    assert!(matches!(error, StoreError::Busy), "{error}");
    assert!(error.is_retryable());
    assert!(start.elapsed() >= Duration::from_secs(4), "it waited: {:?}", start.elapsed());
    assert_eq!(opened.store.credentials(None).await.unwrap().len(), 1, "reading goes on");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    put().await.unwrap();
}

#[tokio::test]
async fn a_start_while_another_process_has_the_database_to_itself_is_temporary() {
    let directory = used_store().await;
    let mut other = sql(&data(&directory).join("vault.db")).await;
    let exclusive =
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE vault SET kek_wraps = kek_wraps; COMMIT";
    sqlx::raw_sql(exclusive).execute(&mut other).await.unwrap();
    let error = open(directory.path()).await.err().unwrap();
    assert_eq!(error.exit_code(), 75, "{error}");
}

#[tokio::test]
async fn no_file_holds_a_secret_or_the_start_of_one() {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    let put = opened
        .store
        .put_credential(new_credential("acme", "default", GLOBAL, CANARY), second(1))
        .await
        .unwrap();
    opened
        .store
        .put_credential(new_credential("acme", "default", GLOBAL, "sk-canary-second"), second(1))
        .await
        .unwrap();
    opened.store.credentials(None).await.unwrap();
    opened.store.delete_credential(put.id).await.unwrap();
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    // The Base64 of the canary, without the last letters, which depend on what follows.
    let base64 = "c2stY2FuYXJ5LTViMWQ3ZTkwYzJh";
    for (path, bytes) in contents(&data(&directory)) {
        for needle in ["sk-cana", &CANARY[10..], &hex, base64] {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{} holds {needle}", path.display());
        }
    }
}
