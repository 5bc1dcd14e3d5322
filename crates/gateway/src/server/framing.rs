//! Heads that say twice where their request ends, spoilt before hyper reads them.
//!
//! Of a length and a transfer coding hyper drops the length and goes on, as RFC 9112 (section 6.3) allows. A proxy in
//! front of us may have gone by the other, and what it took for a body would be the next request to us. So such a head
//! gets a byte that no head may hold: hyper then refuses it and closes. Only heads whose beginning can be told are looked
//! at; after a request that ends otherwise than by its announced length the router closes the connection.

use memchr::memchr;

/// Bytes of a line that are kept until the rest of it has come.
const LINE: usize = 256;

/// Follows what a client sends, request by request.
#[derive(Debug)]
pub(super) struct Framing {
    place: Place,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Head(Head),
    /// So many bytes before the next head.
    Body(u64),
    /// There is no next head: the connection closes after this request, or has left HTTP.
    Last,
}

/// What of a head was seen so far.
#[derive(Debug, Default, Clone, Copy)]
struct Head {
    has_begun: bool,
    length: Option<u64>,
    is_coded: bool,
    is_upgrade: bool,
}

/// The head may not be answered.
struct Ambiguous;

impl Framing {
    pub(super) fn new() -> Self {
        Self { place: Place::Head(Head::default()), line: Vec::new() }
    }

    /// Looks at bytes that have just come.
    pub(super) fn watch(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Last => return,
                Place::Body(left) => self.pass(left, bytes),
                Place::Head(head) => self.line(head, bytes),
            };
        }
    }

    fn pass<'b>(&mut self, left: u64, bytes: &'b mut [u8]) -> &'b mut [u8] {
        let passed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.place = after(left - passed as u64);
        &mut bytes[passed..]
    }

    /// The bytes after the first line.
    fn line<'b>(&mut self, head: Head, bytes: &'b mut [u8]) -> &'b mut [u8] {
        let Some(end) = memchr(b'\n', bytes) else {
            self.keep(bytes);
            return &mut [];
        };
        let (line, rest) = bytes.split_at_mut(end + 1);
        let judged = if self.line.is_empty() {
            head.next(line)
        } else {
            self.keep(line);
            head.next(&self.line)
        };
        self.line.clear();
        self.place = judged.unwrap_or_else(|Ambiguous| {
            line[end] = 0;
            Place::Last
        });
        rest
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }
}

/// Where a connection is when so much of a body is still to come.
fn after(left: u64) -> Place {
    if left > 0 { Place::Body(left) } else { Place::Head(Head::default()) }
}

impl Head {
    /// Takes a line, and says where the connection is after it.
    fn next(mut self, line: &[u8]) -> Result<Place, Ambiguous> {
        let text = line.trim_ascii();
        match (self.has_begun, text.is_empty()) {
            // Empty lines before a request are passed over (RFC 9112, section 2.2).
            (false, is_empty) => self.has_begun = !is_empty,
            (true, false) => self.field(line)?,
            (true, true) if self.is_coded || self.is_upgrade => return Ok(Place::Last),
            (true, true) => return Ok(after(self.length.unwrap_or(0))),
        }
        Ok(Place::Head(self))
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Ambiguous> {
        let Some(colon) = memchr(b':', line) else { return Ok(()) };
        let name = &line[..colon];
        if name.eq_ignore_ascii_case(b"content-length") {
            self.end_once(line)?;
            self.length = Some(number(&line[colon + 1..]).ok_or(Ambiguous)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.end_once(line)?;
            self.is_coded = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.is_upgrade = true;
        }
        Ok(())
    }

    /// The end may be told once, on a line that can be seen whole however it comes.
    fn end_once(&self, line: &[u8]) -> Result<(), Ambiguous> {
        let is_first = self.length.is_none() && !self.is_coded;
        let is_whole = line.len() <= LINE && line.ends_with(b"\n");
        if is_first && is_whole { Ok(()) } else { Err(Ambiguous) }
    }
}

/// A length, in no more digits than the largest has.
fn number(text: &[u8]) -> Option<u64> {
    const DIGITS: usize = 20;
    let digits = text.trim_ascii();
    let is_number = (1..=DIGITS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hyper gets to read, when the bytes come in pieces of one size.
    fn read(sent: &str, piece: usize) -> String {
        let (mut framing, mut bytes) = (Framing::new(), sent.as_bytes().to_vec());
        bytes.chunks_mut(piece).for_each(|piece| framing.watch(piece));
        String::from_utf8(bytes).unwrap()
    }

    fn is_spoilt(sent: &str) -> bool {
        let spoilt: Vec<_> = [1, 2, 7, 4096].map(|piece| read(sent, piece).contains('\0')).into();
        assert!(spoilt.iter().all(|one| *one == spoilt[0]), "pieces make a difference: {spoilt:?} {sent:?}");
        spoilt[0]
    }

    const BOTH: &str =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn a_head_that_tells_its_end_twice_is_spoilt_and_no_other() {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 5",
            "Content-Length: 5\r\nContent-Length: 5",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Content-Length: +5",
            "Content-Length:",
            &format!("Content-Length: {}5", "0".repeat(300)),
        ] {
            assert!(is_spoilt(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n")), "{fields}");
        }
        for fields in
            ["Content-Length: 5", "Transfer-Encoding: chunked", "X-Content-Length: 5\r\nA: b", "A: b"]
        {
            assert!(!is_spoilt(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n")), "{fields}");
        }
    }

    #[test]
    fn a_body_is_never_touched_and_the_head_after_it_is_found() {
        let body = BOTH.len();
        let harmless = format!("\r\nPOST / HTTP/1.1\r\nContent-Length: {body}\r\n\r\n{BOTH}");
        assert!(!is_spoilt(&harmless));
        assert!(is_spoilt(&format!("{harmless}{BOTH}")));
        assert!(is_spoilt(&format!("GET / HTTP/1.1\nHost: x\n\n{BOTH}")), "lines may end in LF alone");
    }

    #[test]
    fn nothing_is_touched_after_a_request_whose_end_is_not_announced() {
        for field in ["Transfer-Encoding: chunked", "Upgrade: websocket"] {
            assert!(!is_spoilt(&format!("POST / HTTP/1.1\r\n{field}\r\n\r\n{BOTH}")), "{field}");
        }
    }
}
