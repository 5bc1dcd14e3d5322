//! Images, sound and files: base64, MIME types, and the parts that hold them.

use std::borrow::Cow;

use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::shape::{self, out};
use crate::chat::{MediaSource, Part};
use crate::dialect::Dialect;

/// Takes base64 with and without padding, and writes it with.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How base64 of a file of each kind begins: the encoding of its magic bytes.
const MAGIC: &[(&str, &str)] = &[
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGODdh", "image/gif"),
    ("R0lGODlh", "image/gif"),
    ("JVBERi0", "application/pdf"),
];

/// MIME types by the ending of a name, for files that are given by URL.
const ENDINGS: &[(&str, &str)] = &[
    (".png", "image/png"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".gif", "image/gif"),
    (".webp", "image/webp"),
    (".heic", "image/heic"),
    (".pdf", "application/pdf"),
    (".txt", "text/plain"),
    (".mp3", "audio/mp3"),
    (".wav", "audio/wav"),
    (".mp4", "video/mp4"),
];

/// Names of sound formats that differ from the subtype of their MIME type.
const SOUNDS: &[(&str, &str)] = &[("mpeg", "mp3"), ("x-wav", "wav"), ("wave", "wav"), ("mp4", "m4a")];

/// The part of an `inlineData`.
pub(super) fn inline(blob: shape::Blob) -> Part {
    let data = plain_alphabet(&blob.data).into_owned();
    let stated = blob.mime_type.unwrap_or_default();
    let mime = sniff(&data).map_or(stated, str::to_owned);
    match mime.split_once('/') {
        Some(("image", _)) => {
            Part::Image { source: MediaSource::Base64 { mime, data }, detail: None, cache: None }
        }
        Some(("audio", subtype)) => Part::Audio { data, format: sound(subtype).to_owned() },
        _ => Part::File { source: MediaSource::Base64 { mime, data }, name: blob.display_name, cache: None },
    }
}

/// The part of a `fileData`. What lies in Google's own stores belongs to one account, and nobody else watches video.
pub(super) fn linked(file: shape::FileData) -> Part {
    let mime = file.mime_type.unwrap_or_default();
    let is_video = mime.starts_with("video/") || is_video_page(&file.file_uri);
    let source = if is_video || is_stored(&file.file_uri) {
        MediaSource::FileId { of: Dialect::Gemini, id: file.file_uri }
    } else {
        MediaSource::Url(file.file_uri)
    };
    if mime.starts_with("image/") {
        Part::Image { source, detail: None, cache: None }
    } else {
        Part::File { source, name: file.display_name, cache: None }
    }
}

/// Whether a file lies in Cloud Storage, or in the store of Gemini API.
fn is_stored(uri: &str) -> bool {
    uri.starts_with("gs://") || uri.starts_with("files/") || uri.contains("/v1beta/files/")
}

/// Videos that are given by their pages. Source: Google's page on video understanding.
fn is_video_page(uri: &str) -> bool {
    ["https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/"]
        .iter()
        .any(|at| uri.starts_with(at))
}

/// The format of a sound by the subtype of its MIME type.
pub(super) fn sound(subtype: &str) -> &str {
    let subtype = subtype.split(';').next().unwrap_or(subtype);
    SOUNDS.iter().find(|(mime, _)| *mime == subtype).map_or(subtype, |(_, format)| format)
}

/// Bytes that stand in the request.
pub(super) fn blob<'a>(mime: impl Into<Cow<'a, str>>, data: &'a str, name: Option<&'a str>) -> out::Part<'a> {
    let data = plain_alphabet(data);
    let mime_type = sniff(&data).map_or(mime.into(), Cow::Borrowed);
    let inline_data = Some(out::Blob { mime_type, data, display_name: name });
    out::Made { inline_data, ..out::Made::default() }.into()
}

/// Bytes that stand elsewhere.
pub(super) fn link(uri: &str) -> out::Part<'_> {
    let file_data = Some(out::FileData { mime_type: by_ending(uri), file_uri: uri });
    out::Made { file_data, ..out::Made::default() }.into()
}

fn by_ending(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next().unwrap_or(uri).to_ascii_lowercase();
    ENDINGS.iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, mime)| *mime)
}

/// The type and the data of a `data:` URL with base64.
pub(super) fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    Some((mime.split(';').next().unwrap_or(mime), data))
}

/// The bytes are believed and not the stated type: some dialects refuse a mismatch.
fn sniff(data: &str) -> Option<&'static str> {
    // "RIFF", four bytes of length, "WEBP".
    if data.starts_with("UklGR") && data.get(12..16) == Some("RUJQ") {
        return Some("image/webp");
    }
    MAGIC.iter().find(|(begins, _)| data.starts_with(begins)).map(|(_, mime)| *mime)
}

/// Base64 in the plain alphabet, padded: the Python SDK writes the URL-safe one.
/// Source: CLIENTS, section 2.
pub(super) fn plain_alphabet(data: &str) -> Cow<'_, str> {
    let odd = |byte: u8| matches!(byte, b'-' | b'_') || byte.is_ascii_whitespace();
    if data.len().is_multiple_of(4) && !data.bytes().any(odd) {
        return Cow::Borrowed(data);
    }
    let plain = |c| match c {
        '-' => '+',
        '_' => '/',
        other => other,
    };
    let mut text: String = data.chars().filter(|c| !c.is_ascii_whitespace()).map(plain).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mime: &str, data: &str) -> Part {
        inline(shape::Blob { mime_type: Some(mime.into()), data: data.into(), display_name: None })
    }

    #[test]
    fn the_kind_of_a_part_follows_from_its_bytes_and_its_type() {
        let image = |mime: &str, data: &str| Part::Image {
            source: MediaSource::Base64 { mime: mime.into(), data: data.into() },
            detail: None,
            cache: None,
        };
        assert_eq!(read("image/jpeg", "iVBORw0KGgo="), image("image/png", "iVBORw0KGgo="));
        assert_eq!(read("", "_9j_-A"), image("image/jpeg", "/9j/+A=="));
        assert_eq!(read("audio/mpeg", "AAAA"), Part::Audio { data: "AAAA".into(), format: "mp3".into() });
        assert!(matches!(read("video/mp4", "AAAA"), Part::File { .. }));
    }

    #[test]
    fn what_lies_in_a_store_of_an_account_is_known_by_its_name() {
        let file = |uri: &str| shape::FileData { file_uri: uri.into(), ..shape::FileData::default() };
        for (uri, stored) in [
            ("gs://b/a.png", true),
            ("files/abc", true),
            ("https://google.example/v1beta/files/abc", true),
            ("https://youtu.be/abc", true),
            ("https://a.example/b.pdf", false),
        ] {
            let Part::File { source, .. } = linked(file(uri)) else { panic!("not a file") };
            assert_eq!(matches!(source, MediaSource::FileId { .. }), stored, "{uri}");
        }
    }

    #[test]
    fn a_link_says_its_type_where_its_ending_does() {
        assert_eq!(by_ending("https://a.example/B.PDF?x=.png"), Some("application/pdf"));
        assert_eq!(by_ending("https://a.example/b"), None);
    }

    #[test]
    fn a_data_url_is_split() {
        assert_eq!(data_url("data:image/png;x=1;base64,AAAA"), Some(("image/png", "AAAA")));
        assert_eq!(data_url("https://a.example/b.png"), None);
    }
}
