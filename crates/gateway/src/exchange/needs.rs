//! What a conversation holds that not every model takes.

use memchr::memmem;
use policy::Needs;
use wire::chat::{ChatRequest, MediaSource, Part};

/// Names that stand in every request with media, in one dialect or another.
const MARKS: [&[u8]; 10] = [
    b"\"image_url\"",
    b"\"input_image\"",
    b"\"image\"",
    b"\"input_audio\"",
    b"\"file\"",
    b"\"input_file\"",
    b"\"document\"",
    b"\"inlineData\"",
    b"\"inline_data\"",
    b"\"fileData\"",
];

/// A glance: whether a body is worth a closer look.
pub(super) fn may_hold_media(body: &[u8]) -> bool {
    MARKS.iter().any(|mark| memmem::find(body, mark).is_some())
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
