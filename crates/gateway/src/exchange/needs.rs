//! What a conversation holds that not every model takes.

use memchr::memchr_iter;
use policy::Needs;
use wire::chat::{ChatRequest, MediaSource, Part};

/// Names that stand in every request with media, in one dialect or another; what follows the opening quote.
const MARKS: [&[u8]; 10] = [
    b"image_url\"",
    b"input_image\"",
    b"image\"",
    b"input_audio\"",
    b"file\"",
    b"input_file\"",
    b"document\"",
    b"inlineData\"",
    b"inline_data\"",
    b"fileData\"",
];

/// A glance, in one pass from quote to quote: whether a body is worth a closer look.
pub(super) fn may_hold_media(body: &[u8]) -> bool {
    memchr_iter(b'"', body).any(|quote| {
        let name = &body[quote + 1..];
        may_be_mark(name) && MARKS.iter().any(|mark| name.starts_with(mark))
    })
}

/// Two letters rule out nearly all names.
fn may_be_mark(name: &[u8]) -> bool {
    matches!(name, [b'i', b'm' | b'n', ..] | [b'f', b'i', ..] | [b'd', b'o', ..])
}

/// The closer look.
pub(super) fn needs(request: &ChatRequest) -> Needs {
    let mut needs = Needs::default();
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        match part {
            Part::Image { .. } => needs.images = true,
            Part::Audio { .. } => needs.audio = true,
            Part::File { source: MediaSource::Base64 { mime, .. }, .. } => {
                needs.documents |= mime == "application/pdf";
            }
            _ => {}
        }
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_seen_wherever_it_stands_and_nothing_else() {
        for mark in MARKS {
            for before in ["", "{\"type\":", "\"", "{\"text\":\"\\\"\","] {
                let body = [before.as_bytes(), b"\"", mark, b":1}"].concat();
                assert!(may_hold_media(&body), "{}", String::from_utf8_lossy(&body));
                assert!(!may_hold_media(&body[..body.len() - 4]), "{}", String::from_utf8_lossy(&body));
            }
        }
        assert!(!may_hold_media(b"{\"name\":\"read_file\",\"input\":{\"document_id\":\"an image\"}}"));
    }
}
