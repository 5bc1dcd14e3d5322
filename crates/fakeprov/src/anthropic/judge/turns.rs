//! The rules of a conversation on the Messages wire: whose turn it is, which blocks a turn may hold, and that each
//! tool call is answered in the very next turn.

use std::collections::VecDeque;

use serde_json::Value;

use crate::anthropic::signature;
use crate::ask::{Ask, ToolResult};
use crate::wire::{Refusal, image_type, is_name, require};

/// Blocks that are passed over here: documents, and the work the provider did itself.
const PASSED: &[&str] = &[
    "document",
    "search_result",
    "redacted_thinking",
    "server_tool_use",
    "container_upload",
    "tool_reference",
];

/// Judges the turns and reads what the answer depends on.
pub(super) fn read(body: &Value, lenient: bool, ask: &mut Ask) -> Result<(), Refusal> {
    let turns = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    require(!turns.is_empty(), "", "messages: at least one message is required")?;
    require(turns[0]["role"] == "user" || lenient, "", "messages: first message must use the \"user\" role")?;
    let mut reader = Turns { ask, owed: VecDeque::new(), before: String::new(), lenient };
    for (place, turn) in turns.iter().enumerate() {
        reader.turn(turn, &format!("messages.{place}"))?;
    }
    reader.all_answered("messages")?;
    last(turns, body)
}

struct Turns<'a> {
    ask: &'a mut Ask,
    /// Ids of the calls of the last assistant turn that have no result yet.
    owed: VecDeque<String>,
    /// The role of the turn before.
    before: String,
    lenient: bool,
}

impl Turns<'_> {
    fn turn(&mut self, turn: &Value, at: &str) -> Result<(), Refusal> {
        let role = turn["role"].as_str().unwrap_or_default();
        let known = matches!(role, "user" | "assistant") || (role == "system" && self.lenient);
        require(known, "", &format!("{at}.role: Input should be 'user' or 'assistant'"))?;
        let alternates = role != self.before || self.lenient;
        require(alternates, "", "messages: roles must alternate between \"user\" and \"assistant\"")?;
        if role == "assistant" {
            self.all_answered(at)?;
            self.ask.results.clear();
            self.ask.images.clear();
        }
        self.content(role, &turn["content"], at)?;
        if role == "user" {
            self.all_answered(at)?;
        }
        role.clone_into(&mut self.before);
        Ok(())
    }

    fn content(&mut self, role: &str, content: &Value, at: &str) -> Result<(), Refusal> {
        let mut text = String::new();
        match content {
            Value::String(whole) => text.push_str(whole),
            Value::Array(blocks) => {
                for (place, block) in blocks.iter().enumerate() {
                    self.block(role, block, &format!("{at}.content.{place}"), &mut text)?;
                }
            }
            _ => return Err(Refusal::new(400, format!("{at}.content: Field required"))),
        }
        let said = content.as_array().map_or(!text.is_empty(), |blocks| !blocks.is_empty());
        require(said, "", &format!("{at}: all messages must have non-empty content"))?;
        if role == "user" {
            self.ask.text = text;
        }
        Ok(())
    }

    fn block(&mut self, role: &str, block: &Value, at: &str, text: &mut String) -> Result<(), Refusal> {
        match (role, block["type"].as_str().unwrap_or_default()) {
            (_, "text") => {
                let said = block["text"].as_str().unwrap_or_default();
                // A lone blank beside a call is accepted from the assistant (a recorded 200), not from the user.
                let blank = said.is_empty() || (role == "user" && said.trim().is_empty());
                require(!blank, "", &format!("{at}: text content blocks must contain non-whitespace text"))?;
                text.push_str(said);
                Ok(())
            }
            ("user", "image") => image(&block["source"], at).map(|kind| self.ask.images.push(kind)),
            ("user", "tool_result") => self.result(block, at, text.is_empty()),
            ("assistant", "tool_use") => self.call(block, at),
            ("assistant", "thinking") => thought(block, at),
            (_, kind) if PASSED.contains(&kind) || kind.ends_with("_tool_result") => Ok(()),
            (_, kind) => Err(Refusal::new(
                400,
                format!(
                    "{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
                ),
            )),
        }
    }

    fn call(&mut self, block: &Value, at: &str) -> Result<(), Refusal> {
        let id = block["id"].as_str().unwrap_or_default();
        require(
            is_name(id, 256),
            "",
            &format!("{at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"),
        )?;
        require(
            is_name(block["name"].as_str().unwrap_or_default(), 128),
            "",
            &format!("{at}.tool_use.name: illegal"),
        )?;
        require(
            block["input"].is_object(),
            "",
            &format!("{at}.tool_use.input: Input should be a valid dictionary"),
        )?;
        require(
            !self.owed.iter().any(|have| have == id),
            "",
            &format!("{at}: `tool_use` ids must be unique"),
        )?;
        self.owed.push_back(id.to_owned());
        Ok(())
    }

    fn result(&mut self, block: &Value, at: &str, first: bool) -> Result<(), Refusal> {
        let id = block["tool_use_id"].as_str().unwrap_or_default();
        let Some(place) = self.owed.iter().position(|have| have == id) else {
            return Err(Refusal::new(
                400,
                format!(
                    "{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have \
                 a corresponding `tool_use` block in the previous message."
                ),
            ));
        };
        require(first, "", &format!("{at}: `tool_result` blocks must come before any other content"))?;
        self.owed.remove(place);
        let mut text = String::new();
        match &block["content"] {
            Value::Null => {}
            Value::String(whole) => text.push_str(whole),
            Value::Array(parts) => {
                for (place, part) in parts.iter().enumerate() {
                    self.block("user", part, &format!("{at}.content.{place}"), &mut text)?;
                }
            }
            _ => {
                return Err(Refusal::new(
                    400,
                    format!("{at}.content: Input should be a valid string or list"),
                ));
            }
        }
        let is_error = block["is_error"] == true;
        self.ask.results.push(ToolResult { call: id.to_owned(), text, is_error });
        Ok(())
    }

    fn all_answered(&self, at: &str) -> Result<(), Refusal> {
        let owed: Vec<&str> = self.owed.iter().map(String::as_str).collect();
        require(
            owed.is_empty(),
            "",
            &format!(
                "{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block \
             must have a corresponding `tool_result` block in the next message.",
                owed.join(", ")
            ),
        )
    }
}

