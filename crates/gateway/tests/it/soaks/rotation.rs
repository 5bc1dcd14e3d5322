//! New keys for the vault while it is used 500 times a second, and while processes are killed.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fakeprov::{FakeProv, Options};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Builder, Gateway, TOKEN, chat_body, connect, read_reply, sql};

const KEY: &str = "sk-right-key-0123456789";
/// More than are moved in one transaction.
const CREDENTIALS: usize = 150;
const CLIENTS: usize = 10;
/// Requests a second, of all clients together.
const RATE: u32 = 500;
/// How long keys are replaced while nothing is killed.
const QUIET: Duration = Duration::from_secs(20);
const KILLS: usize = 20;

fn provider() -> FakeProv {
    FakeProv::with(Options { key: Some(KEY.into()), ..Options::default() }).unwrap()
}

fn start(provider: &FakeProv, dir: Arc<TempDir>) -> Gateway {
    let builder = Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN);
    builder.env("OPENAI_BASE_URL", provider.url()).within(dir).start()
}

/// A vault with many credentials, of which a request uses one and a list opens all.
fn filled(provider: &FakeProv) -> Arc<TempDir> {
    let dir = Arc::new(TempDir::new().unwrap());
    let gateway = start(provider, dir.clone());
    for number in 0..CREDENTIALS {
        let body = json!({"provider": "openai", "apiKey": KEY, "keyName": format!("k{number}"), "project": project(number)});
        assert_eq!(gateway.post("/v1/credentials", &body).status, 201);
    }
    dir
}

/// Every project has one key, so that a request has no second one to turn to.
fn project(number: usize) -> String {
    format!("p{number}")
}

/// What came of the requests of all clients.
#[derive(Default)]
struct Tally {
    asked: AtomicUsize,
    /// Answered with an error: that must never happen.
    refused: AtomicUsize,
    /// Under way when their gateway was killed.
    cut: AtomicUsize,
    stop: AtomicBool,
}

