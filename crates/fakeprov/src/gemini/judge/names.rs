//! Names of fields. The provider reads JSON into fixed messages: a name that a message lacks is refused, and every name
//! may be written in either case. Source: the provider's API reference, and ProtoJSON's rules for names.

use serde_json::{Map, Value};

use crate::wire::{Refusal, list, unknown};

/// Fields that hold a user's own names, which are left as they are.
const FREE: &[&str] = &["args", "response", "parametersJsonSchema", "responseJsonSchema", "labels"];

const REQUEST: &[&str] = &[
    "model",
    "contents",
    "tools",
    "toolConfig",
    "safetySettings",
    "systemInstruction",
    "generationConfig",
    "cachedContent",
    "labels",
    "modelArmorConfig",
    "serviceTier",
    "store",
];

const CONFIG: &[&str] = &[
    "stopSequences",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "candidateCount",
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "logprobs",
    "enableEnhancedCivicAnswers",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "mediaResolution",
    "audioTimestamp",
    "routingConfig",
];

const PART: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "thought",
    "thoughtSignature",
    "videoMetadata",
    "mediaResolution",
    "partMetadata",
];

const DECLARATION: &[&str] = &[
    "name",
    "description",
    "behavior",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
];

/// The subset of OpenAPI that a schema may be written in.
const SCHEMA: &[&str] = &[
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "items",
    "minimum",
    "maximum",
];

const CALLING: &[&str] = &["mode", "allowedFunctionNames", "streamFunctionCallArguments"];

/// The same with every name in the case the reference uses.
pub(in crate::gemini) fn named(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let renamed = fields.iter().map(|(name, value)| {
                let name = camel(name);
                let value = match name.as_str() {
                    "properties" => properties(value),
                    name if FREE.contains(&name) => value.clone(),
                    _ => named(value),
                };
                (name, value)
            });
            Value::Object(renamed.collect::<Map<_, _>>())
        }
        Value::Array(all) => all.iter().map(named).collect(),
        other => other.clone(),
    }
}

/// Properties have the user's names, and schemas behind them.
fn properties(value: &Value) -> Value {
    let Some(fields) = value.as_object() else { return value.clone() };
    Value::Object(fields.iter().map(|(name, schema)| (name.clone(), named(schema))).collect())
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let mut letters = word.chars();
        all.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        all + letters.as_str()
    })
}

/// Refuses a field that a message does not have.
pub(in crate::gemini) fn known(message: &Value, fields: &[&str], at: &str) -> Result<(), Refusal> {
    let Some(name) = unknown(message, fields) else { return Ok(()) };
    let place = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
    let told = format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
    Err(Refusal::new(400, told))
}

/// Refuses any name in a request that is none.
pub(super) fn request(body: &Value) -> Result<(), Refusal> {
    known(body, REQUEST, "")?;
    known(&body["generationConfig"], CONFIG, "generation_config")?;
    let thinking = ["includeThoughts", "thinkingBudget", "thinkingLevel"];
    known(&body["generationConfig"]["thinkingConfig"], &thinking, "generation_config.thinking_config")?;
    known(&body["toolConfig"]["functionCallingConfig"], CALLING, "tool_config.function_calling_config")?;
    turn(&body["systemInstruction"], "system_instruction")?;
    for (place, content) in list(&body["contents"]).iter().enumerate() {
        turn(content, &format!("contents[{place}]"))?;
    }
    schema(&body["generationConfig"]["responseSchema"], "generation_config.response_schema")?;
    for (place, tool) in list(&body["tools"]).iter().enumerate() {
        for (number, function) in list(&tool["functionDeclarations"]).iter().enumerate() {
            let at = format!("tools[{place}].function_declarations[{number}]");
            known(function, DECLARATION, &at)?;
            schema(&function["parameters"], &format!("{at}.parameters"))?;
        }
    }
    Ok(())
}

fn turn(turn: &Value, at: &str) -> Result<(), Refusal> {
    known(turn, &["role", "parts"], at)?;
    for (place, part) in list(&turn["parts"]).iter().enumerate() {
        let at = format!("{at}.parts[{place}]");
        known(part, PART, &at)?;
        known(&part["functionCall"], &["id", "name", "args"], &format!("{at}.function_call"))?;
        let response = ["id", "name", "response", "parts", "willContinue", "scheduling"];
        known(&part["functionResponse"], &response, &format!("{at}.function_response"))?;
        known(&part["inlineData"], &["mimeType", "data", "displayName"], &format!("{at}.inline_data"))?;
        known(&part["fileData"], &["mimeType", "fileUri", "displayName"], &format!("{at}.file_data"))?;
    }
    Ok(())
}

fn schema(schema: &Value, at: &str) -> Result<(), Refusal> {
    if !schema.is_object() {
        return Ok(());
    }
    known(schema, SCHEMA, at)?;
    // ProtoJSON takes the number of an enumerated value for its name (a recorded 200).
    let kind = &schema["type"];
    if !kind.is_null() && !kind.is_string() && !kind.is_u64() {
        return Err(Refusal::new(400, format!("Invalid value at '{at}.type' (type.googleapis.com/Type)")));
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        self::schema(inner, &format!("{at}.properties[{name}].value"))?;
    }
    for inner in list(&schema["anyOf"]).iter().chain([&schema["items"]]) {
        self::schema(inner, &format!("{at}.items"))?;
    }
    Ok(())
}
