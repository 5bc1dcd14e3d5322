//! Turns, encoded: the text of each in one string, its pictures in a list beside it.

use std::collections::HashMap;

use serde_json::json;
use serde_json::value::RawValue;

use super::Draft;
use crate::chat::{Loss, MediaSource, Message, Origin, Part, Role, ToolKind};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::json_writer::compact;
use crate::ollama::shape::out;

/// What stands between the texts of a turn that has several.
const BETWEEN: &str = "\n\n";

/// Writes the turns of one request.
struct Turns<'a, 'd> {
    draft: &'d mut Draft<'a>,
    written: Vec<out::Message<'a>>,
    /// Names of the calls so far, by their ids.
    calls: HashMap<&'a str, &'a str>,
    /// Pictures of tool results: they follow all results of the turn, as a user's turn.
    from_tools: Vec<&'a str>,
}

/// All turns.
pub(super) fn encode<'a>(draft: &mut Draft<'a>) -> Result<Vec<out::Message<'a>>, Fault> {
    let messages = &draft.request.messages;
    let written = Vec::with_capacity(messages.len());
    let mut turns = Turns { draft, written, calls: HashMap::new(), from_tools: Vec::new() };
    for (place, message) in messages.iter().enumerate() {
        turns.message(message, &format!("messages[{place}]"))?;
    }
    turns.close_results();
    Ok(turns.written)
}

