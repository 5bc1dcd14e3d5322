//! Refuses what `/api/chat` refuses, which is what does not fit its types, and reads the rest.

use serde_json::Value;

use crate::ask::{Ask, Format, Tool, ToolResult};
use crate::wire::{Refusal, image_type, is, list, require};

/// Judges and reads a request. It streams unless told not to.
pub(super) fn read(body: &Value) -> Result<Ask, Refusal> {
    require(body.is_object(), "", "missing request body")?;
    require(is(&body["stream"], Value::is_boolean), "", "cannot unmarshal into field stream of type bool")?;
    require(is(&body["options"], Value::is_object), "", "cannot unmarshal into field options of type map")?;
    let mut ask = Ask {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"] != false,
        choices: 1,
        thoughtless: body["think"] == false,
        format: format(&body["format"])?,
        ..Ask::default()
    };
    for tool in list(&body["tools"]) {
        let name = tool["function"]["name"].as_str();
        let name = name.ok_or_else(|| Refusal::new(400, "a tool needs a function with a name"))?;
        let schema = tool["function"]["parameters"].clone();
        ask.tools.push(Tool { name: name.to_owned(), schema, custom: false });
    }
    for message in list(&body["messages"]) {
        self::message(message, &mut ask)?;
    }
    Ok(ask)
}

fn format(format: &Value) -> Result<Format, Refusal> {
    match format {
        Value::Null => Ok(Format::Text),
        Value::String(word) if word.is_empty() => Ok(Format::Text),
        Value::String(word) if word == "json" => Ok(Format::Json),
        Value::Object(_) => Ok(Format::Schema(format.clone())),
        _ => Err(Refusal::new(
            400,
            format!("invalid format: {format}; expected \"json\" or a valid JSON Schema object"),
        )),
    }
}

fn message(message: &Value, ask: &mut Ask) -> Result<(), Refusal> {
    let content = &message["content"];
    require(
        is(content, Value::is_string),
        "",
        "cannot unmarshal into field messages.content of type string",
    )?;
    let text = content.as_str().unwrap_or_default();
    match message["role"].as_str().unwrap_or_default() {
        "user" => text.clone_into(&mut ask.text),
        "assistant" => {
            ask.results.clear();
            ask.images.clear();
        }
        "tool" => {
            let call = message["tool_call_id"].as_str().or_else(|| message["tool_name"].as_str());
            let call = call.unwrap_or_default().to_owned();
            ask.results.push(ToolResult { call, text: text.to_owned(), is_error: false });
        }
        "system" => {}
        role => return Err(Refusal::new(400, format!("invalid role: {role}"))),
    }
    for call in list(&message["tool_calls"]) {
        let object = call["function"]["arguments"].is_object();
        require(
            object,
            "",
            "cannot unmarshal into field messages.tool_calls.function.arguments of type map",
        )?;
    }
    for image in list(&message["images"]) {
        let kind = image_type(image.as_str().unwrap_or_default());
        ask.images
            .push(kind.ok_or_else(|| Refusal::new(400, "illegal base64 data, or no image"))?.to_owned());
    }
    Ok(())
}
