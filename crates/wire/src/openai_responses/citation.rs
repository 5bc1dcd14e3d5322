//! Sources of a text: `annotations`, read and written.

use serde_json::{Value, json};

use crate::chat::Citation;
use crate::dialect::Dialect;

const THIS: Dialect = Dialect::OpenAiResponses;

/// A `url_citation`; others are kept as received only.
pub(super) fn decode(annotation: Value) -> Citation {
    let text = |key: &str| annotation.get(key).and_then(Value::as_str).map(str::to_owned);
    let count = |key: &str| annotation.get(key).and_then(Value::as_u64);
    let span = count("start_index").zip(count("end_index")).filter(|(start, end)| start < end);
    Citation { url: text("url"), title: text("title"), span, raw: Some((THIS, annotation)) }
}

/// Whether the citation names its place in the text.
pub(super) fn is_placed(citation: &Citation) -> bool {
    citation.span.is_some() || citation.raw.as_ref().is_some_and(|(dialect, _)| *dialect == THIS)
}

/// The annotation, and whether it says less than the citation did. `None`: there is no URL to cite.
pub(super) fn encode(citation: &Citation, length: u64) -> (Option<Value>, bool) {
    if let Some((_, raw)) = citation.raw.as_ref().filter(|(dialect, _)| *dialect == THIS) {
        return (Some(raw.clone()), false);
    }
    let Some(url) = &citation.url else { return (None, true) };
    // Clients expect a range; a citation without one holds for the whole text.
    let (start, end) = citation.span.unwrap_or((0, length));
    let title = citation.title.as_deref().unwrap_or_default();
    let annotation = json!({"type": "url_citation", "url": url, "title": title, "start_index": start,
        "end_index": end});
    (Some(annotation), citation.raw.is_some())
}
