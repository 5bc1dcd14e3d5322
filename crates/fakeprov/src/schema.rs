//! Makes up a value that fits a JSON Schema, always the same one. Knows what models are asked for: references,
//! unions, constants, and the usual bounds; not patterns or conditions.

use serde_json::{Map, Value, json};

/// Recursive schemas end here, in `null`.
const DEPTH: usize = 16;

/// A value that fits.
pub(crate) fn fill(schema: &Value) -> Value {
    value(schema, schema, DEPTH)
}

fn value(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|name| root.pointer(name.strip_prefix('#')?)) {
        return value(target, root, depth - 1);
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    for union in ["anyOf", "oneOf"] {
        if let Some(first) = schema[union].get(0) {
            return value(first, root, depth - 1);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        return merge(all.iter().map(|part| value(part, root, depth - 1)));
    }
    typed(schema, root, depth)
}

fn typed(schema: &Value, root: &Value, depth: usize) -> Value {
    match kind(schema).as_deref() {
        Some("string") => text(schema),
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(7)),
        Some("number") => schema.get("minimum").cloned().unwrap_or(json!(1.5)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let count = bound(&schema["minItems"]).unwrap_or(1).min(64);
            (0..count).map(|_| value(&schema["items"], root, depth - 1)).collect()
        }
        _ => object(schema, root, depth),
    }
}

/// The type, or the first that is not null of several. Gemini writes types in capitals.
fn kind(schema: &Value) -> Option<String> {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    kind.map(str::to_ascii_lowercase)
}

fn text(schema: &Value) -> Value {
    let plain = match schema["format"].as_str() {
        Some("date") => "2026-01-15",
        Some("date-time") => "2026-01-15T12:00:00Z",
        Some("email") => "someone@example.com",
        Some("uri") => "https://example.com/",
        _ => "caf\u{e9}",
    };
    let least = bound(&schema["minLength"]).unwrap_or(0).min(4096) as usize;
    json!(format!("{plain:x<least$}"))
}

/// A bound: a number, or one as text, which is how Gemini's 64-bit fields are written.
fn bound(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The required properties, or all of them when none is.
fn object(schema: &Value, root: &Value, depth: usize) -> Value {
    let Some(properties) = schema["properties"].as_object() else { return json!({}) };
    let required = schema["required"].as_array().filter(|required| !required.is_empty());
    let wanted = |name: &str| required.is_none_or(|required| required.iter().any(|have| have == name));
    let fields = properties.iter().filter(|(name, _)| wanted(name));
    Value::Object(fields.map(|(name, schema)| (name.clone(), value(schema, root, depth - 1))).collect())
}

fn merge(parts: impl Iterator<Item = Value>) -> Value {
    let mut merged = Map::new();
    for part in parts {
        match part {
            Value::Object(fields) => merged.extend(fields),
            other => return other,
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_properties_are_filled_by_type_through_references() {
        let schema = json!({
            "type": "object",
            "$defs": {"Mood": {"enum": ["calm", "wild"]}},
            "properties": {
                "name": {"type": "string"}, "age": {"type": ["null", "integer"]}, "mood": {"$ref": "#/$defs/Mood"},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2}, "skipped": {"type": "string"},
            },
            "required": ["name", "age", "mood", "tags"],
        });
        let expected =
            json!({"name": "caf\u{e9}", "age": 7, "mood": "calm", "tags": ["caf\u{e9}", "caf\u{e9}"]});
        assert_eq!(fill(&schema), expected);
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schema = json!({"properties": {"next": {"$ref": "#"}}, "required": ["next"], "type": "object"});
        assert!(fill(&schema)["next"].is_object());
    }
}
