//! kill -9 at random moments: what was acknowledged is there, and the database is whole.
//!
//! The child is this same test binary, started again for the ignored tests at the end. It prints what was acknowledged;
//! the parent kills it, opens the store, and compares. `GATEWAY_KILL_ROUNDS` sets the number of rounds,
//! `GATEWAY_KILL_AGE_MS` the age from which a ledger row must have survived (100 ms is promised; the default is kind to
//! a busy machine).

#![expect(clippy::unwrap_used, reason = "a test may say so by panicking")]

#[path = "support/entries.rs"]
mod entries;
#[path = "support/stores.rs"]
mod stores;

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use entries::bare_entry;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};
use store::{AuditVerdict, GLOBAL, Ledger, LedgerSettings, LedgerWriter, Opened, Secrets, Store};
use stores::{by, new_credential, open};
use tempfile::TempDir;
use uuid::Uuid;

/// Tells the child where to write.
const DIRECTORY: &str = "GATEWAY_KILL_DIRECTORY";

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A length of time between nothing and `longest`, by chance.
fn up_to(longest: Duration) -> Duration {
    longest.mul_f64((Uuid::new_v4().as_u128() % 10_000) as f64 / 10_000.0)
}

/// What the child has acknowledged, and when the parent heard of it.
#[derive(Default)]
struct Heard {
    /// Credential name to the number of its last acknowledged key.
    credentials: HashMap<String, u64>,
    rows: Vec<(Uuid, Instant)>,
}

impl Heard {
    fn line(&mut self, line: &str, at: Instant) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["credential", name, number] => {
                self.credentials.insert(name.to_owned(), number.parse().unwrap());
            }
            ["row", id] => self.rows.push((id.parse().unwrap(), at)),
            _ => {}
        }
    }
}

fn start(role: &str, directory: &Path) -> (Child, Receiver<(String, Instant)>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", role, "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = sender.send((line, Instant::now()));
        }
    });
    (child, receiver)
}

/// Lets a child write for a while, kills it, and gives back what it had acknowledged by then, and the moment.
fn write_and_kill(directory: &Path, heard: &mut Heard, (least, longest): (Duration, Duration)) -> Instant {
    let (mut child, lines) = start("writes_until_it_is_killed", directory);
    let (ready, _) = lines.recv_timeout(Duration::from_secs(60)).expect("the child starts");
    assert!(ready.is_empty() || ready.starts_with("running"), "{ready}");
    std::thread::sleep(least + up_to(longest - least));
    let killed = Instant::now();
    child.kill().unwrap();
    child.wait().unwrap();
    for (line, at) in lines {
        heard.line(&line, at);
    }
    killed
}

async fn assert_whole(opened: &Opened) {
    let mut sql = SqliteConnectOptions::new().filename(&opened.database).connect().await.unwrap();
    let check = sqlx::query("PRAGMA integrity_check").fetch_one(&mut sql).await.unwrap();
    assert_eq!(check.get::<String, _>(0), "ok");
}

async fn assert_credentials(store: &dyn Store, heard: &Heard) {
    let stored = store.credentials(None).await.unwrap();
    for (name, acknowledged) in &heard.credentials {
        let found = stored.iter().find(|c| &c.key_name == name).expect("an acknowledged credential is there");
        let key = store.open_credential(found.id).await.unwrap();
        let number: u64 = key.expose().strip_prefix("sk-").unwrap().parse().unwrap();
        assert!(number >= *acknowledged, "{name} was acknowledged with key {acknowledged}, but has {number}");
    }
    assert!(stored.iter().all(|credential| credential.intact));
}

