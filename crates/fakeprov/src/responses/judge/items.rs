//! The rules of the input items: their strict shapes, that each call is answered and each answer was called for, and
//! that reasoning comes back as it was given, before the item it led to.

use serde_json::Value;

use crate::ask::{Ask, ToolResult};
use crate::responses::{OURS, THOUGHTFUL};
use crate::script::Script;
use crate::seal::Vendor;
use crate::wire::{Refusal, image_type, require, unknown};

/// The fields of each kind of item that is judged, with what its id must begin with. Other kinds are the provider's
/// own tools at work and are passed over.
const SHAPES: &[(&str, &str, &[&str])] = &[
    ("message", "msg", &["type", "id", "status", "role", "content", "phase"]),
    ("function_call", "fc", &["type", "id", "status", "call_id", "name", "arguments", "namespace"]),
    ("function_call_output", "", &["type", "id", "status", "call_id", "output"]),
    ("custom_tool_call", "ctc", &["type", "id", "status", "call_id", "name", "input", "namespace"]),
    ("custom_tool_call_output", "", &["type", "id", "status", "call_id", "output"]),
    ("reasoning", "rs", &["type", "id", "status", "summary", "content", "encrypted_content"]),
    ("item_reference", "", &["type", "id"]),
];

/// Judges the input and reads what the answer depends on.
pub(super) fn read(body: &Value, script: &Script, ask: &mut Ask) -> Result<(), Refusal> {
    let items = match &body["input"] {
        Value::String(text) => {
            text.clone_into(&mut ask.text);
            return Ok(());
        }
        Value::Array(items) => items,
        _ => return Err(Refusal::field("input", "Missing required parameter: 'input'.")),
    };
    let continued = body["previous_response_id"].is_string();
    require(!items.is_empty() || continued, "input", "Invalid 'input': empty array")?;
    let stored = body["store"] != false;
    let mut reader =
        Items { ask, owed: Vec::new(), thought: None, continued, stored, lenient: script.lenient };
    for (place, item) in items.iter().enumerate() {
        reader.item(item, &format!("input[{place}]"))?;
    }
    reader.ends()
}

struct Items<'a> {
    ask: &'a mut Ask,
    /// Calls that have no output yet.
    owed: Vec<String>,
    /// The reasoning item that just came, whose own item has to follow.
    thought: Option<String>,
    /// The items follow a response whose calls are not known here.
    continued: bool,
    /// Items may be named by id alone.
    stored: bool,
    lenient: bool,
}

