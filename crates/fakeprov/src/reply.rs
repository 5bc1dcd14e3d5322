//! An answer as a list of steps, and the player that performs it. What the steps are is decided by `wire`, `replay`
//! and `faults`; here is only how bytes are framed, cut, timed and broken off.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;

use crate::journal::Journal;
use crate::script::Cut;

/// One thing to do.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Bytes below HTTP: heads, and what is not HTTP at all.
    Raw(Bytes),
    /// Bytes of the body, framed and cut as the reply says.
    Body(Bytes),
    /// The same piece of body again and again.
    Flood { piece: Bytes, times: u64 },
    /// Silence for a while.
    Wait(Duration),
    /// Silence until the peer leaves.
    Hang,
    /// The body's proper end, and the answer's.
    End,
    /// The body's proper end, with more to come.
    EndBody,
    /// The connection's orderly end, whatever the body's state.
    Fin,
    /// The connection's end by reset.
    Reset,
}

/// How the body's end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Chunked,
    Length,
    UntilClose,
}

/// A complete answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) steps: Vec<Step>,
    pub(crate) framing: Framing,
    pub(crate) cut: Cut,
    /// Pause after each piece, so that the reader sees it alone.
    pub(crate) tick: Option<Duration>,
}

impl Reply {
    /// A whole JSON answer.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::whole(Head::new(status).with("content-type", "application/json"), body.to_string().into())
    }

    /// A whole answer of any kind, its length in the head.
    pub(crate) fn whole(head: Head, body: Bytes) -> Self {
        let head = head.with("content-length", body.len());
        let steps = vec![Step::Raw(head.render()), Step::Body(body), Step::End];
        Self { steps, framing: Framing::Length, cut: Cut::None, tick: None }
    }
}

/// A response head being written.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    text: String,
}

impl Head {
    pub(crate) fn new(status: u16) -> Self {
        Self { text: format!("HTTP/1.1 {status} {}\r\nx-request-id: req_fakeprov\r\n", reason(status)) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        use std::fmt::Write as _;
        write!(self.text, "{name}: {value}\r\n").expect("writing to a string cannot fail");
        self
    }

    /// Adds the header that goes with a framing whose length is not known.
    pub(crate) fn framed(self, framing: Framing) -> Self {
        match framing {
            Framing::Chunked => self.with("transfer-encoding", "chunked"),
            Framing::UntilClose => self.with("connection", "close"),
            Framing::Length => self,
        }
    }

    pub(crate) fn render(&self) -> Bytes {
        format!("{}\r\n", self.text).into()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301..=308 => "Redirect",
        429 => "Too Many Requests",
        400..=499 => "Client Error",
        _ => "Server Error",
    }
}

/// What the connection does after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Keep,
    Close,
    /// The socket is set to reset when it is closed; nothing may be said before that.
    Reset,
}

/// The writing side of a connection.
#[derive(Debug)]
pub(crate) struct Player {
    socket: OwnedWriteHalf,
    journal: Arc<Journal>,
}

impl Player {
    pub(crate) fn new(socket: OwnedWriteHalf, journal: Arc<Journal>) -> Self {
        Self { socket, journal }
    }

    /// Performs a reply, noting when its first byte goes out.
    pub(crate) async fn play(&mut self, reply: Reply, began: &OnceLock<Instant>) -> io::Result<After> {
        for step in &reply.steps {
            if matches!(step, Step::Raw(_) | Step::Body(_)) {
                began.get_or_init(Instant::now);
            }
            match step {
                Step::Raw(bytes) => self.write(bytes).await?,
                Step::Body(bytes) => self.body(bytes, &reply).await?,
                Step::Flood { piece, times } => self.flood(piece, *times, &reply).await?,
                Step::Wait(time) => tokio::time::sleep(*time).await,
                Step::Hang => std::future::pending().await,
                Step::End => return self.end(reply.framing).await,
                Step::EndBody => self.end(reply.framing).await.map(|_| ())?,
                Step::Fin => return self.fin().await,
                Step::Reset => return self.reset(),
            }
        }
        Ok(After::Keep)
    }

    /// Writes bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.journal.count_sent(bytes.len());
        Ok(())
    }

    async fn body(&mut self, bytes: &Bytes, reply: &Reply) -> io::Result<()> {
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let piece = rest.split_to(reply.cut.next(&rest));
            self.frame(&piece, reply.framing).await?;
            match reply.tick {
                Some(tick) => tokio::time::sleep(tick).await,
                None => tokio::task::yield_now().await,
            }
        }
        Ok(())
    }

    async fn flood(&mut self, piece: &Bytes, times: u64, reply: &Reply) -> io::Result<()> {
        for _ in 0..times {
            self.frame(piece, reply.framing).await?;
        }
        Ok(())
    }

    async fn frame(&mut self, piece: &[u8], framing: Framing) -> io::Result<()> {
        if framing != Framing::Chunked {
            return self.write(piece).await;
        }
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await
    }

    async fn end(&mut self, framing: Framing) -> io::Result<After> {
        match framing {
            Framing::Chunked => self.write(b"0\r\n\r\n").await.map(|()| After::Keep),
            Framing::Length => Ok(After::Keep),
            Framing::UntilClose => self.fin().await,
        }
    }

    async fn fin(&mut self) -> io::Result<After> {
        self.socket.shutdown().await.map(|()| After::Close)
    }

    fn reset(&mut self) -> io::Result<After> {
        socket2::SockRef::from(self.socket.as_ref()).set_linger(Some(Duration::ZERO))?;
        Ok(After::Reset)
    }

    /// Lets go of the socket without the orderly end that dropping it would send.
    pub(crate) fn abandon(self) {
        self.socket.forget();
    }
}
