//! Rows C01 and C02: clients that go, and clients that do not read.

use std::io::Write;
use std::time::{Duration, Instant};

use store::Outcome;

use crate::support::{Bench, TOKEN, block_on, chat_body, connect, eventually, resident};

/// The bound of the fault model; the measured figure is far below.
const BOUND: Duration = Duration::from_secs(1);

#[test]
fn c01_a_client_that_leaves_before_the_head_takes_the_upstream_along() {
    for wire in ["oai", "ant"] {
        let Bench { provider, gateway } = Bench::new();
        let mut socket = connect(gateway.address);
        let body = chat_body(&format!("{wire}/text+head-delay=900ms"), false).to_string();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: \
             application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all((head + &body).as_bytes()).unwrap();
        assert!(block_on(provider.wait_received(1, BOUND * 5)));
        let left = Instant::now();
        drop(socket);
        let closed = block_on(provider.wait_closed(BOUND)).expect("the upstream is closed");
        assert!(closed.at - left < BOUND, "{:?}", closed.at - left);
        let row = &gateway.ledger(1)[0];
        assert_eq!((row.outcome, row.provider.as_deref()), (Outcome::ClientGone, Some(wire)));
    }
}

#[test]
fn c01_a_client_that_leaves_in_mid_stream_takes_the_upstream_along() {
    for (wire, reset) in [("oai", false), ("oai", true), ("ant", false), ("ant", true)] {
        let Bench { provider, gateway } = Bench::new();
        let mut stream = gateway.open_stream(&format!("{wire}/text+delay=50ms+n=200"));
        stream.next_data();
        stream.next_data();
        let left = Instant::now();
        if reset {
            stream.reset()
        } else {
            drop(stream)
        }
        let closed = block_on(provider.wait_closed(BOUND)).expect("the upstream is closed");
        assert!(closed.at - left < BOUND, "{:?}", closed.at - left);
        let row = &gateway.ledger(1)[0];
        assert_eq!((row.outcome, row.stream, row.attempts), (Outcome::ClientGone, true, 1));
        assert!(row.first_byte_us.is_some());
    }
}

/// The upstream's intake stops when the client takes nothing.
#[test]
fn c02_a_client_that_does_not_read_stops_the_upstream() {
    for wire in ["oai", "ant"] {
        let Bench { provider, gateway } = Bench::new();
        let before = resident(gateway.pid());
        let stream = gateway.open_stream(&format!("{wire}/firehose"));
        let mut sent = provider.bytes_sent();
        eventually("the upstream stands still", || {
            std::thread::sleep(Duration::from_millis(300));
            std::mem::replace(&mut sent, provider.bytes_sent()) == provider.bytes_sent()
        });
        assert!(sent < 32 << 20, "{sent} bytes were taken in");
        let grown = resident(gateway.pid()).saturating_sub(before);
        assert!(grown < 48 << 20, "{grown} bytes more");
        drop(stream);
        let row = &gateway.ledger(1)[0];
        assert_eq!(row.outcome, Outcome::ClientGone, "{row:?}");
    }
}
