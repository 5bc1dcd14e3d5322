//! Recorded exchanges.

use std::path::Path;

use serde_json::Value;

/// One recorded exchange.
pub struct Fixture {
    pub id: String,
    pub stream: bool,
    pub request: Value,
    pub status: u16,
    response: Value,
}

impl Fixture {
    /// The body of a whole answer, as bytes.
    pub fn body(&self) -> Vec<u8> {
        match &self.response["body"] {
            Value::String(text) => text.clone().into_bytes(),
            json => serde_json::to_vec(json).unwrap(),
        }
    }

    /// The body of a whole answer, as a value.
    pub fn json(&self) -> &Value {
        &self.response["body"]
    }

    /// The bytes of a streamed answer.
    pub fn stream_bytes(&self) -> Vec<u8> {
        self.stream_events().concat().into_bytes()
    }

    /// The lines of an answer that was streamed as lines.
    pub fn lines(&self) -> Vec<&str> {
        self.response["ndjson"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
    }

    /// The streamed answer, cut where its events end.
    pub fn stream_events(&self) -> Vec<&str> {
        self.response["sse"].as_array().unwrap().iter().map(|event| event.as_str().unwrap()).collect()
    }
}

/// All exchanges of a dialect (`anthropic.messages`), in the order of their names.
pub fn all(dialect: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/provider-traffic");
    let index = std::fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut files: Vec<String> = rows
        .filter(|row| row["dialect"] == dialect)
        .map(|row| row["file"].as_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no fixtures of {dialect}");
    files.iter().map(|file| read(&folder.join(file))).collect()
}

/// Answered exchanges of a dialect that were streamed.
pub fn streamed(dialect: &str) -> impl Iterator<Item = Fixture> {
    all(dialect).into_iter().filter(|fixture| fixture.stream && fixture.status == 200)
}

/// Answered exchanges of a dialect that were whole.
pub fn whole(dialect: &str) -> impl Iterator<Item = Fixture> {
    all(dialect).into_iter().filter(|fixture| !fixture.stream && fixture.status == 200)
}

/// Refused exchanges of a dialect.
pub fn refused(dialect: &str) -> impl Iterator<Item = Fixture> {
    all(dialect).into_iter().filter(|fixture| fixture.status != 200)
}

fn read(path: &Path) -> Fixture {
    let mut exchange: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // A stream that was recorded as one JSON array, as the same stream in server-sent events.
    if let (true, Value::Array(chunks)) = (exchange["stream"] == true, &exchange["response"]["body"]) {
        let events = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n").into());
        exchange["response"]["sse"] = Value::Array(events.collect());
    }
    Fixture {
        id: exchange["id"].as_str().unwrap().to_owned(),
        stream: exchange["stream"] == true,
        status: u16::try_from(exchange["response"]["status"].as_u64().unwrap()).unwrap(),
        request: exchange["request"]["body"].take(),
        response: exchange["response"].take(),
    }
}
