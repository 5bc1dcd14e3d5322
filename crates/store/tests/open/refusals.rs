//! Databases that are not ours, too new, or damaged.

use super::*;

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
        match open(directory.path()).await {
            Ok(opened) => opened.store.close().await,
            Err(error) => {
                refusals += 1;
                let untouched = fs::read(&database).unwrap() == bent;
                assert!(untouched, "byte {at} is flipped, and more was changed: {error}");
                assert!([65, 74, 78].contains(&error.exit_code()), "byte {at}: {error}");
            }
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

/// A vault of the schema before this one, under `OLD_KEY`: three credentials, one of them written twice, and a row of
/// the ledger.
const OLD: &[u8] = include_bytes!("../fixtures/schema-1.db");

fn old_vault() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(data(&directory)).unwrap();
    set_mode(&data(&directory), 0o700);
    fs::write(data(&directory).join("vault.db"), OLD).unwrap();
    set_mode(&data(&directory).join("vault.db"), 0o600);
    directory
}

#[tokio::test]
async fn a_vault_of_the_previous_schema_is_upgraded_and_keeps_everything() {
    let old_key = "5e".repeat(32);
    let directory = old_vault();
    for _ in 0..2 {
        let opened = open_with_key(&directory, &old_key).await.unwrap();
        let store = &opened.store;
        let mut secrets = Vec::new();
        for credential in store.credentials(None).await.unwrap() {
            assert!(credential.intact);
            secrets.push(store.open_credential(credential.id).await.unwrap().expose().to_owned());
        }
        assert_eq!(secrets, ["sk-acme-0123456789abcdef", "sk-team-replaced-0123456789", "ключ"]);
        assert_eq!(store.count().await.unwrap(), 1);
        assert_eq!(store.verify_audit().await.unwrap(), AuditVerdict::Intact { entries: 3 });
        store.close().await;
    }
    let opened = open_with_key(&directory, &old_key).await.unwrap();
    opened.store.put_credential(new_credential("acme", "new", GLOBAL, CANARY), &by(1)).await.unwrap();
    assert_eq!(opened.store.verify_audit().await.unwrap(), AuditVerdict::Intact { entries: 4 });
}

#[tokio::test]
async fn a_vault_of_the_previous_schema_is_not_touched_by_a_wrong_key() {
    let directory = old_vault();
    let error = open_with_key(&directory, OTHER_KEY).await.err().unwrap();
    assert_eq!(error.exit_code(), 78, "{error}");
    assert_eq!(fs::read(data(&directory).join("vault.db")).unwrap(), OLD);
}

#[tokio::test]
async fn a_vault_that_pretends_to_be_of_the_previous_format_is_refused() {
    let directory = used_store().await;
    let mut connection = sql(&data(&directory).join("vault.db")).await;
    sqlx::raw_sql("UPDATE vault SET format = 1").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(open(directory.path()).await.err().unwrap().exit_code(), 78);
}
