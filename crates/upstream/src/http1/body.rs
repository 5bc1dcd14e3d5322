//! The body of an answer: where it ends, and its payload without the framing.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, header};

use super::Malformed;
use chunked::{Chunked, Step};

mod chunked;
pub(crate) mod coding;

/// How the end of a body is told (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunks, each with its length before it.
    Chunked,
    /// Whatever comes until the connection closes.
    UntilClose,
}

impl Framing {
    /// The framing of an answer to a POST. Two statements about the length are never reconciled: whoever believes the
    /// other one would read the next answer from the wrong place.
    pub(crate) fn of(status: u16, headers: &HeaderMap) -> Result<Self, Malformed> {
        let length = content_length(headers)?;
        let chunked = is_chunked(headers)?;
        match (chunked, length) {
            (true, Some(_)) => Err("it states both a content-length and a transfer-encoding".into()),
            (true, None) if has_no_body(status) => Err("it announces a body that its status excludes".into()),
            (false, Some(1..)) if status == 204 => Err("it announces a body that its status excludes".into()),
            _ if has_no_body(status) => Ok(Framing::Empty),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(0)) => Ok(Framing::Empty),
            (false, Some(length)) => Ok(Framing::Length(length)),
            (false, None) => Ok(Framing::UntilClose),
        }
    }
}

fn has_no_body(status: u16) -> bool {
    matches!(status, 204 | 304)
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("it states its content-length more than once".into());
    }
    let digits = value.as_bytes();
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return Err("its content-length is not a number".into());
    }
    Ok(Some(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))))
}

fn is_chunked(headers: &HeaderMap) -> Result<bool, Malformed> {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(false),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err("its transfer-encoding is not plainly chunked".into()),
    }
}

/// Takes payload out of a read buffer. It may be fed in any cutting; the payload is the same.
#[derive(Debug)]
pub(crate) struct Decoder(State);

#[derive(Debug)]
enum State {
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Done,
    /// Payload came before the flaw and was handed out first.
    Broken(Malformed),
}

impl Decoder {
    pub(crate) fn new(framing: Framing) -> Self {
        Decoder(match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
            Framing::UntilClose => State::UntilClose,
        })
    }

    /// The body is complete; what is left in the buffer does not belong to it.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// Payload bytes still to come, where the framing tells.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match self.0 {
            State::Length(left) => Some(left),
            State::Done => Some(0),
            State::Chunked(_) | State::UntilClose | State::Broken(_) => None,
        }
    }

    /// All payload in the buffer, in one piece; `None` when there is none yet.
    pub(crate) fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        match &mut self.0 {
            State::Length(left) => {
                let taken = usize::try_from(*left).map_or(buffer.len(), |left| left.min(buffer.len()));
                *left -= taken as u64;
                if *left == 0 {
                    self.0 = State::Done;
                }
                Ok(take(buffer, taken))
            }
            State::Chunked(_) => self.decode_chunks(buffer),
            State::UntilClose => {
                let taken = buffer.len();
                Ok(take(buffer, taken))
            }
            State::Done => Ok(None),
            State::Broken(flaw) => Err(flaw.clone()),
        }
    }

    /// Moves the payload of later chunks up to the first one's, over the framing between them.
    fn decode_chunks(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        let State::Chunked(chunked) = &mut self.0 else { return Ok(None) };
        let (mut start, mut end, mut read) = (0, 0, 0);
        let next = loop {
            match chunked.step(&buffer[read..]) {
                Ok(Step::Framing(length)) => read += length,
                Ok(Step::Payload(length)) => {
                    if start == end {
                        (start, end) = (read, read);
                    } else {
                        buffer.copy_within(read..read + length, end);
                    }
                    end += length;
                    read += length;
                }
                Ok(Step::Starved) => break None,
                Ok(Step::End) => break Some(State::Done),
                Err(flaw) if start == end => return Err(flaw),
                Err(flaw) => break Some(State::Broken(flaw)),
            }
        };
        if let Some(next) = next {
            self.0 = next;
        }
        buffer.advance(start);
        let payload = take(buffer, end - start);
        buffer.advance(read - end);
        Ok(payload)
    }

    /// The connection closed. `Err`: the body was not complete.
    pub(crate) fn close(&mut self) -> Result<(), String> {
        match &self.0 {
            State::Done => Ok(()),
            State::UntilClose => {
                self.0 = State::Done;
                Ok(())
            }
            State::Length(left) => Err(format!("the connection closed {left} bytes before the stated end")),
            State::Chunked(_) | State::Broken(_) => Err("the connection closed before the last chunk".into()),
        }
    }
}

fn take(buffer: &mut BytesMut, length: usize) -> Option<Bytes> {
    (length > 0).then(|| buffer.split_to(length).freeze())
}

#[cfg(test)]
mod tests;
