//! A gateway in a box: the real binary with a data directory, a configuration and an environment of its own, and a
//! client that shows the bytes.

mod database;
mod gateway;
mod http;
mod mcp;
mod socket;

use std::future::Future;
use std::time::{Duration, Instant};

use fakeprov::FakeProv;

pub use database::{Lock, sql};
pub use gateway::{Builder, Ended, Gateway, TOKEN, both_wires, chat_body, rows};
pub use http::{Reply, Stream, connect, events, read_reply, request};
pub use mcp::{Conversation, call, initialize, message};
pub use socket::{Socket, chat_message};

/// How long a test waits for something that should take an instant.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway in front of a scripted provider on both wires.
pub struct Bench {
    pub gateway: Gateway,
    pub provider: FakeProv,
}

impl Bench {
    pub fn new() -> Self {
        let provider = block_on(FakeProv::start());
        Self { gateway: Gateway::before(&provider), provider }
    }
}

/// Runs a future of the scripted provider.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Asks again until it holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes of memory by which a process grows at most while something is done with it.
pub fn growth(pid: u32, act: impl FnOnce()) -> u64 {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    let before = resident(pid);
    act();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak = peak.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024;
    peak.saturating_sub(before)
}

/// Bytes of memory that a process holds.
pub fn resident(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