impl Tally {
    fn of(&self, count: &AtomicUsize) -> usize {
        count.load(Ordering::Relaxed)
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// One client's share, on one connection, at its pace; every tenth request is for the whole list.
fn ask_on(address: SocketAddr, client: usize, tally: &Tally) {
    let mut reader = BufReader::new(connect(address));
    let (began, pause) = (Instant::now(), Duration::from_secs(1) * CLIENTS as u32 / RATE);
    for turn in 0.. {
        if tally.is_over() {
            return;
        }
        std::thread::sleep((pause * turn as u32).saturating_sub(began.elapsed()));
        tally.asked.fetch_add(1, Ordering::Relaxed);
        match answered(&mut reader, &head_and_body(client * 31 + turn, turn % 10 == 0)) {
            Some(200) => {}
            Some(status) => {
                eprintln!("answered with {status}");
                tally.refused.fetch_add(1, Ordering::Relaxed);
            }
            None => {
                tally.cut.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }
}

fn head_and_body(number: usize, list: bool) -> String {
    let common = format!("host: localhost\r\nauthorization: Bearer {TOKEN}\r\n");
    if list {
        return format!("GET /v1/credentials HTTP/1.1\r\n{common}\r\n");
    }
    let mut body = chat_body("openai/text", false);
    body["project"] = json!(project(number % CREDENTIALS));
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\n{common}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// The status; `None` where the connection ended instead.
fn answered(reader: &mut BufReader<TcpStream>, request: &str) -> Option<u16> {
    use std::io::BufRead;
    reader.get_mut().write_all(request.as_bytes()).ok()?;
    if reader.fill_buf().ok()?.is_empty() {
        return None;
    }
    let reply = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read_reply(reader, false))).ok()?;
    reply.complete.then_some(reply.status)
}

/// The command that replaces a key of the vault.
fn rotate(dir: &Path, root: bool) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llm-gateway"));
    command.args(["vault", "rotate"]).args(root.then_some("--master-key"));
    command.env_clear().env("HOME", dir).current_dir(dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

/// Replaces one key after the other; yields the command that is under way at the end.
fn rotate_until(end: Instant, dir: &Path, replaced: &mut usize) -> Child {
    loop {
        let mut command = rotate(dir, *replaced % 2 == 1);
        while command.try_wait().unwrap().is_none_or(|status| !status.success()) {
            if Instant::now() >= end {
                return command;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        *replaced += 1;
    }
}

/// Every credential opens, no row names an old key, and no key of the past lies about.
fn assert_settled(gateway: &Gateway) {
    let listed = gateway.get("/v1/credentials").json()["credentials"].as_array().unwrap().clone();
    assert_eq!(listed.len(), CREDENTIALS);
    assert!(listed.iter().all(|row| row["maskedValue"] == "sk-righ...***" && row.get("intact").is_none()));
    let database = gateway.data_dir().join("vault.db");
    let behind = "SELECT CAST(count(*) AS TEXT) FROM credentials WHERE kek_no <> (SELECT kek_no FROM vault)";
    assert_eq!(sql(&database, behind).as_deref(), Some("0"));
    assert_eq!(sql(&database, "PRAGMA integrity_check").as_deref(), Some("ok"));
    assert!(!gateway.data_dir().join("master.key.next").exists());
    let doctor = Builder::bare().within(gateway.dir.clone()).arg("doctor").run();
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

#[test]
#[ignore = "takes half a minute of a whole machine"]
fn no_request_fails_while_all_keys_are_replaced_under_load() {
    let provider = provider();
    let gateway = start(&provider, filled(&provider));
    let (tally, mut replaced) = (Tally::default(), 0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (tally, address) = (&tally, gateway.address);
            scope.spawn(move || ask_on(address, client, tally));
        }
        while began.elapsed() < QUIET {
            assert!(rotate(gateway.dir.path(), replaced % 2 == 1).wait().unwrap().success());
            replaced += 1;
        }
        tally.stop.store(true, Ordering::Relaxed);
    });
    let (asked, rate) =
        (tally.of(&tally.asked), tally.of(&tally.asked) as f64 / began.elapsed().as_secs_f64());
    println!("{asked} requests, {rate:.0} a second, during {replaced} changes of keys");
    assert_eq!((tally.of(&tally.refused), tally.of(&tally.cut)), (0, 0));
    assert!(rate > f64::from(RATE) * 0.95, "the machine is too busy to tell: {rate:.0} a second");
    assert_settled(&gateway);
}

#[test]
#[ignore = "takes a minute of a whole machine"]
fn whatever_is_killed_while_keys_are_replaced_under_load_everything_stays_readable() {
    let provider = provider();
    let dir = filled(&provider);
    let (mut asked, mut cut, mut replaced) = (0, 0, 0);
    for kill in 0..KILLS {
        let gateway = start(&provider, dir.clone());
        let tally = Tally::default();
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (tally, address) = (&tally, gateway.address);
                scope.spawn(move || ask_on(address, client, tally));
            }
            let end = Instant::now() + Duration::from_millis(300 + by_chance(700));
            let mut command = rotate_until(end, dir.path(), &mut replaced);
            // Both at once, as when a machine is switched off.
            command.kill().unwrap();
            gateway.signal("-KILL");
            command.wait().unwrap();
        });
        asked += tally.of(&tally.asked);
        cut += tally.of(&tally.cut);
        assert_eq!(tally.of(&tally.refused), 0, "kill {kill}");
        assert!(tally.of(&tally.cut) <= CLIENTS, "only what was under way");
    }
    let gateway = start(&provider, dir);
    for root in [false, true] {
        assert!(rotate(gateway.dir.path(), root).wait().unwrap().success());
    }
    println!("{asked} requests, {cut} of them under way at one of {KILLS} kills; {replaced} changes of keys");
    assert_settled(&gateway);
}

/// Milliseconds, by chance: what the clock's last digits give is enough.
fn by_chance(longest: u64) -> u64 {
    u64::from(std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos()) / 1_000 % longest
}
