//! A request as segments of bytes, and how far it has been written.

use std::io::IoSlice;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, header};

/// Segments that one write may carry; more are written in turns.
pub(crate) const MAX_SLICES: usize = 16;

/// Headers that frame the message or govern the connection: ours to write, so a caller's are left out.
const OURS: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
];

/// An encoded request. Keeps its bytes until it is dropped, so that it can be written once more.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The head, then the body; none of them empty.
    segments: Vec<Bytes>,
    /// First segment that is not wholly written.
    segment: usize,
    /// Bytes of it that are written.
    offset: usize,
}

impl Outgoing {
    /// `prefix` is the request line and `host`, each with its line end; without `body` none is announced, as for a GET.
    pub(crate) fn new(prefix: &[u8], headers: &HeaderMap, body: Option<Vec<Bytes>>) -> Self {
        let length = body.as_ref().map(|body| body.iter().map(Bytes::len).sum());
        let body = body.unwrap_or_default();
        let mut segments = Vec::with_capacity(body.len() + 1);
        segments.push(encode_head(prefix, headers, length));
        segments.extend(body.into_iter().filter(|segment| !segment.is_empty()));
        Outgoing { segments, segment: 0, offset: 0 }
    }

    /// Everything is written.
    pub(crate) fn is_done(&self) -> bool {
        self.segment == self.segments.len()
    }

    /// What is still to be written, as far as it fits; returns how many slices are set.
    pub(crate) fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let rest = &self.segments[self.segment..];
        for (index, (slice, segment)) in slices.iter_mut().zip(rest).enumerate() {
            let written = if index == 0 { self.offset } else { 0 };
            *slice = IoSlice::new(&segment[written..]);
        }
        rest.len().min(MAX_SLICES)
    }

    /// `count` more bytes are written.
    pub(crate) fn advance(&mut self, mut count: usize) {
        while let Some(segment) = self.segments.get(self.segment) {
            let left = segment.len() - self.offset;
            if count < left {
                self.offset += count;
                return;
            }
            count -= left;
            self.segment += 1;
            self.offset = 0;
        }
    }

    /// Back to the start, for another connection.
    pub(crate) fn rewind(&mut self) {
        self.segment = 0;
        self.offset = 0;
    }
}

fn encode_head(prefix: &[u8], headers: &HeaderMap, length: Option<usize>) -> Bytes {
    let mut head = BytesMut::with_capacity(prefix.len() + 64 * (headers.len() + 2));
    head.put_slice(prefix);
    for (name, value) in headers.iter().filter(|(name, _)| !OURS.contains(name)) {
        put_line(&mut head, name.as_str(), value.as_bytes());
    }
    head.put_slice(b"accept-encoding: identity\r\n");
    if let Some(length) = length {
        put_line(&mut head, "content-length", length.to_string().as_bytes());
    }
    head.put_slice(b"\r\n");
    head.freeze()
}

fn put_line(head: &mut BytesMut, name: &str, value: &[u8]) {
    head.put_slice(name.as_bytes());
    head.put_slice(b": ");
    head.put_slice(value);
    head.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PREFIX: &[u8] = b"POST /v1 HTTP/1.1\r\nhost: a\r\n";

    fn written_in_steps(outgoing: &mut Outgoing, step: usize) -> Vec<u8> {
        let mut written = Vec::new();
        while !outgoing.is_done() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = outgoing.fill(&mut slices);
            let bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
            let taken = step.min(bytes.len());
            written.extend_from_slice(&bytes[..taken]);
            outgoing.advance(taken);
        }
        written
    }

    #[test]
    fn framing_and_connection_headers_of_the_caller_are_replaced_by_ours() {
        let mut headers = HeaderMap::new();
        headers.insert("x-kept", HeaderValue::from_static("1"));
        headers.insert("content-length", HeaderValue::from_static("9"));
        headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
        headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        let mut outgoing = Outgoing::new(PREFIX, &headers, Some(vec![Bytes::from_static(b"{}")]));
        let text = String::from_utf8(written_in_steps(&mut outgoing, usize::MAX)).unwrap();
        assert_eq!(
            text,
            "POST /v1 HTTP/1.1\r\nhost: a\r\nx-kept: 1\r\naccept-encoding: identity\r\ncontent-length: 2\r\n\r\n{}"
        );
    }

    #[test]
    fn a_request_to_read_announces_no_body() {
        let mut outgoing = Outgoing::new(PREFIX, &HeaderMap::new(), None);
        let text = String::from_utf8(written_in_steps(&mut outgoing, usize::MAX)).unwrap();
        assert_eq!(text, "POST /v1 HTTP/1.1\r\nhost: a\r\naccept-encoding: identity\r\n\r\n");
    }

    #[test]
    fn writes_of_any_size_carry_every_byte_once() {
        let body: Vec<Bytes> = (0..40u8).map(|n| Bytes::from(vec![n; usize::from(n)])).collect();
        let mut outgoing = Outgoing::new(PREFIX, &HeaderMap::new(), Some(body));
        let whole = written_in_steps(&mut outgoing, usize::MAX);
        for step in [1, 3, 7, 64, 1000] {
            outgoing.rewind();
            assert_eq!(written_in_steps(&mut outgoing, step), whole, "step {step}");
        }
    }
}
