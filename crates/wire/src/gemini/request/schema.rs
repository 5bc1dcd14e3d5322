//! Schemas: JSON Schema, and the subset of OpenAPI that this dialect had first.
//! Source: DIALECTS, section 4.1; Google's reference, `Schema`.

mod open_api;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

pub(super) use self::open_api::to_open_api;
use super::fields::camel;
use crate::fault::Fault;

/// Names of types by their number in the proto file, for clients that send numbers.
const TYPES: &[&str] = &["", "string", "number", "integer", "boolean", "array", "object", "null"];

/// Keywords whose value is a schema, a list of schemas or a map of schemas.
const ONE: &[&str] = &["items", "additionalProperties"];
const LIST: &[&str] = &["anyOf", "prefixItems"];
const MAP: &[&str] = &["properties", "defs"];

/// Keywords with a number, which proto JSON may write as a text.
const NUMBERS: &[&str] =
    &["minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength"];

/// A schema as JSON text.
pub(super) fn raw(schema: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(schema).expect("a JSON value can be written as JSON")
}

/// A schema as a value.
pub(super) fn value(schema: &RawValue, at: &str) -> Result<Value, Fault> {
    serde_json::from_str(schema.get())
        .map_err(|error| Fault::malformed(at.to_owned(), format!("not a JSON schema: {error}")))
}

/// A schema of the OpenAPI subset as JSON Schema: types in small letters, `nullable` as a type.
pub(super) fn from_open_api(schema: Value) -> Value {
    let Value::Object(keywords) = schema else { return schema };
    let mut plain = Map::new();
    let mut nullable = false;
    for (keyword, value) in keywords {
        let keyword = camel(&keyword);
        match keyword.as_str() {
            "nullable" => nullable = value == true,
            // An order of keys is none to JSON Schema; the enum format only repeats `enum`.
            "propertyOrdering" => {}
            "format" if value == "enum" => {}
            "type" => drop(plain.insert(keyword, type_name(value))),
            name if NUMBERS.contains(&name) => drop(plain.insert(keyword, number(value))),
            name if ONE.contains(&name) => drop(plain.insert(keyword, from_open_api(value))),
            name if LIST.contains(&name) || MAP.contains(&name) => {
                drop(plain.insert(keyword, all_from_open_api(value)))
            }
            _ => drop(plain.insert(keyword, value)),
        }
    }
    if nullable {
        allow_null(&mut plain);
    }
    Value::Object(plain)
}

fn all_from_open_api(schemas: Value) -> Value {
    match schemas {
        Value::Array(list) => list.into_iter().map(from_open_api).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(name, schema)| (name, from_open_api(schema))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

fn type_name(value: Value) -> Value {
    match value {
        Value::String(name) => name.to_lowercase().into(),
        Value::Number(number) => {
            let place = number.as_u64().and_then(|number| usize::try_from(number).ok());
            place.and_then(|place| TYPES.get(place)).map_or(Value::Number(number), |name| json!(name))
        }
        Value::Array(names) => names.into_iter().map(type_name).collect(),
        other => other,
    }
}

fn number(value: Value) -> Value {
    value.as_str().and_then(|text| text.parse::<u64>().ok()).map_or(value, Value::from)
}

fn allow_null(keywords: &mut Map<String, Value>) {
    if let Some(kind @ Value::String(_)) = keywords.get_mut("type") {
        *kind = json!([kind, "null"]);
    }
    for list in ["anyOf", "enum"] {
        if let Some(Value::Array(list)) = keywords.get_mut(list) {
            let null = if list.iter().all(Value::is_object) { json!({"type": "null"}) } else { Value::Null };
            list.push(null);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_small_and_nullable_a_type() {
        let given = json!({"type": "OBJECT", "property_ordering": ["a"], "properties": {
            "type": {"type": "STRING", "nullable": true, "maxLength": "5"},
            "list": {"type": 5, "items": {"any_of": [{"type": "INTEGER"}]}}}});
        let expected = json!({"type": "object", "properties": {
            "type": {"type": ["string", "null"], "maxLength": 5},
            "list": {"type": "array", "items": {"anyOf": [{"type": "integer"}]}}}});
        assert_eq!(from_open_api(given), expected);
    }

    #[test]
    fn json_schema_passes_unchanged() {
        let plain = json!({"type": "object", "properties": {"a_b": {"type": ["string", "null"]}}, "required": ["a_b"]});
        assert_eq!(from_open_api(plain.clone()), plain);
    }
}
