//! SAFETY U02, U05, U06, U07: deadlines, each on its own.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use wire::Fault;
use wire::fault::Phase;

use crate::server::{CHUNKED, LONG, OK, SHORT, Server, call, read_request, until_closed, upstreams};

fn phase_of(fault: &Fault) -> Phase {
    let Fault::Timeout { phase, after, .. } = fault else { panic!("not a timeout: {fault:?}") };
    assert_eq!(*after, SHORT);
    *phase
}

#[tokio::test]
async fn u02_a_listener_with_a_full_queue_meets_the_connect_bound() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        queued.push(connected.unwrap());
    }
    let mut call = call(&format!("http://{address}/"));
    call.timeouts.connect = SHORT;
    let begin = Instant::now();
    let fault = upstreams().send(call).await.unwrap_err();
    assert_eq!(phase_of(&fault), Phase::Connect);
    assert!(begin.elapsed() >= SHORT && begin.elapsed() < LONG);
}

#[tokio::test]
async fn u03_a_tls_handshake_that_is_never_answered_meets_the_connect_bound() {
    let server = Server::start(|mut socket, _| async move { until_closed(&mut socket).await }).await;
    let mut call = call(&format!("https://{}/", server.address));
    call.timeouts.connect = SHORT;
    assert_eq!(phase_of(&upstreams().send(call).await.unwrap_err()), Phase::Connect);
}

#[tokio::test]
async fn u05_a_head_that_never_comes_meets_the_head_bound() {
    let server = Server::start(|mut socket, _| async move { until_closed(&mut socket).await }).await;
    let mut call = server.call();
    call.timeouts.head = SHORT;
    assert_eq!(phase_of(&upstreams().send(call).await.unwrap_err()), Phase::Head);
}

#[tokio::test]
async fn u05_a_head_that_drips_meets_the_same_bound() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        for byte in OK.bytes() {
            sleep(Duration::from_millis(50)).await;
            if socket.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    let mut call = server.call();
    call.timeouts.head = SHORT;
    let begin = Instant::now();
    assert_eq!(phase_of(&upstreams().send(call).await.unwrap_err()), Phase::Head);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

/// Sends `count` chunks, one each 100 ms, then the end.
async fn dripping(count: usize) -> Server {
    Server::start(move |mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        socket.write_all(CHUNKED.as_bytes()).await.unwrap();
        for _ in 0..count {
            sleep(Duration::from_millis(100)).await;
            if socket.write_all(b"1\r\nx\r\n").await.is_err() {
                return;
            }
        }
        let _ = socket.write_all(b"0\r\n\r\n").await;
    })
    .await
}

#[tokio::test]
async fn u06_a_slow_body_that_is_never_idle_completes() {
    let server = dripping(8).await;
    let mut call = server.call();
    call.timeouts.idle = SHORT;
    let body = upstreams().send(call).await.unwrap().body;
    assert_eq!(body.collect(100).await.unwrap(), "xxxxxxxx");
}

#[tokio::test]
async fn a_total_bound_ends_a_body_that_is_never_idle() {
    let server = dripping(50).await;
    let mut call = server.call();
    call.timeouts.total = Some(SHORT);
    let body = upstreams().send(call).await.unwrap().body;
    assert_eq!(phase_of(&body.collect(100).await.unwrap_err()), Phase::Total);
}

#[tokio::test]
async fn u07_silence_in_a_body_meets_the_idle_bound_and_closes_the_socket() {
    let (closed, was_closed) = oneshot::channel();
    let closed = Mutex::new(Some(closed));
    let server = Server::start(move |mut socket, _| {
        let closed = closed.lock().unwrap().take().unwrap();
        async move {
            read_request(&mut socket).await.unwrap();
            socket.write_all(format!("{CHUNKED}5\r\nhello\r\n").as_bytes()).await.unwrap();
            until_closed(&mut socket).await;
            let _ = closed.send(());
        }
    })
    .await;
    let mut call = server.call();
    call.timeouts.idle = SHORT;
    let mut body = upstreams().send(call).await.unwrap().body;
    assert_eq!(body.chunk().await.unwrap().unwrap(), "hello", "partial text is kept");
    let begin = Instant::now();
    let fault = body.chunk().await.unwrap().unwrap_err();
    assert_eq!(phase_of(&fault), Phase::Idle);
    assert!(begin.elapsed() < SHORT + Duration::from_secs(1));
    timeout(LONG, was_closed).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_idle_clock_stands_still_while_nobody_reads() {
    let server = dripping(1).await;
    let mut call = server.call();
    call.timeouts.idle = SHORT;
    let body = upstreams().send(call).await.unwrap().body;
    sleep(SHORT * 2).await;
    assert_eq!(body.collect(100).await.unwrap(), "x");
}
