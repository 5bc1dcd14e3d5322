//! One JSON array sent element by element: bytes to elements, cut anywhere, and back.
//!
//! The elements are cut, not checked: whether one is JSON is seen by who reads it.

use std::ops::Range;

use bytes::{BufMut, BytesMut};

use super::Frame;
use crate::fault::Fault;

/// Cuts a byte stream into the elements of the array that it is. A value that stands alone, outside of any array, is
/// taken as the only element: errors come that way.
///
/// ```
/// # use wire::frame::JsonArraySplitter;
/// let mut splitter = JsonArraySplitter::new(1024);
/// splitter.push(b"[{\"a\":1},\r\n{\"a\"");
/// assert_eq!(splitter.next()?.map(|frame| frame.data.to_owned()).as_deref(), Some("{\"a\":1}"));
/// assert_eq!(splitter.next()?, None);
/// # Ok::<(), wire::Fault>(())
/// ```
#[derive(Debug)]
pub struct JsonArraySplitter {
    buffer: Vec<u8>,
    /// Up to where the buffer has been read, and where the element in it began.
    at: usize,
    begun: Option<usize>,
    phase: Phase,
    /// Levels that are open inside the element, and whether they are inside a text, after a backslash.
    depth: usize,
    quoted: bool,
    escaped: bool,
    /// Largest element in bytes.
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing but blanks so far.
    BeforeArray,
    /// An element, or the end of an array that has none.
    First,
    Element,
    AfterElement,
    /// The value that stands alone.
    Alone,
    Ended,
}

impl JsonArraySplitter {
    /// Elements larger than `limit_bytes` will be refused.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            begun: None,
            phase: Phase::BeforeArray,
            depth: 0,
            quoted: false,
            escaped: false,
            limit: limit_bytes,
        }
    }

    /// Takes the next bytes of the stream. Call [`next`](Self::next) until it yields `None` before pushing more.
    pub fn push(&mut self, bytes: &[u8]) {
        let read = self.begun.unwrap_or(self.at);
        self.buffer.drain(..read);
        self.at -= read;
        self.begun = self.begun.map(|_| 0);
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete element. [`Fault::BadAnswer`]: this is no array, or an element is over the limit or not UTF-8.
    #[expect(clippy::should_implement_trait, reason = "lends from its buffer, which an Iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        while let Some(byte) = self.buffer.get(self.at).copied() {
            if let Some(begun) = self.begun {
                self.at += 1;
                if self.at - begun > self.limit {
                    return Err(bad(format!("an element of more than {} bytes", self.limit)));
                }
                if self.closes(byte) {
                    self.begun = None;
                    let ended = begun..self.at;
                    return self.element(ended).map(Some);
                }
            } else {
                self.between(byte)?;
            }
        }
        Ok(None)
    }

    /// Whether the array, or the value that stands alone, came to its end. If not at the end of the stream: it was cut.
    pub fn is_complete(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// A byte outside of any element.
    fn between(&mut self, byte: u8) -> Result<(), Fault> {
        match (self.phase, byte) {
            (_, b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
            (Phase::BeforeArray, 0xef | 0xbb | 0xbf) => self.at += 1,
            (Phase::BeforeArray, b'[') => self.step(Phase::First),
            (Phase::First | Phase::AfterElement, b']') => self.step(Phase::Ended),
            (Phase::AfterElement, b',') => self.step(Phase::Element),
            (Phase::First | Phase::Element, b'{') => self.begin(Phase::AfterElement),
            (Phase::BeforeArray, b'{') => self.begin(Phase::Alone),
            _ => return Err(bad("it is no array of objects".to_owned())),
        }
        Ok(())
    }

    fn step(&mut self, phase: Phase) {
        self.phase = phase;
        self.at += 1;
    }

    fn begin(&mut self, phase: Phase) {
        self.phase = phase;
        self.begun = Some(self.at);
    }

    /// Takes a byte of an element; `true`: it was the last one.
    fn closes(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.quoted => self.escaped = true,
            b'"' => self.quoted = !self.quoted,
            _ if self.quoted => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }

    fn element(&mut self, range: Range<usize>) -> Result<Frame<'_>, Fault> {
        if self.phase == Phase::Alone {
            self.phase = Phase::Ended;
        }
        let data = str::from_utf8(&self.buffer[range]);
        data.map(|data| Frame { event: "", data }).map_err(|_| bad("an element is not UTF-8".to_owned()))
    }
}

