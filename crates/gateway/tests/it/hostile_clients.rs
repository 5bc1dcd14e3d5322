//! Rows C07 to C10 and C12 of the fault model: requests that no honest client sends.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Bench, TOKEN, chat_body, connect, read_reply};

/// Sends bytes as they are, and reads all that comes until the gateway closes.
fn exchange(bench: &Bench, bytes: &[u8]) -> String {
    let mut socket = connect(bench.gateway.address);
    // The gateway may refuse the rest.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn answers(answer: &str) -> usize {
    answer.matches("HTTP/1.1 ").count()
}

#[test]
fn c07_too_many_headers_and_too_large_ones_are_refused() {
    let bench = Bench::new();
    let get = |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    let (many, large) = ("x-filler: 1\r\n".repeat(2_000), format!("x-filler: {}\r\n", "v".repeat(1 << 20)));
    for (request, expected) in [
        (get("/health", &many), "431"),
        (get("/health", &large), "431"),
        (get(&format!("/{}", "p".repeat(1 << 20)), ""), "414 431"),
    ] {
        let answer = exchange(&bench, request.as_bytes());
        // The rest of what was sent may reset the connection before the answer is read.
        assert!(answer.is_empty() || expected.contains(status(&answer)), "{answer}");
    }
    assert_eq!(bench.gateway.get("/health").status, 200);
}

/// What makes two readers disagree about where a request ends, and how its body then reads. hyper takes a chunked body
/// for what it is though a length stands beside it; that one may be answered, and nothing behind it.
const FRAMINGS: [(&str, &str, &str); 14] = [
    ("content-length: 4\r\ntransfer-encoding: chunked", "0\r\n\r\n", "400 401"),
    ("transfer-encoding: chunked\r\ncontent-length: 4", "0\r\n\r\n", "400 401"),
    ("content-length: 0\r\ncontent-length: 44", "", "400"),
    ("content-length: +0", "", "400"),
    ("content-length: -1", "", "400"),
    ("content-length: 0x0", "", "400"),
    ("content-length: 0, 44", "", "400"),
    ("transfer-encoding: xchunked", "0\r\n\r\n", "400"),
    ("transfer-encoding: chunked, identity", "0\r\n\r\n", "400"),
    ("content-length : 0", "", "400"),
    ("transfer-encoding : chunked", "0\r\n\r\n", "400"),
    ("transfer-encoding:\r\n chunked", "0\r\n\r\n", "400"),
    ("x: a\0b\r\ncontent-length: 0", "", "400"),
    ("x: a\rcontent-length: 44\r\ncontent-length: 0", "", "400"),
];

#[test]
fn c09_a_request_that_hides_another_is_refused_and_the_other_never_answered() {
    let bench = Bench::new();
    for (framing, body, expected) in FRAMINGS {
        let hidden = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n{framing}\r\n\r\n{body}{hidden}"
        );
        let answer = exchange(&bench, request.as_bytes());
        assert_eq!(answers(&answer), 1, "{framing:?}: {answer}");
        assert!(expected.contains(status(&answer)), "{framing:?}: {answer}");
        assert!(!answer.contains("\"ok\""), "{framing:?}: {answer}");
    }
}

#[test]
fn c10_requests_in_one_write_are_answered_in_order() {
    let bench = Bench::new();
    let request = |number: usize| {
        let body = chat_body(&format!("oai/text+n={}", number + 1), false).to_string();
        let length = body.len();
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let mut reader = BufReader::new(connect(bench.gateway.address));
    reader.get_mut().write_all((0..20).map(request).collect::<String>().as_bytes()).unwrap();
    for number in 0..20 {
        let reply = read_reply(&mut reader, false);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(
            reply.header("x-gateway-requested-model"),
            Some(format!("oai/text+n={}", number + 1).as_str())
        );
    }
}

#[test]
fn c12_nothing_is_asked_for_on_behalf_of_others() {
    let bench = Bench::new();
    let elsewhere = bench.provider.address();
    for line in [
        format!("GET http://{elsewhere}/v1/models HTTP/1.1"),
        format!("CONNECT {elsewhere} HTTP/1.1"),
        "TRACE /health HTTP/1.1".to_owned(),
        "OPTIONS * HTTP/1.1".to_owned(),
        "GET /v1/models?next=http://localhost HTTP/1.1".to_owned(),
    ] {
        let request = format!("{line}\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = exchange(&bench, request.as_bytes());
        assert!(["204", "400", "401", "404", "405", "421"].contains(&status(&answer)), "{line}: {answer}");
        assert!(!answer.contains("x-secret") && !answer.contains("TRACE /health"), "{line}: {answer}");
    }
    assert_eq!(bench.provider.connections(), 0);
}

/// The bound is 10 s, and 2 s of grace. They are waited for together: heads and bodies.
#[test]
fn c08_who_drips_is_closed_in_bound_and_slows_nobody() {
    const EACH: usize = 200;
    let bench = Bench::new();
    let started = Instant::now();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: \
         application/json\r\ncontent-length: 1000\r\n\r\n"
    );
    let opened = |beginning: &str| {
        let mut socket = connect(bench.gateway.address);
        socket.write_all(beginning.as_bytes()).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let mut dripping: Vec<TcpStream> = (0..EACH).map(|_| opened("GET /he")).collect();
    dripping.extend((0..EACH).map(|_| opened(&head)));
    while !dripping.is_empty() {
        assert!(started.elapsed() < Duration::from_secs(24), "{} are still open", dripping.len());
        dripping.retain_mut(|socket| is_open(socket) && socket.write_all(b"a").is_ok());
        let asked = Instant::now();
        assert_eq!(bench.gateway.get("/health").status, 200);
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        started.elapsed() >= Duration::from_secs(9),
        "an honest client has time: {:?}",
        started.elapsed()
    );
}

/// The gateway has not closed. What it says before it does is passed over.
fn is_open(socket: &mut TcpStream) -> bool {
    let mut said = [0; 4096];
    loop {
        match socket.read(&mut said) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}
