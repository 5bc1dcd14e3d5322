//! Content codings (RFC 9110, section 8.4). We ask for none, and read the usual ones of providers that use one all the
//! same. A little input may be a great deal of output: it is made piece by piece, as somebody takes it.

use bytes::{Buf, Bytes};
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliDecoder, DecodeV2, GzipDecoder, ZlibDecoder};
use http::{HeaderMap, header};

use crate::http1::Malformed;

/// Bytes of a piece of output, at most.
const PIECE: usize = 32 * 1024;

/// From so many bytes of output on, a body that is so many times smaller packed is a bomb. Text shrinks to a fifth, and
/// hardly ever to less than a twentieth.
const SUSPICIOUS_FROM: u64 = 1024 * 1024;
const MOST_TIMES: u64 = 100;

/// A coding that we can undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

const CODINGS: [(&str, Coding); 4] =
    [("gzip", Coding::Gzip), ("x-gzip", Coding::Gzip), ("deflate", Coding::Deflate), ("br", Coding::Brotli)];

impl Coding {
    /// The coding of an answer; `None`: it is plain.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, Malformed> {
        let is_none = |name: &[u8]| name.is_empty() || name.eq_ignore_ascii_case(b"identity");
        let stated = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.as_bytes());
        let mut stated = stated.filter(|name| !is_none(name));
        let Some(name) = stated.next() else { return Ok(None) };
        let known = CODINGS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        match (known, stated.next()) {
            (Some((_, coding)), None) => Ok(Some(*coding)),
            _ => {
                let name = String::from_utf8_lossy(name);
                Err(format!("its content-encoding {name} was not asked for and cannot be read").into())
            }
        }
    }
}

/// Undoes a coding.
pub(crate) struct Unpacker {
    decoder: Box<dyn DecodeV2 + Send>,
    /// Came, and is not used up.
    packed: Bytes,
    /// Room for a piece.
    room: Box<[u8]>,
    /// The last piece filled its room: more may come without more input.
    more: bool,
    /// The packed body has said that it is complete.
    ended: bool,
    taken: u64,
    given: u64,
}

impl Unpacker {
    pub(crate) fn new(coding: Coding) -> Self {
        let decoder: Box<dyn DecodeV2 + Send> = match coding {
            Coding::Gzip => Box::new(GzipDecoder::new()),
            Coding::Deflate => Box::new(ZlibDecoder::new()),
            Coding::Brotli => Box::new(BrotliDecoder::new()),
        };
        let room = vec![0; PIECE].into_boxed_slice();
        Self { decoder, packed: Bytes::new(), room, more: false, ended: false, taken: 0, given: 0 }
    }

    /// More of the packed body, once [`next`](Self::next) has nothing more to give.
    pub(crate) fn push(&mut self, packed: Bytes) {
        self.taken += packed.len() as u64;
        self.packed = packed;
    }

    /// Nothing comes without more input.
    fn is_empty(&self) -> bool {
        self.ended || (self.packed.is_empty() && !self.more)
    }

    /// The next piece; `None` when more input is needed.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Malformed> {
        while !self.is_empty() {
            let length = self.step().map_err(|error| format!("its packed body is broken: {error}"))?;
            if length > 0 {
                self.given += length as u64;
                self.require_sense()?;
                return Ok(Some(Bytes::copy_from_slice(&self.room[..length])));
            }
        }
        Ok(None)
    }

    /// The body is over. `Err`: in the middle of what was packed.
    pub(crate) fn finish(&self) -> Result<(), String> {
        if self.ended || self.taken == 0 { Ok(()) } else { Err("its packed body ended early".to_owned()) }
    }

    /// Makes one piece, and says how long it is.
    fn step(&mut self) -> std::io::Result<usize> {
        let mut output = WriteBuffer::new_initialized(&mut self.room);
        if self.packed.is_empty() {
            self.decoder.flush(&mut output)?;
            // Where the last piece filled its room, the end is told only now. An error says no more than that it is not.
            let nothing = &mut PartialBuffer::new([].as_slice());
            self.ended =
                output.written_len() == 0 && matches!(self.decoder.decode(nothing, &mut output), Ok(true));
        } else {
            let mut input = PartialBuffer::new(&self.packed[..]);
            self.ended = self.decoder.decode(&mut input, &mut output)?;
            let used = input.written_len();
            self.packed.advance(used);
        }
        self.more = output.has_no_spare_space();
        Ok(output.written_len())
    }

    fn require_sense(&self) -> Result<(), Malformed> {
        let bomb = self.given > SUSPICIOUS_FROM && self.given / MOST_TIMES > self.taken;
        if bomb {
            Err(format!("its body is more than {MOST_TIMES} times larger than it was sent").into())
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
