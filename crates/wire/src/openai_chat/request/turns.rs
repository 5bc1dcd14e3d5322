//! The turns of a request, encoded.

use std::borrow::Cow;
use std::collections::HashMap;

use super::tools::unsupported;
use crate::chat::{ChatRequest, Loss, MediaSource, Message, Part, Profile, Role, ToolKind};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::openai::media::is_video;
use crate::openai_chat::shape::{File, ImageUrl, out};
use crate::openai_chat::{media, thought};

const THIS: Dialect = Dialect::OpenAiChat;

/// Writes the turns of one request.
pub(super) struct Turns<'a> {
    profile: &'a Profile,
    aliases: &'a HashMap<String, String>,
    losses: &'a mut Vec<Loss>,
    written: Vec<out::Message<'a>>,
    /// Pictures and files of tool results: they follow all results of the turn, as a user's turn.
    from_tools: Vec<out::Part<'a>>,
    /// Thoughts before the last question belong to finished turns, where DeepSeek does not want them back.
    last_question: usize,
}

/// All turns of `request`.
pub(super) fn encode<'a>(
    request: &'a ChatRequest,
    profile: &'a Profile,
    aliases: &'a HashMap<String, String>,
    losses: &'a mut Vec<Loss>,
) -> Result<Vec<out::Message<'a>>, Fault> {
    let last_question = request.messages.iter().rposition(|turn| turn.role == Role::User).unwrap_or(0);
    let (written, from_tools) = (Vec::with_capacity(request.messages.len()), Vec::new());
    let mut turns = Turns { profile, aliases, losses, written, from_tools, last_question };
    for (index, message) in request.messages.iter().enumerate() {
        turns.message(index, message)?;
    }
    turns.close_results();
    if request.messages.last().is_some_and(|last| last.role == Role::Assistant) {
        turns.losses.push(Loss::at("prefill", format!("messages[{}]", request.messages.len() - 1)));
    }
    Ok(turns.written)
}

impl<'a> Turns<'a> {
    fn message(&mut self, index: usize, message: &'a Message) -> Result<(), Fault> {
        let at = format!("messages[{index}]");
        let lost: Vec<&str> = message.extra.lost_in(THIS).collect();
        self.losses
            .extend(lost.into_iter().map(|name| Loss::at(format!("field:{name}"), format!("{at}.{name}"))));
        match message.role {
            Role::Tool => return self.results(&at, message),
            Role::Assistant => {
                self.close_results();
                self.assistant(index, &at, message)?;
            }
            role => {
                self.close_results();
                let content = self.content(&at, &message.parts)?;
                self.push(
                    self.role(role),
                    message,
                    out::Message { content: Some(content), ..Default::default() },
                );
            }
        }
        Ok(())
    }

    fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Developer if self.profile.developer_role => "developer",
            Role::System | Role::Developer => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    fn push(&mut self, role: &'static str, from: &'a Message, turn: out::Message<'a>) {
        let extra = from.extra.of(THIS).cloned().unwrap_or_default();
        self.written.push(out::Message { role: Some(role), name: from.name.as_deref(), extra, ..turn });
    }

    fn lose(&mut self, code: &'static str, at: &str) {
        self.losses.push(Loss::at(code, at));
    }

    /// Content of a system or user turn: a string where one text is all.
    fn content(&mut self, at: &str, parts: &'a [Part]) -> Result<out::Content<'a>, Fault> {
        if let [Part::Text { text, .. }] = parts {
            return Ok(out::Content::Text(Cow::Borrowed(text)));
        }
        let mut written = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            written.extend(self.part(&format!("{at}.content[{index}]"), part)?);
        }
        Ok(out::Content::Parts(written))
    }