impl Items<'_> {
    fn item(&mut self, item: &Value, at: &str) -> Result<(), Refusal> {
        let kind = item["type"].as_str().unwrap_or("message");
        self.shape(kind, item, at)?;
        self.order(kind, item, at)?;
        match kind {
            "message" => self.message(item, at),
            "function_call" => self.call(item, "arguments", at),
            "custom_tool_call" => self.call(item, "input", at),
            "function_call_output" | "custom_tool_call_output" => self.output(item, at),
            "reasoning" => self.reasoning(item, at),
            "item_reference" => self.known(item["id"].as_str().unwrap_or_default()),
            _ => Ok(()),
        }
    }

    fn shape(&self, kind: &str, item: &Value, at: &str) -> Result<(), Refusal> {
        let Some((_, prefix, fields)) = SHAPES.iter().find(|(name, ..)| *name == kind) else { return Ok(()) };
        if let Some(name) = unknown(item, fields).filter(|_| !self.lenient) {
            return Err(Refusal::field(format!("{at}.{name}"), format!("Unknown parameter: '{at}.{name}'.")));
        }
        let id = item["id"].as_str().unwrap_or(prefix);
        let message = format!("Invalid '{at}.id': '{id}'. Expected an ID that begins with '{prefix}'.");
        require(id.starts_with(prefix), &format!("{at}.id"), &message)
    }

    /// A reasoning item stands right before what it led to, and what a thought led to does not come without it.
    fn order(&mut self, kind: &str, item: &Value, at: &str) -> Result<(), Refusal> {
        let assistant =
            matches!(kind, "reasoning" | "function_call" | "custom_tool_call") || item["role"] == "assistant";
        if let Some(thought) = self.thought.as_ref().filter(|_| !assistant) {
            return Err(Refusal::field(at, lonely(thought)));
        }
        let id = item["id"].as_str().unwrap_or_default();
        let thoughtful = kind.ends_with("_call") && id.ends_with(THOUGHTFUL);
        // The second of several calls follows the first, and both the one thought.
        let alone = thoughtful && self.thought.is_none() && self.owed.is_empty();
        let message =
            format!("Item '{id}' of type '{kind}' was provided without its required 'reasoning' item.");
        require(!alone, at, &message)?;
        self.thought = None;
        Ok(())
    }

    fn message(&mut self, item: &Value, at: &str) -> Result<(), Refusal> {
        let role = item["role"].as_str().unwrap_or_default();
        let known = matches!(role, "user" | "assistant" | "system" | "developer");
        let message = format!(
            "Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
        );
        require(known, &format!("{at}.role"), &message)?;
        if role == "assistant" {
            self.ask.results.clear();
            self.ask.images.clear();
        }
        let text = match &item["content"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => self.parts(role, parts, &format!("{at}.content"))?,
            _ => return Err(Refusal::field(at, format!("Missing required parameter: '{at}.content'."))),
        };
        if role == "user" {
            self.ask.text = text;
        }
        Ok(())
    }

    /// The text of some parts, their images noted.
    fn parts(&mut self, role: &str, parts: &[Value], at: &str) -> Result<String, Refusal> {
        let mut text = String::new();
        for (place, part) in parts.iter().enumerate() {
            let at = format!("{at}[{place}]");
            match (role, part["type"].as_str().unwrap_or_default()) {
                ("assistant", "output_text") => {}
                ("assistant", "refusal") if part["refusal"].is_string() => {}
                ("user" | "system" | "developer", "input_text") => {
                    let said = part["text"].as_str();
                    text += said.ok_or_else(|| {
                        Refusal::field(&at, format!("Missing required parameter: '{at}.text'."))
                    })?;
                }
                ("user", "input_image") => self.ask.images.push(image(part, &at)?),
                ("user", "input_file" | "input_audio") => {}
                (_, kind) => {
                    let known = if role == "assistant" {
                        "'output_text' and 'refusal'"
                    } else {
                        "'input_text', 'input_image', and 'input_file'"
                    };
                    let message = format!("Invalid value: '{kind}'. Supported values are: {known}.");
                    return Err(Refusal::field(format!("{at}.type"), message));
                }
            }
        }
        Ok(text)
    }

    fn call(&mut self, item: &Value, input: &str, at: &str) -> Result<(), Refusal> {
        for name in ["call_id", "name", input] {
            let message = format!("Missing required parameter: '{at}.{name}'.");
            require(item[name].is_string(), &format!("{at}.{name}"), &message)?;
        }
        let id = item["call_id"].as_str().unwrap_or_default();
        let short = !id.is_empty() && id.len() <= 64;
        let message =
            format!("Invalid '{at}.call_id': string too long. Expected a string with maximum length 64.");
        require(short, &format!("{at}.call_id"), &message)?;
        if self.owed.is_empty() {
            self.ask.results.clear();
            self.ask.images.clear();
        }
        self.owed.push(id.to_owned());
        Ok(())
    }

    fn output(&mut self, item: &Value, at: &str) -> Result<(), Refusal> {
        let id = item["call_id"].as_str().unwrap_or_default();
        let place = self.owed.iter().position(|have| have == id);
        let message = format!("No tool call found for function call output with call_id {id}.");
        require(place.is_some() || self.continued, "input", &message)?;
        if let Some(place) = place {
            self.owed.remove(place);
        }
        let text = match &item["output"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => self.parts("user", parts, &format!("{at}.output"))?,
            _ => return Err(Refusal::field(at, format!("Missing required parameter: '{at}.output'."))),
        };
        self.ask.results.push(ToolResult { call: id.to_owned(), text, is_error: false });
        Ok(())
    }

    fn reasoning(&mut self, item: &Value, at: &str) -> Result<(), Refusal> {
        let message = format!("Missing required parameter: '{at}.summary'.");
        require(item["summary"].is_array(), &format!("{at}.summary"), &message)?;
        let id = item["id"].as_str();
        match (item["encrypted_content"].as_str(), id) {
            (Some(sealed), _) if !Vendor::OpenAi.issued(sealed) => {
                let why = "Reason: Encrypted content could not be decrypted or parsed.";
                let message = format!(
                    "The encrypted content for item {} could not be verified. {why}",
                    id.unwrap_or_default()
                );
                return Err(Refusal::field(at, message));
            }
            (Some(sealed), Some(id)) => {
                let same = Vendor::OpenAi.fits(id, sealed);
                let why = "Reason: Encrypted content item_id did not match the target item id.";
                require(
                    same,
                    at,
                    &format!("The encrypted content for item {id} could not be verified. {why}"),
                )?;
            }
            (Some(_), None) => {}
            (None, id) => self.known(id.unwrap_or_default())?,
        }
        self.thought = Some(id.unwrap_or_default().to_owned());
        Ok(())
    }

    /// An item that stands for itself by its id must be one that was kept.
    fn known(&self, id: &str) -> Result<(), Refusal> {
        let ours = id.split_once('_').is_some_and(|(_, rest)| rest.starts_with(OURS));
        if ours && self.stored {
            return Ok(());
        }
        let why = if self.stored { "" } else { " Items are not persisted when `store` is set to false." };
        Err(Refusal {
            status: 404,
            message: format!("Item with id '{id}' not found.{why}"),
            param: Some("input".into()),
        })
    }

    fn ends(&self) -> Result<(), Refusal> {
        if let Some(thought) = &self.thought {
            return Err(Refusal::field("input", lonely(thought)));
        }
        match self.owed.first() {
            Some(id) => Err(Refusal::field("input", format!("No tool output found for function call {id}."))),
            None => Ok(()),
        }
    }
}

fn lonely(thought: &str) -> String {
    format!("Item '{thought}' of type 'reasoning' was provided without its required following item.")
}

fn image(part: &Value, at: &str) -> Result<String, Refusal> {
    let url = part["image_url"].as_str().unwrap_or_default();
    if url.starts_with("https://") || url.starts_with("http://") || part["file_id"].is_string() {
        return Ok("url".into());
    }
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let Some((kind, data)) = data else {
        let message =
            format!("Invalid '{at}.image_url'. Expected a base64-encoded data URL with an image MIME type.");
        return Err(Refusal::field(format!("{at}.image_url"), message));
    };
    require(image_type(data).is_some(), at, "The image data you provided does not represent a valid image.")?;
    Ok(kind.to_owned())
}
