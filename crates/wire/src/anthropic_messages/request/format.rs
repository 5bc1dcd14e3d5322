//! The form that the text of the answer must have.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::super::shape::{Block, ClientTool, Format, Tool};
use super::{Draft, raw, text_block};
use crate::Fault;
use crate::chat::{Loss, OutputFormat};

/// How the form is asked for.
pub(super) enum Form {
    /// Any text.
    Free,
    /// `output_config.format`
    Native(Format),
    /// A tool whose arguments are the answer, for models without the former.
    Tool { name: String, schema: Value },
    /// A sentence in the system prompt.
    Instruction,
}

const JSON_TOOL: &str = "json_response";
const JSON_TOOL_PURPOSE: &str = "Give the final answer by calling this tool; its arguments are the answer.";
const JSON_INSTRUCTION: &str =
    "Answer with a single JSON object and nothing else: no text around it, no code fence.";

/// Keywords of JSON Schema whose value is a schema, a list of schemas or a map of schemas.
const ONE: &[&str] = &[
    "items",
    "additionalItems",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedItems",
];
const LIST: &[&str] = &["anyOf", "oneOf", "allOf", "prefixItems", "items"];
const MAP: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// Decides how the form is asked for.
pub(super) fn form(draft: &mut Draft<'_>) -> Result<Form, Fault> {
    let (description, schema) = match &draft.request.format {
        None => return Ok(Form::Free),
        Some(OutputFormat::JsonObject) => {
            draft.lose("json_mode", "response_format");
            return Ok(Form::Instruction);
        }
        Some(OutputFormat::JsonSchema { description, schema, .. }) => (description, schema),
    };
    let at = "response_format.json_schema.schema";
    let mut schema: Value = serde_json::from_str(schema.get())
        .map_err(|error| Fault::malformed(at.to_owned(), error.to_string()))?;
    if draft.profile.abilities.structured_output {
        if description.is_some() {
            draft.losses.push(Loss::at("field:description", "response_format.json_schema.description"));
        }
        if close_objects(&mut schema) {
            draft.lose("schema", at);
        }
        return Ok(Form::Native(Format { schema }));
    }
    if schema.get("type").is_none_or(|kind| kind != "object") {
        return Err(draft.unsupported("a JSON schema that is no object at its root", at));
    }
    Ok(Form::Tool { name: free_name(draft), schema })
}

impl Form {
    /// The forced tool, if that is how the form is asked for.
    pub(super) fn tool<'a>(&self, draft: &mut Draft<'_>) -> Option<Tool<'a>> {
        let Form::Tool { name, schema } = self else { return None };
        draft.undo.json_tool = Some(name.clone());
        Some(Tool::Client(ClientTool {
            name: Cow::Owned(name.clone()),
            description: Some(JSON_TOOL_PURPOSE.into()),
            input_schema: Cow::Owned(raw(schema)),
            strict: None,
            cache_control: None,
        }))
    }

    /// The sentence for the system prompt, if that is how the form is asked for.
    pub(super) fn instruction<'a>(&self) -> Option<Block<'a>> {
        matches!(self, Form::Instruction).then(|| text_block(JSON_INSTRUCTION))
    }

    /// The native form, if that is how it is asked for.
    pub(super) fn native(self) -> Option<Format> {
        match self {
            Form::Native(format) => Some(format),
            _ => None,
        }
    }
}

/// A name that no tool of the client has.
fn free_name(draft: &Draft<'_>) -> String {
    let mut name = JSON_TOOL.to_owned();
    while draft.request.tools.iter().any(|tool| tool.name == name) {
        name.push('_');
    }
    name
}

/// Puts `additionalProperties: false` on every object, as this dialect demands. True if an object allowed more.
/// Source: DIALECTS, section 9.
fn close_objects(schema: &mut Value) -> bool {
    let Value::Object(keywords) = schema else { return false };
    let mut narrowed = false;
    if describes_object(keywords) {
        let before = keywords.insert("additionalProperties".into(), Value::Bool(false));
        narrowed |= before.is_some_and(|before| before != false);
    }
    for (keyword, value) in keywords.iter_mut() {
        for inner in subschemas(keyword, value) {
            narrowed |= close_objects(inner);
        }
    }
    narrowed
}

fn subschemas<'a>(keyword: &str, value: &'a mut Value) -> Vec<&'a mut Value> {
    if ONE.contains(&keyword) && value.is_object() {
        return vec![value];
    }
    match value {
        Value::Object(map) if MAP.contains(&keyword) => map.values_mut().collect(),
        Value::Array(list) if LIST.contains(&keyword) => list.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn describes_object(keywords: &Map<String, Value>) -> bool {
    match keywords.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.contains(&json!("object")),
        _ => keywords.contains_key("properties"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_closed_and_a_property_of_that_name_is_not_mistaken_for_one() {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "properties": {"type": "string"},
                "list": {"type": "array", "items": {"type": ["object", "null"], "properties": {}}},
                "either": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "string"}]}
            },
            "$defs": {"a": {"type": "object"}}
        });
        assert!(!close_objects(&mut schema));
        let expected = json!({
            "type": "object",
            "properties": {
                "properties": {"type": "string"},
                "list": {"type": "array", "items":
                    {"type": ["object", "null"], "properties": {}, "additionalProperties": false}},
                "either": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "string"}]}
            },
            "$defs": {"a": {"type": "object", "additionalProperties": false}},
            "additionalProperties": false
        });
        assert_eq!(schema, expected);
    }

    #[test]
    fn an_object_that_allowed_more_is_narrowed_and_said_so() {
        let mut schema = json!({"type": "object", "additionalProperties": {"type": "string"}});
        assert!(close_objects(&mut schema));
        assert_eq!(schema["additionalProperties"], false);
    }
}