/// A thought must come back as it was given. Foreign signatures are as wrong as changed ones.
fn thought(block: &Value, at: &str) -> Result<(), Refusal> {
    let text = block["thinking"].as_str().unwrap_or_default();
    let signed = block["signature"].as_str() == Some(signature(text).as_str());
    require(signed, "", &format!("{at}: Invalid `signature` in `thinking` block"))
}

fn image(source: &Value, at: &str) -> Result<String, Refusal> {
    match source["type"].as_str() {
        Some("url") if source["url"].is_string() => Ok("url".into()),
        Some("file") => Ok("file".into()),
        Some("base64") => {
            let named = source["media_type"].as_str().unwrap_or_default();
            let Some(real) = image_type(source["data"].as_str().unwrap_or_default()) else {
                return Err(Refusal::new(400, format!("{at}.image.source.base64: Could not process image")));
            };
            let message = format!(
                "{at}.image.source.base64: the image was specified as {named}, but appears to be {real}"
            );
            require(named == real, "", &message)?;
            Ok(named.to_owned())
        }
        _ => Err(Refusal::new(
            400,
            format!("{at}.image.source: Input tag should be 'base64', 'url' or 'file'"),
        )),
    }
}

/// Rules about how the conversation ends.
fn last(turns: &[Value], body: &Value) -> Result<(), Refusal> {
    let Some(turn) = turns.last() else { return Ok(()) };
    if turn["role"] == "assistant" {
        let text = turn["content"].as_str().or_else(|| turn["content"].as_array()?.last()?["text"].as_str());
        let tidy = text.is_none_or(|text| text.trim_end() == text);
        require(tidy, "", "messages: final assistant content cannot end with trailing whitespace")?;
    }
    let thinks = matches!(body["thinking"]["type"].as_str(), Some("enabled"));
    let called =
        turns.iter().rfind(|turn| turn["role"] == "assistant").and_then(|turn| turn["content"].as_array());
    let Some(blocks) =
        called.filter(|blocks| thinks && blocks.iter().any(|block| block["type"] == "tool_use"))
    else {
        return Ok(());
    };
    let first = blocks[0]["type"].as_str().unwrap_or_default();
    require(
        matches!(first, "thinking" | "redacted_thinking"),
        "",
        &format!(
            "messages: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, a final \
         `assistant` message must start with a thinking block."
        ),
    )
}
