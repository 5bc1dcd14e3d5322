//! Rows P03 to P05, P10 and P13 of the fault model: a disk, a lock or a table of files that is full.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::support::{Bench, Builder, Gateway, Reply, block_on, both_wires, connect, eventually};

fn store_a_key(gateway: &Gateway, name: &str) -> Reply {
    let body = json!({"provider": "openai", "apiKey": "sk-0123456789abcdef", "keyName": name});
    gateway.post("/v1/credentials", &body)
}

fn stored(gateway: &Gateway) -> usize {
    gateway.get("/v1/credentials").json()["credentials"].as_array().unwrap().len()
}

/// `strace`, which makes system calls of a running gateway fail for as long as it lives.
struct Sabotage(Child);

impl Sabotage {
    /// `None`: there is no `strace` here; `cargo xtask test` installs it, or names what is skipped.
    fn of(gateway: &Gateway, fault: &str) -> Option<Self> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={fault}"), "-p"]);
        let child = strace.arg(gateway.pid().to_string()).stderr(Stdio::null()).spawn().ok()?;
        let status = format!("/proc/{}/status", gateway.pid());
        eventually("strace is attached", || {
            let status = std::fs::read_to_string(&status).unwrap();
            status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
        });
        // All threads, not the first alone.
        std::thread::sleep(Duration::from_millis(300));
        Some(Self(child))
    }
}

impl Drop for Sabotage {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Writes fail, and are said to have failed; what needs no disk goes on; and it heals by itself.
#[track_caller]
fn writes_fail_and_heal(fault: &str) {
    let Bench { gateway, provider: _provider } = Bench::new();
    assert_eq!(store_a_key(&gateway, "before").status, 201);
    let Some(sabotage) = Sabotage::of(&gateway, fault) else { return };
    let refused = store_a_key(&gateway, "meanwhile");
    assert!([503, 507].contains(&refused.status), "{}: {}", refused.status, refused.text());
    assert!(refused.json()["error"].is_object() || refused.json()["error"].is_string(), "{}", refused.text());
    assert_eq!(gateway.chat("oai/text").status, 200, "inference needs no disk");
    drop(sabotage);
    eventually("it heals", || store_a_key(&gateway, "after").status == 201);
    eventually("the row that waited is there", || !gateway.rows().is_empty());
}

#[test]
fn p03_a_full_disk_stops_writes_and_nothing_else() {
    writes_fail_and_heal("pwrite64,pwritev,pwritev2:error=ENOSPC");
}

#[test]
fn p04_what_is_not_durable_is_not_acknowledged() {
    writes_fail_and_heal("fsync,fdatasync:error=EIO");
}

#[test]
fn p05_a_data_directory_that_cannot_be_made_ends_the_start_with_one_line() {
    let dir = Arc::new(TempDir::new().unwrap());
    std::fs::write(dir.path().join("file"), "").unwrap();
    let data = dir.path().join("file/data").display().to_string();
    let ended =
        Builder::bare().env("LLM_GATEWAY_DATA_DIR", data).args(&["serve", "-p", "0"]).within(dir).run();
    assert_eq!((ended.code, ended.err.trim().lines().count()), (Some(74), 1), "{ended:?}");
}

#[test]
fn p10_a_locked_database_delays_writes_and_no_answer() {
    let Bench { gateway, provider: _provider } = Bench::new();
    let options = SqliteConnectOptions::new().filename(gateway.data_dir().join("vault.db"));
    block_on(async {
        let mut other = options.connect().await.unwrap();
        sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
        let asked = Instant::now();
        assert_eq!(gateway.chat("oai/text").status, 200);
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        let refused = store_a_key(&gateway, "meanwhile");
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
        assert!(asked.elapsed() >= Duration::from_secs(5), "it waits: {:?}", asked.elapsed());
        other.close().await.unwrap();
    });
    assert_eq!(store_a_key(&gateway, "after").status, 201);
    assert_eq!(stored(&gateway), 1);
}

/// Seconds of a processor that a process has used.
fn used(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}

#[test]
fn p13_without_file_descriptors_it_neither_spins_nor_ends_and_serves_again_when_they_are_back() {
    let provider = block_on(fakeprov::FakeProv::start());
    let gateway = Builder::new(both_wires(&provider)).start();
    let open = std::fs::read_dir(format!("/proc/{}/fd", gateway.pid())).unwrap().count();
    let limit = format!("--nofile={}", open + 40);
    let Ok(limited) = Command::new("prlimit").args(["--pid", &gateway.pid().to_string(), &limit]).status()
    else {
        return; // `prlimit` is part of util-linux
    };
    assert!(limited.success());
    let held: Vec<_> = (0..80).map(|_| connect(gateway.address)).collect();
    let (before, second) = (used(gateway.pid()), Duration::from_secs(1));
    std::thread::sleep(second);
    let share = used(gateway.pid()) - before;
    assert!(share < 0.7, "{share} of a core");
    drop(held);
    assert_eq!(gateway.chat("oai/text").status, 200);
}
