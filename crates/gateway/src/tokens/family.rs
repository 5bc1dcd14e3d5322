//! Families of models, told by how their names begin: which vocabulary counts for them, and what they add.

use std::sync::LazyLock;

use super::image::Images;
use super::vocabulary::{CL100K, O200K, Vocabulary};

/// What is known of a family.
pub(super) struct Family {
    /// Of the name after its last slash.
    begins: &'static str,
    pub(super) vocabulary: &'static LazyLock<Vocabulary>,
    /// Tokens of the family for a hundred of the vocabulary.
    pub(super) per_cent: u64,
    /// What ends the prompt and begins the answer.
    pub(super) priming: u64,
    /// What each turn adds: its role, its beginning and end.
    pub(super) per_turn: u64,
    /// What the provider tells the model about tools when there are any.
    pub(super) tools: u64,
    pub(super) images: Images,
}

/// The first that fits counts; the last fits all.
///
/// Sources, read 2026-11-25: OpenAI cookbook "How to count tokens with tiktoken" (priming and turns) and
/// `tiktoken/model.py` (vocabularies). Of Claude and Gemini, recorded traffic: Claude reports 8 tokens for a turn of one
/// and 1.01 to 1.10 for each of o200k in long texts, some 500 more when there are tools; Gemini reports what o200k counts.
static FAMILIES: [Family; 8] = [
    row("claude", &O200K, 110, 3, 4, 500, Images::Area),
    row("gemini", &O200K, 100, 0, 0, 0, Images::LargeTiles),
    row("gpt-4o", &O200K, 100, 3, 3, 9, Images::Tiles),
    row("gpt-4.", &O200K, 100, 3, 3, 9, Images::Tiles),
    row("gpt-4", &CL100K, 100, 3, 3, 9, Images::Tiles),
    row("gpt-3", &CL100K, 100, 3, 3, 9, Images::Tiles),
    row("text-embedding-", &CL100K, 100, 0, 0, 0, Images::Tiles),
    row("", &O200K, 100, 3, 3, 9, Images::Tiles),
];

const fn row(
    begins: &'static str,
    vocabulary: &'static LazyLock<Vocabulary>,
    per_cent: u64,
    priming: u64,
    per_turn: u64,
    tools: u64,
    images: Images,
) -> Family {
    Family { begins, vocabulary, per_cent, priming, per_turn, tools, images }
}

impl Family {
    /// The family of a model.
    pub(super) fn of(model: &str) -> &'static Self {
        let name = model.rsplit('/').next().unwrap_or_default();
        let all = FAMILIES.last().expect("the table has rows");
        FAMILIES.iter().find(|family| name.starts_with(family.begins)).unwrap_or(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_told_by_the_name_behind_the_provider() {
        for (model, begins) in [
            ("gpt-4o-mini", "gpt-4o"),
            ("gpt-4-turbo", "gpt-4"),
            ("openai/gpt-4.1", "gpt-4."),
            ("anthropic/claude-sonnet-4", "claude"),
            ("o3-mini", ""),
        ] {
            assert_eq!(Family::of(model).begins, begins, "{model}");
        }
    }
}
