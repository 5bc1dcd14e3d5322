//! A section of the file, read key by key. What nobody asked for by name is unknown, and said so with its line.

use std::time::Duration;

use policy::nearest::nearest;
use store::Secret;

use super::environment::Environment;
use super::report::Report;
use super::tree::{Key, Node, Value};
use super::units;

/// What reading a file needs: its name for messages, the variables that it refers to, and where mistakes go.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) environment: &'a Environment<'a>,
    pub(super) report: &'a mut Report,
}

impl Reader<'_> {
    pub(super) fn invalid(&mut self, line: u64, what: impl std::fmt::Display) {
        self.report.invalid_at(line, format!("{}:{line}: {what}", self.file));
    }

    pub(super) fn warn(&mut self, line: u64, what: impl std::fmt::Display) {
        self.report.warn(format!("{}:{line}: {what}", self.file));
    }
}

/// One map of the file.
pub(super) struct Section<'n> {
    /// Names from the top, as `providers.closeai`; empty at the top.
    path: String,
    pub(super) line: u64,
    entries: &'n [(Key, Node)],
    /// Keys that were asked for.
    known: Vec<&'static str>,
}

impl<'n> Section<'n> {
    /// Nothing is an empty section; anything else but a map is an error.
    pub(super) fn open(path: impl Into<String>, node: &'n Node, reader: &mut Reader<'_>) -> Self {
        let path = path.into();
        let entries: &[(Key, Node)] = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            _ => {
                let what = if path.is_empty() { "the file" } else { &path };
                reader.invalid(node.line, format_args!("{what} must be a section, not {}", node.kind()));
                &[]
            }
        };
        Self { path, line: node.line, entries, known: Vec::new() }
    }

    /// Everything in it, for sections whose keys are names chosen by the operator.
    pub(super) fn entries(&self) -> &'n [(Key, Node)] {
        self.entries
    }

    /// The full name of a key.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key, unless it is nothing.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let (_, node) = self.entries.iter().find(|(found, _)| found.name == key)?;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// A section below this one.
    pub(super) fn section(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<Section<'n>> {
        let node = self.take(key)?;
        Some(Section::open(self.path_of(key), node, reader))
    }

    /// A value in the form that `read` wants; `Err` of it says what would be right.
    pub(super) fn value<T>(
        &mut self,
        key: &'static str,
        reader: &mut Reader<'_>,
        read: impl FnOnce(&Node) -> Result<T, &'static str>,
    ) -> Option<T> {
        let node = self.take(key)?;
        match read(node) {
            Ok(value) => Some(value),
            Err(wanted) => {
                reader.invalid(node.line, format_args!("{} must be {wanted}", self.path_of(key)));
                None
            }
        }
    }

    /// Text; references are followed.
    pub(super) fn text(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<String> {
        let text = self.value(key, reader, text)?;
        match reader.environment.reference(&text) {
            None => Some(text),
            Some(Ok(found)) => Some(found.expose().to_owned()),
            Some(Err(why)) => {
                reader.invalid(self.line_of(key), format_args!("{}: {why}", self.path_of(key)));
                None
            }
        }
    }

    /// A secret; `Err` of the inner result: it refers to something that is not there.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        reader: &mut Reader<'_>,
    ) -> Option<Result<Secret, String>> {
        let text = self.value(key, reader, text)?;
        Some(reader.environment.reference(&text).unwrap_or_else(|| Ok(Secret::new(text))))
    }

    pub(super) fn flag(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<bool> {
        self.value(key, reader, flag)
    }

    /// A whole number above zero.
    pub(super) fn count(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<u64> {
        self.value(key, reader, |node| match node.value {
            Value::Int(number @ 1..) => Ok(number.unsigned_abs()),
            _ => Err("a whole number above zero"),
        })
    }

    pub(super) fn duration(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<Duration> {
        self.value(key, reader, units::duration)
    }

    pub(super) fn size(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<usize> {
        self.value(key, reader, units::size)
    }

    /// A list of texts; a single text is a list of one.
    pub(super) fn texts(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<Vec<String>> {
        self.value(key, reader, |node| match &node.value {
            Value::List(items) => {
                items.iter().map(text).collect::<Result<_, _>>().map_err(|_| "a list of texts")
            }
            Value::Text(single) => Ok(vec![single.clone()]),
            _ => Err("a list of texts"),
        })
    }

    /// Says which keys are unknown, and what may have been meant.
    pub(super) fn close(self, reader: &mut Reader<'_>) {
        let unknown =
            self.entries.iter().map(|(key, _)| key).filter(|key| !self.known.contains(&key.name.as_str()));
        for key in unknown {
            let place = if self.path.is_empty() { String::new() } else { format!(" in {}", self.path) };
            let hint = match nearest(&key.name, self.known.iter().copied(), 1).pop() {
                Some(meant) => format!("did you mean '{meant}'?"),
                None => format!("known keys are {}", self.known.join(", ")),
            };
            reader.invalid(key.line, format_args!("unknown key '{}'{place}; {hint}", key.name));
        }
    }

    /// The line of a key's value.
    pub(super) fn line_of(&self, key: &str) -> u64 {
        self.entries.iter().find(|(found, _)| found.name == key).map_or(self.line, |(_, node)| node.line)
    }
}

/// Text as it is written.
pub(super) fn text(node: &Node) -> Result<String, &'static str> {
    match &node.value {
        Value::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => Err("text; put it in quotes"),
        _ => Err("text"),
    }
}

/// True or false.
pub(super) fn flag(node: &Node) -> Result<bool, &'static str> {
    match node.value {
        Value::Bool(flag) => Ok(flag),
        _ => Err("true or false"),
    }
}
