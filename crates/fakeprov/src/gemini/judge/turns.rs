//! The rules of a conversation on the Gemini wire: a turn of calls comes after the user's or after results, and the
//! results of all its calls make the next turn. A model that signs its thoughts wants the signature of the first call
//! of each step of the turn under way back. Source: the provider's guides to function calling and thought signatures.

use serde_json::Value;

use crate::ask::{Ask, ToolResult};
use crate::gemini::signed;
use crate::script::Script;
use crate::seal::Vendor;
use crate::wire::{Refusal, list, require};

/// Documented for histories that another model wrote: they pass without a signature.
const BYPASSES: &[&str] = &["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

/// What a part may hold, exactly one of them.
const DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

/// Judges the turns and reads what the answer depends on.
pub(super) fn read(body: &Value, script: &Script, ask: &mut Ask) -> Result<(), Refusal> {
    let turns = list(&body["contents"]);
    require(!turns.is_empty(), "", "* GenerateContentRequest.contents: contents is not specified")?;
    let mut reader = Turns { ask, calls: Vec::new(), before: Kind::None };
    for (place, turn) in turns.iter().enumerate() {
        reader.turn(turn, place)?;
    }
    let open = reader.before == Kind::Calls;
    require(!open, "", "Please ensure that function call turn is followed by a function response turn.")?;
    if script.thinking { signatures(turns) } else { Ok(()) }
}

/// What a turn was, as far as the next one minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    User,
    Model,
    Calls,
    Results,
}

struct Turns<'a> {
    ask: &'a mut Ask,
    /// The calls of the last turn of calls: id, if it had one, and name.
    calls: Vec<(Option<String>, String)>,
    before: Kind,
}

impl Turns<'_> {
    fn turn(&mut self, turn: &Value, place: usize) -> Result<(), Refusal> {
        let at = format!("GenerateContentRequest.contents[{place}]");
        let role = turn["role"].as_str().unwrap_or("user");
        let known = matches!(role, "user" | "model" | "function");
        require(known, "", "Please use a valid role: user, model.")?;
        let parts = list(&turn["parts"]);
        require(!parts.is_empty(), "", &format!("* {at}.parts: contents.parts must not be empty."))?;
        let kind = kind(role, parts);
        self.order(kind, parts)?;
        if role == "model" {
            self.ask.results.clear();
            self.ask.images.clear();
        }
        if role == "model" && self.before != Kind::Calls {
            self.calls.clear();
        }
        let mut text = String::new();
        for (number, part) in parts.iter().enumerate() {
            self.part(role, part, &format!("{at}.parts[{number}]"), &mut text)?;
        }
        if kind == Kind::User {
            self.ask.text = text;
        }
        self.before = kind;
        Ok(())
    }

    fn order(&self, kind: Kind, parts: &[Value]) -> Result<(), Refusal> {
        match (self.before, kind) {
            (Kind::None, Kind::Model | Kind::Calls) => {
                Err(Refusal::new(400, "Please ensure that multiturn requests start with a user turn."))
            }
            (Kind::Model, Kind::Calls) => Err(Refusal::new(
                400,
                "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
            )),
            (Kind::Calls, Kind::Results) => {
                let results = parts.iter().filter(|part| part.get("functionResponse").is_some()).count();
                let message = "Please ensure that the number of function response parts is equal to the number of \
                               function call parts of the function call turn.";
                require(results == self.calls.len(), "", message)
            }
            // Turns of calls in a row are one (a recorded 200).
            (Kind::Calls, Kind::Calls) => Ok(()),
            (Kind::Calls, _) | (_, Kind::Results) => Err(Refusal::new(
                400,
                "Please ensure that function response turn comes immediately after a function call turn.",
            )),
            _ => Ok(()),
        }
    }

    fn part(&mut self, role: &str, part: &Value, at: &str, text: &mut String) -> Result<(), Refusal> {
        let held = DATA.iter().filter(|name| part.get(**name).is_some()).count();
        let message = format!("* {at}.data: required oneof field 'data' must have one initialized field");
        require(held == 1 || part.get("thoughtSignature").is_some(), "", &message)?;
        if let Some(said) = part["text"].as_str().filter(|_| part["thought"] != true) {
            *text += said;
        }
        if let Some(call) = part.get("functionCall") {
            require(role == "model", "", "Please ensure that function calls are of role model.")?;
            self.call(call, at)?;
        }
        if let Some(result) = part.get("functionResponse") {
            require(role != "model", "", "Please ensure that function responses are of role user.")?;
            self.result(result, at)?;
        }
        self.media(part, at)
    }

    fn call(&mut self, call: &Value, at: &str) -> Result<(), Refusal> {
        let name = call["name"].as_str().unwrap_or_default();
        require(!name.is_empty(), "", &format!("* {at}.function_call.name: Name cannot be empty."))?;
        let object = call.get("args").is_none_or(Value::is_object);
        let kind = "(type.googleapis.com/google.protobuf.Struct)";
        require(object, "", &format!("Invalid value at '{at}.function_call.args' {kind}"))?;
        self.calls.push((call["id"].as_str().map(str::to_owned), name.to_owned()));
        Ok(())
    }

    fn result(&mut self, result: &Value, at: &str) -> Result<(), Refusal> {
        let (id, name) = (result["id"].as_str(), result["name"].as_str().unwrap_or_default());
        require(!name.is_empty(), "", &format!("* {at}.function_response.name: Name cannot be empty."))?;
        let kind = "(type.googleapis.com/google.protobuf.Struct)";
        let object = result["response"].is_object();
        require(object, "", &format!("Invalid value at '{at}.function_response.response' {kind}"))?;
        let called =
            self.calls.iter().any(|(had, called)| called == name && (id.is_none() || had.as_deref() == id));
        let message = format!(
            "* {at}.function_response: no function call of the turn before has this name and id: {name}"
        );
        require(called, "", &message)?;
        let is_error = result["response"].get("error").is_some();
        let call = id.unwrap_or(name).to_owned();
        self.ask.results.push(ToolResult { call, text: said(&result["response"]), is_error });
        for (number, part) in list(&result["parts"]).iter().enumerate() {
            self.media(part, &format!("{at}.function_response.parts[{number}]"))?;
        }
        Ok(())
    }

    fn media(&mut self, part: &Value, at: &str) -> Result<(), Refusal> {
        if let Some(blob) = part.get("inlineData") {
            let kind = blob["mimeType"].as_str().unwrap_or_default();
            require(!kind.is_empty(), "", &format!("* {at}.inline_data.mime_type: must be set"))?;
            let data = blob["data"].as_str().unwrap_or_default();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
            let good = !data.is_empty() && data.bytes().all(plain);
            require(
                good,
                "",
                &format!("Invalid value at '{at}.inline_data.data' (TYPE_BYTES), Base64 decoding failed"),
            )?;
            self.note(kind, kind);
        }
        if let Some(file) = part.get("fileData") {
            let uri = file["fileUri"].is_string();
            require(uri, "", &format!("* {at}.file_data.file_uri: must be set"))?;
            self.note(file["mimeType"].as_str().unwrap_or("image/"), "url");
        }
        Ok(())
    }

    fn note(&mut self, kind: &str, seen: &str) {
        if kind.starts_with("image/") {
            self.ask.images.push(seen.to_owned());
        }
    }
}

