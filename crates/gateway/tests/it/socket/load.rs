//! Many sockets, and clients that do not read.

use std::time::{Duration, Instant};

use store::Outcome;

use crate::support::{Bench, Socket, chat_message, eventually, resident};

/// The bound of the fault model is 16 kB; measured in `bench/`. Here a debug build only must not be out of proportion.
const MOST_BYTES_EACH: u64 = 64 * 1024;

/// `GET /health` takes less than 50 ms beside them; ten times that in a test on a busy machine.
const HEALTH: Duration = Duration::from_millis(500);

#[test]
fn c03_1_000_idle_sockets_cost_little_and_slow_nobody() {
    const SOCKETS: u64 = 1_000;
    let bench = Bench::new();
    let before = resident(bench.gateway.pid());
    let mut sockets: Vec<Socket> = (0..SOCKETS).map(|_| Socket::open(bench.gateway.address)).collect();
    let each = resident(bench.gateway.pid()).saturating_sub(before) / SOCKETS;
    assert!(each < MOST_BYTES_EACH, "{each} bytes each");
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(bench.gateway.get("/health").status, 200);
        assert!(asked.elapsed() < HEALTH, "{:?}", asked.elapsed());
    }
    let last = sockets.last_mut().unwrap();
    last.say(&chat_message("oai/text"));
    assert!(last.hear_answer().len() > 1);
}

#[test]
fn c02_a_client_that_does_not_read_stops_the_upstream() {
    for wire in ["oai", "ant"] {
        let Bench { provider, gateway } = Bench::new();
        let before = resident(gateway.pid());
        let mut socket = Socket::open(gateway.address);
        socket.say(&chat_message(&format!("{wire}/firehose")));
        let mut sent = provider.bytes_sent();
        eventually("the upstream stands still", || {
            std::thread::sleep(Duration::from_millis(300));
            std::mem::replace(&mut sent, provider.bytes_sent()) == provider.bytes_sent()
        });
        assert!(sent < 32 << 20, "{sent} bytes were taken in");
        let grown = resident(gateway.pid()).saturating_sub(before);
        assert!(grown < 48 << 20, "{grown} bytes more");
        drop(socket);
        assert_eq!(gateway.ledger(1)[0].outcome, Outcome::ClientGone);
    }
}

/// Pings that nobody takes the answers of.
#[test]
fn a_client_that_talks_and_does_not_listen_is_not_listened_to() {
    let bench = Bench::new();
    let before = resident(bench.gateway.pid());
    let mut socket = Socket::open(bench.gateway.address).0;
    socket.get_mut().set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let ping = r#"{"type":"ping","id":"0123456789abcdef0123456789abcdef"}"#;
    let mut said = 0;
    while said < 1_000_000 && socket.send(ping.into()).is_ok() {
        said += 1;
    }
    assert!(said < 1_000_000, "the gateway took everything");
    let grown = resident(bench.gateway.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more");
}
