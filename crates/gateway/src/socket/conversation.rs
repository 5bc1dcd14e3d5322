//! A conversation: hear, answer, stay alive. One task a socket; whatever runs in it ends when the socket does.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use wire::SurfaceId;

use super::Socket;
use super::answers::{Answers, Script};
use super::line::{End, Line};
use super::question::Question;
use crate::app::App;
use crate::door::Caller;
use crate::server::Phase;

/// Replies that wait to be sent. A client that does not take them is not listened to either.
const MOST_REPLIES: usize = 64;

/// What is spoken over a socket.
pub(super) trait Protocol: Send {
    /// The client has said something.
    ///
    /// # Errors
    /// The client has to go.
    fn hear(&mut self, text: &str, desk: &mut Desk) -> Result<(), End>;
}

/// Where a protocol puts what it wants done.
pub(super) struct Desk {
    socket: Socket,
    /// The answers under way.
    pub(super) answers: Answers,
    replies: VecDeque<Utf8Bytes>,
}

impl Desk {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, answers: Answers::default(), replies: VecDeque::new() }
    }

    /// What all requests share.
    pub(super) fn app(&self) -> &App {
        &self.socket.app
    }

    /// The address at the other end.
    pub(super) fn peer(&self) -> IpAddr {
        self.socket.peer
    }

    /// The surface that is spoken.
    pub(super) fn surface(&self) -> SurfaceId {
        self.socket.spoken.surface()
    }

    /// Sends a text of its own, before any more of the answers.
    pub(super) fn reply(&mut self, text: String) {
        self.replies.push_back(text.into());
    }

    /// Starts to answer a request. `id` is the client's, as JSON text.
    pub(super) fn start(&mut self, id: Option<String>, caller: Caller, body: Bytes, script: Box<dyn Script>) {
        let Socket { app, headers, .. } = &self.socket;
        let client_id = id.as_deref().map(|id| id.trim_matches('"')).filter(|id| is_plain(id));
        let client_id = client_id.map(str::to_owned);
        let (app, surface, headers) = (app.clone(), self.surface(), headers.clone());
        let question = Question { app, surface, caller, headers, client_id, body };
        self.answers.start(id, question, script);
    }
}

/// The conversation.
pub(super) struct Conversation<S> {
    line: Line<S>,
    protocol: Box<dyn Protocol>,
    desk: Desk,
    /// Resolves when the server takes no more requests; `None` once it has.
    serving: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    pub(super) fn new(
        line: Line<S>,
        protocol: Box<dyn Protocol>,
        desk: Desk,
        mut phase: watch::Receiver<Phase>,
    ) -> Self {
        let draining = async move { drop(phase.wait_for(|phase| *phase != Phase::Serving).await) };
        Self { line, protocol, desk, serving: Some(Box::pin(draining)) }
    }

    pub(super) async fn run(mut self) {
        let end = poll_fn(|cx| self.poll_end(cx)).await;
        // First what runs, upstreams included; only then the goodbye.
        drop(self.desk);
        self.line.finish(end).await;
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            if let Err(end) = self.hear(cx) {
                return Poll::Ready(end);
            }
            let was_deaf = self.is_deaf();
            if let Err(end) = self.speak(cx) {
                return Poll::Ready(end);
            }
            if !was_deaf || self.is_deaf() {
                break;
            }
        }
        if self.is_drained(cx) {
            return Poll::Ready(End::Close(CloseCode::Away, "the gateway is shutting down"));
        }
        self.line.poll_life(cx, !self.desk.answers.is_empty())
    }

    /// Hears all that has been said.
    fn hear(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while !self.is_deaf()
            && let Poll::Ready(text) = self.line.poll_text(cx)
        {
            self.protocol.hear(text?.as_str(), &mut self.desk)?;
        }
        Ok(())
    }

    /// Says what there is to say, for as long as the client takes it. Nothing is asked of an answer before: an upstream
    /// is read no faster than the client reads.
    fn speak(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while let Poll::Ready(ready) = self.line.poll_ready(cx) {
            ready?;
            let text = match self.desk.replies.pop_front() {
                Some(reply) => reply,
                None => match self.desk.answers.poll_text(cx) {
                    Poll::Ready(text) => text,
                    Poll::Pending => break,
                },
            };
            self.line.send(text)?;
        }
        match self.line.poll_flush(cx) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }

    fn is_deaf(&self) -> bool {
        self.desk.replies.len() >= MOST_REPLIES
    }

    /// The server drains, and nothing is left to say.
    fn is_drained(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(serving) = &mut self.serving
            && serving.as_mut().poll(cx).is_ready()
        {
            self.serving = None;
        }
        self.serving.is_none() && self.desk.answers.is_empty() && self.desk.replies.is_empty()
    }
}

/// An id that may be stored: `[A-Za-z0-9._-]{1,64}`.
fn is_plain(id: &str) -> bool {
    http::HeaderValue::from_str(id).is_ok_and(|id| crate::arrival::is_plain_id(&id))
}
