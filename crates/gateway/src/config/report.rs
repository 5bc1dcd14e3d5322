//! What was found wrong: everything at once, so that one run tells all.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use super::places::Places;
use super::sources::Sources;

/// A configuration that cannot be run: one line for each thing that is wrong, and the exit code.
#[derive(Debug)]
pub struct ConfigError {
    exit_code: u8,
    lines: Vec<String>,
    sources: Sources,
}

impl ConfigError {
    /// 3: a value is invalid; 78: values are valid, but the gateway refuses to run like this.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// One sentence for each thing that is wrong.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The files that were read: when one of them changes, it is worth another try.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(super) fn with(self, sources: Sources) -> Self {
        Self { sources, ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// Something that the operator should know and that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Warning(pub String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Collects what is found while reading.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// With the line of the file, 0 for what stands elsewhere.
    invalid: Vec<(u64, String)>,
    refusals: Vec<String>,
    warnings: Vec<Warning>,
    /// Where the file says what.
    pub(super) places: Places,
}

impl Report {
    /// A value is not what it has to be.
    pub(super) fn invalid(&mut self, what: impl Into<String>) {
        self.invalid.push((0, what.into()));
    }

    /// A value of the file is not what it has to be.
    pub(super) fn invalid_at(&mut self, line: u64, what: impl Into<String>) {
        self.invalid.push((line, what.into()));
    }

    /// The value of this key is not what it has to be; its line is told if it stands in the file.
    pub(super) fn invalid_of(&mut self, path: &str, what: impl fmt::Display) {
        match self.places.line(path) {
            Some(line) => self.invalid_at(line, format!("{}:{line}: {what}", self.places.file)),
            None => self.invalid(what.to_string()),
        }
    }

    /// All values may be right, but the gateway must not run like this.
    pub(super) fn refuse(&mut self, what: impl Into<String>) {
        self.refusals.push(what.into());
    }

    pub(super) fn warn(&mut self, what: impl Into<String>) {
        self.warnings.push(Warning(what.into()));
    }

    /// The warnings, if nothing is wrong. What is wrong comes in the order of the file's lines.
    pub(super) fn finish(mut self) -> Result<Vec<Warning>, ConfigError> {
        // What several providers share, such as a variable, is found several times.
        say_once(&mut self.warnings);
        say_once(&mut self.invalid);
        let exit_code = match (self.invalid.is_empty(), self.refusals.is_empty()) {
            (true, true) => return Ok(self.warnings),
            (true, false) => 78,
            (false, _) => 3,
        };
        self.invalid.sort_by_key(|(line, _)| *line);
        let invalid = self.invalid.into_iter().map(|(_, what)| what);
        let lines = invalid.chain(self.refusals).collect();
        Err(ConfigError { exit_code, lines, sources: Sources::default() })
    }
}

/// Leaves the first of those that are alike.
fn say_once<T: Clone + Eq + Hash>(said: &mut Vec<T>) {
    let mut seen = HashSet::new();
    said.retain(|what| seen.insert(what.clone()));
}
