//! The turns of a request, encoded: each becomes one item or several.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use super::THIS;
use super::encode::Draft;
use crate::chat::{ChatRequest, Loss, MediaSource, Message, Part, Role, ToolKind};
use crate::fault::Fault;
use crate::openai::{media, names};
use crate::openai_responses::citation;
use crate::openai_responses::shape::{InputAudio, out};

/// How ids of reasoning items begin at OpenAI, which shows a thought without its encrypted form only to those who let it
/// store the answer.
const STORED_THOUGHT: &str = "rs_";

/// The system prompt at the very beginning, as `instructions`, and everything else as items.
pub(super) fn encode<'a>(
    request: &'a ChatRequest,
    aliases: &'a HashMap<String, String>,
    draft: &mut Draft<'_>,
) -> Result<(Option<&'a str>, Vec<out::Item<'a>>), Fault> {
    let instructions = request.messages.first().and_then(instructions);
    let mut turns = Turns { aliases, draft, items: Vec::new(), kinds: HashMap::new() };
    for (place, message) in request.messages.iter().enumerate().skip(usize::from(instructions.is_some())) {
        turns.message(message, &format!("messages[{place}]"))?;
    }
    let Turns { items, .. } = turns;
    if request.messages.last().is_some_and(|last| last.role == Role::Assistant) {
        draft.losses.push(Loss::at("prefill", format!("messages[{}]", request.messages.len() - 1)));
    }
    Ok((instructions, items))
}

fn instructions(message: &Message) -> Option<&str> {
    match message.parts.as_slice() {
        [Part::Text { text, .. }] if message.role == Role::System && message.extra.fields.is_empty() => {
            Some(text)
        }
        _ => None,
    }
}

struct Turns<'a, 'd, 'p> {
    aliases: &'a HashMap<String, String>,
    draft: &'d mut Draft<'p>,
    items: Vec<out::Item<'a>>,
    /// Kinds of the calls so far: their results are written by kind.
    kinds: HashMap<&'a str, ToolKind>,
}

impl<'a> Turns<'a, '_, '_> {
    fn message(&mut self, message: &'a Message, at: &str) -> Result<(), Fault> {
        let named = message.name.is_some().then_some("name");
        for field in named.into_iter().chain(message.extra.lost_in(THIS)) {
            let loss = Loss::at(format!("field:{field}"), format!("{at}.{field}"));
            self.draft.losses.push(loss);
        }
        match message.role {
            Role::Assistant => self.assistant(message, at),
            Role::Tool => self.results(message, at),
            Role::System => self.said("system", message, at),
            Role::Developer => self.said("developer", message, at),
            Role::User => self.said("user", message, at),
        }
    }

    fn said(&mut self, role: &'static str, message: &'a Message, at: &str) -> Result<(), Fault> {
        let content = self.content(&message.parts, at)?;
        self.push_message(role, content, message);
        Ok(())
    }

    fn push_message(&mut self, role: &'static str, content: out::Content<'a>, from: &'a Message) {
        let extra = from.extra.of(THIS);
        self.items.push(out::Item::Message(out::Message { role, content, extra, ..Default::default() }));
    }

