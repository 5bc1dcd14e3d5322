//! A whole answer, written.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::super::shape::told::{self, Block};
use super::super::{say, stop, usage};
use crate::chat::{ChatResponse, Choice, Loss, Part, Stop, StopReason};
use crate::dialect::{Dialect, Echo};
use crate::json_writer::write_json;

const THIS: Dialect = Dialect::AnthropicMessages;

pub(in crate::anthropic_messages) fn encode(
    response: &ChatResponse,
    echo: &Echo,
    losses: &mut Vec<Loss>,
) -> Bytes {
    response.extra.report(THIS, losses);
    if response.choices.len() > 1 {
        losses.push(Loss::at("n", "choices"));
    }
    let none = Choice::default();
    let choice = response.choices.first().unwrap_or(&none);
    let mut draft = Draft { echo, losses, content: Vec::new() };
    choice.parts.iter().for_each(|part| draft.part(part));
    let content = draft.content;
    losses.extend(stop::loss(choice.stop.reason));
    let (stop_reason, stop_sequence) = stop::word(&choice.stop);
    let message = told::Message {
        id: say::answer_id(response.id.as_deref(), echo),
        kind: "message",
        role: "assistant",
        model: say::model(response.model.as_deref(), echo),
        content,
        stop_reason: Some(stop_reason),
        stop_sequence,
        stop_details: details(&choice.stop),
        usage: usage::encode(&response.usage.unwrap_or_default(), response.service_tier.as_deref()),
        extra: response.extra.of(THIS),
    };
    let mut body = Vec::new();
    write_json(&mut body, &message);
    body.into()
}

/// The provider's words about a refusal.
pub(in crate::anthropic_messages) fn details(stop: &Stop) -> Option<told::StopDetails<'_>> {
    let refused = matches!(stop.reason, StopReason::Refusal | StopReason::Filter);
    let explanation = stop.explanation.as_deref().filter(|_| refused)?;
    Some(told::StopDetails { kind: "refusal", category: None, explanation })
}

/// A message in the making.
struct Draft<'a, 'l> {
    echo: &'l Echo,
    losses: &'l mut Vec<Loss>,
    content: Vec<Block<'a>>,
}

impl<'a> Draft<'a, '_> {
    fn part(&mut self, part: &'a Part) {
        match part {
            Part::Text { text, citations, .. } => {
                let (citations, less) = say::citations(citations);
                self.lose_if(less, "citations");
                self.text(text, citations);
            }
            Part::Refusal { text } => self.text(text, Vec::new()),
            Part::Thinking { .. } => self.thought(part),
            Part::RedactedThinking { data, origin } => match origin {
                Some(origin) if origin.dialect != THIS => self.lose_if(true, "thinking_dropped"),
                _ if say::hides(self.echo) => {}
                _ => self.content.push(Block::RedactedThinking { data }),
            },
            Part::ToolCall { .. } => self.call(part),
            Part::ServerTool { raw, origin } | Part::Foreign { raw, origin } if origin.dialect == THIS => {
                self.content.push(Block::Opaque(raw));
            }
            Part::ServerTool { .. } => self.lose_if(true, "server_tool"),
            Part::Image { .. } => {
                self.lose_if(true, "image_out");
                self.text(say::PICTURE, Vec::new());
            }
            Part::Audio { .. } => self.lose_if(true, "audio_out"),
            Part::File { .. } => self.lose_if(true, "file_out"),
            Part::Foreign { .. } | Part::ToolResult { .. } => self.lose_if(true, "foreign"),
        }
    }

    /// Clients send the block back, and an empty one would be refused then.
    fn text(&mut self, text: &'a str, citations: Vec<Cow<'a, serde_json::Value>>) {
        if !text.is_empty() {
            self.content.push(Block::Text { text: Cow::Borrowed(text), citations });
        }
    }

    fn thought(&mut self, part: &'a Part) {
        let Part::Thinking { text, .. } = part else { return };
        let shown = say::shows(self.echo);
        if let Some(signature) = say::signature(part, self.echo)
            && !(text.is_empty() && signature.is_empty())
        {
            self.content.push(Block::Thinking { thinking: if shown { text } else { "" }, signature });
        }
    }

    /// A signed call is preceded by its signature, as a thought of its own.
    fn call(&mut self, part: &'a Part) {
        let Part::ToolCall { id, name, args, kind, .. } = part else { return };
        if let Some(signature) = say::signature(part, self.echo) {
            self.content.push(Block::Thinking { thinking: "", signature });
        }
        let (input, invalid) = say::input(args, *kind);
        self.lose_if(invalid, "tool_args_invalid");
        let input: Cow<'a, RawValue> = Cow::Owned(input);
        self.content.push(Block::ToolUse { id, name, input });
    }

    fn lose_if(&mut self, lost: bool, code: &'static str) {
        if lost {
            self.losses.push(Loss::at(code, format!("content[{}]", self.content.len())));
        }
    }
}
