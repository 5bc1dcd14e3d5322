//! SAFETY C01, the half toward providers: dropping is cancelling.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::server::{CHUNKED, LONG, Server, read_request, until_closed, upstreams};

/// A server that says when it got the request and when the client had closed.
async fn watching(answer: String) -> (Server, oneshot::Receiver<()>, oneshot::Receiver<Instant>) {
    let ((asked, was_asked), (closed, was_closed)) = (oneshot::channel(), oneshot::channel());
    let reports = Mutex::new(Some((asked, closed)));
    let server = Server::start(move |mut socket, _| {
        let (asked, closed) = reports.lock().unwrap().take().unwrap();
        let answer = answer.clone();
        async move {
            read_request(&mut socket).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            let _ = asked.send(());
            until_closed(&mut socket).await;
            closed.send(Instant::now()).unwrap();
        }
    })
    .await;
    (server, was_asked, was_closed)
}

async fn assert_closed_since(dropped: Instant, was_closed: oneshot::Receiver<Instant>) {
    let closed = timeout(LONG, was_closed).await.unwrap().unwrap();
    assert!(closed - dropped < Duration::from_secs(1), "closed after {:?}", closed - dropped);
}

#[tokio::test]
async fn c01_dropping_a_call_before_the_head_closes_the_socket() {
    let (server, was_asked, was_closed) = watching(String::new()).await;
    let upstreams = upstreams();
    let call = server.call();
    let sending = tokio::spawn(async move { upstreams.send(call).await });
    was_asked.await.unwrap();
    let dropped = Instant::now();
    sending.abort();
    assert_closed_since(dropped, was_closed).await;
}

#[tokio::test]
async fn c01_dropping_a_body_in_mid_stream_closes_the_socket() {
    let (server, _, was_closed) = watching(format!("{CHUNKED}5\r\nhello\r\n")).await;
    let mut body = upstreams().send(server.call()).await.unwrap().body;
    assert_eq!(body.chunk().await.unwrap().unwrap(), "hello");
    let dropped = Instant::now();
    drop(body);
    assert_closed_since(dropped, was_closed).await;
}

#[tokio::test]
async fn dropping_a_reply_unread_closes_the_socket() {
    let (server, _, was_closed) = watching("HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\nhello".into()).await;
    let reply = upstreams().send(server.call()).await.unwrap();
    let dropped = Instant::now();
    drop(reply);
    assert_closed_since(dropped, was_closed).await;
}