    /// A part of a user's turn or of a result. `None`: it cannot be said here, and is a loss.
    fn part(&mut self, at: &str, part: &'a Part) -> Result<Option<out::Part<'a>>, Fault> {
        Ok(match part {
            Part::Text { text, .. } | Part::Refusal { text } => {
                Some(out::Part::Text { text: Cow::Borrowed(text) })
            }
            Part::Image { source, detail, .. } => {
                self.require(self.profile.abilities.image, "image input", at)?;
                let url = media::url(source).ok_or_else(|| self.refusal("image by file id", at))?;
                let detail = detail.as_ref().map(|detail| detail.0.clone());
                Some(out::Part::ImageUrl { image_url: ImageUrl { url, detail } })
            }
            Part::File { source, name, .. } => Some(self.file(at, source, name.as_deref())?),
            Part::Audio { data, format } => {
                self.require(self.profile.abilities.audio, "audio input", at)?;
                Some(out::Part::InputAudio { input_audio: media::audio(data, format) })
            }
            Part::Foreign { raw, origin } if origin.dialect == THIS => Some(out::Part::Raw(raw)),
            Part::Thinking { .. } | Part::RedactedThinking { .. } => {
                self.lose("thinking_dropped", at);
                None
            }
            Part::ServerTool { .. } => {
                self.lose("server_tool", at);
                None
            }
            Part::Foreign { .. } | Part::ToolCall { .. } | Part::ToolResult { .. } => {
                self.lose("foreign", at);
                None
            }
        })
    }

    fn file(&self, at: &str, source: &MediaSource, name: Option<&str>) -> Result<out::Part<'a>, Fault> {
        let file = match source {
            MediaSource::Text(text) => {
                let headed = name.map_or_else(|| text.clone(), |name| format!("{name}\n\n{text}"));
                return Ok(out::Part::Text { text: Cow::Owned(headed) });
            }
            MediaSource::Url(_) => return Err(self.refusal("a file by URL", at)),
            MediaSource::FileId { of: THIS, id } => File { file_id: Some(id.clone()), ..File::default() },
            MediaSource::FileId { .. } => return Err(self.refusal("a file by id of another account", at)),
            MediaSource::Base64 { mime, .. } => {
                self.require(!is_video(mime), "video input", at)?;
                self.require(self.profile.abilities.pdf, "file input", at)?;
                // The dialect demands a name.
                let filename = Some(name.unwrap_or("document.pdf").to_owned());
                File { filename, file_data: media::url(source), file_id: None }
            }
        };
        Ok(out::Part::File { file })
    }

    fn require(&self, able: bool, what: &str, at: &str) -> Result<(), Fault> {
        if able { Ok(()) } else { Err(self.refusal(what, at)) }
    }

    fn refusal(&self, what: &str, at: &str) -> Fault {
        unsupported(what.to_owned(), self.profile, at.to_owned())
    }

    /// An assistant's turn: its texts joined, its calls beside them.
    fn assistant(&mut self, index: usize, at: &str, message: &'a Message) -> Result<(), Fault> {
        let mut turn = out::Message::default();
        let mut texts: Vec<&'a str> = Vec::new();
        for (place, part) in message.parts.iter().enumerate() {
            let at = format!("{at}.content[{place}]");
            match part {
                Part::Text { text, .. } => {
                    if !turn.tool_calls.is_empty() && !text.is_empty() {
                        self.lose("block_order", &at);
                    }
                    texts.push(text);
                }
                Part::Refusal { text } => turn.refusal = Some(out::Nullable(Some(Cow::Borrowed(text)))),
                Part::ToolCall { .. } => turn.tool_calls.push(self.call(part)),
                Part::Thinking { .. } => self.thought(index, &at, part, &mut turn),
                Part::Foreign { raw: serde_json::Value::Object(fields), origin }
                    if origin.dialect == THIS && !fields.contains_key("type") =>
                {
                    turn.extra.extend(fields.clone());
                }
                other => drop(self.part(&at, other)?),
            }
        }
        if self.misses_thought(index, &turn) {
            self.lose("thinking_dropped", at);
            turn.reasoning_content = Some(Cow::Borrowed(""));
        }
        turn.content = Some(joined(&texts));
        turn.extra.extend(message.extra.of(THIS).cloned().unwrap_or_default());
        self.written.push(out::Message { role: Some("assistant"), name: message.name.as_deref(), ..turn });
        Ok(())
    }

    /// Whether the server would refuse the turn for want of a thought.
    fn misses_thought(&self, index: usize, turn: &out::Message<'_>) -> bool {
        let silent = turn.reasoning_content.is_none() && turn.reasoning_details.is_empty();
        let under_way = index > self.last_question && !turn.tool_calls.is_empty();
        self.profile.thoughts_with_calls && under_way && silent
    }

