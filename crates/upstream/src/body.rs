//! The body of an answer, as it arrives.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;
use wire::Fault;
use wire::fault::Phase;

use crate::connect::words;
use crate::connection::Connection;
use crate::deadline::{Alarm, Deadline, now};
use crate::endpoint::Origin;
use crate::http1::Malformed;
use crate::http1::body::Decoder;
use crate::http1::body::coding::Unpacker;
use crate::in_process::Chunks;
use crate::pool::Pool;

/// Bytes of a segment of a body whose length is not known.
const SEGMENT: usize = 1024 * 1024;

/// The body of an answer. Dropping it before its end closes the connection at once; read to its end (until `None`), the
/// connection serves the next request.
pub struct Body {
    provider: Arc<str>,
    source: Source,
}

enum Source {
    Http(HttpBody),
    InProcess(Chunks),
    End,
}

/// A body on a connection.
pub(crate) struct HttpBody {
    pub(crate) connection: Connection,
    pub(crate) decoder: Decoder,
    /// Where the provider packs what was asked for plain.
    pub(crate) unpacker: Option<Box<Unpacker>>,
    /// Where the connection goes after the end; `None`: it is closed.
    pub(crate) home: Option<(Arc<Pool>, Arc<Origin>)>,
    /// Longest silence, counted only while somebody waits.
    pub(crate) idle: Duration,
    pub(crate) total: Option<Deadline>,
    pub(crate) alarm: Alarm,
    /// Since when the reader waits for the next byte.
    pub(crate) waiting: Option<Instant>,
}

impl Body {
    pub(crate) fn http(provider: Arc<str>, body: HttpBody) -> Self {
        let source = if body.is_done() {
            body.go_home();
            Source::End
        } else {
            Source::Http(body)
        };
        Body { provider, source }
    }

    pub(crate) fn in_process(provider: Arc<str>, chunks: Chunks) -> Self {
        Body { provider, source: Source::InProcess(chunks) }
    }

    /// The next bytes: everything that one read brought, without its framing. After an error, and after the end, `None`.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        match &mut self.source {
            Source::End => Poll::Ready(None),
            Source::InProcess(chunks) => chunks.poll_chunk(cx).map(|chunk| chunk.map(Ok)),
            Source::Http(body) => {
                let outcome = ready!(body.poll(&self.provider, cx));
                self.let_go(outcome.is_ok());
                Poll::Ready(outcome.transpose())
            }
        }
    }

    /// Parts with the connection as soon as nothing more comes from it.
    fn let_go(&mut self, sound: bool) {
        let done = matches!(&self.source, Source::Http(body) if body.is_done());
        if (done || !sound)
            && let Source::Http(body) = std::mem::replace(&mut self.source, Source::End)
            && sound
        {
            body.go_home();
        }
    }

    /// The next bytes; see [`Body::poll_chunk`].
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Fault>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Nothing more will come.
    pub fn is_end(&self) -> bool {
        match &self.source {
            Source::Http(_) => false,
            Source::InProcess(chunks) => chunks.is_end(),
            Source::End => true,
        }
    }

    /// Bytes still to come, where that is known.
    pub fn size_hint(&self) -> Option<u64> {
        match &self.source {
            Source::Http(body) if body.unpacker.is_some() => None,
            Source::Http(body) => body.decoder.remaining(),
            Source::InProcess(chunks) => Some(chunks.remaining()),
            Source::End => Some(0),
        }
    }

    /// The whole body. `limit` is in bytes; a larger body is a [`Fault::BadAnswer`] and closes the connection. A body
    /// that came with its head is not copied; one of known length is allocated once; any other takes little more than its
    /// own size while it grows.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, Fault> {
        let stated = self.size_hint().map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        self.require_within(stated.unwrap_or(0), limit)?;
        let Some(first) = self.chunk().await.transpose()? else { return Ok(Bytes::new()) };
        self.require_within(first.len(), limit)?;
        if self.is_end() {
            return Ok(first);
        }
        let mut whole = Gathered::new(stated.unwrap_or(first.len() * 2));
        whole.add(&first);
        drop(first);
        while let Some(chunk) = self.chunk().await.transpose()? {
            self.require_within(whole.size + chunk.len(), limit)?;
            whole.add(&chunk);
        }
        Ok(whole.into_bytes())
    }

    fn require_within(&self, size: usize, limit: usize) -> Result<(), Fault> {
        if size <= limit {
            return Ok(());
        }
        let why = format!("its body is larger than the limit of {limit} bytes");
        Err(Fault::BadAnswer { provider: self.provider.to_string(), why })
    }
}

