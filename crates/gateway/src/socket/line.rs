//! The line to one client: texts in both directions, the bounds of what is taken in, and signs of life.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::clock::{self, Instant, Sleep};

/// Bytes read at once. An idle socket holds a buffer of this size and no other.
const READ_BUFFER: usize = 4 * 1024;
/// Small frames that are ready together go out in one write of about this size.
const WRITE_BUFFER: usize = 4 * 1024;

/// How often the client is asked whether it is still there...
const PING: Duration = Duration::from_secs(30);
/// ...and how long it may say nothing at all.
const SILENCE: Duration = Duration::from_secs(90);
/// A client that has asked nothing for so long, and waits for nothing, is let go.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// What was sent last has so long to reach a client that is still sending. A socket closed over unread bytes is reset,
/// and the reset overtakes the reason.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a line ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client has gone, or has said goodbye.
    Gone,
    /// We close, with a code and a reason.
    Close(CloseCode, &'static str),
}

/// A WebSocket with a client at its other end.
pub(super) struct Line<S> {
    stream: WebSocketStream<S>,
    /// Last sign of life.
    heard: Instant,
    /// Last text in either direction.
    active: Instant,
    ping: Pin<Box<Sleep>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// `early` are bytes that have been read already; `message` is how many bytes one message may have, however many
    /// frames it comes in (SAFETY C11).
    pub(super) async fn new(stream: S, early: Bytes, message: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(message))
            .max_frame_size(Some(message));
        let stream =
            WebSocketStream::from_partially_read(stream, early.into(), Role::Server, Some(config)).await;
        let now = clock::now();
        Self { stream, heard: now, active: now, ping: Box::pin(clock::sleep(PING)) }
    }

    /// The next text from the client; pings are answered on the way.
    pub(super) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, End>> {
        loop {
            let message = match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Err(end_of(&error))),
                None => return Poll::Ready(Err(End::Gone)),
            };
            self.heard = clock::now();
            match message {
                Message::Text(text) => {
                    self.active = self.heard;
                    return Poll::Ready(Ok(text));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                Message::Close(_) => return Poll::Ready(Err(End::Gone)),
                Message::Binary(_) => {
                    return Poll::Ready(Err(End::Close(CloseCode::Unsupported, "send text frames")));
                }
            }
        }
    }

    /// Whether another text may be sent: the client takes what was sent before.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        Pin::new(&mut self.stream).poll_ready(cx).map_err(|error| end_of(&error))
    }

    /// Sends a text, once [`Line::poll_ready`] allows one.
    pub(super) fn send(&mut self, text: Utf8Bytes) -> Result<(), End> {
        self.active = clock::now();
        Pin::new(&mut self.stream).start_send(Message::Text(text)).map_err(|error| end_of(&error))
    }

    /// Writes out what was sent.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(|error| end_of(&error))
    }

    /// Asks for signs of life; resolves when there have been none for too long, or when a client that is not `busy` has
    /// nothing to say.
    pub(super) fn poll_life(&mut self, cx: &mut Context<'_>, busy: bool) -> Poll<End> {
        loop {
            ready!(self.ping.as_mut().poll(cx));
            let now = clock::now();
            if now - self.heard >= SILENCE {
                return Poll::Ready(End::Gone);
            }
            if !busy && now - self.active >= IDLE {
                return Poll::Ready(End::Close(CloseCode::Normal, "nothing was asked for an hour"));
            }
            if let Err(error) = Pin::new(&mut self.stream).start_send(Message::Ping(Bytes::new())) {
                return Poll::Ready(end_of(&error));
            }
            if let Poll::Ready(Err(end)) = self.poll_flush(cx) {
                return Poll::Ready(end);
            }
            self.ping.as_mut().reset(now + PING);
        }
    }

    /// Says why, and closes.
    pub(super) async fn finish(mut self, end: End) {
        // Whatever fails here, the client has gone, and there is nobody to tell.
        let _ = clock::timeout(FAREWELL, async {
            if let End::Close(code, reason) = end {
                let reason = Utf8Bytes::from_static(reason);
                self.stream.send(Message::Close(Some(CloseFrame { code, reason }))).await.ok()?;
            } else {
                self.stream.flush().await.ok()?;
            }
            let socket = self.stream.get_mut();
            socket.shutdown().await.ok()?;
            // On the heap: in the task it would be there all along.
            let mut rest = vec![0; 1024];
            while socket.read(&mut rest).await.ok()? > 0 {}
            Some(())
        })
        .await;
    }
}

/// How a broken line is closed (RFC 6455, section 7.4.1).
fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Close(CloseCode::Size, "the message is too large"),
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "a text must be UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            End::Gone
        }
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "this breaks the WebSocket protocol"),
        _ => End::Gone,
    }
}

#[cfg(test)]
mod tests;
