//! Sources of a text: `groundingMetadata` and `citationMetadata`, read and written. Their offsets count bytes of UTF-8 in
//! the whole text of an answer; canonical ones count code points of a part.

use std::ops::Range;

use serde_json::{Value, json};

use crate::chat::Citation;
use crate::dialect::Dialect;

/// Kinds of sources in a grounding chunk that may have a URI and a title.
const KINDS: [&str; 3] = ["web", "retrievedContext", "maps"];

/// The sources that an answer names. `text` is its whole visible text; the part that they are put on begins at byte
/// `from` of it.
pub(super) fn decode(
    grounding: Option<&Value>,
    attribution: Option<&Value>,
    text: &str,
    from: usize,
) -> Vec<Citation> {
    let mut citations = grounding.map(|it| grounded(it, text, from)).unwrap_or_default();
    citations.extend(attribution.map(|it| attributed(it, text, from)).unwrap_or_default());
    citations
}

/// A citation for each pair of a supported segment and a chunk, and one for each chunk that supports nothing.
fn grounded(metadata: &Value, text: &str, from: usize) -> Vec<Citation> {
    let chunks = list(&metadata["groundingChunks"]);
    let mut used = vec![false; chunks.len()];
    let mut citations = Vec::new();
    for support in list(&metadata["groundingSupports"]) {
        let range = locate(&support["segment"], text);
        for index in list(&support["groundingChunkIndices"]).iter().filter_map(Value::as_u64) {
            let place = usize::try_from(index).unwrap_or(usize::MAX);
            let Some(chunk) = chunks.get(place) else { continue };
            used[place] = true;
            citations.push(citation(chunk, span(range.clone(), text, from)));
        }
    }
    let unused = chunks.iter().zip(used).filter(|(_, used)| !used);
    citations.extend(unused.map(|(chunk, _)| citation(chunk, None)));
    citations
}

fn citation(chunk: &Value, span: Option<(u64, u64)>) -> Citation {
    let source = KINDS.iter().map(|kind| &chunk[kind]).find(|source| source.is_object());
    let field = |name: &str| source.and_then(|source| source[name].as_str()).map(str::to_owned);
    Citation { url: field("uri"), title: field("title"), span, raw: Some((Dialect::Gemini, chunk.clone())) }
}

