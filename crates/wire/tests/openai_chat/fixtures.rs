//! Recorded exchanges of this dialect.

use std::path::Path;

use serde_json::Value;

pub struct Fixture {
    pub id: String,
    pub request: Value,
    pub status: u16,
    response: Value,
}

impl Fixture {
    /// The streamed answer; `None`: it was whole.
    pub fn stream(&self) -> Option<Vec<u8>> {
        let events = self.response["sse"].as_array()?;
        Some(events.iter().flat_map(|event| event.as_str().unwrap().bytes()).collect())
    }

    /// The whole answer.
    pub fn body(&self) -> Vec<u8> {
        match &self.response["body"] {
            Value::String(text) => text.clone().into_bytes(),
            json => serde_json::to_vec(json).unwrap(),
        }
    }

    pub fn json(&self) -> &Value {
        &self.response["body"]
    }

    /// An answer inside HTTP 200 that is an error.
    pub fn is_error(&self) -> bool {
        match self.stream() {
            Some(bytes) => String::from_utf8(bytes).unwrap().contains("\"error\":{"),
            None => self.json()["error"].is_object(),
        }
    }
}

/// All exchanges, in the order of their names.
pub fn all() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/provider-traffic");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = names.filter(|path| path.to_str().unwrap().contains(".openai-chat.")).collect();
    files.sort();
    assert!(files.len() > 80, "fixtures are missing");
    files.iter().map(|path| read(path)).collect()
}

/// Complete streamed answers.
pub fn streamed() -> impl Iterator<Item = Fixture> {
    all()
        .into_iter()
        .filter(|fixture| fixture.status == 200 && fixture.stream().is_some() && !fixture.is_error())
}

/// Complete whole answers.
pub fn whole() -> impl Iterator<Item = Fixture> {
    all()
        .into_iter()
        .filter(|fixture| fixture.status == 200 && fixture.stream().is_none() && !fixture.is_error())
}

fn read(path: &Path) -> Fixture {
    let mut exchange: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Fixture {
        id: exchange["id"].as_str().unwrap().to_owned(),
        request: exchange["request"]["body"].take(),
        status: u16::try_from(exchange["response"]["status"].as_u64().unwrap()).unwrap(),
        response: exchange["response"].take(),
    }
}
