//! Recorded exchanges, as their files have them.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A dialect that upstreams speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Chat,
    Messages,
}

impl Dialect {
    /// The name in the index of the recordings.
    fn name(self) -> &'static str {
        match self {
            Dialect::Chat => "openai.chat",
            Dialect::Messages => "anthropic.messages",
        }
    }

    /// The provider of these tests that speaks it.
    fn provider(self) -> &'static str {
        match self {
            Dialect::Chat => "oai",
            Dialect::Messages => "ant",
        }
    }
}

/// One recorded exchange.
#[derive(Debug)]
pub struct Recording {
    pub id: String,
    pub dialect: Dialect,
    pub stream: bool,
    pub request: Value,
    /// The request is the recorded one and no stub.
    pub asked: bool,
    pub status: u16,
    pub headers: Value,
    /// A whole answer.
    pub body: Value,
    /// The events of a streamed answer, line ends included.
    pub events: Vec<String>,
    tags: Vec<String>,
}

impl Recording {
    /// What to ask the gateway for, so that the scripted provider answers with this recording.
    pub fn model(&self) -> String {
        format!("{}/replay:{}", self.dialect.provider(), self.id)
    }

    /// The recorded answer holds an error although its status is 200.
    pub fn breaks_off(&self) -> bool {
        self.tags.iter().any(|tag| tag == "error_in_stream")
    }

    /// The body of a whole answer, as the scripted provider sends it.
    pub fn text(&self) -> String {
        self.body.as_str().map_or_else(|| self.body.to_string(), str::to_owned)
    }
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/fixtures/provider-traffic")
}

/// All exchanges of a dialect.
pub fn all(dialect: Dialect) -> Vec<Recording> {
    let index = std::fs::read_to_string(folder().join("index.jsonl")).unwrap();
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: Vec<_> = rows
        .filter(|row| row["dialect"] == dialect.name())
        .map(|row| read(dialect, row["file"].as_str().unwrap()))
        .collect();
    assert!(found.len() > 50, "recordings of {} are missing", dialect.name());
    found
}

/// Exchanges that were answered in full.
pub fn answered(dialect: Dialect, stream: bool) -> Vec<Recording> {
    let mut found = all(dialect);
    found
        .retain(|recording| recording.status == 200 && recording.stream == stream && !recording.breaks_off());
    found
}

fn read(dialect: Dialect, file: &str) -> Recording {
    let text = std::fs::read(folder().join(file)).unwrap();
    let mut exchange: Value = serde_json::from_slice(&text).unwrap();
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut response = exchange["response"].take();
    Recording {
        id: exchange["id"].as_str().unwrap().to_owned(),
        dialect,
        stream: exchange["stream"] == true,
        asked: exchange["source"]["recorded"] == "request and response",
        request: exchange["request"]["body"].take(),
        status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        headers: response["headers"].take(),
        body: response["body"].take(),
        events: texts(&response["sse"]),
        tags: texts(&exchange["tags"]),
    }
}
