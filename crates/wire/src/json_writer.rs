//! Writes JSON straight into bytes, member by member: no tree is built.

use bytes::{BufMut, Bytes};
use serde::Serialize;
use serde_json::{Map, Value};

/// An object in the making.
#[derive(Debug)]
pub(crate) struct ObjectWriter {
    out: Vec<u8>,
}

impl ObjectWriter {
    pub(crate) fn new() -> Self {
        Self { out: b"{".to_vec() }
    }

    /// The next member.
    pub(crate) fn put(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        write_json(&mut self.out, key);
        self.out.push(b':');
        write_json(&mut self.out, value);
    }

    /// The next member, if there is a value.
    pub(crate) fn put_some(&mut self, key: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(key, &value);
        }
    }

    /// The next member, whose value is JSON text already.
    pub(crate) fn put_text(&mut self, key: &str, json: &[u8]) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        write_json(&mut self.out, key);
        self.out.push(b':');
        self.out.extend_from_slice(json);
    }

    /// Members as they are.
    pub(crate) fn put_all(&mut self, members: &Map<String, Value>) {
        for (key, value) in members {
            self.put(key, value);
        }
    }

    pub(crate) fn finish(mut self) -> Bytes {
        self.out.push(b'}');
        self.out.into()
    }
}

/// Appends a value's JSON text.
pub(crate) fn write_json(out: &mut impl BufMut, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out.writer(), value)
        .expect("our values have string keys, and a buffer takes all bytes");
}

/// JSON text without the blanks between its tokens; numbers and the order of keys stay as they are.
pub(crate) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in json.chars() {
        if quoted || !matches!(c, ' ' | '\t' | '\n' | '\r') {
            text.push(c);
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    text
}
