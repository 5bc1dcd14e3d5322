//! Canonical requests as Anthropic Messages: what is sent, what is lost, what is refused.

mod fields;
mod thinking;
mod tools;
mod turns;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{
    CacheMark, ChatRequest, Effort, Encoded, Extra, ImageDetail, MediaSource, Message, Origin, OutputFormat,
    Part, Profile, ReasoningOption, Role, Thinking, Tool, ToolChoice, ToolKind,
};
use wire::{Dialect, Fault, Wire};

use super::messages_grammar;

const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn profile() -> Profile {
    Profile { max_output: Some(64_000), ..Profile::unknown("anthropic", "claude") }
}

fn budget_model() -> Profile {
    Profile {
        reasoning: vec![ReasoningOption::Toggle, ReasoningOption::Budget { min: None, max: None }],
        ..profile()
    }
}

fn adaptive_model() -> Profile {
    let levels = vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max];
    Profile { reasoning: vec![ReasoningOption::Toggle, ReasoningOption::Effort(levels)], ..profile() }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None, extra: Extra::default() }
}

fn says(role: Role, text: &str) -> Message {
    message(role, vec![Part::text(text)])
}

fn asks(messages: Vec<Message>) -> ChatRequest {
    ChatRequest { model: "m".into(), messages, ..ChatRequest::default() }
}

fn hello() -> ChatRequest {
    asks(vec![says(Role::User, "Hello")])
}

fn call(id: &str, name: &str, args: &str) -> Part {
    let (id, name, args) = (id.into(), name.into(), args.into());
    Part::ToolCall { id, name, args, signature: None, kind: ToolKind::Function }
}

fn result(call_id: &str, text: &str) -> Message {
    let parts = vec![Part::text(text)];
    let part = Part::ToolResult { call_id: call_id.into(), name: None, parts, is_error: false, cache: None };
    message(Role::Tool, vec![part])
}

fn tool(name: &str) -> Tool {
    Tool {
        name: name.into(),
        description: None,
        kind: ToolKind::Function,
        parameters: None,
        strict: None,
        cache: None,
        raw: None,
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

/// The body, its grammar checked, and the codes of the losses.
fn sent(request: &ChatRequest, profile: &Profile) -> (Value, Vec<String>) {
    let (body, losses, _) = encoded(request, profile);
    (body, losses)
}

fn encoded(request: &ChatRequest, profile: &Profile) -> (Value, Vec<String>, Encoded) {
    let encoded = AnthropicMessages.encode_request(request, profile).unwrap();
    let body = serde_json::from_slice(&encoded.body).unwrap();
    messages_grammar::check("request", &body);
    let losses = encoded.losses.iter().map(|loss| loss.code.to_string()).collect();
    (body, losses, encoded)
}

fn refused(request: &ChatRequest, profile: &Profile) -> (String, String) {
    let fault = AnthropicMessages.encode_request(request, profile).unwrap_err();
    (fault.code().to_owned(), fault.param().unwrap_or_default().to_owned())
}
