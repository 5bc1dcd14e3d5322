//! The process: signals, clocks, locks, ports, keys and directories. Rows P01, P02, P07 to P10 and P14 of the fault model;
//! P06 is told in `crates/store/tests/open`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Builder, Gateway, Lock, TOKEN, block_on, both_wires, chat_body, eventually, rows, sql};

#[test]
fn p01_a_running_stream_finishes_after_sigterm() {
    let provider = block_on(FakeProv::start());
    let mut gateway = Gateway::before(&provider);
    let mut stream = gateway.open_stream("oai/text+delay=100ms+n=15");
    stream.next_data();
    gateway.signal("-TERM");
    eventually("new connections are refused", || std::net::TcpStream::connect(gateway.address).is_err());
    let (rest, complete) = stream.rest();
    assert!(complete && rest.contains("[DONE]"), "{rest}");
    assert_eq!(gateway.wait().code(), Some(0));
    assert_eq!(crate::support::rows(gateway.data_dir())[0].outcome, store::Outcome::Completed);
}

#[test]
fn p01_a_second_sigterm_stops_at_once() {
    let provider = block_on(FakeProv::start());
    let mut gateway = Gateway::before(&provider);
    let mut stream = gateway.open_stream("oai/text+delay=500ms+n=100");
    stream.next_data();
    gateway.signal("-TERM");
    eventually("draining", || gateway.stderr().contains("draining"));
    let second = Instant::now();
    gateway.signal("-TERM");
    gateway.wait();
    assert!(second.elapsed() < Duration::from_secs(3), "{:?}", second.elapsed());
    assert_eq!(crate::support::rows(gateway.data_dir()).len(), 1, "the row of the dropped stream is written");
}

#[test]
fn p02_a_kill_loses_no_acknowledged_credential() {
    let rounds =
        std::env::var("GATEWAY_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3);
    let dir = Arc::new(TempDir::new().unwrap());
    let mut acknowledged = 0;
    for round in 0..rounds {
        let gateway = Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).within(dir.clone()).start();
        let listed = gateway.get("/v1/credentials").json()["credentials"].as_array().unwrap().len();
        assert!(listed >= acknowledged, "round {round}: {listed} of {acknowledged}");
        acknowledged = listed;
        for number in 0..5 + round % 7 {
            let body = json!({"provider": "openai", "apiKey": "sk-0123456789abcdef", "keyName": format!("{round}-{number}")});
            assert_eq!(gateway.post("/v1/credentials", &body).status, 201);
            acknowledged += 1;
        }
        gateway.signal("-KILL");
    }
    let gateway = Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).within(dir.clone()).start();
    let listed = gateway.get("/v1/credentials").json()["credentials"].as_array().unwrap().len();
    assert_eq!(listed, acknowledged);
    let checked = sql(&gateway.data_dir().join("vault.db"), "PRAGMA integrity_check");
    assert_eq!(checked.as_deref(), Some("ok"));
}

/// A data directory with a vault that holds something.
fn used() -> Arc<TempDir> {
    let gateway = Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).start();
    gateway.post("/v1/credentials", &json!({"provider": "openai", "apiKey": "sk-0123456789abcdef"}));
    let dir = gateway.dir.clone();
    gateway.signal("-TERM");
    let mut gateway = gateway;
    gateway.wait();
    dir
}

fn bytes(dir: &TempDir) -> Vec<u8> {
    std::fs::read(dir.path().join(".llm-gateway/vault.db")).unwrap()
}

#[test]
fn p07_a_lost_master_key_is_never_replaced() {
    let dir = used();
    let key = dir.path().join(".llm-gateway/master.key");
    std::fs::remove_file(&key).unwrap();
    let before = bytes(&dir);
    let ended = Builder::bare().within(dir.clone()).arg("serve").arg("-p").arg("0").run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(!key.exists() && bytes(&dir) == before);
    assert_eq!(ended.err.trim().lines().count(), 1, "{ended:?}");
}

#[test]
fn p08_a_wrong_master_key_is_refused_before_listening() {
    let dir = used();
    let before = bytes(&dir);
    let ended = Builder::bare()
        .within(dir.clone())
        .env("LLM_GATEWAY_MASTER_KEY", "ab".repeat(32))
        .arg("serve")
        .arg("-p")
        .arg("0")
        .run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(bytes(&dir) == before);
    let ended = Builder::bare()
        .within(dir)
        .env("LLM_GATEWAY_MASTER_KEY", "abc")
        .arg("serve")
        .arg("-p")
        .arg("0")
        .run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.err.contains("64"), "{ended:?}");
}

