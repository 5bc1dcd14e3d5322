//! Recorded traffic of these operations through the real gateway: what was answered comes as it was, what was refused
//! is refused.

use std::path::{Path, PathBuf};

use fakeprov::FakeProv;
use serde_json::Value;

use crate::support::{Builder, Gateway, Reply, block_on};

/// The operations: name in the index of the recordings, provider of these tests, path of the gateway, how many there are.
const OPERATIONS: [(&str, &str, &str, usize); 5] = [
    ("openai.completions", "oai", "/v1/completions", 6),
    ("openai.embeddings", "oai", "/v1/embeddings", 3),
    ("anthropic.count_tokens", "ant", "/v1/messages/count_tokens", 4),
    ("gemini.count_tokens", "gem", "/v1beta/models/{}:countTokens", 3),
    ("gemini.embed", "gem", "/v1beta/models/{}:batchEmbedContents", 1),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/fixtures/provider-traffic")
}

fn recordings(dialect: &str) -> Vec<Value> {
    let index = std::fs::read_to_string(folder().join("index.jsonl")).unwrap();
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let files =
        rows.filter(|row| row["dialect"] == dialect).map(|row| row["file"].as_str().unwrap().to_owned());
    files.map(|file| serde_json::from_slice(&std::fs::read(folder().join(file)).unwrap()).unwrap()).collect()
}

fn ask(gateway: &Gateway, provider: &str, path: &str, cut: &str, recording: &Value) -> Reply {
    let model = format!("{provider}/replay:{}{cut}", recording["id"].as_str().unwrap());
    let mut body = recording["request"]["body"].clone();
    body["strict"] = true.into();
    if !path.contains("{}") {
        body["model"] = model.as_str().into();
    }
    gateway.post(&path.replace("{}", &model.replace('/', "%2F")), &body)
}

/// The recorded events as the client should see them: without the usage that it did not ask for.
fn events(recording: &Value) -> Vec<Value> {
    let text: String = recording["response"]["sse"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event.as_str().unwrap())
        .collect();
    let mut events = crate::support::events(&text);
    let asked = recording["request"]["body"]["stream_options"]["include_usage"] == true;
    events.retain(|event| asked || event["choices"] != serde_json::json!([]));
    events
}

#[test]
fn recorded_answers_come_as_they_were_and_refusals_as_refusals() {
    let provider: FakeProv = block_on(FakeProv::with_fixtures(folder()));
    let (origin, url) = (provider.origin(), provider.url());
    let gateway = Builder::new(format!(
        "providers:\n  oai: {{base_url: '{url}', api_key: k}}\n  gem: {{wire: gemini, base_url: '{origin}', api_key: k}}\n  \
         ant: {{wire: anthropic_messages, base_url: '{origin}', api_key: k}}\n",
    ))
    .start();
    for (dialect, provider, path, count) in OPERATIONS {
        let all = recordings(dialect);
        assert_eq!(all.len(), count, "recordings of {dialect}");
        for recording in &all {
            let streamed = recording["response"]["sse"].is_array();
            let cuts: &[&str] = if streamed { &["", "+cut=1", "+cut=utf8"] } else { &[""] };
            for cut in cuts {
                let reply = ask(&gateway, provider, path, cut, recording);
                let told = format!("{}{cut}: {} {}", recording["id"], reply.status, reply.text());
                match recording["response"]["status"].as_u64().unwrap() {
                    200 if streamed => assert_eq!(reply.events(), events(recording), "{told}"),
                    200 => assert_eq!(reply.json(), recording["response"]["body"], "{told}"),
                    // About the gateway's own key.
                    401 => assert_eq!(reply.status, 502, "{told}"),
                    status => assert_eq!(u64::from(reply.status), status, "{told}"),
                }
            }
        }
    }
}