/// `citationMetadata` names texts that the answer repeats. Older answers call the list `citationSources`.
fn attributed(metadata: &Value, text: &str, from: usize) -> Vec<Citation> {
    let all = list(&metadata["citations"]).iter().chain(list(&metadata["citationSources"]));
    let of_source = |source: &Value| Citation {
        url: source["uri"].as_str().map(str::to_owned),
        title: source["title"].as_str().map(str::to_owned),
        span: span(locate(source, text), text, from),
        raw: None,
    };
    all.map(of_source).filter(|citation| citation.url.is_some()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Where a segment lies, in bytes. When the text at its offsets is not the one that it quotes, the quote is looked for.
fn locate(segment: &Value, text: &str) -> Option<Range<usize>> {
    let offset = |name: &str| segment[name].as_u64().and_then(|offset| usize::try_from(offset).ok());
    let quote = segment["text"].as_str().filter(|quote| !quote.is_empty());
    let stated = offset("startIndex").unwrap_or(0)..offset("endIndex")?;
    match (text.get(stated.clone()), quote) {
        (Some(there), Some(quote)) if there != quote => {
            let start = text.find(quote)?;
            Some(start..start + quote.len())
        }
        (Some(_), _) => Some(stated),
        (None, quote) => {
            let start = text.find(quote?)?;
            Some(start..start + quote?.len())
        }
    }
}

/// A range of bytes as code points of the part that begins at byte `from`; `None` if it lies before it.
fn span(range: Option<Range<usize>>, text: &str, from: usize) -> Option<(u64, u64)> {
    let range = range?;
    let before = text.get(from..range.start)?.chars().count() as u64;
    let inside = text.get(range)?.chars().count() as u64;
    Some((before, before + inside))
}

/// Gathers the text of an answer and the sources of it, for the metadata that follows them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    text: String,
    /// Byte at which the part of each citation begins.
    cited: Vec<(usize, Citation)>,
}

impl Sources {
    /// Bytes of text so far: where the next part begins.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }

    pub(super) fn text(&mut self, more: &str) {
        self.text.push_str(more);
    }

    /// Notes a source of the part that begins at byte `from`. `false`: it says more than can be written here.
    pub(super) fn cite(&mut self, from: usize, citation: &Citation) -> bool {
        let ours = citation.raw.as_ref().is_some_and(|(dialect, _)| *dialect == Dialect::Gemini);
        if citation.url.is_some() || ours {
            self.cited.push((from, citation.clone()));
        }
        ours || (citation.url.is_some() && citation.raw.is_none())
    }

    /// `groundingMetadata`, if there are sources.
    pub(super) fn metadata(&self) -> Option<Value> {
        let mut chunks: Vec<Value> = Vec::new();
        let mut supports: Vec<Value> = Vec::new();
        for (from, citation) in &self.cited {
            let chunk = chunk(citation);
            let index = chunks.iter().position(|known| *known == chunk).unwrap_or_else(|| {
                chunks.push(chunk);
                chunks.len() - 1
            });
            if let Some(range) = citation.span.and_then(|span| self.bytes(*from, span)) {
                let segment =
                    json!({"startIndex": range.start, "endIndex": range.end, "text": self.text[range]});
                supports.push(json!({"segment": segment, "groundingChunkIndices": [index]}));
            }
        }
        (!chunks.is_empty()).then(|| json!({"groundingChunks": chunks, "groundingSupports": supports}))
    }

    /// Code points of a part as bytes of the whole text.
    fn bytes(&self, from: usize, (start, end): (u64, u64)) -> Option<Range<usize>> {
        let part = self.text.get(from..)?;
        let mut places = part.char_indices().map(|(at, _)| at).chain([part.len()]);
        let start = usize::try_from(start).ok()?;
        let more = usize::try_from(end).ok()?.checked_sub(start)?;
        let first = places.nth(start)?;
        let last = if more == 0 { first } else { places.nth(more - 1)? };
        Some(from + first..from + last)
    }
}

fn chunk(citation: &Citation) -> Value {
    match &citation.raw {
        Some((dialect, raw)) if *dialect == Dialect::Gemini => raw.clone(),
        _ => json!({"web": {"uri": citation.url, "title": citation.title.as_deref().unwrap_or_default()}}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Paris — größte Stadt. Rom.";

    fn metadata(start: usize, end: usize, quote: &str) -> Value {
        json!({"groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
            "groundingSupports": [{"segment": {"startIndex": start, "endIndex": end, "text": quote},
                "groundingChunkIndices": [0, 9]}]})
    }

    #[test]
    fn offsets_in_bytes_become_code_points_of_the_part() {
        let start = TEXT.find("größte").unwrap();
        let given = metadata(start, start + "größte".len(), "größte");
        let cited = decode(Some(&given), None, TEXT, 0);
        assert_eq!(cited.len(), 1);
        assert_eq!((cited[0].url.as_deref(), cited[0].span), (Some("https://a.example"), Some((8, 14))));
        assert_eq!(decode(Some(&given), None, TEXT, TEXT.find("—").unwrap())[0].span, Some((2, 8)));
        assert_eq!(decode(Some(&given), None, TEXT, TEXT.len())[0].span, None);
    }

    #[test]
    fn offsets_that_miss_their_quote_yield_to_it() {
        for given in [metadata(0, 3, "Rom"), metadata(7, 8, "Rom"), metadata(900, 903, "Rom")] {
            assert_eq!(decode(Some(&given), None, TEXT, 0)[0].span, Some((22, 25)), "{given}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let mut sources = Sources::default();
        sources.text("Vorher. ");
        let from = sources.length();
        sources.text("größte Stadt");
        let citation = Citation {
            url: Some("https://a.example".into()),
            title: Some("A".into()),
            span: Some((0, 6)),
            raw: None,
        };
        assert!(sources.cite(from, &citation));
        let read = decode(sources.metadata().as_ref(), None, "Vorher. größte Stadt", from);
        assert_eq!((read[0].url.clone(), read[0].span), (citation.url, citation.span));
    }

    #[test]
    fn texts_that_are_repeated_are_cited_too() {
        let given =
            json!({"citationSources": [{"startIndex": 0, "endIndex": 5, "uri": "https://b.example"}, {}]});
        let cited = decode(None, Some(&given), TEXT, 0);
        assert_eq!((cited.len(), cited[0].span), (1, Some((0, 5))));
    }
}