fn bad(why: String) -> Fault {
    Fault::BadAnswer { provider: String::new(), why }
}

/// Writes the brackets and commas of an array whose elements come one by one.
#[derive(Debug, Default)]
pub struct JsonArrayWriter {
    begun: bool,
}

impl JsonArrayWriter {
    /// What stands before the next element.
    pub fn element(&mut self, out: &mut BytesMut) {
        out.put_slice(if self.begun { b",\r\n" } else { b"[" });
        self.begun = true;
    }

    /// The end of the array. Not to be written after a failure: an array that is not closed is seen to be cut.
    pub fn finish(&mut self, out: &mut BytesMut) {
        out.put_slice(if self.begun { b"]" } else { b"[]" });
        self.begun = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'a>(limit: usize, chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Result<bool, Fault>) {
        let mut splitter = JsonArraySplitter::new(limit);
        let mut elements = Vec::new();
        let run = || {
            for chunk in chunks {
                splitter.push(chunk);
                while let Some(frame) = splitter.next()? {
                    elements.push(frame.data.to_owned());
                }
            }
            Ok(splitter.is_complete())
        };
        let end = run();
        (elements, end)
    }

    #[test]
    fn any_cutting_yields_the_same_elements() {
        let text = "\u{feff} [{\"a\":\"]},\\\"[\"} \r\n, {\"b\":[{\"c\":\"é😀\"}]}\n]\n".as_bytes();
        let expected = vec!["{\"a\":\"]},\\\"[\"}".to_owned(), "{\"b\":[{\"c\":\"é😀\"}]}".to_owned()];
        for size in 1..=text.len() {
            let (elements, end) = split(64, text.chunks(size));
            assert_eq!((elements, end.unwrap()), (expected.clone(), true), "chunks of {size}");
        }
    }

    #[test]
    fn an_array_that_breaks_off_is_not_complete() {
        for (text, count) in [("[", 0), ("[{}", 1), ("[{},", 1), ("[{},{\"a\":", 1), ("", 0), ("{\"a\":1", 0)]
        {
            let (elements, end) = split(64, std::iter::once(text.as_bytes()));
            assert_eq!((elements.len(), end.unwrap()), (count, false), "{text}");
        }
        assert!(split(64, std::iter::once(&b"[]"[..])).1.unwrap());
    }

    #[test]
    fn a_lone_object_is_the_only_element() {
        let (elements, end) = split(64, std::iter::once(&b"{\"error\":{}}\n"[..]));
        assert_eq!((elements, end.unwrap()), (vec!["{\"error\":{}}".to_owned()], true));
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused() {
        for text in ["<html>", "[1]", "[{}{}]", "[{}]x", "{}{}", "[,{}]", "[{},]"] {
            assert!(split(64, std::iter::once(text.as_bytes())).1.is_err(), "{text}");
        }
        let large = format!("[{{\"a\":\"{}\"}}]", "x".repeat(100));
        assert!(split(64, large.as_bytes().chunks(10)).1.is_err());
        assert!(split(64, std::iter::once(&b"[{\"a\":\"\xff\"}]"[..])).1.is_err());
    }

    #[test]
    fn what_is_written_is_an_array() {
        let (mut writer, mut out) = (JsonArrayWriter::default(), BytesMut::new());
        for element in [b"{\"a\":1}", b"{\"b\":2}"] {
            writer.element(&mut out);
            out.put_slice(element);
        }
        writer.finish(&mut out);
        assert_eq!(serde_json::from_slice::<Vec<serde_json::Value>>(&out).unwrap().len(), 2);
        let mut empty = BytesMut::new();
        JsonArrayWriter::default().finish(&mut empty);
        assert_eq!(&empty[..], b"[]");
    }
}
