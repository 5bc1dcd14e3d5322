//! `.env`: variables for programs that are started without a shell around them, as LLM-Bridge reads them.
//!
//! `NAME=value` a line; `#` begins a comment; quotes keep spaces. Nothing is expanded, and nothing runs.

use std::collections::HashMap;

/// The variables, and the lines that are none.
pub(super) fn parse(text: &str) -> (HashMap<String, String>, Vec<usize>) {
    let (variables, broken) = numbered(text);
    (variables.into_iter().map(|(_, name, value)| (name, value)).collect(), broken)
}

/// The variables with their lines, and the lines that are none.
pub(crate) fn numbered(text: &str) -> (Vec<(usize, String, String)>, Vec<usize>) {
    let mut variables = Vec::new();
    let mut broken = Vec::new();
    for (at, line) in text.lines().enumerate() {
        match variable(line) {
            Some(Some((name, value))) => variables.push((at + 1, name, value)),
            Some(None) => {}
            None => broken.push(at + 1),
        }
    }
    (variables, broken)
}

/// `Some(None)`: an empty line or a comment. `None`: neither that nor a variable.
fn variable(line: &str) -> Option<Option<(String, String)>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Some(None);
    }
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| Some((name.to_owned(), unquoted(value.trim()))))
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inner.to_owned();
        }
    }
    match value.split_once(" #") {
        Some((value, _comment)) => value.trim_end().to_owned(),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_values_quotes_and_comments_are_told_apart() {
        let text =
            "# keys\nACCESS_API_KEYS=a,b\nexport X = \" two words \" \nY='#no' # yes\nZ=1#2 # three\n\nE=\n";
        let (variables, broken) = parse(text);
        let seen = |name: &str| variables[name].as_str();
        assert_eq!(
            [seen("ACCESS_API_KEYS"), seen("X"), seen("Y"), seen("Z"), seen("E")],
            ["a,b", " two words ", "#no", "1#2", ""]
        );
        assert_eq!(broken, Vec::<usize>::new());
    }

    #[test]
    fn a_line_that_is_no_variable_is_named_by_its_number() {
        assert_eq!(parse("A=1\nnonsense\nB C=2\n").1, [2, 3]);
    }
}
