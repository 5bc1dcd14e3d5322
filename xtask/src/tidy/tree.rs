//! The files of the repository, read once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::source::Source;
use crate::shell;

/// Path from the root, with slashes, to text. Bytes that are not UTF-8 are replaced.
pub(super) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// What git tracks, and what it would track if it were added now.
    pub(super) fn tracked(root: &Path) -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
        let names = shell::output(&mut git)?;
        let files = names.split_terminator('\0').filter_map(|name| {
            // A file deleted but not yet committed is no file of the tree.
            let bytes = std::fs::read(root.join(name)).ok()?;
            Some((name.to_owned(), String::from_utf8_lossy(&bytes).into_owned()))
        });
        Ok(Self { files: files.collect() })
    }

    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files, in the order of their paths.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// What ships: the Rust sources of the crates, without their tests and without the crates that only tests use.
    pub(super) fn shipped(&self) -> impl Iterator<Item = (&str, Source)> {
        self.files().filter(|(path, _)| is_shipped(path)).map(|(path, text)| (path, Source::read(text)))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect() }
    }
}

/// The scripted upstream stands for the vendors, and speaks in their names.
const TEST_CRATES: [&str; 1] = ["crates/fakeprov/"];

/// True for `crates/<name>/src/**.rs` outside of tests.
pub(super) fn is_shipped(path: &str) -> bool {
    let in_crate =
        path.starts_with("crates/") && path.split('/').nth(2) == Some("src") && path.ends_with(".rs");
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    in_crate && !is_test && !TEST_CRATES.iter().any(|test| path.starts_with(test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_test_crates_do_not_ship() {
        assert!(is_shipped("crates/wire/src/chat/event.rs"));
        assert!(!is_shipped("crates/wire/src/chat/tests.rs"));
        assert!(!is_shipped("crates/wire/tests/laws.rs"));
        assert!(!is_shipped("crates/fakeprov/src/main.rs"));
        assert!(!is_shipped("xtask/src/main.rs"));
    }
}
