//! The head of an answer: status, headers, and what they say about the body and the connection.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use httparse::{ParserConfig, Status};

use super::Malformed;
use super::body::Framing;
use super::body::coding::Coding;

/// Header lines that an answer may have; large providers send 20 to 40.
const MAX_HEADERS: usize = 256;

/// The parsed head of a final answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    /// What the body is packed in, though it was asked for plain.
    pub(crate) coding: Option<Coding>,
    /// The connection may serve another request once the body has been read to its end.
    pub(crate) keep_alive: bool,
}

/// Takes the head of the final answer off the buffer; `None` while it is not complete. Interim answers (1xx) are
/// skipped. `max` bounds one head, in bytes.
pub(crate) fn take(buffer: &mut BytesMut, max: usize) -> Result<Option<Head>, Malformed> {
    loop {
        let Some(raw) = parse(buffer, max)? else { return Ok(None) };
        match raw.status {
            101 => return Err("it switched protocols unasked".into()),
            100..200 => continue,
            200..600 => return raw.interpret().map(Some),
            status => return Err(format!("its status {status} does not exist").into()),
        }
    }
}

/// One head, not yet interpreted.
struct RawHead {
    status: u16,
    /// HTTP/1.x.
    minor: u8,
    headers: HeaderMap,
}

impl RawHead {
    fn interpret(self) -> Result<Head, Malformed> {
        let coding = Coding::of(&self.headers)?;
        let framing = Framing::of(self.status, &self.headers)?;
        let keep_alive = self.minor == 1 && framing != Framing::UntilClose && !says_close(&self.headers);
        Ok(Head { status: self.status, headers: self.headers, framing, coding, keep_alive })
    }
}

fn parse(buffer: &mut BytesMut, max: usize) -> Result<Option<RawHead>, Malformed> {
    let mut lines = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        ParserConfig::default().parse_response_with_uninit_headers(&mut response, &buffer[..], &mut lines);
    let length = match parsed.map_err(describe)? {
        Status::Complete(length) => length,
        Status::Partial if buffer.len() > max => return Err(too_large(max)),
        Status::Partial => return Ok(None),
    };
    if length > max {
        return Err(too_large(max));
    }
    let status = response.code.ok_or("its status line has no status")?;
    let minor = response.version.ok_or("its status line has no version")?;
    let headers = copy_headers(&buffer[..length], response.headers)?;
    bytes::Buf::advance(buffer, length);
    Ok(Some(RawHead { status, minor, headers }))
}

/// Copies the head once and lets all values share that copy, so that they do not keep the read buffer alive.
fn copy_headers(head: &[u8], lines: &[httparse::Header<'_>]) -> Result<HeaderMap, Malformed> {
    let shared = Bytes::copy_from_slice(head);
    let mut headers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes())
            .map_err(|_| Malformed::from("a header name is not valid"))?;
        let value = HeaderValue::from_maybe_shared(shared.slice(place(line.value, head)))
            .map_err(|_| Malformed::from(format!("the value of its header {name} is not valid")))?;
        headers.try_append(name, value).map_err(|_| Malformed::from("it has too many headers"))?;
    }
    Ok(headers)
}

/// Where `part`, a slice of `whole`, stands in it.
fn place(part: &[u8], whole: &[u8]) -> std::ops::Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    // The parser may give an empty value that lies nowhere.
    if part.is_empty() { 0..0 } else { start..start + part.len() }
}

fn describe(error: httparse::Error) -> Malformed {
    match error {
        httparse::Error::Status | httparse::Error::Version => "its status line is not HTTP/1.1".into(),
        httparse::Error::TooManyHeaders => format!("it has more than {MAX_HEADERS} headers").into(),
        other => format!("its head is not HTTP ({other})").into(),
    }
}

fn too_large(max: usize) -> Malformed {
    format!("its head is larger than {max} bytes").into()
}

fn says_close(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1024;

    fn taken(text: &str) -> Result<Option<Head>, Malformed> {
        take(&mut BytesMut::from(text), MAX)
    }

    fn refusal(text: &str) -> String {
        taken(text).expect_err("refused").0.into_owned()
    }

    #[test]
    fn a_head_is_taken_and_the_body_stays() {
        let mut buffer =
            BytesMut::from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\nx-empty:\r\n\r\n{}");
        let head = take(&mut buffer, MAX).unwrap().unwrap();
        assert_eq!((head.status, head.framing, head.keep_alive), (200, Framing::Length(2), true));
        assert_eq!(
            (&head.headers["x-a"], &head.headers["x-empty"]),
            (&"b".parse().unwrap(), &"".parse().unwrap())
        );
        assert_eq!(&buffer[..], b"{}");
    }

    #[test]
    fn a_head_cut_anywhere_is_not_complete() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        for end in 0..text.len() {
            assert!(taken(&text[..end]).unwrap().is_none(), "{end}");
        }
    }

    #[test]
    fn interim_answers_are_skipped() {
        let head = taken(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
        );
        let head = head.unwrap().unwrap();
        assert_eq!((head.status, head.framing), (204, Framing::Empty));
        assert!(head.headers.is_empty());
    }

    #[test]
    fn connections_are_kept_only_when_both_sides_can_tell_the_end() {
        let kept = |text: &str| taken(text).unwrap().unwrap().keep_alive;
        assert!(kept("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"));
        assert!(!kept("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: foo, Close\r\n\r\n"));
        assert!(!kept("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"));
        assert!(!kept("HTTP/1.1 200 OK\r\n\r\n"));
    }

    #[test]
    fn what_is_not_http_is_refused_with_its_reason() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(20_000));
        let long = format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(MAX));
        let table = [
            ("HTP/1.1 200 OK\r\n\r\n", "status line"),
            ("HTTP/1.1 abc OK\r\n\r\n", "status line"),
            ("SSH-2.0-OpenSSH_9.2\r\n", "status line"),
            ("HTTP/1.1 101 Switching\r\n\r\n", "switched protocols"),
            ("HTTP/1.1 999 No\r\n\r\n", "999"),
            ("HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n", "not HTTP"),
            ("HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\n\r\n", "content-encoding zstd"),
            ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip, br\r\n\r\n", "content-encoding gzip, br"),
            (many.as_str(), "256 headers"),
            (long.as_str(), "larger than 1024 bytes"),
        ];
        for (text, reason) in table {
            let why = refusal(text);
            assert!(why.contains(reason), "{reason:?} is not in {why:?}");
        }
    }
}
