use compression_codecs::brotli::params::EncoderParams;
use compression_codecs::core::Level;
use compression_codecs::{BrotliEncoder, EncodeV2, GzipEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

const ALL: [Coding; 3] = [Coding::Gzip, Coding::Deflate, Coding::Brotli];

fn packed(coding: Coding, plain: &[u8]) -> Vec<u8> {
    let mut encoder: Box<dyn EncodeV2> = match coding {
        Coding::Gzip => Box::new(GzipEncoder::new(Level::Best.into())),
        Coding::Deflate => Box::new(ZlibEncoder::new(Level::Best.into())),
        Coding::Brotli => Box::new(BrotliEncoder::new(EncoderParams::default().quality(Level::Precise(2)))),
    };
    let mut room = vec![0; plain.len() + 1024];
    let mut output = WriteBuffer::new_initialized(&mut room);
    if !plain.is_empty() {
        encoder.encode(&mut PartialBuffer::new(plain), &mut output).unwrap();
    }
    assert!(encoder.finish(&mut output).unwrap());
    output.written().to_vec()
}

/// Fed in pieces of so many bytes: what comes out, and whether its end is a proper one.
fn unpacked(coding: Coding, packed: &[u8], cut: usize) -> Result<(Vec<u8>, bool), String> {
    let mut unpacker = Unpacker::new(coding);
    let mut plain = Vec::new();
    for piece in packed.chunks(cut) {
        unpacker.push(Bytes::copy_from_slice(piece));
        while let Some(piece) = unpacker.next().map_err(|flaw| flaw.0.into_owned())? {
            assert!(piece.len() <= PIECE);
            plain.extend_from_slice(&piece);
        }
    }
    Ok((plain, unpacker.finish().is_ok()))
}

#[test]
fn more_than_a_hundredfold_is_a_bomb_and_is_noticed_soon() {
    let plain = vec![b' '; 8 << 20];
    for coding in ALL {
        let mut unpacker = Unpacker::new(coding);
        unpacker.push(packed(coding, &plain).into());
        let mut given = 0;
        let flaw = loop {
            match unpacker.next() {
                Ok(piece) => given += piece.expect("the bomb goes off before its end").len() as u64,
                Err(flaw) => break flaw.0,
            }
        };
        assert!(flaw.contains("100 times"), "{flaw}");
        assert!(given <= SUSPICIOUS_FROM, "{given} bytes came before");
    }
}

#[test]
fn a_small_text_may_be_as_regular_as_it_likes() {
    for coding in ALL {
        for cut in [7, 1 << 20] {
            let plain = vec![b'a'; 1 << 20];
            let (text, whole) = unpacked(coding, &packed(coding, &plain), cut).unwrap();
            assert!(text == plain && whole, "{coding:?} in pieces of {cut}");
        }
    }
}

#[test]
fn what_ends_early_or_is_not_packed_is_noticed() {
    for coding in ALL {
        let packed = packed(coding, b"a text of some length, and some more of it");
        for end in 1..packed.len() {
            let (_, whole) = unpacked(coding, &packed[..end], 5).unwrap();
            assert!(!whole, "{coding:?} cut at {end}");
        }
        assert!(unpacked(coding, &[b'{'; 100], 100).is_err(), "{coding:?}");
    }
}

proptest! {
    #[test]
    fn a_packed_body_cut_anywhere_is_the_same_text(
        plain in proptest::collection::vec(any::<u8>(), 0..5000), cut in 1_usize..200,
    ) {
        for coding in ALL {
            prop_assert_eq!(unpacked(coding, &packed(coding, &plain), cut), Ok((plain.clone(), true)));
        }
    }
}
