//! Signs of life, on a clock that jumps.

use std::future::poll_fn;

use futures_util::StreamExt;
use tokio::io::{DuplexStream, duplex};

use super::*;

/// A line, and the client at its other end.
async fn line() -> (Line<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (ours, theirs) = duplex(64 * 1024);
    (
        Line::new(ours, Bytes::new(), 1024).await,
        WebSocketStream::from_raw_socket(theirs, Role::Client, None).await,
    )
}

/// How the line ends when the client says nothing of its own; `busy`: it waits for an answer.
async fn end(line: &mut Line<DuplexStream>, busy: bool) -> End {
    poll_fn(|cx| match line.poll_text(cx) {
        Poll::Ready(Err(end)) => Poll::Ready(end),
        _ => line.poll_life(cx, busy),
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_client_is_pinged_every_30_seconds_and_gone_after_90_of_silence() {
    let (mut line, _mute) = line().await;
    let begun = clock::now();
    assert_eq!(end(&mut line, true).await, End::Gone);
    let took = (clock::now() - begun).as_secs();
    assert!((90..=91).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_is_kept_while_it_waits_and_let_go_after_an_hour_of_nothing() {
    let (mut line, mut client) = line().await;
    let pings = tokio::spawn(async move {
        let mut pings = 0;
        // Reading is what answers.
        while let Some(Ok(message)) = client.next().await {
            match message {
                Message::Ping(_) => pings += 1,
                Message::Close(frame) => return (pings, frame.map(|frame| u16::from(frame.code))),
                other => panic!("unexpected: {other:?}"),
            }
        }
        (pings, None)
    });
    let waited = clock::timeout(Duration::from_secs(3 * 3600), end(&mut line, true)).await;
    assert!(waited.is_err(), "a client that waits for an answer is kept: {waited:?}");
    let ended = end(&mut line, false).await;
    assert!(matches!(ended, End::Close(CloseCode::Normal, _)), "{ended:?}");
    line.finish(ended).await;
    let (pings, code) = pings.await.unwrap();
    assert!(pings >= 359, "{pings} pings in three hours");
    assert_eq!(code, Some(1000));
}
