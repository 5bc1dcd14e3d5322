//! JSON Schema cut down to the OpenAPI subset of older targets.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::Draft;
use super::value;
use crate::fault::Fault;

/// Keywords that the subset has.
const KEPT: &[&str] = &[
    "type",
    "format",
    "description",
    "nullable",
    "enum",
    "items",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "anyOf",
];

/// Keywords that constrain nothing.
const NOTES: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "$anchor",
    "$defs",
    "definitions",
    "title",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Most schemas that references may unfold to, and how deep they may lie.
const MOST: usize = 10_000;
const DEEPEST: usize = 64;

/// A schema of the subset. What constrained and had to go is a loss; a schema that refers to itself is refused.
pub(in crate::gemini::request) fn to_open_api(
    schema: &RawValue,
    at: &str,
    draft: &mut Draft<'_>,
) -> Result<Value, Fault> {
    let root = value(schema, at)?;
    let mut cutter = Cutter { root: &root, depth: 0, written: 0, dropped: false };
    let cut = cutter.schema(&root).map_err(|what| draft.unsupported(what, at))?;
    if cutter.dropped {
        draft.lose("schema", at);
    }
    Ok(cut)
}

struct Cutter<'a> {
    root: &'a Value,
    depth: usize,
    written: usize,
    /// Something that constrained is gone.
    dropped: bool,
}

impl Cutter<'_> {
    fn schema(&mut self, schema: &Value) -> Result<Value, &'static str> {
        self.written += 1;
        self.depth += 1;
        if self.depth > DEEPEST || self.written > MOST {
            return Err("a schema that refers to itself, or is too large");
        }
        let cut = match self.resolved(schema)? {
            Value::Object(keywords) => self.keywords(keywords),
            // `true` and `false`, which allow all and nothing.
            _ => Ok(json!({})),
        };
        self.depth -= 1;
        cut
    }

    /// The schema with the one that it refers to in place of the reference.
    fn resolved(&mut self, schema: &Value) -> Result<Value, &'static str> {
        let mut schema = schema.clone();
        for _ in 0..DEEPEST {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return Ok(schema) };
            let pointer = reference.strip_prefix('#').ok_or("a schema that refers to another document")?;
            let mut target = self.root.pointer(pointer).ok_or("a reference to no schema")?.clone();
            if let (Value::Object(target), Value::Object(beside)) = (&mut target, schema) {
                let beside = beside.into_iter().filter(|(keyword, _)| keyword != "$ref");
                target.extend(beside);
            }
            schema = target;
        }
        Err("a schema that refers to itself, or is too large")
    }

    fn keywords(&mut self, mut given: Map<String, Value>) -> Result<Value, &'static str> {
        self.join_all_of(&mut given);
        if let Some(Value::Array(either)) = given.shift_remove("oneOf") {
            given.insert("anyOf".to_owned(), either.into());
        }
        if let Some(only) = given.shift_remove("const") {
            given.insert("enum".to_owned(), json!([only]));
        }
        let mut cut = Map::new();
        for (keyword, value) in given {
            match (keyword.as_str(), value) {
                ("type", Value::Array(kinds)) => types(kinds, &mut cut),
                ("enum", Value::Array(values)) => self.values(values, &mut cut),
                ("anyOf", Value::Array(either)) => self.either(&either, &mut cut)?,
                ("items", Value::Object(items)) => {
                    let items = self.schema(&Value::Object(items))?;
                    cut.insert(keyword, items);
                }
                ("properties", Value::Object(properties)) => {
                    let properties = self.properties(properties)?;
                    cut.insert(keyword, properties);
                }
                (name, value) if KEPT.contains(&name) => drop(cut.insert(keyword, value)),
                (name, value) => self.dropped |= !NOTES.contains(&name) && value != true,
            }
        }
        Ok(Value::Object(cut))
    }

    /// Members of all schemas in one; where two say the same keyword, the first is kept.
    fn join_all_of(&mut self, given: &mut Map<String, Value>) {
        let Some(Value::Array(all)) = given.shift_remove("allOf") else { return };
        for schema in all {
            let Ok(Value::Object(keywords)) = self.resolved(&schema) else {
                self.dropped = true;
                continue;
            };
            for (keyword, value) in keywords {
                self.dropped |= given.get(&keyword).is_some_and(|known| *known != value);
                given.entry(keyword).or_insert(value);
            }
        }
    }

    fn properties(&mut self, properties: Map<String, Value>) -> Result<Value, &'static str> {
        let mut cut = Map::new();
        for (name, schema) in properties {
            cut.insert(name, self.schema(&schema)?);
        }
        Ok(Value::Object(cut))
    }

    /// The subset lists texts only.
    fn values(&mut self, values: Vec<Value>, cut: &mut Map<String, Value>) {
        let (nulls, values): (Vec<_>, Vec<_>) = values.into_iter().partition(Value::is_null);
        if !nulls.is_empty() {
            cut.insert("nullable".to_owned(), true.into());
        }
        if values.iter().all(Value::is_string) {
            cut.insert("enum".to_owned(), values.into());
            cut.entry("type").or_insert(json!("string"));
        } else {
            self.dropped = true;
        }
    }

    fn either(&mut self, schemas: &[Value], cut: &mut Map<String, Value>) -> Result<(), &'static str> {
        let is_null = |schema: &&Value| schema.get("type").is_some_and(|kind| kind == "null");
        if schemas.iter().any(|schema| is_null(&schema)) {
            cut.insert("nullable".to_owned(), true.into());
        }
        let mut left = Vec::new();
        for schema in schemas.iter().filter(|schema| !is_null(schema)) {
            left.push(self.schema(schema)?);
        }
        match left.len() {
            0 => {}
            1 => cut.extend(left.remove(0).as_object().cloned().unwrap_or_default()),
            _ => drop(cut.insert("anyOf".to_owned(), left.into())),
        }
        Ok(())
    }
}

