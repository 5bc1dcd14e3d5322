//! Pictures, documents and sound: the parts that hold them.

use super::shape::{File, ImageUrl, InputAudio};
use crate::chat::{CacheMark, ImageDetail, MediaSource, Part};
use crate::dialect::Dialect;
pub(super) use crate::openai::media::url;
use crate::openai::media::{document, source};

/// A picture by URL or in a `data:` URL.
pub(super) fn image(image: ImageUrl, cache: Option<CacheMark>) -> Part {
    Part::Image { source: source(&image.url), detail: image.detail.map(ImageDetail), cache }
}

/// A document. `None`: it names neither data nor an id.
pub(super) fn file(file: File, cache: Option<CacheMark>) -> Option<Part> {
    let source = match (file.file_data, file.file_id) {
        (Some(data), _) => document(&data),
        (None, Some(id)) => MediaSource::FileId { of: Dialect::OpenAiChat, id },
        (None, None) => return None,
    };
    Some(Part::File { source, name: file.filename, cache })
}

/// Sound as this wire has it.
pub(super) fn audio(data: &str, format: &str) -> InputAudio {
    InputAudio { data: data.to_owned(), format: format.to_owned() }
}
