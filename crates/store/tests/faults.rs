//! A disk that is full, fails or may not be written, made by mounts of our own and by strace.
//!
//! Each test starts this binary again, as a child in a mount namespace or under strace, for one of the ignored tests at
//! the end. Where the system has no user namespaces or no strace, the test says so and is skipped.

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

#[path = "support/entries.rs"]
mod entries;
#[path = "support/stores.rs"]
mod stores;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use entries::bare_entry;
use store::{GLOBAL, Ledger, LedgerHandle, LedgerSettings, LedgerWriter, StoreError};
use stores::{by, new_credential, open};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const DIRECTORY: &str = "GATEWAY_FAULT_DIRECTORY";

fn directory() -> PathBuf {
    env::var(DIRECTORY).unwrap().into()
}

fn works(program: &str, arguments: &[&str]) -> bool {
    let works = Command::new(program).args(arguments).status().is_ok_and(|status| status.success());
    if !works {
        eprintln!("skipped: {program} is not available here");
    }
    works
}

/// Runs `role` in a shell of its own, after `setup`.
fn run(mut shell: Command, setup: &str, role: &str, directory: &Path) {
    let script = format!("{setup} exec \"$0\" --exact {role} --ignored --nocapture");
    let child = shell.args(["sh", "-ec", &script]).arg(env::current_exe().unwrap()).env(DIRECTORY, directory);
    let output = child.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{role}: {}", String::from_utf8_lossy(&text));
}

fn namespace() -> Option<Command> {
    let mut command = Command::new("unshare");
    command.arg("-rm");
    works("unshare", &["-rm", "true"]).then_some(command)
}

#[tokio::test]
async fn a_full_disk_refuses_credentials_holds_ledger_rows_and_recovers_alone() {
    let Some(shell) = namespace() else { return };
    let directory = TempDir::new().unwrap();
    let setup = format!("mount -t tmpfs -o size=1m none \"${DIRECTORY}\";");
    run(shell, &setup, "meets_a_full_disk", directory.path());
}

#[tokio::test]
#[ignore = "the child of a test above"]
async fn meets_a_full_disk() {
    let directory = directory();
    let opened = open(&directory).await.unwrap();
    let ledger: Arc<dyn Ledger> = Arc::clone(&opened.store) as _;
    let runtime = tokio::runtime::Handle::current();
    let writer =
        LedgerWriter::spawn(ledger, &runtime, LedgerSettings { capacity: 8, ..Default::default() }, |_| {});
    let handle = writer.handle();

    fill(&directory.join("filler"));
    let mut rows = 0;
    while !handle.stats().failing {
        rows += write_rows(&handle, 8).await;
    }
    let somebody = by(1);
    let put = |key| opened.store.put_credential(new_credential("acme", "x", GLOBAL, key), &somebody);
    let long = "k".repeat(60_000);
    let error = put(&long).await.unwrap_err();
    assert!(matches!(error, StoreError::Full) && error.is_retryable(), "{error}");
    rows += timeout(Duration::from_secs(5), write_rows(&handle, 500)).await.expect("requests go on");
    assert!(opened.store.credentials(None).await.unwrap().is_empty());

    fs::remove_file(directory.join("filler")).unwrap();
    put("sk-1").await.unwrap();
    let stats = writer.close().await;
    assert_eq!((stats.written, stats.pending, stats.dropped), (rows, 0, 0));
    assert_eq!(opened.store.count().await.unwrap() as u64, rows);
}

/// Leaves no block free.
fn fill(path: &Path) {
    let mut size = 1 << 20;
    let mut all = Vec::new();
    while size >= 4_096 {
        all.resize(all.len() + size, 0);
        if fs::write(path, &all).is_err() {
            all.truncate(all.len() - size);
            size /= 2;
        }
    }
    fs::write(path, &all).unwrap();
}

async fn write_rows(handle: &LedgerHandle, count: u64) -> u64 {
    for _ in 0..count {
        handle.slot().await.unwrap().write(bare_entry(Uuid::now_v7()));
        sleep(Duration::from_millis(1)).await;
    }
    count
}

#[tokio::test]
async fn a_credential_whose_sync_fails_is_not_acknowledged() {
    if !works("strace", &["-V"]) {
        return;
    }
    let directory = TempDir::new().unwrap();
    open(directory.path()).await.unwrap().store.close().await;
    let mut shell = Command::new("strace");
    shell.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync,fdatasync:error=EIO"]);
    run(shell, "", "meets_a_disk_that_does_not_sync", directory.path());
    let opened = open(directory.path()).await.unwrap();
    opened.store.put_credential(new_credential("acme", "x", GLOBAL, "sk-1"), &by(1)).await.unwrap();
}

#[tokio::test]
#[ignore = "the child of a test above"]
async fn meets_a_disk_that_does_not_sync() {
    let opened = open(&directory()).await.unwrap();
    let put = opened.store.put_credential(new_credential("acme", "x", GLOBAL, "sk-1"), &by(1)).await;
    assert!(matches!(put, Err(StoreError::Io(_))), "{put:?}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_refused() {
    let Some(shell) = namespace() else { return };
    let directory = TempDir::new().unwrap();
    open(directory.path()).await.unwrap().store.close().await;
    let setup =
        format!("mount --bind \"${DIRECTORY}\" \"${DIRECTORY}\"; mount -o remount,ro,bind \"${DIRECTORY}\";");
    run(shell, &setup, "meets_a_read_only_directory", directory.path());
}

#[tokio::test]
#[ignore = "the child of a test above"]
async fn meets_a_read_only_directory() {
    let directory = directory();
    for place in [directory.clone(), directory.join("new")] {
        let error = open(&place).await.err().unwrap();
        assert_eq!(error.exit_code(), 74, "{error}");
        let text = error.to_string();
        assert!(text.contains("cannot be written") && !text.contains('\n'), "{text}");
    }
}
