use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

/// Feeds `bytes` in pieces of the given lengths (the rest in one) and returns payload and whether it ended.
fn decoded(framing: Framing, bytes: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, bool), String> {
    let mut decoder = Decoder::new(framing);
    let (mut buffer, mut payload, mut rest) = (BytesMut::new(), Vec::new(), bytes);
    for cut in cuts.iter().copied().chain([usize::MAX]) {
        let (piece, left) = rest.split_at(cut.min(rest.len()));
        rest = left;
        buffer.extend_from_slice(piece);
        while let Some(piece) = decoder.decode(&mut buffer).map_err(|flaw| flaw.0.into_owned())? {
            payload.extend_from_slice(&piece);
        }
    }
    Ok((payload, decoder.close().is_ok()))
}

fn chunked(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        bytes.extend_from_slice(format!("{:X};a=b\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nx-trailer: 1\r\n\r\n");
    bytes
}

#[test]
fn framing_follows_status_and_headers() {
    let length = headers(&[("content-length", "5")]);
    let chunks = headers(&[("transfer-encoding", "Chunked")]);
    assert_eq!(Framing::of(200, &length), Ok(Framing::Length(5)));
    assert_eq!(Framing::of(200, &chunks), Ok(Framing::Chunked));
    assert_eq!(Framing::of(200, &headers(&[])), Ok(Framing::UntilClose));
    assert_eq!(Framing::of(200, &headers(&[("content-length", "0")])), Ok(Framing::Empty));
    assert_eq!(Framing::of(204, &headers(&[])), Ok(Framing::Empty));
    assert_eq!(Framing::of(304, &length), Ok(Framing::Empty), "a 304 states the length it would have had");
}

#[test]
fn contradictory_framing_is_refused() {
    let table: [&[(&str, &str)]; 9] = [
        &[("content-length", "5"), ("content-length", "6")],
        &[("content-length", "5"), ("content-length", "5")],
        &[("content-length", "5"), ("transfer-encoding", "chunked")],
        &[("content-length", "+5")],
        &[("content-length", "5, 5")],
        &[("content-length", "")],
        &[("content-length", "99999999999999999999")],
        &[("transfer-encoding", "gzip, chunked")],
        &[("transfer-encoding", "xchunked")],
    ];
    for lines in table {
        assert!(Framing::of(200, &headers(lines)).is_err(), "{lines:?}");
    }
}

#[test]
fn chunks_that_arrive_together_leave_in_one_piece() {
    let mut decoder = Decoder::new(Framing::Chunked);
    let mut buffer = BytesMut::from("3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\nnext");
    assert_eq!(decoder.decode(&mut buffer).unwrap().unwrap(), "abcdef");
    assert!(decoder.is_done());
    assert_eq!(&buffer[..], b"next");
}

#[test]
fn the_payload_of_an_unfinished_chunk_does_not_wait() {
    let mut decoder = Decoder::new(Framing::Chunked);
    let mut buffer = BytesMut::from("a\r\n01234");
    assert_eq!(decoder.decode(&mut buffer).unwrap().unwrap(), "01234");
    assert!(decoder.close().is_err());
}

#[test]
fn payload_before_a_flaw_is_handed_out_and_then_the_flaw() {
    let mut decoder = Decoder::new(Framing::Chunked);
    let mut buffer = BytesMut::from("3\r\nabc\r\nzz\r\n");
    assert_eq!(decoder.decode(&mut buffer).unwrap().unwrap(), "abc");
    assert!(decoder.decode(&mut buffer).is_err());
    assert!(decoder.decode(&mut buffer).is_err(), "and it stays");
}

#[test]
fn flawed_chunks_are_refused() {
    let long_extension = format!("1;{}\r\n", "x".repeat(5000));
    let long_trailer = format!("0\r\n{}", "a: b\r\n".repeat(4000));
    let table = [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "1\na\r\n",
        "\n",
        "1\r\nab\r\n",
        "fffffffffffffffff\r\n",
        &long_extension,
        &long_trailer,
    ];
    for text in table {
        assert!(
            decoded(Framing::Chunked, text.as_bytes(), &[]).is_err(),
            "{:?}",
            &text[..text.len().min(20)]
        );
    }
}

#[test]
fn a_short_body_is_not_complete() {
    assert_eq!(decoded(Framing::Length(5), b"1234", &[]), Ok((b"1234".to_vec(), false)));
    assert_eq!(decoded(Framing::Chunked, b"4\r\n1234\r\n", &[]), Ok((b"1234".to_vec(), false)));
    assert_eq!(decoded(Framing::UntilClose, b"1234", &[]), Ok((b"1234".to_vec(), true)));
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_payload(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        cuts in prop::collection::vec(0usize..17, 0..80),
    ) {
        let whole: Vec<u8> = pieces.concat();
        let as_chunks = decoded(Framing::Chunked, &chunked(&pieces), &cuts);
        prop_assert_eq!(as_chunks, Ok((whole.clone(), true)));
        let as_length = decoded(Framing::Length(whole.len() as u64), &whole, &cuts);
        prop_assert_eq!(as_length, Ok((whole, true)));
    }

    #[test]
    fn no_bytes_make_it_panic_or_invent_payload(
        bytes in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'3'), Just(b';'), any::<u8>()], 0..200),
        cuts in prop::collection::vec(0usize..9, 0..40),
    ) {
        if let Ok((payload, _)) = decoded(Framing::Chunked, &bytes, &cuts) {
            prop_assert!(payload.len() <= bytes.len());
        }
    }
}
