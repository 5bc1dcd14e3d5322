//! Cutting a text into the pieces that are tokenised one by one: words with the space before them, numbers of up to three
//! digits, runs of signs.
//!
//! Source: `tiktoken_ext/openai_public.py` of OpenAI's `tiktoken`. Its patterns look ahead (`\s+(?!\S)`: all spaces but
//! the last one before a word), which takes backtracking. Here, as in GitHub's `bpe-openai`, a pattern of its own matches
//! one character more, which is given back.

use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};

/// Of cl100k_base.
pub(super) const CL100K: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+$";

/// Of o200k_base.
pub(super) const O200K: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+$",
);

/// Spaces before something else: the last of them belongs to that.
const SPACES_AND_ONE_MORE: &str = r"\s+\s";

/// Its place among the patterns.
const GIVES_BACK: usize = 1;

/// Cuts texts.
pub(super) struct Splitter {
    regex: Regex,
}

impl Splitter {
    pub(super) fn new(pattern: &str) -> Self {
        let regex = Regex::new_many(&[pattern, SPACES_AND_ONE_MORE, r"\s+"]);
        Self { regex: regex.expect("a test builds the patterns that ship") }
    }

    /// The pieces of a text, in order; together they are the text.
    pub(super) fn pieces<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let found = self.regex.find(Input::new(rest).anchored(Anchored::Yes))?;
            let matched = &rest[..found.end()];
            let given_back = match found.pattern().as_usize() == GIVES_BACK {
                true => matched.chars().next_back().map_or(0, char::len_utf8),
                false => 0,
            };
            let (piece, after) = rest.split_at(found.end() - given_back);
            rest = after;
            Some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_space_belongs_to_the_word_that_follows() {
        let splitter = Splitter::new(O200K);
        let pieces: Vec<&str> = splitter.pieces("It's   12345 caf\u{e9}s\n\n  end  ").collect();
        assert_eq!(pieces, ["It's", "  ", " ", "123", "45", " caf\u{e9}s", "\n\n", " ", " end", "  "]);
    }

    #[test]
    fn the_pieces_are_the_text() {
        for pattern in [CL100K, O200K] {
            let splitter = Splitter::new(pattern);
            for text in ["", " ", "a  \u{3000} b\r\n\t{\"k\": [1, 2]}", "\u{1f980}\u{301}x\0\u{200b}"] {
                assert_eq!(splitter.pieces(text).collect::<String>(), text);
            }
        }
    }
}
