//! The item that is being written.

use serde_json::Value;

use crate::chat::{Citation, Origin, Part, PartId, ToolKind, custody};
use crate::openai_responses::shape::out;

use super::THIS;

/// The open item, with all that has been told of it.
#[derive(Debug)]
pub(super) enum Open {
    Message { parts: Vec<Spoken>, part: Option<PartId> },
    Thought(Thought),
    Call(Call),
}

/// A text or a refusal.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    pub(super) refusal: bool,
    pub(super) text: String,
    /// Code points of `text`.
    pub(super) length: u64,
    pub(super) annotations: Vec<Value>,
    /// Sources without a place: they hold for the whole text, whose length is known at its end.
    pub(super) of_the_whole: Vec<Citation>,
    pub(super) logprobs: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct Thought {
    pub(super) part: PartId,
    pub(super) text: String,
    pub(super) signature: Option<String>,
    pub(super) encrypted: Option<String>,
    pub(super) id: Option<String>,
    pub(super) origin: Option<Origin>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) part: PartId,
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) kind: ToolKind,
    pub(super) args: String,
    pub(super) signature: Option<String>,
}

impl Spoken {
    pub(super) fn part(&self) -> out::Part<'_> {
        if self.refusal {
            return out::Part::Refusal { refusal: &self.text };
        }
        let (annotations, logprobs) = (self.annotations.clone(), Some(self.logprobs.as_slice()));
        out::Part::OutputText { text: &self.text, annotations, logprobs }
    }
}

/// A message item of these parts.
pub(super) fn message<'a>(id: &'a str, status: &'static str, parts: &'a [Spoken]) -> out::Item<'a> {
    let content = out::Content::Parts(parts.iter().map(Spoken::part).collect());
    let (id, status) = (Some(id), Some(status));
    out::Item::Message(out::Message { id, status, role: "assistant", content, extra: None })
}

impl Thought {
    /// What only its family can read: as it is, or wrapped for a family that is not ours.
    fn sealed(&self) -> Option<String> {
        match &self.origin {
            Some(origin) if origin.dialect != THIS => {
                // The text is shown beside it.
                let thought = Part::Thinking {
                    text: String::new(),
                    signature: self.signature.clone(),
                    encrypted: self.encrypted.clone(),
                    id: self.id.clone(),
                    origin: self.origin.clone(),
                };
                custody::wrap(origin.dialect, &thought)
            }
            _ => self.encrypted.clone(),
        }
    }

    pub(super) fn item<'a>(&'a self, id: &'a str) -> out::Item<'a> {
        let summary = (!self.text.is_empty()).then_some(out::ThoughtText::SummaryText { text: &self.text });
        out::Item::Reasoning(out::Reasoning {
            id: Some(id),
            summary: summary.into_iter().collect(),
            content: Vec::new(),
            encrypted_content: self.sealed().map(Into::into),
        })
    }
}

impl Call {
    pub(super) fn item<'a>(&'a self, id: &'a str, status: &'static str) -> out::Item<'a> {
        let call = out::Call {
            id: Some(id),
            status: Some(status),
            call_id: self.call_id.as_str().into(),
            name: &self.name,
            namespace: self.namespace.as_deref(),
            ..out::Call::default()
        };
        let args = Some(self.args.as_str());
        match self.kind {
            ToolKind::Custom => out::Item::CustomToolCall(out::Call { input: args, ..call }),
            ToolKind::Function | ToolKind::BuiltIn => {
                out::Item::FunctionCall(out::Call { arguments: args, ..call })
            }
        }
    }

    /// The signature that belongs to the call, as a thought that clients send back.
    pub(super) fn sealed(&self) -> Option<String> {
        let call = Part::ToolCall {
            id: self.call_id.clone(),
            name: String::new(),
            args: String::new(),
            signature: Some(self.signature.clone()?),
            kind: self.kind,
        };
        // Nobody else signs calls.
        custody::wrap(crate::dialect::Dialect::Gemini, &call)
    }
}
