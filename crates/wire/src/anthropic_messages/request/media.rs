//! Images and documents.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::shape::{Block, Source};
use super::{Draft, cache};
use crate::Fault;
use crate::chat::{CacheMark, ImageDetail, MediaSource};

/// Takes base64 with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// First bytes of a file and what it is; `None` stands for any byte.
const MAGIC: &[(&[Option<u8>], &str)] = &[
    (&[Some(0x89), Some(b'P'), Some(b'N'), Some(b'G')], "image/png"),
    (&[Some(0xff), Some(0xd8), Some(0xff)], "image/jpeg"),
    (&[Some(b'G'), Some(b'I'), Some(b'F'), Some(b'8')], "image/gif"),
    (
        &[
            Some(b'R'),
            Some(b'I'),
            Some(b'F'),
            Some(b'F'),
            None,
            None,
            None,
            None,
            Some(b'W'),
            Some(b'E'),
            Some(b'B'),
            Some(b'P'),
        ],
        "image/webp",
    ),
    (&[Some(b'%'), Some(b'P'), Some(b'D'), Some(b'F')], "application/pdf"),
];

/// An image block.
pub(super) fn image<'a>(
    source: &'a MediaSource,
    detail: Option<&ImageDetail>,
    cache: Option<&'a CacheMark>,
    at: &str,
    draft: &mut Draft<'a>,
) -> Result<Block<'a>, Fault> {
    if !draft.profile.abilities.image {
        return Err(draft.unsupported("images", at));
    }
    if detail.is_some_and(|detail| detail.0 != "auto") {
        draft.losses.push(crate::chat::Loss::at("field:detail", at));
    }
    let source = match given(source) {
        Given::Base64 { mime, data } => base64_source(mime, data),
        Given::Url(url) => Source::Url { url },
        Given::FileId => return Err(draft.unsupported("files by id of another account", at)),
        Given::Text(_) => return Err(draft.unsupported("images as text", at)),
    };
    Ok(Block::Image { source, cache_control: cache.map(cache::control) })
}

/// A document block: a PDF, or plain text.
pub(super) fn document<'a>(
    source: &'a MediaSource,
    title: Option<&'a str>,
    cache: Option<&'a CacheMark>,
    at: &str,
    draft: &Draft<'_>,
) -> Result<Block<'a>, Fault> {
    let source = match given(source) {
        Given::Base64 { mime, data } => file_source(mime, data, at, draft)?,
        Given::Url(url) => Source::Url { url },
        Given::Text(text) => text_source(Cow::Borrowed(text)),
        Given::FileId => return Err(draft.unsupported("files by id of another account", at)),
    };
    Ok(Block::Document { source, title, cache_control: cache.map(cache::control) })
}

fn file_source<'a>(mime: &'a str, data: &'a str, at: &str, draft: &Draft<'_>) -> Result<Source<'a>, Fault> {
    let source = base64_source(mime, data);
    let Source::Base64 { media_type, data } = &source else { return Ok(source) };
    if media_type == "application/pdf" && draft.profile.abilities.pdf {
        return Ok(source);
    }
    if media_type.starts_with("text/") {
        let text = BASE64.decode(data.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text =
            text.ok_or_else(|| Fault::malformed(at.to_owned(), "the file is not base64 of UTF-8 text"))?;
        return Ok(text_source(Cow::Owned(text)));
    }
    Err(draft.unsupported(format!("files of type '{media_type}'"), at))
}

fn text_source(data: Cow<'_, str>) -> Source<'_> {
    Source::Text { media_type: "text/plain", data }
}

/// A source as it was meant: data URLs are no URLs.
enum Given<'a> {
    Base64 { mime: &'a str, data: &'a str },
    Url(&'a str),
    FileId,
    Text(&'a str),
}

fn given(source: &MediaSource) -> Given<'_> {
    match source {
        MediaSource::Url(url) => data_url(url).unwrap_or(Given::Url(url)),
        MediaSource::Base64 { mime, data } => Given::Base64 { mime, data },
        MediaSource::FileId { .. } => Given::FileId,
        MediaSource::Text(text) => Given::Text(text),
    }
}

fn data_url(url: &str) -> Option<Given<'_>> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    Some(Given::Base64 { mime: mime.split(';').next().unwrap_or(mime), data })
}

/// The upstream refuses a type that the bytes belie, so the bytes are believed.
fn base64_source<'a>(mime: &'a str, data: &'a str) -> Source<'a> {
    let data = plain_alphabet(data);
    let media_type = sniff(&data).map_or(Cow::Borrowed(mime), Cow::Borrowed);
    Source::Base64 { media_type, data }
}

fn sniff(data: &str) -> Option<&'static str> {
    let head = data.get(..data.len().min(24))?;
    let bytes = BASE64.decode(head).ok()?;
    let matches = |magic: &[Option<u8>]| {
        bytes.len() >= magic.len()
            && magic.iter().zip(&bytes).all(|(want, have)| want.is_none_or(|want| want == *have))
    };
    MAGIC.iter().find(|(magic, _)| matches(magic)).map(|(_, mime)| *mime)
}

/// Base64 in the plain alphabet, padded: some clients write the URL-safe one, or break lines.
fn plain_alphabet(data: &str) -> Cow<'_, str> {
    let odd = |byte: u8| matches!(byte, b'-' | b'_') || byte.is_ascii_whitespace();
    if data.len().is_multiple_of(4) && !data.bytes().any(odd) {
        return Cow::Borrowed(data);
    }
    let mut plain: String = data
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    while !plain.len().is_multiple_of(4) {
        plain.push('=');
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(mime: &'static str, data: &'static str) -> String {
        serde_json::to_string(&base64_source(mime, data)).unwrap()
    }

    #[test]
    fn the_bytes_are_believed_and_not_the_stated_type() {
        assert!(source("image/jpeg", "iVBORw0KGgo=").contains("image/png"));
        assert!(source("", "R0lGODlhAQABAAAAACw=").contains("image/gif"));
        assert!(source("application/octet-stream", "UklGRgAAAABXRUJQVlA4").contains("image/webp"));
        assert!(source("image/bmp", "Qk0AAAA=").contains("image/bmp"));
    }

    #[test]
    fn the_url_safe_alphabet_becomes_the_plain_one() {
        assert_eq!(plain_alphabet("_9j_-A"), "/9j/+A==");
        assert!(matches!(plain_alphabet("/9j/"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_data_url_is_split() {
        let Some(Given::Base64 { mime, data }) = data_url("data:image/png;base64,AAAA") else {
            panic!("no data URL");
        };
        assert_eq!((mime, data), ("image/png", "AAAA"));
        assert!(data_url("https://example.com/a.png").is_none());
    }
}
