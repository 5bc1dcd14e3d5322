//! A whole answer, encoded; and the parts of answers, which streams write too.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::chat::{ChatResponse, Choice, Extra, Loss, MediaSource, Part};
use crate::dialect::{Dialect, Echo, Thoughts};
use crate::gemini::grounding::Sources;
use crate::gemini::read::candidate_path;
use crate::gemini::shape::out;
use crate::gemini::{logprobs, media, request, signature, stop, usage};
use crate::json_writer::ObjectWriter;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    content: Content<'a>,
    finish_reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_message: Option<&'a str>,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    grounding_metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs_result: Option<Value>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<out::Part<'a>>,
    role: &'static str,
}

pub(super) fn encode(response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
    response.extra.report(Dialect::Gemini, losses);
    let candidates: Vec<Candidate<'_>> = response
        .choices
        .iter()
        .map(|choice| candidate(choice, &response.extra, echo.thoughts, losses))
        .collect();
    let mut answer = ObjectWriter::new();
    answer.put("candidates", &candidates);
    answer
        .put_some("usageMetadata", usage::encode(response.usage.as_ref(), response.service_tier.as_deref()));
    answer.put("modelVersion", response.model.as_deref().unwrap_or(&echo.resolved_model));
    answer.put("responseId", response.id.as_deref().unwrap_or(&echo.request_id));
    for (name, value) in response.extra.outer(Dialect::Gemini) {
        answer.put(name, value);
    }
    answer.finish()
}

fn candidate<'a>(
    choice: &'a Choice,
    extra: &Extra,
    thoughts: Thoughts,
    losses: &mut Vec<Loss>,
) -> Candidate<'a> {
    let at = format!("candidates[{}].content", choice.index);
    let shown = thoughts == Thoughts::Shown;
    let mut draft = Draft { at, losses, shown, parts: Vec::new(), sources: Sources::default() };
    choice.parts.iter().for_each(|part| draft.part(part));
    let Draft { parts, sources, losses, .. } = draft;
    losses.extend(stop::loss(choice.stop.reason, choice.index));
    Candidate {
        content: Content { parts, role: "model" },
        finish_reason: stop::encode(&choice.stop),
        finish_message: choice.stop.explanation.as_deref(),
        index: choice.index,
        grounding_metadata: sources.metadata(),
        logprobs_result: choice.logprobs.as_ref().and_then(logprobs::encode),
        extra: extra.inner(Dialect::Gemini, &candidate_path(choice.index)),
    }
}

/// A candidate in the making.
struct Draft<'a, 'l> {
    at: String,
    losses: &'l mut Vec<Loss>,
    /// The client wants to see thoughts.
    shown: bool,
    parts: Vec<out::Part<'a>>,
    sources: Sources,
}

impl<'a> Draft<'a, '_> {
    fn part(&mut self, part: &'a Part) {
        match part {
            Part::Text { text, citations, .. } => {
                let from = self.sources.length();
                self.sources.text(text);
                for cited in citations {
                    let whole = self.sources.cite(from, cited);
                    self.lose_if(!whole, "citations");
                }
                self.parts.extend((!text.is_empty()).then(|| out::Part::text(text.as_str())));
            }
            Part::Refusal { text } => {
                self.sources.text(text);
                self.parts.push(out::Part::text(text.as_str()));
            }
            Part::Thinking { text, signature, origin, .. } => {
                let ours = signature::is_ours(origin.as_ref());
                match (ours, signature::legible(signature.as_deref())) {
                    (true, Some(seal)) if text.is_empty() => out::sign_last(&mut self.parts, seal),
                    (true, None) if text.is_empty() => {}
                    (true, seal) => self.thought(text, seal.map(Cow::Borrowed)),
                    (false, _) => self.wrapped(text, part),
                }
            }
            Part::RedactedThinking { .. } => self.wrapped("", part),
            Part::ToolCall { .. } => {
                let (call, taken) = call(part);
                self.parts.extend(call);
                self.lose_if(!taken, "tool_args_invalid");
            }
            Part::ServerTool { raw, origin } | Part::Foreign { raw, origin }
                if origin.dialect == Dialect::Gemini =>
            {
                self.parts.push(out::Part::Raw(raw));
            }
            Part::ServerTool { .. } => self.lose_if(true, "server_tool"),
            Part::Image { source, .. } | Part::File { source, .. } => self.media(source),
            Part::Audio { data, format } => {
                self.parts.push(media::blob(format!("audio/{format}"), data, None));
            }
            Part::Foreign { .. } | Part::ToolResult { .. } => self.lose_if(true, "foreign"),
        }
    }

    /// A thought of another family: shown, and kept by the client in the place of a signature.
    fn wrapped(&mut self, text: &'a str, thought: &Part) {
        let carrier = signature::wrap(thought);
        self.lose_if(carrier.is_none() && !is_plain(thought), "thinking_dropped");
        if carrier.is_some() || !text.is_empty() {
            self.thought(text, carrier.map(Cow::Owned));
        }
    }

    /// A thought, or only what a client needs to send it back.
    fn thought(&mut self, text: &'a str, seal: Option<Cow<'a, str>>) {
        match self.shown {
            true => self.parts.push(out::Part::thought(text, seal)),
            false => self.parts.extend(seal.map(out::Part::signature)),
        }
    }

    fn media(&mut self, source: &'a MediaSource) {
        match source {
            MediaSource::Base64 { mime, data } => self.parts.push(media::blob(mime.as_str(), data, None)),
            MediaSource::Url(url) => self.parts.push(media::link(url)),
            MediaSource::FileId { .. } | MediaSource::Text(_) => self.lose_if(true, "file_out"),
        }
    }

    fn lose_if(&mut self, lost: bool, code: &'static str) {
        if lost {
            self.losses.push(Loss::at(code, self.at.clone()));
        }
    }
}

/// Whether a thought is nothing but its text.
pub(in crate::gemini) fn is_plain(thought: &Part) -> bool {
    matches!(thought, Part::Thinking { signature: None, encrypted: None, .. })
}

/// The part of a call, and whether its arguments could be taken as they are.
pub(in crate::gemini) fn call(part: &Part) -> (Option<out::Part<'_>>, bool) {
    let Part::ToolCall { id, name, args, signature, kind } = part else { return (None, true) };
    let given = if args.is_empty() { "{}" } else { args.as_str() };
    let (function_call, taken) = request::call(id, name.as_str(), given, *kind);
    let thought_signature = signature::legible(signature.as_deref()).map(Cow::Borrowed);
    let function_call = Some(function_call);
    (Some(out::Made { function_call, thought_signature, ..out::Made::default() }.into()), taken)
}
