//! Recorded exchanges are served as they were.

use fakeprov::FakeProv;
use serde_json::json;

use crate::client::{CHAT, MESSAGES, ask, hello};

/// A directory of two recordings, removed with the value.
fn recordings() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let whole = json!({"response": {"status": 429, "headers": {"content-type": "application/json", "retry-after": "7"},
        "body": {"error": {"message": "slow"}}}});
    let stream = json!({"response": {"status": 200, "headers": {"content-type": "text/event-stream"},
        "sse": ["data: {\"a\":\"ü\"}\r\n\r\n", ": ping\n\n", "data: [DONE]\n\n"]}});
    std::fs::write(directory.path().join("p.whole.1.json"), whole.to_string()).unwrap();
    std::fs::write(directory.path().join("p.stream.2.json"), stream.to_string()).unwrap();
    directory
}

#[tokio::test]
async fn a_recording_is_served_with_its_status_headers_and_bytes() {
    let directory = recordings();
    let provider = FakeProv::with_fixtures(directory.path()).await;
    let whole = ask(&provider, CHAT, &hello("replay:p.whole.1", false));
    assert_eq!((whole.status, whole.json()), (429, json!({"error": {"message": "slow"}})));
    assert!(whole.head.contains("retry-after: 7\r\n"));
    let stream = ask(&provider, MESSAGES, &hello("replay:p.stream.2+cut=1", true));
    assert_eq!(stream.text(), "data: {\"a\":\"ü\"}\r\n\r\n: ping\n\ndata: [DONE]\n\n");
    assert!(stream.chunks.iter().all(|size| *size == 1));
}

#[tokio::test]
async fn an_unknown_recording_or_a_path_is_not_found() {
    let directory = recordings();
    let provider = FakeProv::with_fixtures(directory.path()).await;
    assert_eq!(ask(&provider, CHAT, &hello("replay:none", false)).status, 404);
    assert_eq!(ask(&provider, CHAT, &hello("replay:../etc/passwd", false)).status, 404);
}
