//! Guards over the shape of the tree: folders, sizes, names, numbering.

use super::Finding;
use super::source::Source;
use super::tree::{Tree, is_shipped};

/// The file that lists the dialects.
const DIALECT_FILE: &str = "crates/wire/src/dialect.rs";

/// What a wire needs, and what it needs besides to be served as well.
const WIRE_FILES: [&str; 5] = ["shape", "request", "response", "read", "fault"];
const SURFACE_FILES: [&str; 1] = ["write"];

/// Each dialect is one folder with the same files, so that a reader of one knows them all.
pub(super) fn dialect_folders(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.get(DIALECT_FILE) else { return vec![Finding::new(DIALECT_FILE, "is not there")] };
    let source = Source::read(text);
    let surfaces = variants(&source, "SurfaceId");
    let mut findings = Vec::new();
    for dialect in variants(&source, "Dialect") {
        let served: &[&str] = if surfaces.contains(&dialect) { &SURFACE_FILES } else { &[] };
        let folder = format!("crates/wire/src/{}", snake(&dialect));
        let own = std::iter::once(format!("{folder}.rs"));
        let rooms = WIRE_FILES.iter().chain(served).map(|name| format!("{folder}/{name}.rs"));
        let missing = own.chain(rooms).filter(|path| tree.get(path).is_none());
        findings
            .extend(missing.map(|path| Finding::new(path, "is missing: every dialect has the same files")));
    }
    findings
}

/// The variants of an enum without fields.
fn variants(source: &Source, name: &str) -> Vec<String> {
    let Some(at) = source.find(&["enum", name, "{"]).next() else { return Vec::new() };
    let body =
        source.tokens[at + 3..].iter().map(|token| token.text.as_str()).take_while(|text| *text != "}");
    body.filter(|text| text.starts_with(|c: char| c.is_ascii_uppercase())).map(str::to_owned).collect()
}

/// `open_ai_chat` as the tree spells it: `OpenAi` is one word.
fn snake(variant: &str) -> String {
    let mut name = String::new();
    for c in variant.replace("OpenAi", "Openai").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// From here on a file is worth a look; from the second on it holds two ideas.
const LONG: usize = 401;
const TOO_LONG: usize = 501;

/// Names that hide where a thing belongs.
const NAMELESS: [&str; 6] = ["utils", "util", "common", "helpers", "manager", "misc"];

/// Length, module documentation, `name.rs` beside `name/`, telling names.
pub(super) fn files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| is_shipped(path)) {
        findings.extend(length(path, text.lines().count()));
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
        if name == "mod" {
            findings.push(Finding::new(path, "name it after its folder and put it beside it"));
        }
        if NAMELESS.contains(&name) {
            findings.push(Finding::new(path, "this name hides what lives here"));
        }
        if !text.trim_start().starts_with("//!") {
            findings.push(Finding::new(path, "begins without `//!`: say what lives here"));
        }
    }
    findings
}

fn length(path: &str, lines: usize) -> Option<Finding> {
    let finding = Finding::new(path, format!("{lines} lines; one idea a file, and fewer than {TOO_LONG}"));
    match lines {
        TOO_LONG.. => Some(finding),
        LONG.. => Some(finding.warning()),
        _ => None,
    }
}

/// `NNNN_what_it_does.sql`, from 0001 without a gap, for each database.
pub(super) fn migrations(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for backend in ["sqlite", "postgres"] {
        let folder = format!("crates/store/migrations/{backend}/");
        let names = tree.files().filter_map(|(path, _)| path.strip_prefix(folder.as_str()));
        for (name, expected) in names.zip(1..) {
            if number(name) != Some(expected) {
                let what = format!("should be {expected:04}_what_it_does.sql");
                findings.push(Finding::new(format!("{folder}{name}"), what));
            }
        }
    }
    findings
}

fn number(name: &str) -> Option<u32> {
    let (number, rest) = name.split_once('_')?;
    (number.len() == 4 && rest.ends_with(".sql")).then(|| number.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECTS: &str =
        "pub enum Dialect { OpenAiChat, Gemini } pub enum SurfaceId { OpenAiChat, Generate }";

    fn paths(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| finding.at).collect()
    }

    fn dialect_tree(rooms: &[(&str, &[&str])]) -> Tree {
        let mut files = vec![(DIALECT_FILE.to_owned(), DIALECTS.to_owned())];
        for (dialect, names) in rooms {
            files.push((format!("crates/wire/src/{dialect}.rs"), String::new()));
            files.extend(
                names.iter().map(|name| (format!("crates/wire/src/{dialect}/{name}.rs"), String::new())),
            );
        }
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        Tree::of(&files)
    }

    #[test]
    fn a_dialect_that_is_only_a_wire_needs_no_writer() {
        let served = ["shape", "request", "response", "read", "write", "fault"];
        let tree = dialect_tree(&[("openai_chat", &served), ("gemini", &WIRE_FILES)]);
        assert_eq!(dialect_folders(&tree), []);
    }

    #[test]
    fn a_dialect_that_lacks_a_file_is_named_with_it() {
        let tree = dialect_tree(&[("openai_chat", &WIRE_FILES), ("gemini", &WIRE_FILES[1..])]);
        let expected = ["crates/wire/src/openai_chat/write.rs", "crates/wire/src/gemini/shape.rs"];
        assert_eq!(paths(dialect_folders(&tree)), expected);
    }

    #[test]
    fn a_long_file_warns_and_a_longer_one_fails() {
        let text = |lines: usize| format!("//! Says so.\n{}", "\n".repeat(lines - 1));
        let (fine, long, too_long) = (text(400), text(401), text(501));
        let tree = Tree::of(&[
            ("crates/wire/src/a.rs", &fine),
            ("crates/wire/src/b.rs", &long),
            ("crates/wire/src/c.rs", &too_long),
        ]);
        let found: Vec<_> = files(&tree).into_iter().map(|finding| (finding.at, finding.warning)).collect();
        assert_eq!(
            found,
            [("crates/wire/src/b.rs".to_owned(), true), ("crates/wire/src/c.rs".to_owned(), false)]
        );
    }

    #[test]
    fn a_file_without_a_word_about_itself_or_with_a_name_that_says_nothing_is_named() {
        let tree = Tree::of(&[
            ("crates/wire/src/quiet.rs", "use x;"),
            ("crates/wire/src/utils.rs", "//! Things."),
            ("crates/wire/src/chat/mod.rs", "//! Chat."),
            ("crates/wire/tests/utils.rs", "use x;"),
        ]);
        let expected =
            ["crates/wire/src/chat/mod.rs", "crates/wire/src/quiet.rs", "crates/wire/src/utils.rs"];
        assert_eq!(paths(files(&tree)), expected);
    }

    #[test]
    fn a_gap_in_the_numbers_of_migrations_is_found() {
        let sql = "crates/store/migrations/sqlite/";
        let tree = |names: [&str; 2]| {
            let paths = names.map(|name| format!("{sql}{name}"));
            Tree::of(&[(&paths[0], ""), (&paths[1], "")])
        };
        assert_eq!(migrations(&tree(["0001_start.sql", "0002_more.sql"])), []);
        assert_eq!(
            paths(migrations(&tree(["0001_start.sql", "0003_more.sql"]))),
            [format!("{sql}0003_more.sql")]
        );
        assert_eq!(paths(migrations(&tree(["0001_start.sql", "2_more.sql"]))), [format!("{sql}2_more.sql")]);
    }
}
