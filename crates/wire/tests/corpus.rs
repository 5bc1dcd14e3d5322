//! The corpora of the fuzzers, replayed.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).expect("each target has a corpus") {
        let path = entry.expect("a folder can be listed").path();
        run(&std::fs::read(path).expect("a corpus can be read"));
        replayed += 1;
    }
    assert!(replayed > 0, "no corpus for {target}");
}

#[test]
fn raw_object_holds_on_its_corpus() {
    replay("raw_object", targets::raw_object);
}

#[test]
fn sse_holds_on_its_corpus() {
    replay("sse", targets::sse);
}

#[test]
fn json_frames_hold_on_their_corpus() {
    replay("json_frames", targets::json_frames);
}

#[test]
fn decode_request_holds_on_its_corpus() {
    replay("decode_request", targets::decode_request);
}

#[test]
fn decode_response_holds_on_its_corpus() {
    replay("decode_response", targets::decode_response);
}

#[test]
fn stream_reader_holds_on_its_corpus() {
    replay("stream_reader", targets::stream_reader);
}
