//! Server-sent events: bytes to events, cut anywhere.
//!
//! What an event means is its dialect's business; `id:` and `retry:` are read by nobody and travel in the raw bytes.
//! Grammar: WHATWG HTML Living Standard, section 9.2.6.

use std::ops::Range;

use bytes::BytesMut;
use memchr::memchr2;

use super::Frame;
use crate::fault::Fault;

/// Cuts a byte stream into server-sent events. Allocates nothing an event once its buffer has grown to the largest one.
///
/// ```
/// # use wire::frame::SseSplitter;
/// let mut splitter = SseSplitter::new(1024);
/// splitter.push(b"data: one\n\ndata: tw");
/// assert_eq!(splitter.next()?.map(|event| event.data.to_owned()).as_deref(), Some("one"));
/// assert_eq!(splitter.next()?, None);
/// # Ok::<(), wire::Fault>(())
/// ```
#[derive(Debug)]
pub struct SseSplitter {
    buffer: Vec<u8>,
    /// Where the unfinished block begins; offsets below count from here.
    start: usize,
    block: Block,
    /// The data lines of the event handed out last, joined, when it had several.
    joined: Vec<u8>,
    /// Largest block in bytes.
    limit: usize,
    at_stream_start: bool,
    quiet_blocks: bool,
}

/// What has been read of a block of lines.
#[derive(Debug, Default)]
struct Block {
    /// Where its first line that is not complete begins.
    line: usize,
    /// Up to where that line has been searched for its end.
    searched: usize,
    /// The last line ended in CR: a line feed that comes next belongs to it.
    after_cr: bool,
    event: Range<usize>,
    /// The first `data:` line, and how many there are.
    data: Range<usize>,
    data_lines: usize,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// The bytes received, from the end of the event before to the blank line, that line included.
    pub raw: &'a [u8],
    /// Value of the last `event:` line; empty when there is none.
    pub event: &'a str,
    /// The `data:` lines, joined by line feeds.
    pub data: &'a str,
}

impl<'a> SseEvent<'a> {
    /// What a codec reads of it.
    pub fn frame(&self) -> Frame<'a> {
        Frame { event: self.event, data: self.data }
    }
}

impl SseSplitter {
    /// Events larger than `limit_bytes` will be refused.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            block: Block::default(),
            joined: Vec::new(),
            limit: limit_bytes,
            at_stream_start: true,
            quiet_blocks: false,
        }
    }

    /// Takes the next bytes of the stream. Call [`next`](Self::next) until it yields `None` before pushing more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete event. Blocks without data (comments, a lone `event:` line) yield nothing; see
    /// [`take_quiet`](Self::take_quiet). [`Fault::BadAnswer`]: an event over the limit, or one that is not UTF-8.
    #[expect(clippy::should_implement_trait, reason = "lends from its buffer, which an Iterator cannot")]
    pub fn next(&mut self) -> Result<Option<SseEvent<'_>>, Fault> {
        self.skip_bom();
        while let Some((block, span)) = self.next_block()? {
            if block.data_lines > 0 {
                return self.event(block, span).map(Some);
            }
            self.quiet_blocks = true;
        }
        Ok(None)
    }

    /// The stream has ended: an event whose lines are complete and only lack the blank line after them, which is
    /// supplied. A last line that breaks off is no event; see [`has_residue`](Self::has_residue).
    pub fn finish(&mut self) -> Result<Option<SseEvent<'_>>, Fault> {
        let unread = self.buffer.len() - self.start;
        if self.block.data_lines > 0 && self.block.line == unread {
            // After a CR, a line feed would only complete that line.
            let blank = if self.block.after_cr { b'\r' } else { b'\n' };
            self.buffer.push(blank);
        }
        self.next()
    }

    /// Whether bytes of an unfinished event remain. At the end of the stream: it was cut.
    pub fn has_residue(&self) -> bool {
        let rest = &self.buffer[self.start + self.block.line..];
        self.block.data_lines > 0 || !(rest.is_empty() || self.block.after_cr && rest == b"\n")
    }

    /// Whether a block without data went by since the last call: the upstream is alive, though it says nothing.
    pub fn take_quiet(&mut self) -> bool {
        std::mem::take(&mut self.quiet_blocks)
    }

    fn skip_bom(&mut self) {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        let undecided = self.buffer.len() < BOM.len() && BOM.starts_with(&self.buffer);
        if !self.at_stream_start || undecided {
            return;
        }
        self.at_stream_start = false;
        if self.buffer.starts_with(BOM) {
            self.block.line = BOM.len();
        }
    }

    /// Reads lines up to a blank one. Yields the block and where it lies.
    fn next_block(&mut self) -> Result<Option<(Block, Range<usize>)>, Fault> {
        loop {
            let bytes = &self.buffer[self.start..];
            let line = self.block.next_line(bytes);
            let size = if line.is_some() { self.block.line } else { bytes.len() };
            if size > self.limit {
                return Err(bad(format!("an event is larger than {} bytes", self.limit)));
            }
            match line {
                None => return Ok(None),
                Some(line) if line.is_empty() => return Ok(Some(self.take_block())),
                Some(line) => self.block.field(bytes, line, &mut self.joined),
            }
        }
    }

    /// The block whose blank line was just read.
    fn take_block(&mut self) -> (Block, Range<usize>) {
        let next = Block { after_cr: self.block.after_cr, ..Block::default() };
        let block = std::mem::replace(&mut self.block, next);
        let span = self.start..self.start + block.line;
        self.start = span.end;
        (block, span)
    }

    fn event(&self, block: Block, span: Range<usize>) -> Result<SseEvent<'_>, Fault> {
        let raw = &self.buffer[span];
        let text = str::from_utf8(raw).map_err(|_| bad("an event is not UTF-8".to_owned()))?;
        let data = match block.data_lines {
            1 => &text[block.data],
            _ => str::from_utf8(&self.joined).expect("joined of lines of a text that was just checked"),
        };
        Ok(SseEvent { raw, event: &text[block.event], data })
    }
}

