//! The papers that a stranger reads first.

use super::Finding;
use super::tree::Tree;

/// Two printed pages.
const MAP_LINES: usize = 120;

/// A paper, and a text that must stand in it.
const PAPERS: &[(&str, &str)] = &[
    ("README.md", "cargo run --release -- serve"),
    ("ARCHITECTURE.md", "#"),
    ("CONTRIBUTING.md", "cargo xtask test"),
    ("CHANGELOG.md", "## [Unreleased]"),
    ("LICENSE", "MIT"),
    ("NOTICE", "models.dev"),
];

/// They are there, hold what they must, and the map fits on two pages.
pub(super) fn papers(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        PAPERS.iter().filter_map(|(path, must)| lacks(tree, path, must)).collect();
    let lines = tree.get("ARCHITECTURE.md").map_or(0, |text| text.lines().count());
    if lines > MAP_LINES {
        findings.push(Finding::new(
            "ARCHITECTURE.md",
            format!("{lines} lines; {MAP_LINES} at most: a map, not a book"),
        ));
    }
    findings
}

fn lacks(tree: &Tree, path: &str, must: &str) -> Option<Finding> {
    match tree.get(path) {
        None => Some(Finding::new(path, "is not there")),
        Some(text) if !text.contains(must) => Some(Finding::new(path, format!("does not say {must:?}"))),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_papers_pass_and_each_missing_or_overlong_one_is_named() {
        let mut files: Vec<(&str, &str)> = PAPERS.to_vec();
        assert_eq!(papers(&Tree::of(&files)), []);

        let long = "#\n".repeat(MAP_LINES + 1);
        files[1].1 = &long;
        files[3].1 = "# Changelog";
        files.remove(5);
        let found: Vec<_> = papers(&Tree::of(&files)).into_iter().map(|finding| finding.at).collect();
        assert_eq!(found, ["CHANGELOG.md", "NOTICE", "ARCHITECTURE.md"]);
    }
}
