//! Recorded requests: what an OpenAI-compatible upstream receives is what the client sent.

use serde_json::json;

use super::Bench;
use super::recordings::{self, Dialect};

#[test]
fn carried_requests_arrive_as_recorded() {
    let bench = Bench::new();
    let mut asked = 0;
    for recording in recordings::all(Dialect::Chat).iter().filter(|recording| recording.asked) {
        let mut body = recording.request.clone();
        body["model"] = json!(recording.model());
        body["strict"] = json!(true);
        let before = bench.provider.received().len();
        bench.gateway.post("/v1/chat/completions", &body);
        let arrived = &bench.provider.received()[before..];
        assert!(!arrived.is_empty(), "{}: nothing arrived", recording.id);
        let mut expected = recording.request.clone();
        expected["model"] = json!(format!("replay:{}", recording.id));
        if recording.stream {
            expected["stream_options"]["include_usage"] = json!(true);
        }
        for received in arrived {
            assert_eq!(received.json(), expected, "{}", recording.id);
        }
        asked += 1;
    }
    assert!(asked > 60, "recordings are missing");
}
