//! Content blocks of a request.

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::super::answer::compact;
use super::super::super::shape::asked;
use super::THIS;
use super::turns::Content;
use crate::Fault;
use crate::chat::{CacheMark, Extra, MediaSource, Part, ToolKind, custody};
use crate::raw::decode_at;

/// Kinds that the client makes, and that have no canonical form. Every other unknown kind is a step that the provider took.
const FROM_CLIENTS: &[&str] = &["container_upload", "tool_reference"];

/// The parts of a content, which is one text or a list of blocks.
pub(super) fn content(text: &RawValue, at: &str) -> Result<Vec<Part>, Fault> {
    match Content::read(text, at)? {
        Content::Text(text) => Ok(vec![Part::text(text)]),
        Content::Blocks(blocks) => {
            let place = |place: usize| format!("{at}.{place}");
            blocks.into_iter().enumerate().map(|(index, block)| part(block, &place(index))).collect()
        }
    }
}

/// A mark of the client.
pub(super) fn mark(control: asked::CacheControl) -> CacheMark {
    CacheMark { ttl: control.ttl }
}

fn part(block: &RawValue, at: &str) -> Result<Part, Fault> {
    let text = block.get();
    let given = match serde_json::from_str(text) {
        Ok(given) => given,
        Err(_) => asked::Common::from(decode_at::<asked::BlockHead<'_>>(at, text)?),
    };
    let cache = given.cache_control.map(mark);
    Ok(match &*given.kind {
        "text" => {
            let text = match given.text {
                Some(text) => text,
                None => decode_at::<asked::Text>(at, text)?.text,
            };
            Part::Text { text, citations: Vec::new(), cache }
        }
        "image" => {
            let asked::Image { source } = decode_at(at, text)?;
            Part::Image { source: image(source), detail: None, cache }
        }
        "document" => document(decode_at(at, text)?, cache, at)?,
        "search_result" => search_result(decode_at(at, text)?, cache),
        "thinking" => thinking(decode_at(at, text)?),
        "redacted_thinking" => redacted(decode_at(at, text)?),
        "tool_use" => call(match (given.id, given.name, given.input) {
            (Some(id), Some(name), Some(input)) => asked::ToolUse { id, name, input },
            _ => decode_at(at, text)?,
        }),
        "tool_result" => {
            let (content, is_error) = (given.content, given.is_error);
            let given = match given.tool_use_id {
                Some(tool_use_id) => asked::ToolResult { tool_use_id, content, is_error },
                None => decode_at(at, text)?,
            };
            result(given, cache, at)?
        }
        kind if FROM_CLIENTS.contains(&kind) => {
            Part::Foreign { raw: decode_at(at, text)?, origin: THIS.into() }
        }
        _ => Part::ServerTool { raw: decode_at(at, text)?, origin: THIS.into() },
    })
}

fn image(source: asked::Source) -> MediaSource {
    match source {
        asked::Source::Base64 { media_type, data } => MediaSource::Base64 { mime: media_type, data },
        asked::Source::Url { url } => MediaSource::Url(url),
        asked::Source::File { file_id } => MediaSource::FileId { of: THIS, id: file_id },
    }
}

fn document(given: asked::Document<'_>, cache: Option<CacheMark>, at: &str) -> Result<Part, Fault> {
    let at = format!("{at}.source");
    let source = given.source;
    let need = |field: Option<String>, name: &str| {
        let at = format!("{at}.{name}");
        field.ok_or_else(|| Fault::malformed(at.clone(), format!("'{at}' is missing")))
    };
    let source = match &*source.kind {
        "base64" => {
            let mime = source.media_type.unwrap_or_else(|| "application/pdf".to_owned());
            MediaSource::Base64 { mime, data: need(source.data, "data")? }
        }
        "url" => MediaSource::Url(need(source.url, "url")?),
        "file" => MediaSource::FileId { of: THIS, id: need(source.file_id, "file_id")? },
        "text" => MediaSource::Text(need(source.data, "data")?),
        "content" => MediaSource::Text(texts(source.content, &format!("{at}.content"))?),
        kind => {
            let at = format!("{at}.type");
            let why = format!("'{at}' is '{kind}', but must be one of base64, url, file, text, content");
            return Err(Fault::malformed(at, why));
        }
    };
    Ok(Part::File { source, name: given.title, cache })
}

/// A document in blocks: its texts, joined. Pictures among them are nowhere else to be put.
fn texts(blocks: Option<&RawValue>, at: &str) -> Result<String, Fault> {
    let Some(blocks) = blocks else {
        return Err(Fault::malformed(at.to_owned(), format!("'{at}' is missing")));
    };
    let mut texts = Vec::new();
    for part in content(blocks, at)? {
        match part {
            Part::Text { text, .. } => texts.push(text),
            _ => {
                let (what, by) = ("a document with pictures in it".to_owned(), "this gateway".to_owned());
                return Err(Fault::Unsupported { what, by, at: Some(at.to_owned()) });
            }
        }
    }
    Ok(texts.concat())
}

fn search_result(given: asked::SearchResult, cache: Option<CacheMark>) -> Part {
    let texts: Vec<String> = given.content.into_iter().map(|text| text.text).collect();
    let name = format!("{} ({})", given.title, given.source);
    Part::File { source: MediaSource::Text(texts.join("\n")), name: Some(name), cache }
}

/// A thought of this family, or of the one that is wrapped in the signature.
fn thinking(given: asked::Thinking) -> Part {
    match custody::unwrap(&given.signature) {
        Some(Part::Thinking { text, signature, encrypted, id, origin }) => {
            let text = if text.is_empty() { given.thinking } else { text };
            Part::Thinking { text, signature, encrypted, id, origin }
        }
        Some(other) => other,
        None => Part::Thinking {
            text: given.thinking,
            signature: Some(given.signature).filter(|signature| !signature.is_empty()),
            encrypted: None,
            id: None,
            origin: Some(THIS.into()),
        },
    }
}

fn redacted(given: asked::RedactedThinking) -> Part {
    custody::unwrap(&given.data)
        .unwrap_or_else(|| Part::RedactedThinking { data: given.data, origin: Some(THIS.into()) })
}

fn call(given: asked::ToolUse<'_>) -> Part {
    Part::ToolCall {
        id: given.id,
        name: given.name,
        args: compact(given.input.get()),
        signature: None,
        kind: ToolKind::Function,
    }
}

fn result(given: asked::ToolResult<'_>, cache: Option<CacheMark>, at: &str) -> Result<Part, Fault> {
    let parts = match given.content {
        Some(text) => content(text, &format!("{at}.content"))?,
        None => Vec::new(),
    };
    Ok(Part::ToolResult {
        call_id: given.tool_use_id,
        name: None,
        parts,
        is_error: given.is_error.unwrap_or(false),
        cache,
    })
}

/// Notes what documents ask for and no part can hold (that they be cited, what to know of them), as fields of the turn:
/// so other dialects report them as lost.
pub(super) fn note_wishes(content: Option<&RawValue>, extra: &mut Extra) {
    let documents = content.filter(|content| content.get().contains("\"document\""));
    let Some(Ok(blocks)) = documents.map(|text| serde_json::from_str::<Vec<&RawValue>>(text.get())) else {
        return;
    };
    for document in
        blocks.iter().filter_map(|block| serde_json::from_str::<asked::Document<'_>>(block.get()).ok())
    {
        let cited = document.citations.is_some_and(|citing| citing.enabled);
        for (name, wished) in [("citations", cited), ("context", document.context.is_some())] {
            if wished {
                extra.from = Some(THIS);
                extra.fields.insert(name.to_owned(), Value::Bool(true));
            }
        }
    }
}
