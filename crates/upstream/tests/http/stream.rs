//! Bodies as they come: nothing waits, nothing is lost, and what came together leaves together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use upstream::{Body, Destination, InProcess, InProcessReply};

use crate::server::{CHUNKED, LONG, Server, call, read_request, until_closed, upstreams};

async fn pieces(mut body: Body) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while let Some(piece) = body.chunk().await {
        pieces.push(piece.unwrap());
    }
    pieces
}

#[tokio::test]
async fn each_chunk_is_handed_on_before_the_next_one_is_sent() {
    let (go, mut went) = mpsc::channel::<()>(1);
    let (passes, gate) = mpsc::channel::<()>(1);
    let gate = Arc::new(Mutex::new(gate));
    let server = Server::start(move |mut socket, _| {
        let (gate, go) = (Arc::clone(&gate), go.clone());
        async move {
            read_request(&mut socket).await.unwrap();
            socket.write_all(CHUNKED.as_bytes()).await.unwrap();
            let mut gate = gate.lock().await;
            for n in 0..10 {
                socket.write_all(format!("1\r\n{n}\r\n").as_bytes()).await.unwrap();
                go.send(()).await.unwrap();
                gate.recv().await.unwrap();
            }
            socket.write_all(b"0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let mut body = upstreams().send(server.call()).await.unwrap().body;
    for n in 0..10 {
        went.recv().await.unwrap();
        let piece = timeout(LONG, body.chunk()).await.unwrap().unwrap().unwrap();
        assert_eq!(piece, n.to_string());
        passes.send(()).await.unwrap();
    }
    assert!(body.chunk().await.is_none());
    assert!(body.is_end());
}

#[tokio::test]
async fn sixty_four_chunks_in_one_write_come_in_one_or_two_pieces() {
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n";
    let answer = CHUNKED.to_owned() + &format!("{:x}\r\n{event}\r\n", event.len()).repeat(64) + "0\r\n\r\n";
    assert!(answer.len() < 8 * 1024, "{}", answer.len());
    let server = Server::closing_after(answer).await;
    let pieces = pieces(upstreams().send(server.call()).await.unwrap().body).await;
    assert_eq!(pieces.concat(), event.repeat(64).into_bytes());
    assert!(pieces.len() <= 2, "{} pieces", pieces.len());
}

#[tokio::test]
async fn a_stream_sent_byte_by_byte_arrives_as_it_was() {
    let text = "data: {\"content\":\"zwölf Boxkämpfer 🥊\"}\r\n\r\n";
    let server = Server::start(move |mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        let answer = CHUNKED.to_owned()
            + &format!("{:x};x=y\r\n{text}\r\n", text.len()).repeat(3)
            + "0\r\na: b\r\n\r\n";
        for byte in answer.bytes() {
            socket.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        until_closed(&mut socket).await;
    })
    .await;
    let pieces = pieces(upstreams().send(server.call()).await.unwrap().body).await;
    assert_eq!(pieces.concat(), text.repeat(3).into_bytes());
}

#[tokio::test]
async fn a_large_body_is_whole_however_it_is_framed() {
    let payload: String = (0..200_000).map(|n| format!("{n},")).collect();
    let length = payload.len();
    let chunks: String = payload
        .as_bytes()
        .chunks(1000)
        .map(|piece| format!("{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap()))
        .collect();
    for answer in [
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{payload}"),
        format!("{CHUNKED}{chunks}0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n\r\n{payload}"),
    ] {
        let server = Server::closing_after(answer).await;
        let body = upstreams().send(server.call()).await.unwrap().body;
        assert!(body.collect(4 << 20).await.unwrap() == payload);
    }
}

#[tokio::test]
async fn the_size_of_a_body_is_known_where_its_head_states_it() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
    let mut body = upstreams().send(server.call()).await.unwrap().body;
    assert_eq!((body.size_hint(), body.is_end()), (Some(5), false));
    body.chunk().await.unwrap().unwrap();
    assert_eq!((body.size_hint(), body.is_end()), (Some(0), true));
    let server = Server::answering(CHUNKED).await;
    assert_eq!(upstreams().send(server.call()).await.unwrap().body.size_hint(), None);
}

struct Parrot;

impl InProcess for Parrot {
    fn answer(&self, headers: &HeaderMap, body: &[Bytes]) -> InProcessReply {
        let (status, headers) = (203, headers.clone());
        InProcessReply { status, headers, chunks: body.to_vec(), pause: Duration::from_secs(60) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_within_the_process_answers_through_the_same_call() {
    let mut call = call("http://unused/");
    call.to = Destination::InProcess(Arc::new(Parrot));
    call.headers.insert("x-one", "1".parse().unwrap());
    let begin = tokio::time::Instant::now();
    let reply = upstreams().send(call).await.unwrap();
    assert_eq!((reply.status, reply.headers.len(), reply.body.size_hint()), (203, 1, Some(13)));
    assert_eq!(pieces(reply.body).await, ["{\"model\":", "\"m\"}"]);
    assert_eq!(begin.elapsed(), Duration::from_secs(60), "one pause between two pieces");
}

#[test]
fn futures_and_bodies_may_move_between_threads() {
    fn send<T: Send>(_: &T) {}
    fn unpin<T: Unpin + Send>() {}
    unpin::<Body>();
    let upstreams = upstreams();
    send(&upstreams.send(call("http://unused/")));
}
