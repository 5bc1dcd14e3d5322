//! The files that a configuration was read from, and whether they are still what they were.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files that were read, or looked for in vain; each as it was just before that, so that no change in between is missed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sources(Vec<(PathBuf, Option<Stamp>)>);

/// What tells two contents of a file apart without reading them: another file under the same name, another time, another
/// length. Links are followed, as mounted configurations are changed by turning one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified: Option<SystemTime>,
    bytes: u64,
}

impl Stamp {
    /// `None`: there is no such file.
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(path).ok()?;
        Some(Self { inode: found.ino(), modified: found.modified().ok(), bytes: found.len() })
    }
}

impl Sources {
    /// The file is about to be read.
    pub(super) fn note(&mut self, path: &Path) {
        if self.0.iter().all(|(noted, _)| noted != path) {
            self.0.push((path.to_owned(), Stamp::of(path)));
        }
    }

    /// The same files as they are now.
    #[must_use]
    pub fn look(&self) -> Self {
        Self(self.0.iter().map(|(path, _)| (path.clone(), Stamp::of(path))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_comes_goes_grows_or_is_replaced_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        let mut sources = Sources::default();
        sources.note(&path);
        assert_eq!(sources.look(), sources);
        let mut changes = |change: &dyn Fn()| {
            change();
            let now = sources.look();
            let changed = now != sources;
            sources = now;
            changed
        };
        assert!(changes(&|| std::fs::write(&path, "a: 1\n").unwrap()));
        assert!(!changes(&|| {}));
        assert!(changes(&|| std::fs::write(&path, "a: 1\nb: 2\n").unwrap()));
        assert!(changes(&|| {
            std::fs::write(dir.path().join("new"), "a: 1\nb: 3\n").unwrap();
            std::fs::rename(dir.path().join("new"), &path).unwrap();
        }));
        assert!(changes(&|| std::fs::remove_file(&path).unwrap()));
    }
}
