//! Variables: the process's own, then those of `.env`. Passed in, so that no test depends on the process.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use store::Secret;

use super::dotenv;
use super::report::Report;
use super::sources::Sources;

/// Looks a variable up.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// All variables that the gateway may see, and the directory that relative paths start from.
pub(super) struct Environment<'a> {
    process: Lookup<'a>,
    dotenv: HashMap<String, String>,
    dir: &'a Path,
    sources: RefCell<Sources>,
}

impl<'a> Environment<'a> {
    /// Reads `.env` of the working directory, if there is one.
    pub(super) fn new(process: Lookup<'a>, dir: &'a Path, report: &mut Report) -> Self {
        let path = dir.join(".env");
        let mut sources = Sources::default();
        sources.note(&path);
        let dotenv = match std::fs::read_to_string(path) {
            Ok(text) => {
                let (variables, broken) = dotenv::parse(&text);
                broken
                    .iter()
                    .for_each(|line| report.warn(format!(".env:{line}: neither a variable nor a comment")));
                variables
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => HashMap::new(),
            Err(error) => {
                report.warn(format!(".env cannot be read: {error}"));
                HashMap::new()
            }
        };
        Self { process, dotenv, dir, sources: RefCell::new(sources) }
    }

    /// A file is about to be read, or would be if it were there.
    pub(super) fn note(&self, path: &Path) {
        self.sources.borrow_mut().note(path);
    }

    /// All files that were read.
    pub(super) fn sources(&self) -> Sources {
        self.sources.borrow().clone()
    }

    /// The variable, without spaces around it; an empty one is as good as none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let filled = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        (self.process)(name).and_then(filled).or_else(|| self.dotenv.get(name).cloned().and_then(filled))
    }

    /// Whether the variable is not the process's own.
    pub(super) fn is_of_dotenv(&self, name: &str) -> bool {
        (self.process)(name).is_none_or(|text| text.trim().is_empty()) && self.dotenv.contains_key(name)
    }

    /// A secret: the variable, or the content of the file that `<name>_FILE` names.
    pub(super) fn secret(&self, name: &str, report: &mut Report) -> Option<Secret> {
        if let Some(text) = self.text(name) {
            return Some(Secret::new(text));
        }
        let file = format!("{name}_FILE");
        let path = self.text(&file)?;
        self.file(&path).map_err(|why| report.invalid(format!("{file}: {why}"))).ok()
    }

    /// A path, from the working directory.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        let home = || self.text("HOME");
        match path.strip_prefix("~/").zip(home()) {
            Some((rest, home)) => Path::new(&home).join(rest),
            None => self.dir.join(path),
        }
    }

    /// The content of a file that holds one secret, without the newline at its end.
    pub(super) fn file(&self, path: &str) -> Result<Secret, String> {
        self.note(&self.path(path));
        let text = std::fs::read_to_string(self.path(path))
            .map_err(|error| format!("{path} cannot be read: {error}"))?;
        match text.trim() {
            "" => Err(format!("{path} is empty")),
            text => Ok(Secret::new(text.to_owned())),
        }
    }

    /// What a value of the file means when it is a reference (`env:NAME`, `${NAME}`, `file:PATH`); `None`: it is none.
    pub(super) fn reference(&self, value: &str) -> Option<Result<Secret, String>> {
        let variable = value.strip_prefix("env:").or_else(|| value.strip_prefix("${")?.strip_suffix('}'));
        if let Some(name) = variable {
            let found = self.text(name).map(Secret::new);
            return Some(found.ok_or_else(|| format!("the variable {name} is not set")));
        }
        value.strip_prefix("file:").map(|path| self.file(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_wins_over_the_file_and_an_empty_variable_is_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".env"), "A=file\nB=file\nC=\n").unwrap();
        let process = |name: &str| (name == "A").then(|| "process".to_owned());
        let environment = Environment::new(&process, dir.path(), &mut Report::default());
        let seen = |name| environment.text(name);
        assert_eq!((seen("A"), seen("B"), seen("C")), (Some("process".into()), Some("file".into()), None));
    }

    #[test]
    fn a_secret_may_stand_in_a_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "s3cret\n").unwrap();
        let process = |name: &str| (name == "TOKEN_FILE").then(|| "token".to_owned());
        let mut report = Report::default();
        let environment = Environment::new(&process, dir.path(), &mut report);
        assert_eq!(environment.secret("TOKEN", &mut report).unwrap().expose(), "s3cret");
    }

    #[test]
    fn a_secret_file_that_is_missing_or_empty_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("empty"), "\n").unwrap();
        for name in ["empty", "missing"] {
            let process = |variable: &str| (variable == "TOKEN_FILE").then(|| name.to_owned());
            let mut report = Report::default();
            let environment = Environment::new(&process, dir.path(), &mut report);
            assert!(environment.secret("TOKEN", &mut report).is_none());
            let error = report.finish().unwrap_err();
            assert!(error.to_string().starts_with(&format!("TOKEN_FILE: {name}")), "{error}");
        }
    }

    #[test]
    fn references_are_followed_in_all_three_forms() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("key"), "from file").unwrap();
        let process = |name: &str| (name == "KEY").then(|| "from env".to_owned());
        let environment = Environment::new(&process, dir.path(), &mut Report::default());
        let seen =
            |value| environment.reference(value).map(|found| found.map(|secret| secret.expose().to_owned()));
        assert_eq!(seen("env:KEY"), Some(Ok("from env".into())));
        assert_eq!(seen("${KEY}"), Some(Ok("from env".into())));
        assert_eq!(seen("file:key"), Some(Ok("from file".into())));
        assert_eq!(seen("env:NONE"), Some(Err("the variable NONE is not set".into())));
        assert_eq!(seen("sk-literal"), None);
    }
}