/// Rows too young to be promised when the process was killed are forgotten, so that the next round does not ask.
async fn assert_rows(store: &dyn Store, heard: &mut Heard, killed: Instant, age: Duration) {
    let stored: HashSet<Uuid> = store.recent(u32::MAX).await.unwrap().iter().map(|row| row.id).collect();
    heard.rows.retain(|(_, at)| *at + age < killed);
    for (id, at) in &heard.rows {
        assert!(stored.contains(id), "a row {:?} old is lost", killed - *at);
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let age = Duration::from_millis(number("GATEWAY_KILL_AGE_MS", 500));
    let directory = TempDir::new().unwrap();
    let mut heard = Heard::default();
    for round in 0..number("GATEWAY_KILL_ROUNDS", 4) {
        // Every other child may die at once; of the rest some rows are old enough to be asked for.
        let least = if round % 2 == 0 { Duration::ZERO } else { age * 3 / 2 };
        let longest = age * 2 + Duration::from_millis(500);
        let killed = write_and_kill(directory.path(), &mut heard, (least, longest));
        let opened = open(directory.path()).await.unwrap();
        assert_whole(&opened).await;
        assert_credentials(&*opened.store, &heard).await;
        assert_rows(&*opened.store, &mut heard, killed, age).await;
        let (credentials, due) = (heard.credentials.len(), heard.rows.len());
        let total = opened.store.count().await.unwrap();
        println!("round {round}: {credentials} credentials, {due} rows due, {total} stored");
    }
    assert!(heard.credentials.len() > 3, "the children wrote too little to tell");
    assert!(heard.rows.len() > 10, "the children wrote too little to tell");
}

#[tokio::test]
async fn a_first_start_that_is_killed_leaves_a_place_where_the_next_one_works() {
    let mut finished = 0;
    let rounds = number("GATEWAY_KILL_ROUNDS", 15);
    for _ in 0..rounds {
        let directory = TempDir::new().unwrap();
        let (mut child, lines) = start("opens_and_waits", directory.path());
        let _ = lines.recv_timeout(Duration::from_secs(60)).expect("the child starts");
        std::thread::sleep(up_to(Duration::from_millis(80)));
        child.kill().unwrap();
        child.wait().unwrap();
        finished += u64::from(lines.iter().any(|(line, _)| line == "open"));
        let opened = open(directory.path()).await.unwrap();
        assert_whole(&opened).await;
        opened.store.put_credential(new_credential("acme", "x", GLOBAL, "sk-1"), &by(1)).await.unwrap();
    }
    println!("{finished} of {rounds} starts had finished when they were killed");
}

#[tokio::test]
async fn a_process_that_is_killed_while_it_replaces_keys_leaves_everything_readable() {
    let directory = TempDir::new().unwrap();
    let opened = open(directory.path()).await.unwrap();
    for n in 0..CREDENTIALS {
        let new = new_credential("acme", &format!("k{n}"), GLOBAL, &format!("sk-{n}"));
        opened.store.put_credential(new, &by(1)).await.unwrap();
    }
    opened.store.close().await;
    let mut finished = 0;
    let rounds = number("GATEWAY_KILL_ROUNDS", 5);
    for _ in 0..rounds {
        let (mut child, lines) = start("replaces_keys_until_it_is_killed", directory.path());
        let _ = lines.recv_timeout(Duration::from_secs(60)).expect("the child starts");
        std::thread::sleep(up_to(Duration::from_millis(400)));
        child.kill().unwrap();
        child.wait().unwrap();
        finished += lines.iter().filter(|(line, _)| line == "replaced").count();
        let opened = open(directory.path()).await.unwrap();
        assert_whole(&opened).await;
        assert_all_open(&*opened.store).await;
        opened.store.rotate_kek(&by(2)).await.unwrap();
        assert_eq!(opened.store.inspect().await.unwrap().complaints, Vec::<String>::new());
        opened.store.close().await;
    }
    println!("{finished} changes of keys had finished in {rounds} rounds");
}

/// More than are moved in one transaction.
const CREDENTIALS: usize = 150;

async fn assert_all_open(store: &dyn Store) {
    let stored = store.credentials(None).await.unwrap();
    assert_eq!(stored.len(), CREDENTIALS);
    for credential in stored {
        let key = store.open_credential(credential.id).await.unwrap();
        assert_eq!(key.expose().strip_prefix("sk-"), credential.key_name.strip_prefix('k'));
    }
}

#[tokio::test]
async fn an_upgrade_that_is_killed_is_done_by_the_next_start() {
    let old = include_bytes!("fixtures/schema-1.db");
    for _ in 0..number("GATEWAY_KILL_ROUNDS", 5) {
        let directory = TempDir::new().unwrap();
        let data = directory.path().join("data");
        std::fs::DirBuilder::new().mode(0o700).create(&data).unwrap();
        std::fs::write(data.join("vault.db"), old).unwrap();
        std::fs::write(data.join("master.key"), "5e".repeat(32)).unwrap();
        std::fs::set_permissions(data.join("master.key"), Permissions::from_mode(0o600)).unwrap();
        let (mut child, lines) = start("opens_and_waits", directory.path());
        let _ = lines.recv_timeout(Duration::from_secs(60)).expect("the child starts");
        std::thread::sleep(up_to(Duration::from_millis(60)));
        child.kill().unwrap();
        child.wait().unwrap();
        let opened = open(directory.path()).await.unwrap();
        assert_whole(&opened).await;
        assert_eq!(opened.store.verify_audit().await.unwrap(), AuditVerdict::Intact { entries: 3 });
        assert!(opened.store.credentials(None).await.unwrap().iter().all(|credential| credential.intact));
    }
}

/// Ends the line on which the test harness prints the name of the test.
fn begin() -> String {
    say("");
    env::var(DIRECTORY).unwrap()
}

/// Prints one line at once, whatever the test harness buffers.
fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

#[tokio::test]
#[ignore = "the child of a test above"]
async fn opens_and_waits() {
    let directory = begin();
    let _opened = open(Path::new(&directory)).await.unwrap();
    say("open");
    std::future::pending::<()>().await;
}

#[tokio::test]
#[ignore = "the child of a test above"]
async fn replaces_keys_until_it_is_killed() {
    let directory = begin();
    let opened = open(Path::new(&directory)).await.unwrap();
    loop {
        opened.store.rotate_kek(&by(1)).await.unwrap();
        say("replaced");
        opened.store.rotate_root(&by(1)).await.unwrap();
        say("replaced");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of a test above"]
async fn writes_until_it_is_killed() {
    let directory = begin();
    let opened = open(Path::new(&directory)).await.unwrap();
    let ledger: std::sync::Arc<dyn Ledger> = std::sync::Arc::clone(&opened.store) as _;
    let runtime = tokio::runtime::Handle::current();
    let writer = LedgerWriter::spawn(ledger, &runtime, LedgerSettings::default(), |_| {});
    let rows = tokio::spawn(write_rows(writer.handle()));
    write_credentials(&*opened.store).await;
    rows.await.unwrap();
}

/// Some names are used again and again, others once.
async fn write_credentials(store: &dyn Secrets) {
    let first = Uuid::new_v4().as_u128() as u32;
    for n in 0.. {
        let name = if n % 3 == 0 { "again".to_owned() } else { format!("once-{first}-{n}") };
        // Rounds follow each other on one database, so numbers must grow from one to the next.
        let number = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
        store
            .put_credential(new_credential("acme", &name, GLOBAL, &format!("sk-{number}")), &by(n))
            .await
            .unwrap();
        say(&format!("credential {name} {number}"));
    }
}

async fn write_rows(handle: store::LedgerHandle) {
    loop {
        let entry = bare_entry(Uuid::now_v7());
        let id = entry.id;
        handle.slot().await.unwrap().write(entry);
        say(&format!("row {id}"));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
