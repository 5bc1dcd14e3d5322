//! Tools, encoded. There is no field for the choice among them: what can be said by leaving tools out is said so.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Draft;
use crate::chat::{Tool, ToolChoice, ToolKind};
use crate::fault::Fault;
use crate::ollama::shape::out;

/// Names of built-in search tools hold this, and so does the loss.
const WEB_SEARCH: &str = "web_search";

/// The parameters of a tool that states none, and of one that takes free text. Servers want an object.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;
const FREE_TEXT: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;

pub(super) fn encode<'a>(draft: &mut Draft<'a>) -> Result<Vec<out::Tool<'a>>, Fault> {
    let request = draft.request;
    draft.require(request.tools.is_empty() || draft.profile.abilities.tools, "tools", "tools")?;
    let offered = offered(draft);
    let mut written = Vec::new();
    for (place, tool) in request.tools.iter().enumerate() {
        if offered.as_ref().is_none_or(|names| names.contains(&tool.name.as_str())) {
            written.extend(declare(tool, &format!("tools[{place}]"), draft)?);
        }
    }
    Ok(written)
}

/// The tools that may be called; `None`: all. That one has to be called cannot be said.
fn offered<'a>(draft: &mut Draft<'a>) -> Option<Vec<&'a str>> {
    let choice = draft.request.tool_choice.as_ref().filter(|_| !draft.request.tools.is_empty())?;
    let must = match choice {
        ToolChoice::Auto | ToolChoice::None => false,
        ToolChoice::Any | ToolChoice::One(_) => true,
        ToolChoice::Some { must, .. } => *must,
    };
    if must {
        draft.lose("tool_choice", "tool_choice");
    }
    match choice {
        ToolChoice::Auto | ToolChoice::Any => None,
        ToolChoice::None => Some(Vec::new()),
        ToolChoice::One(name) => Some(vec![name]),
        ToolChoice::Some { names, .. } => Some(names.iter().map(String::as_str).collect()),
    }
}

/// `None`: a search of the web is left out, since the model can answer without it.
fn declare<'a>(tool: &'a Tool, at: &str, draft: &mut Draft<'a>) -> Result<Option<out::Tool<'a>>, Fault> {
    let parameters = match tool.kind {
        ToolKind::BuiltIn if tool.name.contains(WEB_SEARCH) => {
            draft.lose(WEB_SEARCH, at);
            return Ok(None);
        }
        ToolKind::BuiltIn => {
            return Err(draft.unsupported(format!("the built-in tool '{}'", tool.name), at));
        }
        ToolKind::Custom => {
            draft.lose("custom_tool", at);
            draft.undo.custom_tools.push(tool.name.clone());
            Cow::Owned(schema(FREE_TEXT))
        }
        ToolKind::Function => match tool.parameters.as_deref().filter(|given| given.get() != "null") {
            Some(given) => Cow::Borrowed(given),
            None => Cow::Owned(schema(NO_PARAMETERS)),
        },
    };
    if tool.strict == Some(true) {
        draft.lose("strict", at);
    }
    let description = tool.description.as_deref();
    let function = out::Declared { name: &tool.name, description, parameters };
    Ok(Some(out::Tool { kind: "function", function }))
}

fn schema(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("a constant of this file that is JSON")
}
