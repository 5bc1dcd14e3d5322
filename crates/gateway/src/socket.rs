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
mod responses;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use wire::SurfaceId;

pub use handshake::{Handover, is_wanted, open};

use crate::app::App;
use crate::door::Caller;
use crate::server::Phase;
use conversation::{Conversation, Desk, Protocol};
use line::Line;

/// Bytes of a message at `/v1/ws`, whose sender may have no key yet (SAFETY C11).
const CHAT_MESSAGE: usize = 1024 * 1024;

/// What is spoken over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// LLM-Bridge's protocol.
    Chat,
    /// The events of the Responses API.
    Responses,
}

impl Spoken {
    /// The surface on which its requests are made.
    pub fn surface(self) -> SurfaceId {
        match self {
            Spoken::Chat => SurfaceId::Socket,
            Spoken::Responses => SurfaceId::OpenAiResponses,
        }
    }
}

/// What a socket was opened with.
#[derive(Clone)]
pub struct Socket {
    app: Arc<App>,
    spoken: Spoken,
    /// Who is at the other end, for wrong keys.
    peer: IpAddr,
    /// `None`: the key is still to come.
    caller: Option<Caller>,
    /// Bytes of a body when it was opened.
    body_limit: usize,
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
        let line = Line::new(stream, early, self.message_bytes()).await;
        let protocol = self.protocol();
        Conversation::new(line, protocol, Desk::new(self), phase).run().await;
    }

    /// Bytes of a message. A turn of the Responses API is as large as its HTTP request.
    fn message_bytes(&self) -> usize {
        match self.spoken {
            Spoken::Chat => CHAT_MESSAGE,
            Spoken::Responses => self.body_limit,
        }
    }

    fn protocol(&self) -> Box<dyn Protocol> {
        let caller = self.caller.clone();
        match self.spoken {
            Spoken::Chat => Box::new(chat::Chat::new(caller)),
            Spoken::Responses => Box::new(responses::Responses::new(caller, self.body_limit)),
        }
    }
}
