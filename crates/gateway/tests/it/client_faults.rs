//! What clients must not get away with before their request is one: rows C07 to C12 of SAFETY.md section 1 that are not
//! about bodies or sockets. What takes long is in `soaks`.

use std::io::{BufReader, Read, Write};

use crate::support::{Builder, Gateway, TOKEN, connect, read_reply};

fn gateway() -> Gateway {
    Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).start()
}

/// Everything that comes back for these bytes until the connection is closed.
fn answers(gateway: &Gateway, sent: &[u8]) -> String {
    let mut socket = connect(gateway.address);
    // The gateway may have closed before all is sent.
    let _ = socket.write_all(sent);
    let mut received = Vec::new();
    let _ = socket.read_to_end(&mut received);
    String::from_utf8_lossy(&received).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn c07_header_bombs() {
    let gateway = gateway();
    let many: String = (0..2_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x-long: {}\r\n", "y".repeat(1 << 20));
    for headers in [many, long] {
        let answer =
            answers(&gateway, format!("GET /health HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").as_bytes());
        assert_eq!(status(&answer), "431", "{answer}");
    }
    let path = "p".repeat(1 << 20);
    let answer = answers(&gateway, format!("GET /{path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes());
    assert!(["414", "431"].contains(&status(&answer)), "{answer}");
    assert_eq!(gateway.get("/v1/models").status, 200);
}

/// Each is sent with a request behind it that another reading would take for a body, or the other way round.
#[test]
fn c09_thirteen_framings_that_can_be_read_in_two_ways() {
    let gateway = gateway();
    let inner = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let chunk = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    let length = inner.len();
    for fields in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        format!("content-length: {length}\r\ncontent-length: 0"),
        format!("content-length: {length}\r\ncontent-length: {length}"),
        format!("content-length: +{length}"),
        format!("content-length: {length}, {length}"),
        "transfer-encoding: xchunked".to_owned(),
        "transfer-encoding: chunked, identity".to_owned(),
        "transfer-encoding: identity, chunked".to_owned(),
        "transfer-encoding : chunked".to_owned(),
        "transfer-encoding:\r\n chunked".to_owned(),
        "transfer-encoding: chunked\0".to_owned(),
        format!("x: y\rcontent-length: {length}"),
    ] {
        for body in [inner, "0\r\n\r\n", &chunk] {
            let sent =
                format!("POST /v1/models HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n\r\n{body}{inner}");
            let answer = answers(&gateway, sent.as_bytes());
            assert_eq!(status(&answer), "400", "{fields:?}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields:?}: {answer}");
        }
    }
}

#[test]
fn c09_nothing_is_answered_behind_a_request_whose_end_is_not_announced() {
    let gateway = gateway();
    let inner = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for fields in ["transfer-encoding: chunked\r\n\r\n0", "upgrade: websocket\r\nconnection: upgrade"] {
        let sent = format!("GET /health HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n\r\n{inner}");
        let answer = answers(&gateway, sent.as_bytes());
        assert_eq!((status(&answer), answer.matches("HTTP/1.1 ").count()), ("200", 1), "{answer}");
    }
}

#[test]
fn c10_twenty_requests_in_one_write_are_answered_in_order() {
    let gateway = gateway();
    let ask = |number: usize| {
        format!("GET /health HTTP/1.1\r\nhost: localhost\r\nx-correlation-id: number-{number}\r\n\r\n")
    };
    let mut reader = BufReader::new(connect(gateway.address));
    reader.get_mut().write_all((0..20).map(ask).collect::<String>().as_bytes()).unwrap();
    for number in 0..20 {
        let reply = read_reply(&mut reader, false);
        let expected = format!("number-{number}");
        assert_eq!((reply.status, reply.header("x-correlation-id")), (200, Some(expected.as_str())));
    }
}

#[test]
fn c12_odd_methods_and_targets_reach_nobody() {
    let gateway = gateway();
    for (line, expected) in [
        ("GET http://localhost/v1/models", "400"),
        ("GET http://elsewhere.example/", "400"),
        ("CONNECT elsewhere.example:443", "400"),
        ("TRACE /v1/models", "405"),
        ("TRACE /health", "405"),
        ("OPTIONS *", "204"),
        ("QUERY /v1/models", "405"),
    ] {
        let sent = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
        );
        let answer = answers(&gateway, sent.as_bytes());
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        assert!(!answer.contains(TOKEN), "{line} is not echoed");
    }
}

#[test]
fn six_spellings_of_the_host_give_no_answer_without_a_key() {
    let gateway = gateway();
    for host in [
        "localhost",
        "LOCALHOST:1",
        "[::1]",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "localhost\r\nhost: localhost",
    ] {
        for path in ["/v1/models", "/v1/credentials", "/admin/v1/keys", "/metrics", "/openapi.json"] {
            let answer = answers(
                &gateway,
                format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes(),
            );
            assert!(["400", "401", "421"].contains(&status(&answer)), "{host} {path}: {answer}");
        }
    }
}