impl Block {
    /// The next complete line without its end, and moves behind it.
    fn next_line(&mut self, bytes: &[u8]) -> Option<Range<usize>> {
        if self.after_cr && self.line < bytes.len() {
            self.line += usize::from(bytes[self.line] == b'\n');
            self.after_cr = false;
        }
        let from = self.searched.max(self.line);
        let Some(found) = memchr2(b'\n', b'\r', &bytes[from..]) else {
            self.searched = bytes.len();
            return None;
        };
        let line = self.line..from + found;
        let after = &bytes[line.end..];
        self.after_cr = after == b"\r";
        self.line = line.end + if after.starts_with(b"\r\n") { 2 } else { 1 };
        Some(line)
    }

    fn field(&mut self, bytes: &[u8], line: Range<usize>, joined: &mut Vec<u8>) {
        if let Some(value) = value_of(b"data", bytes, &line) {
            self.data_line(bytes, value, joined);
        } else if let Some(value) = value_of(b"event", bytes, &line) {
            self.event = value;
        }
    }

    fn data_line(&mut self, bytes: &[u8], value: Range<usize>, joined: &mut Vec<u8>) {
        self.data_lines += 1;
        match self.data_lines {
            1 => self.data = value,
            2 => {
                joined.clear();
                joined.extend_from_slice(&bytes[self.data.clone()]);
                join(joined, &bytes[value]);
            }
            _ => join(joined, &bytes[value]),
        }
    }
}

fn join(joined: &mut Vec<u8>, line: &[u8]) {
    joined.push(b'\n');
    joined.extend_from_slice(line);
}

/// Where the value lies, if the line has that field.
fn value_of(field: &[u8], bytes: &[u8], line: &Range<usize>) -> Option<Range<usize>> {
    match bytes[line.clone()].strip_prefix(field)? {
        [] => Some(line.end..line.end),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(line.end - value.len()..line.end),
        _ => None,
    }
}

/// Writes a JSON value as an event. Line ends between its tokens go, for they would end its data; inside a JSON text
/// there are none.
pub fn write_sse(json: &str, out: &mut BytesMut) {
    out.extend_from_slice(b"data: ");
    for line in json.split(['\n', '\r']) {
        out.extend_from_slice(line.as_bytes());
    }
    out.extend_from_slice(b"\n\n");
}

