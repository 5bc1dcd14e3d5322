//! Clients that send a head byte by byte (row C08 of SAFETY.md section 1).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Builder, connect, request};

const CLIENTS: usize = 200;
/// How long a head may take, and what the row allows besides.
const BOUND: Duration = Duration::from_secs(10 + 2);

/// Whether the gateway has said goodbye.
fn is_closed(socket: &mut TcpStream) -> bool {
    let mut byte = [0];
    match socket.read(&mut byte) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
#[ignore = "takes as long as a head may"]
fn c08_heads_that_drip_are_closed_in_bound_and_nobody_else_waits() {
    let gateway = Builder::bare().start();
    let mut sockets: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(gateway.address)).collect();
    for socket in &mut sockets {
        socket.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-drip: ").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    while !sockets.is_empty() {
        assert!(began.elapsed() < BOUND, "{} are still open", sockets.len());
        sockets.retain_mut(|socket| socket.write_all(b"y").is_ok() && !is_closed(socket));
        let asked = Instant::now();
        assert_eq!(request(gateway.address, "GET", "/health", &[], b"").status, 200);
        slowest = slowest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("{CLIENTS} closed after {:?}; slowest answer of another {slowest:?}", began.elapsed());
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
}
