//! Clients that send a head, or a body, byte by byte (row C08 of SAFETY.md section 1).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Bench, TOKEN, connect};

const CLIENTS: usize = 200;
/// How long a head or the first bytes of a body may take, and what the row allows besides.
const BOUND: Duration = Duration::from_secs(10 + 2);

/// Whether the gateway has said goodbye; what it says before is passed over.
fn is_closed(socket: &mut TcpStream) -> bool {
    let mut said = [0; 4096];
    loop {
        match socket.read(&mut said) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// Opens many connections that begin so and go on with a byte now and then, until all are closed.
fn drip(beginning: &str) {
    let Bench { gateway, provider } = Bench::new();
    let mut sockets: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(gateway.address)).collect();
    for socket in &mut sockets {
        socket.write_all(beginning.as_bytes()).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    while !sockets.is_empty() {
        assert!(began.elapsed() < BOUND, "{} are still open", sockets.len());
        sockets.retain_mut(|socket| socket.write_all(b"y").is_ok() && !is_closed(socket));
        let asked = Instant::now();
        assert_eq!(gateway.get("/health").status, 200);
        slowest = slowest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    eprintln!("{CLIENTS} closed after {:?}; slowest answer of another {slowest:?}", began.elapsed());
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
    assert!(provider.received().is_empty());
}

#[test]
#[ignore = "takes as long as a head may"]
fn c08_heads_that_drip_are_closed_in_bound_and_nobody_else_waits() {
    drip("GET /health HTTP/1.1\r\nhost: localhost\r\nx-drip: ");
}

#[test]
#[ignore = "takes as long as a body may"]
fn c08_bodies_that_drip_are_closed_in_bound_and_nobody_else_waits() {
    drip(&format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: \
         application/json\r\ncontent-length: 100000\r\n\r\n"
    ));
}
