//! The grammar of the chunked coding (RFC 9112, section 7.1), one step at a time.

use crate::http1::Malformed;

/// A chunk's size line with its extensions, in bytes.
const MAX_LINE: usize = 4 * 1024;
/// All trailer lines together, in bytes.
const MAX_TRAILER: usize = 16 * 1024;
/// Hexadecimal digits of a chunk's size; keeps the size within `u64`.
const MAX_SIZE_DIGITS: usize = 15;

/// Where in the coding the next byte stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Chunked {
    #[default]
    Size,
    Payload {
        left: u64,
    },
    /// The line end after a chunk's payload.
    PayloadEnd,
    Trailer {
        /// Bytes of trailer lines so far.
        seen: usize,
    },
    End,
}

/// What the bytes at hand begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes of framing, to be dropped.
    Framing(usize),
    /// So many bytes of payload.
    Payload(usize),
    /// Too little to tell.
    Starved,
    /// The body is complete.
    End,
}

impl Chunked {
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Malformed> {
        match *self {
            Chunked::Size => self.size(bytes),
            Chunked::Payload { left } => Ok(self.payload(left, bytes.len())),
            Chunked::PayloadEnd => self.payload_end(bytes),
            Chunked::Trailer { seen } => self.trailer(seen, bytes),
            Chunked::End => Ok(Step::End),
        }
    }

    fn size(&mut self, bytes: &[u8]) -> Result<Step, Malformed> {
        let Some(line) = line(bytes, MAX_LINE)? else { return Ok(Step::Starved) };
        *self = match parse_size(line)? {
            0 => Chunked::Trailer { seen: 0 },
            left => Chunked::Payload { left },
        };
        Ok(Step::Framing(line.len() + 2))
    }

    fn payload(&mut self, left: u64, at_hand: usize) -> Step {
        let taken = usize::try_from(left).map_or(at_hand, |left| left.min(at_hand));
        if taken == 0 {
            return Step::Starved;
        }
        *self = match left - taken as u64 {
            0 => Chunked::PayloadEnd,
            left => Chunked::Payload { left },
        };
        Step::Payload(taken)
    }

    fn payload_end(&mut self, bytes: &[u8]) -> Result<Step, Malformed> {
        match bytes {
            [b'\r', b'\n', ..] => {
                *self = Chunked::Size;
                Ok(Step::Framing(2))
            }
            [] | [b'\r'] => Ok(Step::Starved),
            _ => Err("a chunk is longer than it says".into()),
        }
    }

    fn trailer(&mut self, seen: usize, bytes: &[u8]) -> Result<Step, Malformed> {
        let Some(line) = line(bytes, MAX_TRAILER - seen)? else { return Ok(Step::Starved) };
        let length = line.len() + 2;
        *self = match length {
            2 => Chunked::End,
            _ if seen + length >= MAX_TRAILER => return Err("its trailer is too long".into()),
            _ => Chunked::Trailer { seen: seen + length },
        };
        Ok(Step::Framing(length))
    }
}

/// The first line without its line end; `None` when it is not complete.
fn line(bytes: &[u8], max: usize) -> Result<Option<&[u8]>, Malformed> {
    match bytes.iter().take(max).position(|byte| *byte == b'\n') {
        Some(0) => Err("a line of its chunked coding has no carriage return".into()),
        Some(end) if bytes[end - 1] == b'\r' => Ok(Some(&bytes[..end - 1])),
        Some(_) => Err("a line of its chunked coding has no carriage return".into()),
        None if bytes.len() >= max => Err("a line of its chunked coding is too long".into()),
        None => Ok(None),
    }
}

/// The size; extensions after `;` are dropped, and so is white space before them, which old servers pad with.
fn parse_size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    if digits.is_empty() || digits.len() > MAX_SIZE_DIGITS {
        return Err("the size of a chunk is not a number".into());
    }
    digits.iter().try_fold(0, |sum, digit| {
        let value = char::from(*digit).to_digit(16).ok_or("the size of a chunk is not a number")?;
        Ok(sum << 4 | u64::from(value))
    })
}
