//! One connection to a provider: the socket, plain or TLS, and what has been read from it ahead.
//!
//! Nobody else owns the socket: dropping the connection closes it at once.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::http1::request::{MAX_SLICES, Outgoing};

/// Bytes asked of a first read; kept small because every open stream holds such a buffer.
const MIN_READ: usize = 8 * 1024;
/// Bytes asked of a read at most, after reads that filled their buffer.
const MAX_READ: usize = 64 * 1024;

/// The byte stream under HTTP.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// TLS to a provider inside TLS to a proxy.
    Nested(Box<TlsStream<TlsStream<TcpStream>>>),
}

/// A socket with its read buffer.
pub(crate) struct Connection {
    stream: Stream,
    /// Read and not yet consumed.
    pub(crate) buffer: BytesMut,
    /// Bytes to ask of the next read.
    read_size: usize,
}

impl Connection {
    pub(crate) fn new(stream: Stream) -> Self {
        Connection { stream, buffer: BytesMut::new(), read_size: MIN_READ }
    }

    /// Writes until everything is with the kernel.
    pub(crate) fn poll_send(
        &mut self,
        outgoing: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !outgoing.is_done() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = outgoing.fill(&mut slices);
            let written = ready!(self.stream.poll_write(&slices[..count], cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            outgoing.advance(written);
        }
        self.stream.poll_flush(cx)
    }

    /// One read into the buffer; 0 means that the provider closed.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.make_room();
        let room = self.buffer.capacity() - self.buffer.len();
        let count = ready!(self.stream.poll_read(&mut self.buffer, cx))?;
        if count == room {
            self.read_size = (self.read_size * 2).min(MAX_READ);
        } else if count < self.read_size / 4 {
            self.read_size = MIN_READ;
        }
        Poll::Ready(Ok(count))
    }

    /// Room for a quarter of a read is enough; so a buffer serves many small chunks before it is wound back. One that
    /// grew in a burst is given up once reads are small again.
    fn make_room(&mut self) {
        let (length, quarter) = (self.buffer.len(), self.read_size / 4);
        if length == 0 && self.buffer.capacity() > 2 * self.read_size {
            self.buffer = BytesMut::with_capacity(self.read_size);
        } else if self.buffer.capacity() - length < quarter {
            self.buffer.reserve(self.read_size.saturating_sub(length).max(quarter));
        }
    }

    /// The provider has neither closed nor said anything unasked. Does not wait, and costs no system call while the
    /// runtime has not seen the socket become readable.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.buffer.is_empty() && self.poll_fill(&mut cx).is_pending()
    }
}

impl Stream {
    fn poll_write(&mut self, slices: &[IoSlice<'_>], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Stream::Tls(socket) => Pin::new(&mut **socket).poll_write_vectored(cx, slices),
            Stream::Nested(socket) => Pin::new(&mut **socket).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // The kernel has it all; there is nothing to flush.
            Stream::Plain(_) => Poll::Ready(Ok(())),
            Stream::Tls(socket) => Pin::new(&mut **socket).poll_flush(cx),
            Stream::Nested(socket) => Pin::new(&mut **socket).poll_flush(cx),
        }
    }

    /// The future of `read_buf` keeps no state, so it may be made anew for each poll.
    fn poll_read(&mut self, buffer: &mut BytesMut, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(socket) => pin!(socket.read_buf(buffer)).poll(cx),
            Stream::Tls(socket) => pin!(socket.read_buf(buffer)).poll(cx),
            Stream::Nested(socket) => pin!(socket.read_buf(buffer)).poll(cx),
        }
    }
}
