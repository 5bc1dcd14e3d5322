//! Fields of arguments and results, as JSON Schema, and the check of arguments against them.

use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};
use wire::Fault;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    MaybeText,
    /// A positive integer.
    Count,
    /// An integer or null.
    MaybeCount,
    MaybeNumber,
    /// A number above zero.
    Share,
    Flag,
    /// An object that is described elsewhere.
    Object,
    /// A list of objects with these fields.
    Objects(&'static [Field]),
}

/// One field of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub about: &'static str,
}

/// What a tool returns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Output {
    /// One object.
    Object(&'static [Field]),
    /// A bare array as text, as mcp-llm-bridge has it. Structured content has to be an object in every revision before
    /// 2026-07-28, so there the array stands under this name.
    List(&'static str, &'static [Field]),
}

impl Field {
    pub(super) const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, required: false, about }
    }

    pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, required: true, about }
    }

    /// # Errors
    /// The field is missing or of another kind.
    fn check(&self, value: Option<&Value>) -> Result<(), Fault> {
        let refuse = |why: &str| Err(Fault::malformed(self.name.to_owned(), format!("{} {why}", self.name)));
        match value {
            None | Some(Value::Null) if self.required => refuse("is required"),
            None | Some(Value::Null) => Ok(()),
            Some(Value::String(text))
                if self.kind == Kind::Text && text.trim().is_empty() && self.required =>
            {
                refuse("is required and must not be empty")
            }
            Some(value) if self.kind.holds(value) => Ok(()),
            Some(_) => refuse(self.kind.wanted()),
        }
    }
}

impl Kind {
    fn holds(self, value: &Value) -> bool {
        match self {
            Kind::Text => value.is_string(),
            Kind::MaybeText => value.is_string() || value.is_null(),
            Kind::Count => value.as_i64().is_some_and(|number| number > 0),
            Kind::MaybeCount => value.is_u64() || value.is_null(),
            Kind::MaybeNumber => value.is_number() || value.is_null(),
            Kind::Share => value.as_f64().is_some_and(|number| number > 0.0),
            Kind::Flag => value.is_boolean(),
            Kind::Object => value.is_object(),
            Kind::Objects(fields) => value.as_array().is_some_and(|items| {
                items.iter().all(|item| item.as_object().is_some_and(|item| check(fields, item).is_ok()))
            }),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Kind::Text | Kind::MaybeText => "must be text",
            Kind::Count | Kind::MaybeCount => "must be a positive integer",
            Kind::MaybeNumber => "must be a number",
            Kind::Share => "must be a number above zero",
            Kind::Flag => "must be true or false",
            Kind::Object => "must be an object",
            Kind::Objects(_) => "must be a list of objects with the fields that are described",
        }
    }

    fn schema(self) -> Value {
        match self {
            Kind::Text => json!({ "type": "string" }),
            Kind::MaybeText => json!({ "type": ["string", "null"] }),
            Kind::Count => json!({ "type": "integer", "minimum": 1 }),
            Kind::MaybeCount => json!({ "type": ["integer", "null"], "minimum": 0 }),
            Kind::MaybeNumber => json!({ "type": ["number", "null"] }),
            Kind::Share => json!({ "type": "number", "exclusiveMinimum": 0 }),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Object => json!({ "type": "object" }),
            Kind::Objects(fields) => json!({ "type": "array", "items": object(fields) }),
        }
    }
}

/// Checks arguments. Unknown ones are left aside, as `/v1/generate` does.
///
/// # Errors
/// `Malformed`, naming the first field that is wrong.
pub(super) fn check(fields: &[Field], arguments: &JsonObject) -> Result<(), Fault> {
    fields.iter().try_for_each(|field| field.check(arguments.get(field.name)))
}

/// The schema of an object with these fields.
pub(super) fn object(fields: &[Field]) -> JsonObject {
    let property = |field: &Field| {
        let mut schema = field.kind.schema();
        schema["description"] = field.about.into();
        (field.name.to_owned(), schema)
    };
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), Value::Object(fields.iter().map(property).collect()));
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

impl Output {
    /// The schema of the structured content.
    pub(super) fn schema(self) -> JsonObject {
        match self {
            Output::Object(fields) => object(fields),
            Output::List(name, fields) => {
                let list = json!({ "type": "array", "items": object(fields) });
                let whole = json!({ "type": "object", "properties": { (name): list }, "required": [name] });
                rmcp::model::object(whole)
            }
        }
    }

    /// A result as structured content.
    pub(super) fn structured(self, result: Value) -> Value {
        match self {
            Output::Object(_) => result,
            Output::List(name, _) => json!({ (name): result }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [Field; 3] = [
        Field::required("name", Kind::Text, "a name"),
        Field::new("count", Kind::Count, "how many"),
        Field::new("flag", Kind::Flag, "whether"),
    ];

    fn refused(arguments: Value) -> Option<String> {
        match check(&FIELDS, &rmcp::model::object(arguments)) {
            Ok(()) => None,
            Err(Fault::Malformed { at, .. }) => at,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn arguments_are_refused_by_the_name_of_the_field() {
        for (arguments, field) in [
            (json!({}), "name"),
            (json!({ "name": null }), "name"),
            (json!({ "name": " " }), "name"),
            (json!({ "name": 5 }), "name"),
            (json!({ "name": "x", "count": 0 }), "count"),
            (json!({ "name": "x", "count": "1" }), "count"),
            (json!({ "name": "x", "count": 1.5 }), "count"),
            (json!({ "name": "x", "flag": "true" }), "flag"),
        ] {
            assert_eq!(refused(arguments.clone()).as_deref(), Some(field), "{arguments}");
        }
        assert_eq!(refused(json!({ "name": "x", "count": null, "other": [] })), None);
    }

    #[test]
    fn a_schema_names_types_and_required_fields() {
        let schema = Value::Object(object(&FIELDS));
        assert_eq!(schema["required"], json!(["name"]));
        assert_eq!(schema["properties"]["count"]["type"], "integer");
        let list = Value::Object(Output::List("things", &FIELDS).schema());
        assert_eq!(list["properties"]["things"]["items"], schema);
        assert_eq!(Output::List("things", &FIELDS).structured(json!([1])), json!({ "things": [1] }));
    }
}
