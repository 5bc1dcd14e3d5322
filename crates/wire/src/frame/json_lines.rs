//! A JSON value a line: bytes to lines, cut anywhere.
//!
//! The lines are cut, not checked: whether one is JSON is seen by who reads it.

use memchr::memchr;

use super::Frame;
use crate::fault::Fault;

/// Cuts a byte stream into lines. Blank lines yield nothing.
///
/// ```
/// # use wire::frame::JsonLinesSplitter;
/// let mut splitter = JsonLinesSplitter::new(1024);
/// splitter.push(b"{\"a\":1}\r\n{\"a\"");
/// assert_eq!(splitter.next()?.map(|frame| frame.data.to_owned()).as_deref(), Some("{\"a\":1}"));
/// assert_eq!(splitter.next()?, None);
/// # Ok::<(), wire::Fault>(())
/// ```
#[derive(Debug)]
pub struct JsonLinesSplitter {
    buffer: Vec<u8>,
    /// Where the unfinished line begins, and up to where it has been searched for its end.
    start: usize,
    searched: usize,
    /// Largest line in bytes.
    limit: usize,
}

impl JsonLinesSplitter {
    /// Lines larger than `limit_bytes` will be refused.
    pub fn new(limit_bytes: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, searched: 0, limit: limit_bytes }
    }

    /// Takes the next bytes of the stream. Call [`next`](Self::next) until it yields `None` before pushing more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete line. [`Fault::BadAnswer`]: a line over the limit, or one that is not UTF-8.
    #[expect(clippy::should_implement_trait, reason = "lends from its buffer, which an Iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        loop {
            let Some(length) = memchr(b'\n', &self.buffer[self.searched..]) else {
                self.searched = self.buffer.len();
                self.check(self.searched)?;
                return Ok(None);
            };
            let (start, end) = (self.start, self.searched + length);
            self.check(end)?;
            self.start = end + 1;
            self.searched = self.start;
            if !self.buffer[start..end].trim_ascii().is_empty() {
                return self.line(start, end).map(Some);
            }
        }
    }

    /// The stream has ended: a last line need not have an end of line.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        let (start, end) = (self.start, self.buffer.len());
        self.start = end;
        self.searched = end;
        if self.buffer[start..end].trim_ascii().is_empty() {
            return Ok(None);
        }
        self.line(start, end).map(Some)
    }

    fn check(&self, end: usize) -> Result<(), Fault> {
        if end - self.start > self.limit {
            return Err(bad(format!("a line of more than {} bytes", self.limit)));
        }
        Ok(())
    }

    fn line(&self, start: usize, end: usize) -> Result<Frame<'_>, Fault> {
        let data = str::from_utf8(&self.buffer[start..end]);
        let data = data.map_err(|_| bad("a line is not UTF-8".to_owned()))?;
        Ok(Frame { event: "", data: data.trim_start_matches('\u{feff}').trim() })
    }
}

fn bad(why: String) -> Fault {
    Fault::BadAnswer { provider: String::new(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'a>(limit: usize, chunks: impl Iterator<Item = &'a [u8]>) -> Result<Vec<String>, Fault> {
        let mut splitter = JsonLinesSplitter::new(limit);
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.push(chunk);
            while let Some(frame) = splitter.next()? {
                lines.push(frame.data.to_owned());
            }
        }
        lines.extend(splitter.finish()?.map(|frame| frame.data.to_owned()));
        Ok(lines)
    }

    #[test]
    fn any_cutting_yields_the_same_lines() {
        let text = "{\"a\":\"é😀\"}\r\n\n  \r\n{\"b\":2}\n{\"c\":3}".as_bytes();
        for size in 1..=text.len() {
            let lines = split(64, text.chunks(size)).unwrap();
            assert_eq!(lines, ["{\"a\":\"é😀\"}", "{\"b\":2}", "{\"c\":3}"], "chunks of {size}");
        }
    }

    #[test]
    fn a_line_over_the_limit_or_not_utf_8_is_refused() {
        let long = "x".repeat(100);
        for size in [1, 200] {
            assert!(split(64, long.as_bytes().chunks(size)).is_err());
        }
        assert!(split(64, std::iter::once(&b"\xff\n"[..])).is_err());
    }
}