/// Five years on and a day back: nothing panics, what has an end ends by the wall clock, and no length is negative.
#[test]
fn p09_a_clock_that_jumps() {
    if std::process::Command::new("faketime").arg("-v").output().is_err() {
        eprintln!("skipped: no faketime");
        return;
    }
    let provider = block_on(FakeProv::start());
    let dir = Arc::new(TempDir::new().unwrap());
    let builder = || Builder::new(both_wires(&provider)).within(dir.clone());
    let mut key = String::new();
    for (jump, opens, rows) in [(None, 200, 2), (Some("+5y"), 401, 3), (Some("-1d"), 200, 5)] {
        let gateway = match jump {
            None => builder().start(),
            Some(jump) => builder().under(&["faketime", "-f", jump]).start(),
        };
        if key.is_empty() {
            let in_a_year = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(365 * 24);
            let made = gateway.post("/admin/v1/keys", &json!({"name": "ends", "expires_at": in_a_year}));
            key = made.json()["key"].as_str().unwrap().to_owned();
        }
        let asked = gateway.ask(&key, "POST", "/v1/chat/completions", None, &chat_body("oai/text", false));
        assert_eq!(asked.status, opens, "{jump:?}: {}", asked.text());
        assert_eq!(gateway.chat_stream("ant/text").status, 200, "{jump:?}");
        assert_eq!(
            gateway.post("/v1/credentials", &json!({"provider": "oai", "apiKey": "sk-x"})).status,
            201
        );
        assert!(!gateway.stderr().contains("panicked"), "{}", gateway.stderr());
        // Written before the gateway is killed.
        gateway.ledger(rows);
    }
    let rows = rows(dir.path().join(".llm-gateway"));
    assert_eq!(rows.len(), 5);
    for row in &rows {
        let lengths = [Some(row.total_us), row.first_byte_us].into_iter().flatten();
        assert!(lengths.into_iter().all(|length| (0..10_000_000).contains(&length)), "{row:?}");
    }
}

#[test]
fn p10_a_database_that_another_process_holds_delays_writes_and_no_model() {
    let provider = block_on(FakeProv::start());
    let gateway = Gateway::before(&provider);
    let store = || gateway.post("/v1/credentials", &json!({"provider": "oai", "apiKey": "sk-x"}));
    let lock = Lock::of(&gateway.data_dir().join("vault.db"));
    std::thread::scope(|scope| {
        let refused = scope.spawn(store);
        while !refused.is_finished() {
            let began = Instant::now();
            assert_eq!(gateway.chat("oai/text").status, 200);
            assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
            std::thread::sleep(Duration::from_millis(200));
        }
        let refused = refused.join().unwrap();
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
    });
    drop(lock);
    assert_eq!(store().status, 201);
    let asked = provider.received().len();
    gateway.ledger(asked);
}

#[test]
fn p14_a_second_start_on_the_same_port_names_the_address_and_harms_nobody() {
    let gateway = Builder::bare().start();
    let started = Instant::now();
    let ended = Builder::bare().arg("serve").arg("-p").arg(&gateway.address.port().to_string()).run();
    assert!(ended.code != Some(0) && started.elapsed() < Duration::from_secs(3), "{ended:?}");
    assert!(ended.err.contains(&gateway.address.to_string()), "{ended:?}");
    assert_eq!(gateway.get("/health").status, 200);
}

#[test]
fn a_foreign_vault_is_refused_untouched_with_the_name_of_the_import() {
    let dir = Arc::new(TempDir::new().unwrap());
    let data = dir.path().join(".llm-gateway");
    std::fs::create_dir(&data).unwrap();
    sql(
        &data.join("vault.db"),
        "CREATE TABLE credentials (id INTEGER PRIMARY KEY, provider TEXT, key_name TEXT, project TEXT, encrypted_value \
         BLOB, iv BLOB, auth_tag BLOB, created_at TEXT, updated_at TEXT);",
    );
    std::fs::write(data.join("master.key"), "cd".repeat(32) + "\n").unwrap();
    let before = bytes(&dir);
    let ended = Builder::bare().within(dir.clone()).arg("serve").arg("-p").arg("0").run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.err.contains("import mcp-llm-bridge"), "{ended:?}");
    assert!(bytes(&dir) == before);
}

#[test]
fn a_broken_configuration_is_reported_with_its_line() {
    let ended = Builder::new("providers:\n  oai:\n    base_urll: http://127.0.0.1:1\n").arg("serve").run();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("config.yaml:3:") && ended.err.contains("base_url"), "{ended:?}");
}

/// No connection but to configured upstreams, as the kernel saw it.
#[test]
fn nothing_is_connected_to_but_configured_upstreams() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return; // `cargo xtask test` installs it, or names this as skipped
    }
    let provider = block_on(FakeProv::start());
    let trace = TempDir::new().unwrap();
    let file = trace.path().join("trace").display().to_string();
    let gateway = Builder::new(both_wires(&provider))
        .under(&["strace", "-f", "-qq", "-e", "trace=connect", "-o", &file])
        .start();
    for round in 0..50 {
        for (model, stream) in
            [("oai/text", false), ("ant/text", true), ("oai/status-400", false), ("ant/truncate", true)]
        {
            // Any more, and its breaker opens.
            if model == "ant/truncate" && round >= 4 {
                continue;
            }
            let expected = if model.ends_with("400") { 400 } else { 200 };
            assert_eq!(
                gateway.post("/v1/chat/completions", &chat_body(model, stream)).status,
                expected,
                "{model}"
            );
        }
    }
    let port = provider.address().port();
    let trace = std::fs::read_to_string(&file).unwrap();
    let connects: Vec<&str> = trace.lines().filter(|line| line.contains("connect(")).collect();
    assert!(!connects.is_empty());
    for line in connects {
        assert!(line.contains(&format!("sin_port=htons({port})")) && line.contains("127.0.0.1"), "{line}");
    }
}
