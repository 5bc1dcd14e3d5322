//! Laws of the event splitter, with a naive reader of the standard's words as the judge.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use proptest::prelude::*;
use wire::frame::SseSplitter;

type Seen = Vec<(String, String)>;

/// WHATWG HTML 9.2.6 on a whole stream, line by line; a last line without its end is dropped, a last blank line is not
/// asked for.
fn judge(stream: &str) -> Seen {
    let stream = stream.strip_prefix('\u{feff}').unwrap_or(stream).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = stream.split('\n').collect();
    let cut = lines.pop().is_some_and(|last| !last.is_empty());
    let (mut seen, mut event, mut data) = (Vec::new(), String::new(), None::<String>);
    for line in lines.into_iter().chain((!cut).then_some("")) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let event = std::mem::take(&mut event);
                seen.extend(data.take().map(|data| (event, data)));
            }
            "data" => {
                data = Some(data.map_or_else(|| value.to_owned(), |before| format!("{before}\n{value}")))
            }
            "event" => event = value.to_owned(),
            _ => {}
        }
    }
    seen
}

/// The splitter's view of `stream`, cut at `cuts`.
fn split(stream: &[u8], cuts: &[usize]) -> Seen {
    let mut splitter = SseSplitter::new(1 << 20);
    let mut seen = Vec::new();
    let mut from = 0;
    for &cut in cuts.iter().chain([&stream.len()]) {
        splitter.push(&stream[from..cut]);
        from = cut;
        while let Some(event) = splitter.next().unwrap() {
            seen.push((event.event.to_owned(), event.data.to_owned()));
        }
    }
    seen.extend(splitter.finish().unwrap().map(|event| (event.event.to_owned(), event.data.to_owned())));
    seen
}

fn stream() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "data: a",
        "data:b",
        "data",
        "data:  ",
        "data: \u{e9}\u{1f600}",
        "datum: x",
        "event: e",
        "event",
        ": comment",
        "id: 1",
        "\n",
        "\n",
        "\n\n",
        "\r\n",
        "\r\n\r\n",
        "\r",
        "\r\r",
        "\u{feff}",
        "x",
    ]);
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn events_are_what_the_standard_says_however_the_stream_is_cut(
        stream in stream(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let expected = judge(&stream);
        prop_assert_eq!(&split(stream.as_bytes(), &[]), &expected, "whole {:?}", stream);
        prop_assert_eq!(&split(stream.as_bytes(), &cuts), &expected, "{:?} cut at {:?}", stream, cuts);
        let every: Vec<usize> = (0..stream.len()).collect();
        prop_assert_eq!(&split(stream.as_bytes(), &every), &expected, "{:?} byte by byte", stream);
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8)) {
        let mut splitter = SseSplitter::new(100);
        for piece in &pieces {
            splitter.push(piece);
            while let Ok(Some(_)) = splitter.next() {}
        }
        drop(splitter.finish());
    }
}
