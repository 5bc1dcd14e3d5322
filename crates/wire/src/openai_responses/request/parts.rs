//! Content parts and thoughts, of requests and of answers, decoded.

use serde_json::Value;

use super::THIS;
use crate::chat::{Citation, ImageDetail, MediaSource, Part, custody};
use crate::fault::Fault;
use crate::openai::media;
use crate::openai_responses::citation;
use crate::openai_responses::shape::{ContentPart, Reasoning, TextOrList, ThoughtText};

/// What stands between the paragraphs of a summary.
pub(in crate::openai_responses) const PARAGRAPH: &str = "\n\n";

pub(super) fn content(content: TextOrList<ContentPart>, at: &str) -> Result<Vec<Part>, Fault> {
    match content {
        TextOrList::Text(text) => Ok(vec![Part::text(text)]),
        TextOrList::List(parts) => {
            let part = |(place, part)| content_part(part, &format!("{at}.{place}"));
            parts.into_iter().enumerate().map(part).collect()
        }
    }
}

/// A part of a content list.
pub(in crate::openai_responses) fn content_part(mut part: ContentPart, at: &str) -> Result<Part, Fault> {
    let kind = required(part.kind.clone(), &format!("{at}.type"))?;
    Ok(match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let text = part.text.take().ok_or_else(|| missing(&format!("{at}.text")))?;
            let annotations = part.annotations.take().unwrap_or_default();
            let citations: Vec<Citation> = annotations.into_iter().map(citation::decode).collect();
            Part::Text { text, citations, cache: None }
        }
        "refusal" => Part::Refusal { text: part.refusal.take().unwrap_or_default() },
        "input_image" => {
            let url = part.image_url.take().as_deref().map(media::source);
            let source = url.or(part.file_id.take().map(stored));
            let source = source.ok_or_else(|| missing(&format!("{at}.image_url")))?;
            // The reference's default says nothing.
            let detail = part.detail.take().filter(|detail| detail != "auto").map(ImageDetail);
            Part::Image { source, detail, cache: None }
        }
        "input_file" => {
            let data = part.file_data.take().as_deref().map(media::document);
            let by_reference = part.file_url.take().map(MediaSource::Url);
            let source = data.or(by_reference).or(part.file_id.take().map(stored));
            let source = source.ok_or_else(|| missing(&format!("{at}.file_data")))?;
            Part::File { source, name: part.filename.take(), cache: None }
        }
        "input_audio" => {
            let audio = part.input_audio.take().ok_or_else(|| missing(&format!("{at}.input_audio")))?;
            Part::Audio { data: audio.data, format: audio.format }
        }
        _ => Part::Foreign { raw: raw(&part), origin: THIS.into() },
    })
}

fn stored(id: String) -> MediaSource {
    MediaSource::FileId { of: THIS, id }
}

/// A part as received.
fn raw(part: &ContentPart) -> Value {
    serde_json::to_value(part).expect("what was read from JSON can be written to it")
}

/// A thought of a server of this dialect. `None`: it says nothing.
pub(in crate::openai_responses) fn thought(item: Reasoning) -> Option<Part> {
    let text = told(&item);
    let encrypted = item.encrypted_content.filter(|encrypted| !encrypted.is_empty());
    if text.is_empty() && encrypted.is_none() {
        return None;
    }
    Some(Part::Thinking { text, signature: None, encrypted, id: item.id, origin: Some(THIS.into()) })
}

/// A thought that a client sends back. One of another family comes out of its wrapper.
pub(super) fn returned_thought(item: Reasoning) -> Option<Part> {
    let thought = thought(item)?;
    let Part::Thinking { text: told, encrypted: Some(sealed), .. } = &thought else { return Some(thought) };
    match custody::unwrap(sealed) {
        // What was shown beside the wrapper need not be in it.
        Some(Part::Thinking { text, signature, encrypted, id, origin }) => {
            let text = if text.is_empty() { told.clone() } else { text };
            Some(Part::Thinking { text, signature, encrypted, id, origin })
        }
        Some(other) => Some(other),
        None => Some(thought),
    }
}

/// The summary; of servers that show their thoughts as they are, these.
fn told(item: &Reasoning) -> String {
    let joined = |texts: &Option<Vec<ThoughtText>>| {
        let texts = texts.iter().flatten().map(|part| part.text.as_str());
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(PARAGRAPH)
    };
    let summary = joined(&item.summary);
    if summary.is_empty() { joined(&item.content) } else { summary }
}

pub(super) fn required(text: Option<String>, at: &str) -> Result<String, Fault> {
    text.filter(|text| !text.is_empty()).ok_or_else(|| missing(at))
}

pub(super) fn missing(at: &str) -> Fault {
    Fault::malformed(at.to_owned(), format!("'{at}' is missing or empty"))
}
