//! Tools and the choice among them.

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::super::shape::asked::{self, ToolMode};
use super::THIS;
use super::blocks::mark;
use crate::chat::{Tool, ToolChoice, ToolKind};
use crate::raw::decode_at;
use crate::{Fault, RawObject};

/// What an MCP server is called in errors; its own name is the client's choice.
const MCP: &str = "mcp";

/// `tools`, and the MCP servers that the provider calls for the model.
pub(super) fn decode(body: &RawObject) -> Result<Vec<Tool>, Fault> {
    let given: Vec<&RawValue> = body.get("tools")?.unwrap_or_default();
    let own = given.into_iter().enumerate().map(|(place, text)| tool(text, &format!("tools.{place}")));
    let servers: Vec<Value> = body.get("mcp_servers")?.unwrap_or_default();
    let servers = servers.into_iter().map(|server| Ok(built_in(MCP.to_owned(), server)));
    own.chain(servers).collect()
}

fn tool(text: &RawValue, at: &str) -> Result<Tool, Fault> {
    let text = text.get();
    let head: asked::ToolHead = decode_at(at, text)?;
    match head.kind {
        None => {}
        Some(kind) if kind == "custom" => {}
        Some(kind) => return Ok(built_in(head.name.unwrap_or(kind), decode_at(at, text)?)),
    }
    let given: asked::ClientTool = decode_at(at, text)?;
    // One with other members (`defer_loading`, `input_examples`) is kept as received besides.
    let raw = if given.rest.is_empty() { None } else { Some((THIS, decode_at(at, text)?)) };
    Ok(Tool {
        name: given.name,
        description: given.description,
        kind: ToolKind::Function,
        parameters: Some(given.input_schema),
        strict: given.strict,
        cache: head.cache_control.map(mark),
        raw,
    })
}

/// A tool that Anthropic defines, whoever runs it.
fn built_in(name: String, raw: Value) -> Tool {
    Tool {
        name,
        description: None,
        kind: ToolKind::BuiltIn,
        parameters: None,
        strict: None,
        cache: None,
        raw: Some((THIS, raw)),
    }
}

/// `tool_choice`, and whether calls may come several at a time.
pub(super) fn choice(body: &RawObject) -> Result<(Option<ToolChoice>, Option<bool>), Fault> {
    let Some(asked) = body.get::<asked::ToolChoice>("tool_choice")? else { return Ok((None, None)) };
    let choice = match (asked.mode, asked.name) {
        (ToolMode::Auto, _) => ToolChoice::Auto,
        (ToolMode::Any, _) => ToolChoice::Any,
        (ToolMode::None, _) => ToolChoice::None,
        (ToolMode::Tool, Some(name)) => ToolChoice::One(name),
        (ToolMode::Tool, None) => {
            let at = "tool_choice.name";
            return Err(Fault::malformed(at.to_owned(), format!("'{at}' is missing")));
        }
    };
    Ok((Some(choice), asked.disable_parallel_tool_use.then_some(false)))
}
