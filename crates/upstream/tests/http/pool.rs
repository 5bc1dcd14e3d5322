//! Connections are kept, and given up in time. SAFETY U21.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use upstream::{Options, Upstreams};

use crate::server::{CHUNKED, LONG, OK, Server, read_request, upstreams};

async fn ask(upstreams: &Upstreams, server: &Server) -> String {
    let reply = tokio::time::timeout(LONG, upstreams.send(server.call())).await.unwrap().unwrap();
    assert_eq!(reply.status, 200);
    String::from_utf8(reply.body.collect(1000).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn one_connection_serves_requests_that_follow_each_other() {
    let upstreams = upstreams();
    let whole = Server::answering(OK).await;
    let chunked =
        Server::answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n").await;
    let empty = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for _ in 0..5 {
        assert_eq!(ask(&upstreams, &whole).await, "{}");
        assert_eq!(ask(&upstreams, &chunked).await, "{}");
        assert_eq!(ask(&upstreams, &empty).await, "");
    }
    assert_eq!((whole.accepted(), chunked.accepted(), empty.accepted()), (1, 1, 1));
}

#[tokio::test]
async fn the_request_is_sent_whole_with_our_framing() {
    let server = Server::start(|mut socket, _| async move {
        let request = read_request(&mut socket).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", request.len());
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&request).await.unwrap();
    })
    .await;
    let mut call = server.call();
    call.headers.insert("x-one", "1".parse().unwrap());
    let echoed = upstreams().send(call).await.unwrap().body.collect(1000).await.unwrap();
    let expected = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\nx-one: 1\r\naccept-encoding: identity\r\n\
         content-length: 13\r\n\r\n{{\"model\":\"m\"}}",
        server.address
    );
    assert_eq!(echoed, expected);
}

#[tokio::test]
async fn requests_at_the_same_time_have_connections_of_their_own() {
    let (upstreams, server) = (upstreams(), Server::answering(OK).await);
    let one = upstreams.send(server.call()).await.unwrap();
    let two = upstreams.send(server.call()).await.unwrap();
    assert_eq!(server.accepted(), 2);
    assert_eq!(
        (one.body.collect(10).await.unwrap(), two.body.collect(10).await.unwrap()),
        ("{}".into(), "{}".into())
    );
}

#[tokio::test]
async fn an_answer_that_says_close_or_ends_by_closing_is_the_last_on_its_connection() {
    for answer in
        ["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", "HTTP/1.1 200 OK\r\n\r\n{}"]
    {
        let (upstreams, server) = (upstreams(), Server::closing_after(answer).await);
        for round in 1..=3 {
            assert_eq!(ask(&upstreams, &server).await, "{}");
            assert_eq!(server.accepted(), round);
        }
    }
}

#[tokio::test]
async fn bytes_after_an_answer_end_the_use_of_its_connection() {
    let (upstreams, server) = (
        upstreams(),
        Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n").await,
    );
    for round in 1..=3 {
        assert_eq!(ask(&upstreams, &server).await, "{}");
        assert_eq!(server.accepted(), round);
    }
}

#[tokio::test]
async fn a_body_that_was_not_read_to_its_end_ends_the_use_of_its_connection() {
    let (upstreams, server) =
        (upstreams(), Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{").await);
    for round in 1..=2 {
        drop(upstreams.send(server.call()).await.unwrap());
        assert_eq!(server.accepted(), round);
    }
}

#[tokio::test]
async fn an_idle_connection_that_is_too_old_is_not_used() {
    let upstreams = Upstreams::new(Options { idle_timeout: Duration::from_millis(50), ..Options::default() });
    let server = Server::answering(OK).await;
    ask(&upstreams, &server).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    ask(&upstreams, &server).await;
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn no_more_idle_connections_are_kept_than_allowed() {
    let upstreams = Upstreams::new(Options { max_idle_per_origin: 1, ..Options::default() });
    let server = Server::answering(OK).await;
    for _ in 0..2 {
        let one = upstreams.send(server.call()).await.unwrap();
        let two = upstreams.send(server.call()).await.unwrap();
        one.body.collect(10).await.unwrap();
        two.body.collect(10).await.unwrap();
    }
    assert_eq!(server.accepted(), 3, "the second round finds one of the first two");
}

#[tokio::test]
async fn pools_do_not_share_connections() {
    let server = Server::answering(OK).await;
    ask(&upstreams(), &server).await;
    ask(&upstreams(), &server).await;
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn u21_a_connection_that_was_closed_while_idle_costs_no_call() {
    let (upstreams, server) = (upstreams(), Server::closing_after(OK).await);
    for _ in 0..12 {
        assert_eq!(ask(&upstreams, &server).await, "{}");
        // Sometimes the close is seen by the probe, sometimes only by the write.
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn u21_a_connection_that_closes_on_the_second_request_is_replaced_once() {
    // Answers the first request of each connection, and hangs up on the second after reading it.
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        socket.write_all(OK.as_bytes()).await.unwrap();
        read_request(&mut socket).await;
    })
    .await;
    let upstreams = upstreams();
    for _ in 0..12 {
        assert_eq!(ask(&upstreams, &server).await, "{}");
    }
    // Every other call met a kept connection that failed, and opened a new one.
    assert_eq!(server.accepted(), 12);
}

#[tokio::test]
async fn a_fresh_connection_that_fails_is_not_tried_again() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await;
    })
    .await;
    upstreams().send(server.call()).await.unwrap_err();
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_began_to_answer_is_not_replaced() {
    let server = Server::start(|mut socket, nth| async move {
        read_request(&mut socket).await.unwrap();
        socket.write_all(OK.as_bytes()).await.unwrap();
        read_request(&mut socket).await.unwrap();
        assert_eq!(nth, 0);
        socket.write_all(&CHUNKED.as_bytes()[..10]).await.unwrap();
    })
    .await;
    let upstreams = upstreams();
    ask(&upstreams, &server).await;
    upstreams.send(server.call()).await.unwrap_err();
    assert_eq!(server.accepted(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_from_many_tasks_and_threads_all_succeed() {
    let (upstreams, server) = (upstreams(), Server::answering(OK).await);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (upstreams, call) = (upstreams.clone(), server.call());
            tokio::spawn(async move {
                for _ in 0..50 {
                    let reply = upstreams.send(call.clone()).await.unwrap();
                    assert_eq!(reply.body.collect(10).await.unwrap(), "{}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(server.accepted() < 200, "{} connections", server.accepted());
}
