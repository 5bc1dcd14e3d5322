//! The master key: given, lost, wrong, malformed, or where others could reach it.

use super::*;

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
    opened.store.put_credential(new_credential("acme", "default", GLOBAL, CANARY), &by(1)).await.unwrap();
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
