//! Names that resemble a mistyped one.

/// Longest name that is worth comparing; a longer one is not a typing error.
const LONGEST: usize = 128;

/// How alike two names have to be, from 0 to 1 (Jaro-Winkler, which favours a common beginning).
const ALIKE: f64 = 0.82;

/// The known names most like `name`, best first, at most `count` of them. Letter case does not matter, and a name with
/// a provider's prefix is also compared without it.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<String> {
    if name.len() > LONGEST {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (likeness(&name, known), known))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(count).map(|(_, known)| known.to_owned()).collect()
}

fn likeness(name: &str, known: &str) -> f64 {
    let known = known.to_lowercase();
    let bare = |name: &str| name.rsplit('/').next().map(str::to_owned);
    let whole = strsim::jaro_winkler(name, &known);
    match (bare(name), bare(&known)) {
        (Some(a), Some(b)) if a.len() < name.len() || b.len() < known.len() => {
            // A little less than an equal whole name.
            whole.max(strsim::jaro_winkler(&a, &b) * 0.99)
        }
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] =
        ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-20250514", "openai/gpt-oss-120b", "o3-mini"];

    #[test]
    fn a_typing_error_finds_the_name_that_was_meant() {
        assert_eq!(nearest("gtp-4o", KNOWN, 1), ["gpt-4o"]);
        assert_eq!(nearest("Claude-Sonet-4", KNOWN, 1), ["claude-sonnet-4-20250514"]);
    }

    #[test]
    fn a_missing_or_wrong_prefix_does_not_hide_a_name() {
        assert_eq!(nearest("gpt-oss-120b", KNOWN, 1), ["openai/gpt-oss-120b"]);
        assert_eq!(nearest("acme/o3-mini", KNOWN, 1), ["o3-mini"]);
    }

    #[test]
    fn a_name_like_nothing_else_finds_nothing() {
        assert_eq!(nearest("zzzz", KNOWN, 3), Vec::<String>::new());
        assert_eq!(nearest(&"gpt-4o".repeat(100_000), KNOWN, 3), Vec::<String>::new());
    }

    #[test]
    fn no_more_names_come_back_than_were_asked_for() {
        assert_eq!(nearest("gpt-4o-min", KNOWN, 2), ["gpt-4o-mini", "gpt-4o"]);
    }
}