/// Several types are one that may be null, or alternatives.
fn types(kinds: Vec<Value>, cut: &mut Map<String, Value>) {
    let (nulls, mut kinds): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|kind| kind == "null");
    if !nulls.is_empty() {
        cut.insert("nullable".to_owned(), true.into());
    }
    if kinds.len() == 1 {
        cut.insert("type".to_owned(), kinds.remove(0));
    } else if !kinds.is_empty() {
        let one = |kind| json!({"type": kind});
        cut.insert("anyOf".to_owned(), kinds.into_iter().map(one).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{ChatRequest, Profile};

    fn cut(schema: &Value) -> Result<(Value, bool), Fault> {
        let (request, profile) = (ChatRequest::default(), Profile::unknown("p", "m"));
        let mut draft = Draft::new(&request, &profile);
        let cut = to_open_api(&super::super::raw(schema), "tools[0]", &mut draft)?;
        Ok((cut, !draft.losses.is_empty()))
    }

    #[test]
    fn references_are_unfolded_and_notes_left_out() {
        let schema = json!({"$schema": "x", "title": "T", "type": "object",
            "properties": {"a": {"$ref": "#/$defs/a", "description": "d"}, "title": {"type": ["string", "null"]}},
            "$defs": {"a": {"oneOf": [{"const": "x"}, {"type": "null"}]}}});
        let expected = json!({"type": "object", "properties": {
            "a": {"nullable": true, "enum": ["x"], "type": "string", "description": "d"},
            "title": {"nullable": true, "type": "string"}}});
        let (cut, lossy) = cut(&schema).unwrap();
        assert_eq!((cut, lossy), (expected, false));
    }

    #[test]
    fn what_constrained_and_went_is_said() {
        for schema in [
            json!({"type": "object", "additionalProperties": false}),
            json!({"type": "integer", "enum": [1, 2]}),
            json!({"type": "string", "not": {"const": "x"}}),
            json!({"allOf": [{"type": "string", "maxLength": 3}, {"maxLength": 2}]}),
        ] {
            assert!(cut(&schema).unwrap().1, "{schema}");
        }
        assert!(!cut(&json!({"type": "object", "additionalProperties": true})).unwrap().1);
    }

    #[test]
    fn a_schema_without_end_is_refused() {
        let tree = json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object",
            "properties": {"next": {"$ref": "#/$defs/n"}}}}});
        let circle = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}});
        for schema in [tree, circle, json!({"$ref": "https://x.example/s"}), json!({"$ref": "#/nowhere"})] {
            assert!(matches!(cut(&schema), Err(Fault::Unsupported { .. })), "{schema}");
        }
    }
}
