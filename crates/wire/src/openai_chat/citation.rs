//! Sources of a text: `annotations`, read and written.

use serde_json::{Value, json};

use crate::chat::Citation;
use crate::dialect::Dialect;

/// A `url_citation`; others are kept as received only.
pub(super) fn decode(annotation: Value) -> Citation {
    let text = |place| annotation.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let count = |place| annotation.pointer(place).and_then(Value::as_u64);
    let span = count("/url_citation/start_index").zip(count("/url_citation/end_index"));
    Citation {
        url: text("/url_citation/url"),
        title: text("/url_citation/title"),
        // OpenRouter sends 0 to 0 when it does not know.
        span: span.filter(|(start, end)| start < end),
        raw: Some((Dialect::OpenAiChat, annotation)),
    }
}

/// The annotation, and whether it says less than the citation did. `before`: code points of text before the citation's
/// own part. `None`: there is no URL to cite.
pub(super) fn encode(citation: &Citation, before: u64) -> (Option<Value>, bool) {
    let ours = citation.raw.as_ref().filter(|(dialect, _)| *dialect == Dialect::OpenAiChat);
    if let Some((_, raw)) = ours {
        return (Some(raw.clone()), false);
    }
    let Some(url) = &citation.url else { return (None, true) };
    let mut cited = json!({"url": url, "title": citation.title.as_deref().unwrap_or_default()});
    if let Some((start, end)) = citation.span {
        cited["start_index"] = before.saturating_add(start).into();
        cited["end_index"] = before.saturating_add(end).into();
    }
    (Some(json!({"type": "url_citation", "url_citation": cited})), citation.raw.is_some())
}
