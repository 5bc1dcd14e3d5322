//! Providers that live in this process.

use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use http::HeaderMap;

use crate::deadline::{Alarm, now};

/// A provider that answers without a socket.
pub trait InProcess: Send + Sync {
    /// Answers a request. Called on a thread that serves others too: it must not wait.
    fn answer(&self, headers: &HeaderMap, body: &[Bytes]) -> InProcessReply;
}

/// The answer of an [`InProcess`] provider.
#[derive(Debug, Clone, Default)]
pub struct InProcessReply {
    /// HTTP status.
    pub status: u16,
    /// As over HTTP.
    pub headers: HeaderMap,
    /// The body, in the pieces in which it is to arrive.
    pub chunks: Vec<Bytes>,
    /// Time between two chunks; the first one comes at once.
    pub pause: Duration,
}

/// The body of such an answer, on its way.
#[derive(Debug)]
pub(crate) struct Chunks {
    chunks: vec::IntoIter<Bytes>,
    pause: Duration,
    /// When the next chunk is due; set while waiting for it.
    due: Option<tokio::time::Instant>,
    begun: bool,
    alarm: Alarm,
}

impl Chunks {
    pub(crate) fn new(chunks: Vec<Bytes>, pause: Duration) -> Self {
        Chunks { chunks: chunks.into_iter(), pause, due: None, begun: false, alarm: Alarm::default() }
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.begun && !self.pause.is_zero() && !self.is_end() {
            let due = *self.due.get_or_insert_with(|| now() + self.pause);
            ready!(self.alarm.poll(due, cx));
        }
        (self.begun, self.due) = (true, None);
        Poll::Ready(self.chunks.next())
    }

    pub(crate) fn is_end(&self) -> bool {
        self.chunks.as_slice().is_empty()
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.chunks.as_slice().iter().map(|chunk| chunk.len() as u64).sum()
    }
}
