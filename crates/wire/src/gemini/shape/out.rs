//! What is written in this dialect.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A turn.
#[derive(Debug, Serialize)]
pub(crate) struct Content<'a> {
    pub(crate) role: &'static str,
    pub(crate) parts: Vec<Part<'a>>,
}

/// A part: one that we make, or one of this dialect as it was received.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Part<'a> {
    Made(Box<Made<'a>>),
    Raw(&'a Value),
}

/// A part in the making; which fields it has says what it is.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Made<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function_response: Option<FunctionResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inline_data: Option<Blob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_data: Option<FileData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thought_signature: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FunctionCall<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: Cow<'a, str>,
    pub(crate) args: Box<RawValue>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FunctionResponse<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: Cow<'a, str>,
    pub(crate) response: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Part<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Blob<'a> {
    pub(crate) mime_type: Cow<'a, str>,
    pub(crate) data: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<&'static str>,
    pub(crate) file_uri: &'a str,
}

impl<'a> From<Made<'a>> for Part<'a> {
    fn from(made: Made<'a>) -> Self {
        Part::Made(Box::new(made))
    }
}

impl<'a> Part<'a> {
    /// Visible text.
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Made { text: Some(text.into()), ..Made::default() }.into()
    }

    /// A thought that is shown.
    pub(crate) fn thought(text: impl Into<Cow<'a, str>>, signature: Option<Cow<'a, str>>) -> Self {
        let (thought, text) = (Some(true), Some(text.into()));
        Made { thought, text, thought_signature: signature, ..Made::default() }.into()
    }

    /// A signature alone, as streams have it after the text that it belongs to.
    pub(crate) fn signature(signature: impl Into<Cow<'a, str>>) -> Self {
        let (text, thought_signature) = (Some(Cow::Borrowed("")), Some(signature.into()));
        Made { text, thought_signature, ..Made::default() }.into()
    }

    /// The part that we make and could still be signed.
    pub(crate) fn unsigned(&mut self) -> Option<&mut Made<'a>> {
        match self {
            Part::Made(made) if made.thought_signature.is_none() => Some(made),
            _ => None,
        }
    }
}

/// Puts a signature on the last part, where one was read from; on a part of its own if that cannot take it.
pub(crate) fn sign_last<'a>(parts: &mut Vec<Part<'a>>, signature: impl Into<Cow<'a, str>>) {
    match parts.last_mut().and_then(Part::unsigned) {
        Some(last) if last.thought.is_none() => last.thought_signature = Some(signature.into()),
        _ => parts.push(Part::signature(signature)),
    }
}
