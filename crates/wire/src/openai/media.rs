//! Where the bytes of pictures and documents are: `data:` URLs, bare base64 and other URLs.

use crate::chat::MediaSource;

/// How base64 of a file of each kind begins: the encoding of its magic bytes.
const MAGIC: &[(&str, &str)] = &[
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGODdh", "image/gif"),
    ("R0lGODlh", "image/gif"),
    ("JVBERi0", "application/pdf"),
];

/// What a URL stands for: the data of a `data:` URL with base64, or itself.
pub(crate) fn source(url: &str) -> MediaSource {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    match data.and_then(|(head, data)| Some((head.strip_suffix(";base64")?, data))) {
        Some((head, data)) => base64(head.split(';').next().unwrap_or_default(), data),
        None => MediaSource::Url(url.to_owned()),
    }
}

/// The magic bytes win over what the client says: some dialects refuse a mismatch.
fn base64(mime: &str, data: &str) -> MediaSource {
    let mime = sniff(data).unwrap_or(if mime.is_empty() { "application/octet-stream" } else { mime });
    MediaSource::Base64 { mime: mime.to_owned(), data: data.to_owned() }
}

fn sniff(data: &str) -> Option<&'static str> {
    // "RIFF", four bytes of length, "WEBP".
    if data.starts_with("UklGR") && data.get(12..16) == Some("RUJQ") {
        return Some("image/webp");
    }
    MAGIC.iter().find(|(begins, _)| data.starts_with(begins)).map(|(_, mime)| *mime)
}

/// The URL of a picture. `None`: an id or a text, which are no URLs.
pub(crate) fn url(source: &MediaSource) -> Option<String> {
    match source {
        MediaSource::Url(url) => Some(url.clone()),
        MediaSource::Base64 { mime, data } => Some(format!("data:{mime};base64,{data}")),
        MediaSource::FileId { .. } | MediaSource::Text(_) => None,
    }
}

/// Whether a file is one that no model of these APIs watches.
pub(crate) fn is_video(mime: &str) -> bool {
    mime.starts_with("video/")
}

/// The `file_data` of a document: a `data:` URL, or bare base64, which some clients send.
pub(crate) fn document(data: &str) -> MediaSource {
    match source(data) {
        MediaSource::Url(data) if !data.contains("://") => base64("", &data),
        source => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(mime: &str, data: &str) -> MediaSource {
        MediaSource::Base64 { mime: mime.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn data_urls_are_split_and_the_magic_bytes_win() {
        assert_eq!(source("data:image/png;base64,/9j/4AAQ"), kept("image/jpeg", "/9j/4AAQ"));
        assert_eq!(source("data:;base64,iVBORw0KGgoAAAA"), kept("image/png", "iVBORw0KGgoAAAA"));
        assert_eq!(source("data:text/plain;charset=utf-8;base64,aGk="), kept("text/plain", "aGk="));
        assert_eq!(source("data:;base64,UklGRiQAAABXRUJQVlA4"), kept("image/webp", "UklGRiQAAABXRUJQVlA4"));
    }

    #[test]
    fn other_urls_stay() {
        for url in ["https://a/b.png", "data:text/plain,hello", ""] {
            assert_eq!(source(url), MediaSource::Url(url.to_owned()));
        }
    }

    #[test]
    fn what_was_split_is_joined_again() {
        let data = "data:application/pdf;base64,JVBERi0xLjQ=";
        assert_eq!(url(&source(data)).as_deref(), Some(data));
    }
}