    /// A string where one text is all.
    fn content(&mut self, parts: &'a [Part], at: &str) -> Result<out::Content<'a>, Fault> {
        if let [Part::Text { text, .. }] = parts {
            return Ok(out::Content::Text(Cow::Borrowed(text)));
        }
        let mut written = Vec::with_capacity(parts.len());
        for (place, part) in parts.iter().enumerate() {
            written.extend(self.part(part, &format!("{at}.content[{place}]"))?);
        }
        Ok(out::Content::Parts(written))
    }

    /// A part of a user's turn or of a result. `None`: it cannot be said here, and is a loss.
    fn part(&mut self, part: &'a Part, at: &str) -> Result<Option<out::Part<'a>>, Fault> {
        let abilities = self.draft.profile.abilities;
        Ok(match part {
            Part::Text { text, .. } | Part::Refusal { text } => {
                Some(out::Part::InputText { text: Cow::Borrowed(text) })
            }
            Part::Image { source, detail, .. } => {
                self.require(abilities.image, "image input", at)?;
                let image_url =
                    media::url(source).ok_or_else(|| self.draft.unsupported("an image by id", at))?;
                let detail = detail.as_ref().map(|detail| detail.0.as_str());
                Some(out::Part::InputImage { image_url: Some(image_url), file_id: None, detail })
            }
            Part::File { source, name, .. } => Some(self.file(source, name.as_deref(), at)?),
            Part::Audio { data, format } => {
                self.require(abilities.audio, "audio input", at)?;
                let input_audio = InputAudio { data: data.clone(), format: format.clone() };
                Some(out::Part::InputAudio { input_audio })
            }
            Part::Foreign { raw, origin } if origin.dialect == THIS => Some(out::Part::Raw(raw)),
            Part::Thinking { .. } | Part::RedactedThinking { .. } => self.lost("thinking_dropped", at),
            Part::ServerTool { .. } => self.lost("server_tool", at),
            Part::Foreign { .. } | Part::ToolCall { .. } | Part::ToolResult { .. } => {
                self.lost("foreign", at)
            }
        })
    }

    fn lost(&mut self, code: &'static str, at: &str) -> Option<out::Part<'a>> {
        self.draft.lose(code, at);
        None
    }

    fn require(&self, able: bool, what: &str, at: &str) -> Result<(), Fault> {
        if able { Ok(()) } else { Err(self.draft.unsupported(what, at)) }
    }

    fn file(&self, source: &'a MediaSource, name: Option<&'a str>, at: &str) -> Result<out::Part<'a>, Fault> {
        let file = match source {
            MediaSource::Text(text) => {
                let headed =
                    name.map_or(Cow::Borrowed(text.as_str()), |name| format!("{name}\n\n{text}").into());
                return Ok(out::Part::InputText { text: headed });
            }
            MediaSource::Url(url) => out::File { file_url: Some(url), ..out::File::default() },
            MediaSource::FileId { .. } => return Err(self.draft.unsupported("a file by id", at)),
            MediaSource::Base64 { mime, .. } => {
                self.require(!media::is_video(mime), "video input", at)?;
                // The dialect demands a name.
                let filename = Some(name.unwrap_or("document.pdf"));
                out::File { filename, file_data: media::url(source), ..out::File::default() }
            }
        };
        self.require(self.draft.profile.abilities.pdf, "file input", at)?;
        Ok(out::Part::InputFile(file))
    }

    /// What the model said. Texts come before the calls of the turn: some servers refuse anything between a call and its
    /// result (seen at DeepSeek).
    fn assistant(&mut self, message: &'a Message, at: &str) -> Result<(), Fault> {
        let mut calls = Vec::new();
        let mut texts: Vec<&'a Part> = Vec::new();
        for (place, part) in message.parts.iter().enumerate() {
            let at = format!("{at}.content[{place}]");
            match part {
                Part::Text { text, .. } if text.is_empty() => {}
                Part::Text { .. } | Part::Refusal { .. } => {
                    if !calls.is_empty() {
                        self.draft.lose("block_order", &at);
                    }
                    texts.push(part);
                }
                Part::ToolCall { .. } => calls.extend(self.call(part)),
                Part::Thinking { .. } => {
                    let thought = self.thought(part, &at);
                    self.in_order(thought, message, &mut texts, &mut calls);
                }
                Part::ServerTool { raw, origin } | Part::Foreign { raw, origin }
                    if origin.dialect == THIS =>
                {
                    self.in_order(Some(out::Item::Raw(raw)), message, &mut texts, &mut calls);
                }
                other => drop(self.part(other, &at)?),
            }
        }
        self.flush(message, &mut texts);
        self.items.extend(calls);
        Ok(())
    }

    /// An item that keeps its place: before the calls that follow it.
    fn in_order(
        &mut self,
        item: Option<out::Item<'a>>,
        message: &'a Message,
        texts: &mut Vec<&'a Part>,
        calls: &mut Vec<out::Item<'a>>,
    ) {
        self.flush(message, texts);
        match item {
            Some(item) if calls.is_empty() => self.items.push(item),
            Some(item) => calls.push(item),
            None => {}
        }
    }

    /// The texts so far as one message.
    fn flush(&mut self, message: &'a Message, texts: &mut Vec<&'a Part>) {
        let content = match texts.as_slice() {
            [] => return,
            [Part::Text { text, citations, .. }] if citations.is_empty() => {
                out::Content::Text(Cow::Borrowed(text))
            }
            parts => out::Content::Parts(parts.iter().filter_map(|part| answered(part)).collect()),
        };
        texts.clear();
        self.push_message("assistant", content, message);
    }

    fn call(&mut self, part: &'a Part) -> Option<out::Item<'a>> {
        let Part::ToolCall { id, name, args, kind, .. } = part else { return None };
        self.kinds.insert(id, *kind);
        let call_id = names::fitting_call_id(id);
        let name = self.aliases.get(name).unwrap_or(name);
        let call = out::Call { call_id, name, ..out::Call::default() };
        Some(match kind {
            ToolKind::Custom => out::Item::CustomToolCall(out::Call { input: Some(args), ..call }),
            ToolKind::Function | ToolKind::BuiltIn => {
                let arguments = Some(if args.is_empty() { "{}" } else { args.as_str() });
                out::Item::FunctionCall(out::Call { arguments, ..call })
            }
        })
    }

    /// Thoughts return to the family they came from, or are dropped.
    fn thought(&mut self, part: &'a Part, at: &str) -> Option<out::Item<'a>> {
        let Part::Thinking { text, encrypted, id, origin, .. } = part else { return None };
        let own = origin.as_ref().is_some_and(|origin| origin.dialect == THIS);
        let stored = id.as_ref().is_none_or(|id| id.starts_with(STORED_THOUGHT));
        if !own || (encrypted.is_none() && (stored || text.is_empty())) {
            self.draft.lose("thinking_dropped", at);
            return None;
        }
        let mut item = out::Reasoning { id: id.as_deref(), ..out::Reasoning::default() };
        match encrypted {
            Some(encrypted) => {
                item.encrypted_content = Some(Cow::Borrowed(encrypted));
                item.summary.extend((!text.is_empty()).then_some(out::ThoughtText::SummaryText { text }));
            }
            // Servers that show their thoughts as they are take them back so.
            None => item.content.push(out::ThoughtText::ReasoningText { text }),
        }
        Some(out::Item::Reasoning(item))
    }

    fn results(&mut self, message: &'a Message, at: &str) -> Result<(), Fault> {
        for (place, part) in message.parts.iter().enumerate() {
            let at = format!("{at}.content[{place}]");
            let Part::ToolResult { call_id, parts, is_error, .. } = part else {
                self.draft.lose("foreign", &at);
                continue;
            };
            if *is_error {
                self.draft.lose("is_error", &at);
            }
            let output = match parts.as_slice() {
                [] => out::Content::Text(Cow::Borrowed("")),
                parts => self.content(parts, &at)?,
            };
            let custom = self.kinds.get(call_id.as_str()) == Some(&ToolKind::Custom);
            let call_id = names::fitting_call_id(call_id);
            self.items.push(match custom {
                true => out::Item::CustomToolCallOutput { call_id, output },
                false => out::Item::FunctionCallOutput { call_id, output },
            });
        }
        Ok(())
    }
}

/// A text or a refusal of the model.
fn answered(part: &Part) -> Option<out::Part<'_>> {
    match part {
        Part::Text { text, citations, .. } => {
            let length = text.chars().count() as u64;
            let annotations: Vec<Value> =
                citations.iter().filter_map(|cited| citation::encode(cited, length).0).collect();
            Some(out::Part::OutputText { text, annotations, logprobs: None })
        }
        Part::Refusal { text } => Some(out::Part::Refusal { refusal: text }),
        _ => None,
    }
}
