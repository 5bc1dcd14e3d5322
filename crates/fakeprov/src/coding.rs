//! Content codings of an answer's body, which nobody asked for.

use bytes::Bytes;
use compression_codecs::brotli::params::EncoderParams;
use compression_codecs::core::Level;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliEncoder, EncodeV2, GzipEncoder, ZlibEncoder};

use crate::reply::Step;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

impl Coding {
    /// The word of the script, and of the header.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        const CODINGS: &[(&str, Coding)] =
            &[("gzip", Coding::Gzip), ("deflate", Coding::Deflate), ("br", Coding::Brotli)];
        CODINGS.iter().find(|(name, _)| *name == word).map(|(_, coding)| *coding)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }

    /// The same steps with their body packed, each piece so that it can be read as soon as it has come.
    pub(crate) fn pack(self, steps: Vec<Step>) -> Vec<Step> {
        let mut packer = Packer(self.encoder());
        let mut packed = Vec::with_capacity(steps.len() + 1);
        for step in steps {
            match step {
                Step::Body(bytes) => packed.push(Step::Body(packer.pack(&bytes))),
                Step::Flood { piece, times } => packed.extend(packer.flood(&piece, times)),
                Step::End | Step::EndBody => packed.extend([Step::Body(packer.end()), step]),
                other => packed.push(other),
            }
        }
        packed
    }

    fn encoder(self) -> Box<dyn EncodeV2> {
        match self {
            Self::Gzip => Box::new(GzipEncoder::new(Level::Best.into())),
            Self::Deflate => Box::new(ZlibEncoder::new(Level::Best.into())),
            Self::Brotli => Box::new(BrotliEncoder::new(EncoderParams::default().quality(Level::Precise(2)))),
        }
    }
}

struct Packer(Box<dyn EncodeV2>);

impl Packer {
    fn pack(&mut self, plain: &[u8]) -> Bytes {
        let mut input = PartialBuffer::new(plain);
        self.written(plain.len(), |encoder, output| {
            encoder.encode(&mut input, output)?;
            encoder.flush(output)
        })
    }

    /// Packed again and again, equal pieces are equal: after the first two, whose surroundings differ, the rest is the
    /// third over and over. So a bomb costs little to make.
    fn flood(&mut self, piece: &[u8], times: u64) -> Vec<Step> {
        let first = [self.pack(piece), self.pack(piece)].map(Step::Body);
        let rest = Step::Flood { piece: self.pack(piece), times: times.saturating_sub(2) };
        first.into_iter().chain([rest]).collect()
    }

    fn end(&mut self) -> Bytes {
        self.written(0, |encoder, output| encoder.finish(output))
    }

    /// What the encoder writes; there is room for incompressible text and for the ends of a format.
    fn written(
        &mut self,
        plain: usize,
        write: impl FnOnce(&mut dyn EncodeV2, &mut WriteBuffer<'_>) -> std::io::Result<bool>,
    ) -> Bytes {
        let mut room = vec![0; plain + plain / 8 + 1024];
        let mut output = WriteBuffer::new_initialized(&mut room);
        let all = write(self.0.as_mut(), &mut output).expect("packing bytes cannot fail");
        assert!(all, "there is room for all of it");
        Bytes::copy_from_slice(output.written())
    }
}
