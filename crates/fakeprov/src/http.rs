//! Reads HTTP/1.1 requests off a socket: heads, and bodies by length or in chunks. Writing is `reply`'s.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Heads longer than this are no request of a gateway.
const HEAD_LIMIT: usize = 256 * 1024;
/// What a peer may send ahead while an answer is under way.
const AHEAD_LIMIT: usize = 1024 * 1024;

/// A request, complete.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Request {
    /// The first header of this (lower-case) name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query, as it was written.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        let pairs = self.target.split_once('?')?.1.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The peer waits for leave to send the body.
    pub(crate) fn expects_continue(&self) -> bool {
        self.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    fn chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    }

    fn length(&self) -> io::Result<usize> {
        let Some(value) = self.header("content-length") else { return Ok(0) };
        value.parse().map_err(|_| invalid("content-length is no number"))
    }
}

/// The reading side of a connection, with what was read ahead.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    socket: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(socket: R) -> Self {
        Self { socket, buffer: BytesMut::with_capacity(8 * 1024) }
    }

    /// The next request's head, its body still empty; `None` when the peer closed between requests.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Request>> {
        loop {
            if let Some((length, request)) = parse_head(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(Some(request));
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(invalid("the head is too long"));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// The body that belongs to a head.
    pub(crate) async fn body(&mut self, head: &Request) -> io::Result<Bytes> {
        if head.chunked() { self.chunks().await } else { self.take(head.length()?).await }
    }

    /// Reads on, keeping what comes, until the peer is gone: `false` for an orderly close, `true` for a reset.
    pub(crate) async fn gone(&mut self) -> bool {
        loop {
            if self.buffer.len() > AHEAD_LIMIT {
                std::future::pending::<()>().await;
            }
            match self.fill().await {
                Ok(true) => {}
                Ok(false) => return false,
                Err(_) => return true,
            }
        }
    }

    async fn chunks(&mut self) -> io::Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let line = self.line().await?;
            let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let digits = std::str::from_utf8(digits).map_err(|_| invalid("chunk size is no text"))?;
            let size =
                usize::from_str_radix(digits.trim(), 16).map_err(|_| invalid("chunk size is no number"))?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body.freeze());
            }
            body.extend_from_slice(&self.take(size).await?);
            if !self.line().await?.is_empty() {
                return Err(invalid("a chunk is longer than it says"));
            }
        }
    }

    async fn line(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer.split_to(end).freeze();
                self.buffer.advance(2);
                return Ok(line);
            }
            self.fill_or_fail().await?;
        }
    }

    async fn take(&mut self, length: usize) -> io::Result<Bytes> {
        while self.buffer.len() < length {
            self.fill_or_fail().await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn fill_or_fail(&mut self) -> io::Result<()> {
        if self.fill().await? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(8 * 1024);
        Ok(self.socket.read_buf(&mut self.buffer).await? > 0)
    }
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(usize, Request)>> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let request = Request {
        method: parsed.method.unwrap_or_default().into(),
        target: parsed.path.unwrap_or_default().into(),
        headers: parsed.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect(),
        body: Bytes::new(),
    };
    Ok(Some((length, request)))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
