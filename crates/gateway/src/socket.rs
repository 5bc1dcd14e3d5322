//! Requests over a WebSocket: many on one connection, each through the same exchange as over HTTP.
//!
//! `handshake` opens the door and answers 101; the server then hands the bare connection back, and `conversation` runs
//! on it until either side is done. The frames are the library's; here are the bounds, the order and what is said.

mod answers;
mod chat;
mod conversation;
mod handshake;
mod line;
mod question;

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use wire::SurfaceId;

pub use handshake::{Handover, open};

use crate::app::App;
use crate::door::Caller;
use crate::server::Phase;
use conversation::{Conversation, Desk};
use line::Line;

/// What a socket was opened with.
#[derive(Clone)]
pub struct Socket {
    app: Arc<App>,
    surface: SurfaceId,
    /// `None`: the key is still to come.
    caller: Option<Caller>,
    /// What the handshake said that holds for every request: the project, the wish for no fallback.
    headers: HeaderMap,
}

impl Socket {
    /// Talks with the client until either side is done, or until the server drains and what runs has been answered.
    /// `early` are bytes that came behind the handshake.
    pub async fn run<S>(self, stream: S, early: Bytes, phase: watch::Receiver<Phase>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let line = Line::new(stream, early).await;
        let protocol = Box::new(chat::Chat::new(self.caller.clone()));
        let desk = Desk::new(self);
        Conversation::new(line, protocol, desk, phase).run().await;
    }
}