fn bad(why: String) -> Fault {
    Fault::BadAnswer { provider: String::new(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Event and data of everything in `stream`, pushed in pieces of `step` bytes; also the raw bytes in a row.
    fn events(stream: &[u8], step: usize) -> (Vec<(String, String)>, Vec<u8>) {
        let mut splitter = SseSplitter::new(1 << 20);
        let (mut events, mut raw) = (Vec::new(), Vec::new());
        let mut keep = |event: SseEvent<'_>| {
            events.push((event.event.to_owned(), event.data.to_owned()));
            raw.extend_from_slice(event.raw);
        };
        for piece in stream.chunks(step) {
            splitter.push(piece);
            while let Some(event) = splitter.next().unwrap() {
                keep(event);
            }
        }
        while let Some(event) = splitter.finish().unwrap() {
            keep(event);
        }
        (events, raw)
    }

    fn data(stream: &[u8]) -> Vec<String> {
        events(stream, stream.len()).0.into_iter().map(|(_, data)| data).collect()
    }

    #[test]
    fn every_line_end_ends_lines() {
        for stream in ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r"] {
            assert_eq!(data(stream.as_bytes()), ["a", "b"], "{stream:?}");
        }
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        assert_eq!(data(b"data:a\ndata\ndata:  b\n\n"), ["a\n\n b"]);
        assert_eq!(data(b": hello\n\nevent: x\n\ndata: a\ndatas: b\nid: 1\n\n"), ["a"]);
        assert_eq!(events(b"event: e\ndata: a\n\n", 99).0, [("e".to_owned(), "a".to_owned())]);
        assert_eq!(data(b"\xef\xbb\xbfdata: a\n\n"), ["a"]);
    }

    #[test]
    fn any_cutting_yields_the_same_events_and_the_same_bytes() {
        let stream =
            "\u{feff}data: caf\u{e9} \u{1f600}\r\n\r\nevent: e\rdata: a\rdata: b\r\rdata: c\n\n".as_bytes();
        let whole = events(stream, stream.len());
        assert_eq!(whole.0.len(), 3);
        assert_eq!(whole.1, stream);
        for step in 1..stream.len() {
            assert_eq!(events(stream, step), whole, "in steps of {step}");
        }
    }

    #[test]
    fn an_event_that_ends_in_cr_does_not_wait_for_a_line_feed() {
        let mut splitter = SseSplitter::new(1024);
        splitter.push(b"data: a\r\r");
        assert_eq!(splitter.next().unwrap().map(|event| event.data), Some("a"));
        assert!(!splitter.has_residue());
        splitter.push(b"\ndata: b\n\n");
        assert_eq!(splitter.next().unwrap().map(|event| event.raw), Some(b"\ndata: b\n\n".as_slice()));
    }

    #[test]
    fn at_the_end_only_the_blank_line_may_be_missing() {
        for (stream, last) in
            [("data: a\n", Some("a")), ("data: a\r", Some("a")), ("data: a", None), ("data: a\nda", None)]
        {
            let mut splitter = SseSplitter::new(1024);
            splitter.push(stream.as_bytes());
            assert_eq!(splitter.next().unwrap(), None);
            assert!(splitter.has_residue());
            assert_eq!(splitter.finish().unwrap().map(|event| event.data), last, "{stream:?}");
            assert_eq!(splitter.has_residue(), last.is_none());
        }
    }

    #[test]
    fn comments_count_as_life_only() {
        let mut splitter = SseSplitter::new(1024);
        splitter.push(b": OPENROUTER PROCESSING\n\n");
        assert_eq!(splitter.next().unwrap(), None);
        assert!(splitter.take_quiet());
        assert!(!splitter.take_quiet());
        assert!(!splitter.has_residue());
    }

    #[test]
    fn an_event_over_the_limit_is_refused_before_it_is_complete() {
        let mut splitter = SseSplitter::new(16);
        splitter.push(b"data: 0123456789");
        assert_eq!(splitter.next().unwrap(), None);
        splitter.push(b"0");
        assert!(matches!(splitter.next(), Err(Fault::BadAnswer { .. })));
    }

    #[test]
    fn a_value_over_several_lines_is_written_as_one_event() {
        let mut out = BytesMut::new();
        write_sse("{\n  \"a\": \"b\\n\"\r\n}", &mut out);
        assert_eq!(data(&out), ["{  \"a\": \"b\\n\"}"]);
    }

    #[test]
    fn an_event_that_is_not_utf8_is_refused() {
        let mut splitter = SseSplitter::new(1024);
        splitter.push(b"data: \xff\n\n");
        assert!(matches!(splitter.next(), Err(Fault::BadAnswer { .. })));
    }
}
