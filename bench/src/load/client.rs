//! One kept connection, and just enough HTTP/1.1 to know when an answer is over.

use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Ask;

/// The request of a run: head and body, ready to be written.
pub(crate) fn request(ask: &Ask, stream: bool) -> Bytes {
    let prompt = "lorem ipsum ".repeat(ask.prompt_bytes / 12 + 1);
    let messages = json!([{"role": "user", "content": &prompt[..ask.prompt_bytes]}]);
    let body =
        json!({"model": ask.model, "stream": stream, "max_tokens": 1000, "messages": messages}).to_string();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\naccept: */*\r\nuser-agent: load/1\r\ncontent-length: {}\r\n\r\n{body}",
        ask.port,
        ask.token,
        body.len()
    )
    .into()
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length(usize),
    Chunked,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    socket: TcpStream,
    ahead: BytesMut,
}

impl Client {
    pub(crate) async fn connect(port: u16) -> anyhow::Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, ahead: BytesMut::with_capacity(16 * 1024) })
    }

    /// Asks and reads the whole answer, which must be a good one.
    pub(crate) async fn whole(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.socket.write_all(request).await?;
        let framing = self.head().await?;
        while !is_over(framing, &self.ahead) {
            self.read().await?;
        }
        anyhow::ensure!(memmem::find(&self.ahead, b"\"content\"").is_some(), "an answer without content");
        self.ahead.clear();
        Ok(())
    }

    /// Asks and reads the whole stream, showing complete lines as they come.
    pub(crate) async fn stream(&mut self, request: &[u8], mut seen: impl FnMut(&[u8])) -> anyhow::Result<()> {
        self.open(request).await?;
        let mut shown = 0;
        loop {
            let lines = memchr::memrchr(b'\n', &self.ahead[shown..]).map_or(0, |at| at + 1);
            seen(&self.ahead[shown..shown + lines]);
            shown += lines;
            if is_over(Framing::Chunked, &self.ahead) {
                break;
            }
            self.read().await?;
        }
        anyhow::ensure!(memmem::find(&self.ahead, b"data: [DONE]").is_some(), "a stream without an end");
        self.ahead.clear();
        Ok(())
    }

    /// Asks for a stream and reads up to its first chunk.
    pub(crate) async fn open(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.socket.write_all(request).await?;
        let framing = self.head().await?;
        anyhow::ensure!(matches!(framing, Framing::Chunked), "a stream that is not chunked");
        while memmem::find(&self.ahead, b"data: ").is_none() {
            self.read().await?;
        }
        Ok(())
    }

    async fn head(&mut self) -> anyhow::Result<Framing> {
        loop {
            if let Some((length, framing)) = parse_head(&self.ahead)? {
                self.ahead.advance(length);
                return Ok(framing);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        self.ahead.reserve(16 * 1024);
        anyhow::ensure!(self.socket.read_buf(&mut self.ahead).await? > 0, "the connection was closed");
        Ok(())
    }
}

fn is_over(framing: Framing, body: &[u8]) -> bool {
    match framing {
        Framing::Length(length) => body.len() >= length,
        Framing::Chunked => body.ends_with(b"\r\n0\r\n\r\n"),
    }
}

fn parse_head(bytes: &[u8]) -> anyhow::Result<Option<(usize, Framing)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    anyhow::ensure!(response.code == Some(200), "answered {}", String::from_utf8_lossy(bytes));
    let told = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let framing = match told {
        Some(header) => Framing::Length(std::str::from_utf8(header.value)?.parse()?),
        None => Framing::Chunked,
    };
    Ok(Some((length, framing)))
}

/// How long ago each stamped chunk in some bytes was written, in nanoseconds.
pub(crate) fn lags(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    memmem::find_iter(bytes, "\"@").filter_map(move |at| {
        let digits = bytes[at + 2..].split(|byte| !byte.is_ascii_digit()).next()?;
        let written: u128 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        u64::try_from(now.saturating_sub(written)).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_each_stamped_chunk_is_read() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let bytes = format!(
            "{{\"content\":\"@{} \"}} {{\"content\":\"@{} \"}}",
            now - 1_000_000_000,
            now - 2_000_000_000
        );
        let seconds: Vec<u64> = lags(bytes.as_bytes()).map(|lag| lag / 1_000_000_000).collect();
        assert_eq!(seconds, [1, 2]);
    }

    #[test]
    fn a_head_tells_how_the_body_ends() {
        let told = parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n").unwrap();
        assert!(matches!(told, Some((38, Framing::Length(7)))));
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nContent").unwrap().is_none());
        assert!(parse_head(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").is_err());
    }
}
