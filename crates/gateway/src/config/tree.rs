//! YAML as a tree in which every key and every value knows its line.
//!
//! Reading into a tree first, and not into structs at once, is what lets all mistakes of a file be reported together.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::json;
use serde_saphyr::{Spanned, UserMessageFormatter};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Counted from 1; 0: unknown.
    pub(crate) line: u64,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) line: u64,
}

/// Reads one document; an empty one is `Null`. `Err`: the first thing that is no YAML, with its line.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    if !text.lines().any(is_content) {
        return Ok(Node { line: 1, value: Value::Null });
    }
    let root: Spanned<Value> = serde_saphyr::from_str(text).map_err(|error| describe(&error))?;
    Ok(node(root))
}

/// Without the excerpt: it might show a key that stands in the file.
fn describe(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().render_with_formatter(&UserMessageFormatter);
    let text = text.lines().next().unwrap_or("it is not YAML").to_owned();
    match error.location() {
        Some(location) if !text.contains("line ") => format!("line {}: {text}", location.line()),
        _ => text,
    }
}

fn node(spanned: Spanned<Value>) -> Node {
    Node { line: spanned.referenced.line(), value: spanned.value }
}

impl Node {
    /// What it is, for messages; never its content, which may be a secret.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a section",
        }
    }

    /// The same value as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => json!(value),
            Value::Int(value) => json!(value),
            Value::Float(value) => json!(value),
            Value::Text(value) => json!(value),
            Value::List(items) => items.iter().map(Node::json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.name.clone(), value.json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Value>>()? {
            list.push(node(item));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Spanned<Value>>()? {
            map.push((Key { name: key.value, line: key.referenced.line() }, node(value)));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_line() {
        let root = parse("# first\na: 1\nb:\n  - x\n  - y: true\n").unwrap();
        let Value::Map(entries) = &root.value else { panic!("{root:?}") };
        assert_eq!((entries[0].0.line, entries[0].1.line), (2, 2));
        let Value::List(items) = &entries[1].1.value else { panic!("{root:?}") };
        assert_eq!(items[1].line, 5);
        assert_eq!(root.json(), json!({ "a": 1, "b": ["x", { "y": true }] }));
    }

    #[test]
    fn an_empty_file_is_nothing_and_no_error() {
        for text in ["", "\n\n", "# only a comment\n"] {
            assert!(matches!(parse(text).unwrap().value, Value::Null), "{text:?}");
        }
    }

    #[test]
    fn broken_yaml_names_its_line_and_shows_no_content() {
        let error = parse("a: 1\nkey: sk-secret: b\n").unwrap_err();
        assert!(error.contains("line 2") && !error.contains("sk-secret"), "{error}");
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let error = parse("a: 1\na: 2\n").unwrap_err();
        assert!(error.contains("line 2") && error.contains("`a`") && !error.contains("Options"), "{error}");
    }
}
