//! SAFETY U01, U08, U14, U19, U20: what a broken provider gets.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use wire::Fault;

use crate::server::{CHUNKED, LONG, OK, Server, call, read_request, until_closed, upstreams};

/// The fault that an answer ends in, at its head or in its body.
async fn fault_of(answer: impl Into<Bytes>) -> Fault {
    let server = Server::closing_after(answer).await;
    match upstreams().send(server.call()).await {
        Err(fault) => fault,
        Ok(reply) => reply.body.collect(1 << 20).await.expect_err("the answer is broken"),
    }
}

#[tokio::test]
async fn u01_a_closed_port_is_named_at_once() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let begin = Instant::now();
    let fault = upstreams().send(call(&format!("http://localhost:{}/v1", address.port()))).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault:?}");
    let text = fault.to_string();
    assert!(text.starts_with("acme: connection refused at ") && text.ends_with("(localhost)"), "{text}");
    assert!(begin.elapsed() < LONG);
}

#[tokio::test]
async fn a_host_without_an_address_is_unreachable() {
    let fault = upstreams().send(call("http://no-such-host.invalid/v1")).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault:?}");
    assert!(fault.to_string().contains("no address for no-such-host.invalid"), "{fault}");
}

#[tokio::test]
async fn u08_a_body_that_ends_early_is_cut_and_never_a_clean_end() {
    for answer in [
        format!("{CHUNKED}5\r\nhello\r\n"),
        format!("{CHUNKED}5\r\nhel"),
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello".to_owned(),
    ] {
        let server = Server::closing_after(answer).await;
        let mut body = upstreams().send(server.call()).await.unwrap().body;
        assert!(body.chunk().await.unwrap().unwrap().starts_with(b"hel"), "what came is handed out");
        assert!(matches!(body.chunk().await, Some(Err(Fault::Cut { .. }))));
        assert!(body.chunk().await.is_none(), "an error is the last item");
    }
}

#[tokio::test]
async fn u08_a_reset_is_a_cut_too() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        socket.write_all(format!("{CHUNKED}5\r\nhello\r\n").as_bytes()).await.unwrap();
        socket.set_zero_linger().unwrap();
    })
    .await;
    let fault = match upstreams().send(server.call()).await {
        Ok(reply) => reply.body.collect(1000).await.unwrap_err(),
        Err(fault) => fault,
    };
    assert!(matches!(fault, Fault::Cut { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_connection_that_closes_before_or_inside_the_head_is_a_cut() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let fault = fault_of(answer).await;
        assert!(matches!(fault, Fault::Cut { .. }), "{answer:?}: {fault:?}");
    }
}

#[tokio::test]
async fn u19_a_redirect_is_handed_back_and_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let sink = Server::answering(OK).await;
        let head = format!("HTTP/1.1 {status} Moved\r\nlocation: http://{}/\r\n", sink.address);
        let server = Server::closing_after(format!("{head}content-length: 0\r\n\r\n")).await;
        let reply = upstreams().send(server.call()).await.unwrap();
        assert_eq!(reply.status, status);
        assert_eq!(sink.accepted(), 0);
    }
}

#[tokio::test]
async fn u20_what_is_not_an_http_answer_is_a_bad_answer() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(20_000));
    let large = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(40_000));
    for (answer, reason) in [
        ("<html>hello</html>\r\n\r\n", "status line"),
        ("HTTP/9.9 200 OK\r\n\r\n", "status line"),
        (many.as_str(), "headers"),
        (large.as_str(), "larger than 32768 bytes"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ", "more than once"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "both"),
        ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", "packed body is broken"),
        ("HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: 2\r\n\r\n{}", "content-encoding zstd"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n", "not a number"),
    ] {
        let fault = fault_of(answer.to_owned()).await;
        assert!(matches!(fault, Fault::BadAnswer { .. }), "{reason}: {fault:?}");
        assert!(fault.to_string().contains(reason), "{reason:?} is not in {fault}");
    }
}

#[tokio::test]
async fn u20_an_empty_answer_is_empty_and_an_html_page_arrives_with_its_type() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let reply = upstreams().send(server.call()).await.unwrap();
    assert_eq!((reply.status, reply.body.collect(10).await.unwrap().len()), (200, 0));

    let server = Server::closing_after("HTTP/1.1 502 Bad\r\ncontent-type: text/html\r\n\r\n<html>").await;
    let reply = upstreams().send(server.call()).await.unwrap();
    assert_eq!((reply.status, &reply.headers["content-type"]), (502, &"text/html".parse().unwrap()));
    assert_eq!(reply.body.collect(10).await.unwrap(), "<html>");
}

#[tokio::test]
async fn u14_an_endless_body_is_cut_at_the_limit_and_its_socket_closed() {
    let (closed, was_closed) = oneshot::channel();
    let closed = Mutex::new(Some(closed));
    let server = Server::start(move |mut socket, _| {
        let closed = closed.lock().unwrap().take().unwrap();
        async move {
            read_request(&mut socket).await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while socket.write_all(&[b'x'; 4096]).await.is_ok() {}
            let _ = closed.send(());
        }
    })
    .await;
    let fault = upstreams().send(server.call()).await.unwrap().body.collect(1 << 20).await.unwrap_err();
    assert!(fault.to_string().contains("limit of 1048576 bytes"), "{fault}");
    timeout(LONG, was_closed).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stated_length_above_the_limit_is_refused_before_reading() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n").await;
    let fault = upstreams().send(server.call()).await.unwrap().body.collect(1000).await.unwrap_err();
    assert!(matches!(fault, Fault::BadAnswer { .. }), "{fault:?}");
}

/// 16 MiB: more than the kernel takes on behalf of a server that does not read.
fn large_call(server: &Server) -> upstream::Call {
    let mut call = server.call();
    call.body = vec![Bytes::from(vec![b'x'; 1 << 20]); 16];
    call
}

const TOO_LARGE: &[u8] = b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge";

#[tokio::test]
async fn an_answer_to_half_a_request_is_not_waited_for_by_writing_on() {
    let server = Server::start(|mut socket, _| async move {
        socket.readable().await.unwrap();
        socket.write_all(TOO_LARGE).await.unwrap();
        // Neither reads nor closes while the client waits; then sees the client leave.
        sleep(Duration::from_millis(100)).await;
        until_closed(&mut socket).await;
    })
    .await;
    let upstreams = upstreams();
    for round in 1..=2 {
        let reply = timeout(LONG, upstreams.send(large_call(&server))).await.unwrap().unwrap();
        assert_eq!(reply.status, 413);
        assert_eq!(reply.body.collect(100).await.unwrap(), "large");
        assert_eq!(server.accepted(), round, "a connection with half a request in it is not used again");
    }
}

#[tokio::test]
async fn an_early_answer_is_read_even_when_the_provider_hangs_up_on_the_rest() {
    let server = Server::start(|mut socket, _| async move {
        socket.readable().await.unwrap();
        socket.write_all(TOO_LARGE).await.unwrap();
        // Closing with unread bytes sends a reset.
    })
    .await;
    let upstreams = upstreams();
    for _ in 0..20 {
        let reply = timeout(LONG, upstreams.send(large_call(&server))).await.unwrap().unwrap();
        assert_eq!(
            (reply.status, reply.body.collect(100).await.unwrap()),
            (413, Bytes::from_static(b"large"))
        );
    }
}
