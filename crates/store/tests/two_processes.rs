//! Two processes on one vault, as `serve` and `mcp` are: no write of either is lost, and neither is told to come again.
//!
//! The children are this same test binary, started for the ignored test at the end. `GATEWAY_WRITES` sets how much each
//! of them writes.

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

#[path = "support/entries.rs"]
mod entries;
#[path = "support/stores.rs"]
mod stores;

use std::env;
use std::process::{Command, Stdio};

use entries::bare_entry;
use store::{AuditVerdict, GLOBAL};
use stores::{by, new_credential, open};
use tempfile::TempDir;
use uuid::Uuid;

const DIRECTORY: &str = "GATEWAY_TWO_DIRECTORY";
const NAME: &str = "GATEWAY_TWO_NAME";

fn writes() -> usize {
    env::var("GATEWAY_WRITES").map_or(150, |text| text.parse().unwrap())
}

#[tokio::test]
async fn what_two_processes_write_at_once_is_all_there() {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    let before = opened.store.generation().await.unwrap();
    let children = ["one", "two"].map(|name| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "writes_its_share", "--ignored", "--nocapture"])
            .envs([(DIRECTORY, directory.path().as_os_str()), (NAME, name.as_ref())])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    });
    for mut child in children {
        assert!(child.wait().unwrap().success(), "no write was refused");
    }
    let store = &*opened.store;
    let stored = store.credentials(None).await.unwrap();
    assert_eq!(stored.len(), 2 * writes() + 1, "and one that both have written");
    assert!(stored.iter().all(|credential| credential.intact));
    assert_eq!(store.count().await.unwrap(), 2 * writes() as i64);
    let changes = 4 * writes() as i64;
    assert_eq!(store.generation().await.unwrap() - before, changes);
    assert_eq!(store.verify_audit().await.unwrap(), AuditVerdict::Intact { entries: changes });
    assert_eq!(store.inspect().await.unwrap().complaints, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "the child of the test above"]
async fn writes_its_share() {
    let (directory, name) = (env::var(DIRECTORY).unwrap(), env::var(NAME).unwrap());
    let opened = open(directory.as_ref()).await.unwrap();
    for n in 0..writes() {
        for key_name in [format!("{name}-{n}"), "shared".to_owned()] {
            let new = new_credential("acme", &key_name, GLOBAL, "sk-x");
            opened.store.put_credential(new, &by(1)).await.unwrap();
        }
        opened.store.append(&[bare_entry(Uuid::now_v7())]).await.unwrap();
    }
    opened.store.close().await;
}