    fn call(&self, part: &'a Part) -> out::ToolCall<'a> {
        let Part::ToolCall { id, name, args, signature, kind } = part else {
            return out::ToolCall::default();
        };
        let called = self.aliases.get(name).unwrap_or(name);
        let call = call(id, called, args, *kind);
        out::ToolCall { extra_content: signature.as_deref().map(extra_content), ..call }
    }

    /// Thoughts return to the family they came from, or are dropped.
    fn thought(&mut self, index: usize, at: &str, part: &'a Part, turn: &mut out::Message<'a>) {
        let Part::Thinking { text, signature, encrypted, id, origin } = part else { return };
        let own = origin.as_ref().is_none_or(|origin| origin.dialect == THIS);
        if !own {
            return self.lose("thinking_dropped", at);
        }
        let sealed = (signature.as_deref(), encrypted.as_deref());
        match thought::detail(text, sealed.0, sealed.1, id.as_deref(), origin.as_ref()) {
            Some(detail) => turn.reasoning_details.push(detail),
            None if index > self.last_question => {
                turn.reasoning_content.get_or_insert_default().to_mut().push_str(text);
            }
            None => {}
        }
    }

    /// Results, one turn each; what is not text follows after all of them.
    fn results(&mut self, at: &str, message: &'a Message) -> Result<(), Fault> {
        for (index, part) in message.parts.iter().enumerate() {
            let at = format!("{at}.content[{index}]");
            let Part::ToolResult { call_id, parts, is_error, .. } = part else {
                self.lose("foreign", &at);
                continue;
            };
            if *is_error {
                self.lose("is_error", &at);
            }
            let content = self.result_text(&at, call_id, parts)?;
            let turn =
                out::Message { content: Some(content), tool_call_id: Some(call_id), ..Default::default() };
            self.push("tool", message, turn);
        }
        Ok(())
    }

    fn result_text(&mut self, at: &str, call_id: &str, parts: &'a [Part]) -> Result<out::Content<'a>, Fault> {
        let mut texts: Vec<Cow<'a, str>> = Vec::new();
        let mut media = 0;
        for part in parts {
            match self.part(at, part)? {
                Some(out::Part::Text { text }) => texts.push(text),
                Some(other) => {
                    media += 1;
                    texts.push(Cow::Owned(format!("[{} {media} of call {call_id}]", noun(&other))));
                    self.from_tools.push(other);
                }
                None => {}
            }
        }
        if media > 0 {
            self.lose("tool_media", at);
        }
        Ok(out::Content::Text(if texts.len() == 1 { texts.remove(0) } else { Cow::Owned(texts.concat()) }))
    }

    fn close_results(&mut self) {
        if !self.from_tools.is_empty() {
            let content = Some(out::Content::Parts(std::mem::take(&mut self.from_tools)));
            self.written.push(out::Message { role: Some("user"), content, ..Default::default() });
        }
    }
}

fn noun(part: &out::Part<'_>) -> &'static str {
    match part {
        out::Part::ImageUrl { .. } => "image",
        out::Part::InputAudio { .. } => "audio",
        _ => "file",
    }
}

/// Texts as one, without separator; no text at all is null.
pub(crate) fn joined<'a>(texts: &[&'a str]) -> out::Content<'a> {
    match texts {
        [] => out::Content::Null,
        [text] => out::Content::Text(Cow::Borrowed(text)),
        texts => out::Content::Text(Cow::Owned(texts.concat())),
    }
}

/// A whole call.
pub(crate) fn call<'a>(id: &'a str, name: &'a str, args: &'a str, kind: ToolKind) -> out::ToolCall<'a> {
    let id = Some(id);
    match kind {
        ToolKind::Custom => {
            let custom = Some(out::CustomCalled { name: Some(name), input: Some(args) });
            out::ToolCall { id, kind: Some("custom"), custom, ..Default::default() }
        }
        ToolKind::Function | ToolKind::BuiltIn => {
            let arguments = Some(if args.is_empty() { "{}" } else { args });
            let function = Some(out::Called { name: Some(name), arguments });
            out::ToolCall { id, kind: Some("function"), function, ..Default::default() }
        }
    }
}

/// Google's place for the signature of a call.
pub(crate) fn extra_content(signature: &str) -> serde_json::Value {
    serde_json::json!({"google": {"thought_signature": signature}})
}