impl<'a> Turns<'a, '_> {
    fn message(&mut self, message: &'a Message, at: &str) -> Result<(), Fault> {
        self.report_fields(message, at);
        if message.role == Role::Tool {
            return self.results(&message.parts, at);
        }
        self.close_results();
        let role = match message.role {
            Role::System | Role::Developer => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        let mut turn = out::Message { role, ..out::Message::default() };
        let mut texts = Vec::new();
        for (place, part) in message.parts.iter().enumerate() {
            self.part(part, &format!("{at}.content[{place}]"), &mut turn, &mut texts)?;
        }
        // What a model said goes on without a gap.
        turn.content = texts.join(if message.role == Role::Assistant { "" } else { BETWEEN });
        self.written.push(turn);
        Ok(())
    }

    fn report_fields(&mut self, message: &Message, at: &str) {
        let named = message.name.is_some().then_some("name");
        let lost = message.extra.fields.keys().map(String::as_str);
        let lost = named.into_iter().chain(lost);
        self.draft.losses.extend(lost.map(|name| Loss::at(format!("field:{name}"), format!("{at}.{name}"))));
    }

    fn lose(&mut self, code: &'static str, at: &str) {
        self.draft.lose(code, at);
    }

    fn part(
        &mut self,
        part: &'a Part,
        at: &str,
        turn: &mut out::Message<'a>,
        texts: &mut Vec<String>,
    ) -> Result<(), Fault> {
        match part {
            Part::Text { text, .. } | Part::Refusal { text } => {
                if !turn.tool_calls.is_empty() && !text.is_empty() {
                    self.lose("block_order", at);
                }
                texts.extend((!text.is_empty()).then(|| text.clone()));
            }
            Part::Image { source, .. } => match self.image(source, at)? {
                Picture::Bytes(data) => turn.images.push(data),
                Picture::Elsewhere(words) => texts.push(words),
            },
            Part::File { source, name, .. } => texts.push(self.file(source, name.as_deref(), at)?),
            Part::Audio { .. } => return Err(self.draft.unsupported("sound", at)),
            Part::Thinking { text, signature: None, encrypted: None, origin, .. }
                if is_plain(origin.as_ref()) =>
            {
                turn.thinking.push_str(text);
            }
            Part::Thinking { .. } | Part::RedactedThinking { .. } => self.lose("thinking_dropped", at),
            Part::ToolCall { id, name, args, kind, .. } => {
                self.calls.insert(id, name);
                let (arguments, taken) = arguments(args, *kind);
                if !taken {
                    self.lose("tool_args_invalid", at);
                }
                turn.tool_calls.push(out::ToolCall { id, function: out::Called { name, arguments } });
            }
            Part::ServerTool { .. } => self.lose("server_tool", at),
            Part::ToolResult { .. } | Part::Foreign { .. } => self.lose("foreign", at),
        }
        Ok(())
    }

    /// A picture that stands elsewhere is not fetched: the model is told where it is.
    fn image(&mut self, source: &'a MediaSource, at: &str) -> Result<Picture<'a>, Fault> {
        self.draft.require(self.draft.profile.abilities.image, "images", at)?;
        match source {
            MediaSource::Base64 { data, .. } => Ok(Picture::Bytes(data)),
            MediaSource::Url(url) => {
                match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
                    Some((_, data)) => Ok(Picture::Bytes(data)),
                    None => {
                        self.lose("image_url", at);
                        Ok(Picture::Elsewhere(format!("[image at {url}]")))
                    }
                }
            }
            MediaSource::FileId { .. } | MediaSource::Text(_) => {
                Err(self.draft.unsupported("images by id of another account", at))
            }
        }
    }

    /// Only text can be said.
    fn file(&self, source: &MediaSource, name: Option<&str>, at: &str) -> Result<String, Fault> {
        match (source, name) {
            (MediaSource::Text(text), Some(name)) => Ok(format!("{name}{BETWEEN}{text}")),
            (MediaSource::Text(text), None) => Ok(text.clone()),
            _ => Err(self.draft.unsupported("files other than plain text", at)),
        }
    }

    /// Results, one turn each; pictures follow after all of them.
    fn results(&mut self, parts: &'a [Part], at: &str) -> Result<(), Fault> {
        for (place, part) in parts.iter().enumerate() {
            let at = format!("{at}.content[{place}]");
            let Part::ToolResult { call_id, parts, is_error, .. } = part else {
                self.lose("foreign", &at);
                continue;
            };
            let tool_name = self.calls.get(call_id.as_str()).copied().ok_or_else(|| {
                let why = format!("no call before this result has the id '{call_id}'");
                Fault::malformed(at.clone(), why)
            })?;
            if *is_error {
                self.lose("is_error", &at);
            }
            let content = self.result_text(call_id, parts, &at)?;
            let (tool_name, tool_call_id) = (Some(tool_name), Some(call_id.as_str()));
            self.written.push(out::Message {
                role: "tool",
                content,
                tool_name,
                tool_call_id,
                ..Default::default()
            });
        }
        Ok(())
    }

    fn result_text(&mut self, call_id: &str, parts: &'a [Part], at: &str) -> Result<String, Fault> {
        let mut turn = out::Message::default();
        let mut texts = Vec::new();
        for part in parts {
            self.part(part, at, &mut turn, &mut texts)?;
        }
        if !turn.images.is_empty() {
            self.lose("tool_media", at);
            texts.extend((1..=turn.images.len()).map(|number| format!("[image {number} of call {call_id}]")));
            self.from_tools.append(&mut turn.images);
        }
        Ok(texts.concat())
    }

    fn close_results(&mut self) {
        if !self.from_tools.is_empty() {
            let images = std::mem::take(&mut self.from_tools);
            self.written.push(out::Message { role: "user", images, ..out::Message::default() });
        }
    }
}

enum Picture<'a> {
    Bytes(&'a str),
    /// In words.
    Elsewhere(String),
}

/// Thoughts without a seal that no other family made.
fn is_plain(origin: Option<&Origin>) -> bool {
    origin.is_none_or(|origin| origin.dialect == Dialect::OpenAiChat)
}

/// Arguments as an object, and whether they could be taken as they are.
fn arguments(args: &str, kind: ToolKind) -> (Box<RawValue>, bool) {
    let raw = |text: String| RawValue::from_string(text).ok().filter(|args| args.get().starts_with('{'));
    let given = match kind {
        ToolKind::Custom => raw(json!({"input": args}).to_string()),
        ToolKind::Function | ToolKind::BuiltIn => raw(compact(args)),
    };
    let taken = given.is_some();
    let empty = || RawValue::from_string("{}".to_owned()).expect("an empty object is JSON");
    (given.unwrap_or_else(empty), taken)
}
