//! A vocabulary of byte pairs: how many of its tokens a text makes, and which text its tokens make.
//!
//! The files are OpenAI's `tiktoken` vocabularies, compressed: a token in base64 and its rank on each line, in the order
//! of ranks. Source and licence: `catalog/NOTICES.md`.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use foldhash::fast::RandomState;

use super::pieces::{self, Splitter};

/// Of OpenAI's models since GPT-4o; the yardstick for models without a public vocabulary.
pub(super) static O200K: LazyLock<Vocabulary> = LazyLock::new(|| {
    let packed = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../catalog/vocabularies/o200k_base.tiktoken.gz"
    ));
    Vocabulary::unpack(packed, Splitter::new(pieces::O200K))
});

/// Of GPT-4, GPT-3.5 and OpenAI's embedding models.
pub(super) static CL100K: LazyLock<Vocabulary> = LazyLock::new(|| {
    let packed = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../catalog/vocabularies/cl100k_base.tiktoken.gz"
    ));
    Vocabulary::unpack(packed, Splitter::new(pieces::CL100K))
});

/// Bytes of a piece that are merged together. Merging takes the square of this, and no word is as long; what is longer
/// (hostile, or no language) is counted in parts.
const LONGEST_PIECE: usize = 128;

/// No such pair.
const NEVER: u32 = u32::MAX;

/// A loaded vocabulary.
pub(super) struct Vocabulary {
    ranks: HashMap<Box<[u8]>, u32, RandomState>,
    splitter: Splitter,
}

impl Vocabulary {
    fn unpack(packed: &[u8], splitter: Splitter) -> Self {
        let mut lines = String::new();
        GzDecoder::new(packed).read_to_string(&mut lines).expect("a test unpacks the vocabularies that ship");
        let entry = |line: &str| {
            let (token, rank) = line.split_once(' ')?;
            Some((STANDARD.decode(token).ok()?.into_boxed_slice(), rank.parse().ok()?))
        };
        Self { ranks: lines.lines().filter_map(entry).collect(), splitter }
    }

    /// Tokens of a text.
    pub(super) fn count(&self, text: &str) -> usize {
        self.splitter.pieces(text).map(|piece| self.count_piece(piece.as_bytes())).sum()
    }

    /// The text of tokens; `None`: one of them is unknown, or they make no UTF-8.
    pub(super) fn text(&self, tokens: &[u32]) -> Option<String> {
        let asked: HashSet<u32, RandomState> = tokens.iter().copied().collect();
        let found = self.ranks.iter().filter(|(_, rank)| asked.contains(rank));
        let bytes: HashMap<u32, &[u8], RandomState> = found.map(|(token, rank)| (*rank, &**token)).collect();
        let text: Option<Vec<&[u8]>> = tokens.iter().map(|token| bytes.get(token).copied()).collect();
        String::from_utf8(text?.concat()).ok()
    }

    fn count_piece(&self, piece: &[u8]) -> usize {
        match self.ranks.contains_key(piece) {
            true => 1,
            false => piece.chunks(LONGEST_PIECE).map(|part| self.merged(part)).sum(),
        }
    }

    /// Joins the two neighbours of the lowest rank until none can be joined.
    fn merged(&self, bytes: &[u8]) -> usize {
        let mut starts: Vec<usize> = (0..=bytes.len()).collect();
        let rank = |starts: &[usize], at: usize| {
            let joined = starts.get(at + 2).map(|end| &bytes[starts[at]..*end]);
            joined.and_then(|joined| self.ranks.get(joined)).copied().unwrap_or(NEVER)
        };
        let mut ranks: Vec<u32> = (0..bytes.len()).map(|at| rank(&starts, at)).collect();
        while let Some((at, lowest)) = ranks.iter().copied().enumerate().min_by_key(|(_, rank)| *rank) {
            if lowest == NEVER {
                break;
            }
            starts.remove(at + 1);
            ranks.remove(at + 1);
            ranks[at] = rank(&starts, at);
            if at > 0 {
                ranks[at - 1] = rank(&starts, at - 1);
            }
        }
        ranks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    /// Counted with OpenAI's own `tiktoken` 0.14 and the same vocabularies.
    #[test]
    fn texts_have_as_many_tokens_as_openai_says() {
        for (text, cl100k, o200k) in [
            ("", 0, 0),
            ("hello world", 2, 2),
            ("This is a test         with a lot of spaces", 10, 10),
            ("tiktoken is great!", 6, 6),
            ("antidisestablishmentarianism", 6, 6),
            ("2 + 2 = 4", 7, 7),
            ("お誕生日おめでとう", 9, 8),
            ("caf\u{e9}'s   12345\n\n  end  ", 11, 11),
        ] {
            assert_eq!((CL100K.count(text), O200K.count(text)), (cl100k, o200k), "{text}");
        }
    }

    #[test]
    fn tokens_are_turned_back_into_the_text() {
        assert_eq!(CL100K.text(&[15339, 1917]).as_deref(), Some("hello world"));
        assert_eq!(CL100K.text(&[83, 1609, 5963, 374, 2294, 0]).as_deref(), Some("tiktoken is great!"));
        assert_eq!(CL100K.text(&[4_000_000]), None);
    }

    #[test]
    fn a_hostile_text_is_counted_in_linear_time() {
        let began = clock::now();
        assert!(O200K.count(&"a".repeat(300_000)) > 1000);
        assert!(O200K.count(&" ".repeat(300_000)) > 1000);
        assert!(clock::now() - began < std::time::Duration::from_secs(30));
    }
}
