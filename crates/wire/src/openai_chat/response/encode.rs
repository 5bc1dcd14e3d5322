//! A whole answer, written.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{THIS, answer_id, leftover_of, x_gateway};
use crate::chat::{ChatResponse, Choice, Extra, Loss, MediaSource, Part, StopReason};
use crate::dialect::Echo;
use crate::json_writer::ObjectWriter;
use crate::openai_chat::shape::{ImageUrl, out};
use crate::openai_chat::{citation, media, request, stop, thought, usage};

#[derive(Debug, Serialize)]
struct Written<'a> {
    index: u32,
    message: out::Message<'a>,
    logprobs: Option<&'a Value>,
    finish_reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    native_finish_reason: Option<&'a str>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

pub(super) fn encode(response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
    response.extra.report(THIS, losses);
    let older = echo.legacy_functions;
    let choices: Vec<Written<'_>> =
        response.choices.iter().map(|choice| written(choice, &response.extra, older, losses)).collect();
    let mut answer = ObjectWriter::new();
    answer.put("id", &answer_id(response.id.as_deref(), echo));
    answer.put("object", "chat.completion");
    answer.put("created", &response.created.unwrap_or(echo.created));
    answer.put("model", response.model.as_deref().unwrap_or(&echo.resolved_model));
    answer.put("choices", &choices);
    answer.put_some("usage", response.usage.as_ref().map(usage::encode));
    answer.put_some("service_tier", response.service_tier.as_deref());
    for (name, value) in response.extra.outer(THIS) {
        answer.put(name, value);
    }
    if echo.annotate {
        answer.put("x_gateway", &x_gateway(echo, response.usage.as_ref()));
    }
    answer.finish()
}

fn written<'a>(choice: &'a Choice, extra: &Extra, older: bool, losses: &mut Vec<Loss>) -> Written<'a> {
    losses.extend(stop::loss(choice.stop.reason, choice.index));
    let at = format!("choices[{}].message", choice.index);
    let (inside, beside) = leftover_of(extra, choice.index);
    let message = out::Message { extra: inside, ..Default::default() };
    let mut draft = Draft { at, losses, message, texts: Vec::new(), length: 0 };
    for part in &choice.parts {
        draft.part(part);
    }
    let cut_off = choice.stop.reason == StopReason::Filter;
    if cut_off && draft.message.refusal.is_none() {
        draft.message.refusal =
            choice.stop.explanation.as_deref().map(|words| out::Nullable(Some(words.into())));
    }
    Written {
        index: choice.index,
        message: draft.finish(older, cut_off),
        logprobs: choice.logprobs.as_ref(),
        finish_reason: match choice.stop.reason {
            StopReason::ToolUse if older => "function_call",
            reason => stop::word(reason),
        },
        native_finish_reason: choice.stop.native.as_deref(),
        extra: beside,
    }
}

/// A message in the making.
struct Draft<'a, 'l> {
    at: String,
    losses: &'l mut Vec<Loss>,
    message: out::Message<'a>,
    texts: Vec<&'a str>,
    /// Code points in `texts`.
    length: u64,
}

impl<'a> Draft<'a, '_> {
    fn part(&mut self, part: &'a Part) {
        match part {
            Part::Text { text, citations, .. } => {
                for cited in citations {
                    let (annotation, less) = citation::encode(cited, self.length);
                    self.message.annotations.extend(annotation);
                    self.lose_if(less, "citations");
                }
                self.lose_if(!self.message.tool_calls.is_empty() && !text.is_empty(), "block_order");
                self.length = self.length.saturating_add(text.chars().count() as u64);
                self.texts.push(text);
            }
            Part::Refusal { text } => self.message.refusal = Some(out::Nullable(Some(Cow::Borrowed(text)))),
            Part::Thinking { text, signature, encrypted, id, origin } => {
                if !text.is_empty() {
                    self.message.reasoning_content.get_or_insert_default().to_mut().push_str(text);
                }
                let detail = thought::detail(
                    text,
                    signature.as_deref(),
                    encrypted.as_deref(),
                    id.as_deref(),
                    origin.as_ref(),
                );
                self.message.reasoning_details.extend(detail);
            }
            Part::ToolCall { id, name, args, signature, kind } => {
                let extra_content = signature.as_deref().map(request::extra_content);
                let call = request::call(id, name, args, *kind);
                self.message.tool_calls.push(out::ToolCall { extra_content, ..call });
            }
            Part::Image { source, .. } => self.image(source),
            Part::RedactedThinking { .. } => self.lose_if(true, "thinking_dropped"),
            Part::ServerTool { .. } => self.lose_if(true, "server_tool"),
            Part::Audio { .. } => self.lose_if(true, "audio_out"),
            Part::File { .. } => self.lose_if(true, "file_out"),
            Part::Foreign { .. } | Part::ToolResult { .. } => self.lose_if(true, "foreign"),
        }
    }

    fn image(&mut self, source: &MediaSource) {
        match media::url(source) {
            Some(url) => {
                let image_url = ImageUrl { url, detail: None };
                self.message.images.push(out::Part::ImageUrl { image_url });
            }
            None => self.lose_if(true, "image_out"),
        }
    }

    fn lose_if(&mut self, lost: bool, code: &'static str) {
        if lost {
            self.losses.push(Loss::at(code, self.at.clone()));
        }
    }

    /// `cut_off`: an answer without text has an empty one, not none.
    fn finish(mut self, older: bool, cut_off: bool) -> out::Message<'a> {
        if older {
            self.older_call();
        }
        let mut message = self.message;
        message.role = Some("assistant");
        message.content = Some(match request::joined(&self.texts) {
            out::Content::Null if cut_off => out::Content::Text(Cow::Borrowed("")),
            content => content,
        });
        message.refusal.get_or_insert(out::Nullable(None));
        message
    }

    /// The older form has room for one call.
    fn older_call(&mut self) {
        let calls = std::mem::take(&mut self.message.tool_calls);
        self.lose_if(calls.len() > 1, "parallel_tool_calls");
        self.message.function_call = calls.into_iter().next().and_then(|call| call.function);
    }
}
