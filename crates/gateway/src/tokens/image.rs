//! What pictures cost, roughly, by the rules that the vendors publish.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wire::chat::{ImageDetail, MediaSource};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Images {
    /// A token for 750 pixels, after shrinking to 1568 pixels on the long edge.
    /// Source: Anthropic documentation, "Vision", read 2026-11-25.
    Area,
    /// 85 tokens and 170 for each tile of 512 pixels, after shrinking to 2048 by 2048 and to 768 on the short edge; 85
    /// when little detail is wanted. Source: OpenAI documentation, "Images and vision", read 2026-11-25.
    Tiles,
    /// 258 tokens when both edges have at most 384 pixels, else 258 for each tile of 768.
    /// Source: Gemini API documentation, "Understand and count tokens", read 2026-11-25.
    LargeTiles,
}

/// Where the size is not to be had: by URL, by id, or of an unknown format.
const ASSUMED: (u32, u32) = (1024, 1024);

/// Base64 characters in which a picture tells its size, metadata of a camera included.
const HEAD: usize = 256 * 1024;

impl Images {
    /// Tokens of a picture.
    pub(super) fn tokens(self, source: &MediaSource, detail: Option<&ImageDetail>) -> u64 {
        let (width, height) = size(source).unwrap_or(ASSUMED);
        match self {
            Images::Area => {
                let (width, height) = shrunk((width, height), 1568);
                (u64::from(width) * u64::from(height)).div_ceil(750).min(1600)
            }
            Images::Tiles if detail.is_some_and(|detail| detail.0 == "low") => 85,
            Images::Tiles => 85 + 170 * tiles(short_edge(shrunk((width, height), 2048), 768), 512),
            Images::LargeTiles if width <= 384 && height <= 384 => 258,
            Images::LargeTiles => 258 * tiles((width, height), 768),
        }
    }
}

fn size(source: &MediaSource) -> Option<(u32, u32)> {
    let MediaSource::Base64 { data, .. } = source else { return None };
    let head = data.get(..data.len().min(HEAD) / 4 * 4)?;
    let size = imagesize::blob_size(&STANDARD.decode(head).ok()?).ok()?;
    Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))
}

/// Shrunk until the long edge fits.
fn shrunk((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    scaled((width, height), width.max(height), longest)
}

/// Shrunk until the short edge fits.
fn short_edge((width, height): (u32, u32), shortest: u32) -> (u32, u32) {
    scaled((width, height), width.min(height), shortest)
}

fn scaled((width, height): (u32, u32), edge: u32, limit: u32) -> (u32, u32) {
    if edge <= limit {
        return (width, height);
    }
    let scale = |side: u32| (u64::from(side) * u64::from(limit) / u64::from(edge)) as u32;
    (scale(width), scale(height))
}

fn tiles((width, height): (u32, u32), side: u32) -> u64 {
    u64::from(width.div_ceil(side)) * u64::from(height.div_ceil(side))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG's head: all that tells its size.
    fn png(width: u32, height: u32) -> MediaSource {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes.resize(64, 0);
        MediaSource::Base64 { mime: "image/png".into(), data: STANDARD.encode(bytes) }
    }

    /// The examples of the vendors' pages.
    #[test]
    fn pictures_cost_what_the_vendors_pages_say() {
        assert_eq!(Images::Area.tokens(&png(200, 200), None), 54);
        assert_eq!(Images::Area.tokens(&png(1000, 1000), None), 1334);
        assert_eq!(Images::Tiles.tokens(&png(1024, 1024), None), 765);
        assert_eq!(Images::Tiles.tokens(&png(2048, 4096), None), 1105);
        assert_eq!(Images::Tiles.tokens(&png(4096, 8192), Some(&ImageDetail("low".into()))), 85);
        assert_eq!(Images::LargeTiles.tokens(&png(300, 384), None), 258);
    }

    #[test]
    fn a_picture_of_unknown_size_is_taken_to_be_an_ordinary_one() {
        assert_eq!(Images::Tiles.tokens(&MediaSource::Url("https://x.example/a.png".into()), None), 765);
    }
}