fn kind(role: &str, parts: &[Value]) -> Kind {
    let any = |name: &str| parts.iter().any(|part| part.get(name).is_some());
    match role {
        "model" if any("functionCall") => Kind::Calls,
        "model" => Kind::Model,
        _ if any("functionResponse") => Kind::Results,
        _ => Kind::User,
    }
}

/// What a result says: its one text, or all of it.
fn said(response: &Value) -> String {
    let one =
        response.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.values().next());
    match one.unwrap_or(response) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Every signature must be one of ours, and each step since the user last spoke must bring that of its first call.
fn signatures(turns: &[Value]) -> Result<(), Refusal> {
    let spoke =
        |turn: &&Value| kind(turn["role"].as_str().unwrap_or("user"), list(&turn["parts"])) == Kind::User;
    let current = turns.len() - turns.iter().rev().take_while(|turn| !spoke(turn)).count();
    for (place, turn) in turns.iter().enumerate() {
        let parts = list(&turn["parts"]);
        for part in parts {
            signature(part)?;
        }
        let first =
            parts.iter().position(|part| part.get("functionCall").is_some()).filter(|_| place >= current);
        let Some(number) = first else { continue };
        let name = parts[number]["functionCall"]["name"].as_str().unwrap_or_default();
        let message = format!(
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work \
             correctly, and missing thought_signature may lead to degraded model performance. Additional data, function \
             call `default_api:{name}`, position {}.",
            place + 1
        );
        require(parts[number].get("thoughtSignature").is_some(), "", &message)?;
    }
    Ok(())
}

fn signature(part: &Value) -> Result<(), Refusal> {
    let Some(given) = part["thoughtSignature"].as_str() else { return Ok(()) };
    let fits = Vendor::Google.fits(&signed(part), given) || BYPASSES.contains(&given);
    require(fits, "", "Thought signature is not valid")
}
