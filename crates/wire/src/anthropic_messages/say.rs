//! What whole answers and streams have in common when they are written: ids, citations, thoughts, arguments of calls.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::chat::{Citation, Origin, Part, ToolKind, custody};
use crate::dialect::{Dialect, Echo, Thoughts};

const THIS: Dialect = Dialect::AnthropicMessages;

/// What stands where the model made a picture. Source: DIALECTS, section 3.
pub(super) const PICTURE: &str = "[image]";

/// The id of an answer in this dialect's form; the upstream's own stands in it, so that logs can be joined.
pub(super) fn answer_id(id: Option<&str>, echo: &Echo) -> String {
    let id = id.filter(|id| !id.is_empty()).unwrap_or(&echo.request_id);
    if id.starts_with("msg_") { id.to_owned() } else { format!("msg_{id}") }
}

/// The model that answered, or that was asked where the upstream names none.
pub(super) fn model<'a>(model: Option<&'a str>, echo: &'a Echo) -> &'a str {
    model.filter(|model| !model.is_empty()).unwrap_or(&echo.resolved_model)
}

/// The client did not ask for thinking.
pub(super) fn hides(echo: &Echo) -> bool {
    echo.thoughts == Thoughts::Hidden
}

/// The client wants to read thoughts.
pub(super) fn shows(echo: &Echo) -> bool {
    echo.thoughts == Thoughts::Shown
}

/// What the client sends back in the name of a thought, or of a signed call: the signature, or for other families all
/// that it takes. Text that is shown beside it is left out. `None`: there is no such thing, or the client wants no
/// thoughts.
pub(super) fn signature<'a>(part: &'a Part, echo: &Echo) -> Option<Cow<'a, str>> {
    if hides(echo) {
        return None;
    }
    match part {
        Part::Thinking { signature, origin: Some(Origin { dialect: THIS, .. }), .. } => {
            Some(Cow::Borrowed(signature.as_deref().unwrap_or_default()))
        }
        Part::Thinking { text, signature, encrypted, id, origin } => {
            let text = if shows(echo) { String::new() } else { text.clone() };
            // A thought of unknown origin can be no more than text.
            let dialect = origin.as_ref().map_or(Dialect::OpenAiChat, |origin| origin.dialect);
            let thought = Part::Thinking {
                text,
                signature: signature.clone(),
                encrypted: encrypted.clone(),
                id: id.clone(),
                origin: origin.clone(),
            };
            custody::wrap(dialect, &thought).map(Cow::Owned)
        }
        // Gemini's are the only calls that are signed.
        Part::ToolCall { .. } => custody::wrap(Dialect::Gemini, part).map(Cow::Owned),
        _ => None,
    }
}

/// The arguments as an object, and whether they were none.
pub(super) fn input(args: &str, kind: ToolKind) -> (Box<RawValue>, bool) {
    if kind == ToolKind::Custom {
        return (raw(&json!({"input": args})), false);
    }
    match RawValue::from_string(args.trim().to_owned()) {
        Ok(object) if object.get().starts_with('{') => (object, false),
        _ => (raw(&json!({})), !args.trim().is_empty()),
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("a JSON value can be written as JSON")
}

/// Citations in this dialect, and whether some of what was cited is lost.
pub(super) fn citations(all: &[Citation]) -> (Vec<Cow<'_, Value>>, bool) {
    let written: Vec<_> = all.iter().filter_map(citation).collect();
    let verbatim = |citation: &Citation| matches!(citation.raw, Some((THIS, _)));
    let less = written.len() < all.len() || !all.iter().all(verbatim);
    (written, less)
}

/// Of another family's citation, URL and title.
pub(super) fn citation(citation: &Citation) -> Option<Cow<'_, Value>> {
    if let Some((THIS, raw)) = &citation.raw {
        return Some(Cow::Borrowed(raw));
    }
    let url = citation.url.as_deref()?;
    Some(Cow::Owned(json!({
        "type": "web_search_result_location",
        "url": url,
        "title": citation.title,
        "cited_text": "",
        "encrypted_index": "",
    })))
}
