//! Thoughts: the forms they have in this wire, in requests, answers and streams alike.
//!
//! Plain servers give text (`reasoning_content` or `reasoning`); OpenRouter's `reasoning_details` also carry signatures
//! and encrypted thoughts, and say whose they are. We write the same two forms.

use serde_json::Value;

use super::shape::{Message, ReasoningDetail};
use crate::chat::{Origin, Part};
use crate::dialect::Dialect;

/// Whose thoughts a detail holds. Source: OpenRouter, reasoning tokens.
const FORMATS: &[(&str, Dialect)] =
    &[("anthropic-claude-v1", Dialect::AnthropicMessages), ("openai-responses-v1", Dialect::OpenAiResponses)];

const TEXT: &str = "reasoning.text";
const SUMMARY: &str = "reasoning.summary";
const ENCRYPTED: &str = "reasoning.encrypted";

/// The thoughts of a message or of a delta, in order. When details tell a thought, the plain text only repeats it.
pub(super) fn take(message: &mut Message) -> Vec<Part> {
    let plain = [message.reasoning_content.take(), message.reasoning.take()];
    let mut plain = plain.into_iter().flatten().find_map(text_of).map(|text| plain_thought(text, None));
    let mut thoughts: Vec<Part> =
        message.reasoning_details.take().unwrap_or_default().into_iter().filter_map(of_detail).collect();
    if let [Part::Thinking { text, .. }] = &mut thoughts[..]
        && text.is_empty()
        && let Some(Part::Thinking { text: told, .. }) = plain.take()
    {
        *text = told;
    }
    let told =
        thoughts.iter().any(|thought| matches!(thought, Part::Thinking { text, .. } if !text.is_empty()));
    if !told {
        thoughts.extend(plain);
    }
    thoughts
}

/// A thought that is text alone.
pub(super) fn plain_thought(text: String, id: Option<String>) -> Part {
    let origin = Some(Origin::from(Dialect::OpenAiChat));
    Part::Thinking { text, signature: None, encrypted: None, id, origin }
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn of_detail(detail: ReasoningDetail) -> Option<Part> {
    let ReasoningDetail { kind, text, summary, data, signature, id, format, .. } = detail;
    let dialect = dialect_of(format.as_deref());
    let origin = Some(Origin::from(dialect));
    let signature = signature.filter(|signature| !signature.is_empty());
    match kind.as_str() {
        TEXT | SUMMARY => {
            let text = text.or(summary).unwrap_or_default();
            Some(Part::Thinking { text, signature, encrypted: None, id, origin })
        }
        ENCRYPTED if dialect == Dialect::AnthropicMessages => {
            Some(Part::RedactedThinking { data: data.unwrap_or_default(), origin })
        }
        ENCRYPTED => Some(Part::Thinking { text: String::new(), signature, encrypted: data, id, origin }),
        _ => None,
    }
}

fn dialect_of(format: Option<&str>) -> Dialect {
    let known = FORMATS.iter().find(|(name, _)| Some(*name) == format);
    known.map_or(Dialect::OpenAiChat, |(_, dialect)| *dialect)
}

/// The detail that tells a signed or encrypted thought; `None` for thoughts that plain text tells whole.
pub(super) fn detail(
    text: &str,
    signature: Option<&str>,
    encrypted: Option<&str>,
    id: Option<&str>,
    origin: Option<&Origin>,
) -> Option<ReasoningDetail> {
    if signature.is_none() && encrypted.is_none() {
        return None;
    }
    let format = origin.and_then(|origin| FORMATS.iter().find(|(_, dialect)| *dialect == origin.dialect));
    Some(ReasoningDetail {
        kind: if encrypted.is_some() { ENCRYPTED } else { TEXT }.to_owned(),
        text: encrypted.is_none().then(|| text.to_owned()),
        data: encrypted.map(str::to_owned),
        signature: signature.map(str::to_owned),
        id: id.map(str::to_owned),
        format: format.map(|(name, _)| (*name).to_owned()),
        ..ReasoningDetail::default()
    })
}
