//! `instructions` and `input`, decoded: items become turns.
//!
//! Everything that the model said between two questions (thoughts, texts, calls, steps of built-in tools) is one turn;
//! each result of a tool is a turn of its own.

use std::collections::HashSet;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::parts::{self, missing, required};
use super::{THIS, refused, tools};
use crate::chat::{Extra, Message, Part, Role, Tool, ToolKind, custody};
use crate::fault::Fault;
use crate::openai_responses::namespace::Namespaces;
use crate::openai_responses::shape::{self, AdditionalTools, CallOutput, Head, TextOrList};
use crate::raw::{RawObject, decode_at};

/// What the input holds.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) messages: Vec<Message>,
    /// Tools that items add.
    pub(super) tools: Vec<Tool>,
}

pub(super) fn decode(body: &RawObject, namespaces: &Namespaces) -> Result<Input, Fault> {
    let mut reader = Reader { namespaces, input: Input::default(), calls: HashSet::new() };
    if let Some(text) = body.get::<String>("instructions")? {
        reader.say(Role::System, vec![Part::text(text)], Map::new());
    }
    match body.raw("input") {
        Some(text) if text.starts_with('"') => {
            let text: String = body.get("input")?.unwrap_or_default();
            reader.say(Role::User, vec![Part::text(text)], Map::new());
        }
        _ => {
            let items: Vec<&RawValue> = body.get("input")?.unwrap_or_default();
            for (place, item) in items.into_iter().enumerate() {
                reader.item(item, &format!("input.{place}"))?;
            }
        }
    }
    let mut input = reader.input;
    for turn in input.messages.iter_mut().filter(|turn| turn.role == Role::Assistant) {
        custody::reunite(&mut turn.parts);
    }
    Ok(input)
}

struct Reader<'a> {
    namespaces: &'a Namespaces,
    input: Input,
    /// Ids of calls so far, which results may answer.
    calls: HashSet<String>,
}

impl Reader<'_> {
    fn item(&mut self, item: &RawValue, at: &str) -> Result<(), Fault> {
        let text = item.get();
        let head: Head = decode_at(at, text)?;
        match head.kind.as_deref() {
            None | Some("message") => self.message(head.role.as_deref(), text, at),
            Some("function_call") => self.call(text, at, ToolKind::Function),
            Some("custom_tool_call") => self.call(text, at, ToolKind::Custom),
            Some("function_call_output" | "custom_tool_call_output") => self.output(text, at),
            Some("reasoning") => {
                let thought = parts::returned_thought(decode_at(at, text)?);
                self.answered(thought.into_iter().collect(), Map::new());
                Ok(())
            }
            Some("item_reference") => Err(refused("item_reference", at)),
            Some("additional_tools") => self.additional_tools(text, at),
            Some(_) => {
                let raw: Value = decode_at(at, text)?;
                self.answered(vec![Part::ServerTool { raw, origin: THIS.into() }], Map::new());
                Ok(())
            }
        }
    }

    fn message(&mut self, role: Option<&str>, text: &str, at: &str) -> Result<(), Fault> {
        let message: shape::Message = decode_at(at, text)?;
        let at = format!("{at}.content");
        let content = message.content.ok_or_else(|| missing(&at))?;
        let parts = parts::content(content, &at)?;
        let extra = leftover(message.rest);
        match role {
            Some("assistant") => self.answered(parts, extra),
            Some("system") => self.say(Role::System, parts, extra),
            Some("developer") => self.say(Role::Developer, parts, extra),
            _ => self.say(Role::User, parts, extra),
        }
        Ok(())
    }

    fn say(&mut self, role: Role, parts: Vec<Part>, extra: Map<String, Value>) {
        let extra = Extra::new(THIS, extra);
        self.input.messages.push(Message { role, parts, name: None, extra });
    }

    /// More of what the model said.
    fn answered(&mut self, parts: Vec<Part>, extra: Map<String, Value>) {
        match self.input.messages.last_mut() {
            Some(turn) if turn.role == Role::Assistant => {
                turn.parts.extend(parts);
                let mut fields = std::mem::take(&mut turn.extra.fields);
                fields.extend(extra);
                turn.extra = Extra::new(THIS, fields);
            }
            _ => self.say(Role::Assistant, parts, extra),
        }
    }

    fn call(&mut self, text: &str, at: &str, kind: ToolKind) -> Result<(), Fault> {
        let call: shape::Call = decode_at(at, text)?;
        let id = required(call.call_id, &format!("{at}.call_id"))?;
        let name = required(call.name, &format!("{at}.name"))?;
        let name = match call.namespace {
            Some(namespace) => self.namespaces.flat(&namespace, &name),
            None => name,
        };
        let args = call.arguments.or(call.input).unwrap_or_default();
        self.calls.insert(id.clone());
        self.answered(vec![Part::ToolCall { id, name, args, signature: None, kind }], Map::new());
        Ok(())
    }

    /// What a tool answered. A result must follow its call.
    fn output(&mut self, text: &str, at: &str) -> Result<(), Fault> {
        let output: CallOutput = decode_at(at, text)?;
        let place = format!("{at}.call_id");
        let call_id = required(output.call_id, &place)?;
        if !self.calls.contains(&call_id) {
            return Err(Fault::malformed(place, format!("no call before '{at}' has the id '{call_id}'")));
        }
        let content = output.output.unwrap_or(TextOrList::Text(String::new()));
        let parts = parts::content(content, &format!("{at}.output"))?;
        let result = Part::ToolResult { call_id, name: None, parts, is_error: false, cache: None };
        self.say(Role::Tool, vec![result], Map::new());
        Ok(())
    }

    fn additional_tools(&mut self, text: &str, at: &str) -> Result<(), Fault> {
        let added: AdditionalTools<'_> = decode_at(at, text)?;
        for (place, tool) in added.tools.into_iter().enumerate() {
            tools::tool(tool, &format!("{at}.tools.{place}"), self.namespaces, &mut self.input.tools)?;
        }
        Ok(())
    }
}

/// Fields of a message that have no canonical name.
fn leftover(mut rest: Map<String, Value>) -> Map<String, Value> {
    rest.retain(|_, value| !value.is_null());
    rest
}