/// Bytes that are put together once, when all are there: a buffer that doubled would take three times their size.
struct Gathered {
    full: Vec<Bytes>,
    open: BytesMut,
    size: usize,
}

impl Gathered {
    fn new(capacity: usize) -> Self {
        Self { full: Vec::new(), open: BytesMut::with_capacity(capacity), size: 0 }
    }

    fn add(&mut self, chunk: &[u8]) {
        let room = self.open.capacity() - self.open.len();
        if room < chunk.len() && self.open.len() >= SEGMENT {
            self.full.push(std::mem::replace(&mut self.open, BytesMut::with_capacity(SEGMENT)).freeze());
        }
        self.open.extend_from_slice(chunk);
        self.size += chunk.len();
    }

    /// Each segment is let go of as soon as it has been copied.
    fn into_bytes(self) -> Bytes {
        if self.full.is_empty() {
            return self.open.freeze();
        }
        let mut whole = BytesMut::with_capacity(self.size);
        for segment in self.full {
            whole.extend_from_slice(&segment);
        }
        whole.extend_from_slice(&self.open);
        whole.freeze()
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("provider", &self.provider)
            .field("size_hint", &self.size_hint())
            .finish()
    }
}

impl HttpBody {
    /// One read at most before something is returned, unless the read brought framing only.
    fn poll(&mut self, provider: &str, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        loop {
            match self.take() {
                Ok(Some(payload)) => return Poll::Ready(Ok(Some(payload))),
                Ok(None) if self.decoder.is_done() => {
                    return Poll::Ready(self.unpacked().map(|()| None).map_err(|why| cut(provider, why)));
                }
                Ok(None) => {}
                Err(flaw) => {
                    let (provider, why) = (provider.to_owned(), flaw.0.into_owned());
                    return Poll::Ready(Err(Fault::BadAnswer { provider, why }));
                }
            }
            match self.connection.poll_fill(cx) {
                Poll::Pending => return self.poll_deadline(cx).map(|deadline| Err(deadline.fault(provider))),
                Poll::Ready(Ok(0)) => self.decoder.close().map_err(|why| cut(provider, why))?,
                Poll::Ready(Ok(_)) => self.waiting = None,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(cut(provider, words(&error)))),
            }
            if let Some(total) = self.total.filter(|total| total.at <= now()) {
                return Poll::Ready(Err(total.fault(provider)));
            }
        }
    }

    /// What has arrived of the payload, unpacked.
    fn take(&mut self) -> Result<Option<Bytes>, Malformed> {
        let buffer = &mut self.connection.buffer;
        let Some(unpacker) = &mut self.unpacker else { return self.decoder.decode(buffer) };
        loop {
            if let Some(piece) = unpacker.next()? {
                return Ok(Some(piece));
            }
            match self.decoder.decode(buffer)? {
                Some(packed) => unpacker.push(packed),
                None => return Ok(None),
            }
        }
    }

    /// All of the payload has been taken.
    fn is_done(&self) -> bool {
        self.decoder.is_done() && self.unpacked().is_ok()
    }

    /// `Err`: what was packed is not complete, whatever its framing says.
    fn unpacked(&self) -> Result<(), String> {
        self.unpacker.as_ref().map_or(Ok(()), |unpacker| unpacker.finish())
    }

    /// Ready with the deadline that has passed.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Deadline> {
        let since = *self.waiting.get_or_insert_with(now);
        let deadline = Deadline::new(since, self.idle, Phase::Idle).or_sooner(self.total);
        self.alarm.poll(deadline.at, cx).map(|()| deadline)
    }

    /// The connection goes back to its pool, unless bytes follow that nobody asked for.
    fn go_home(self) {
        if let Some((pool, origin)) = self.home
            && self.connection.buffer.is_empty()
        {
            pool.check_in(origin, self.connection);
        }
    }
}

fn cut(provider: &str, why: String) -> Fault {
    Fault::Cut { provider: provider.to_owned(), why }
}
