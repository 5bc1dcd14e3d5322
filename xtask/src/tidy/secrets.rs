//! Guards over every text file: keys, and paths of the machine it was written on.

use super::Finding;
use super::tree::Tree;

/// Recorded traffic was cleaned when it was recorded, and holds signatures that look like keys.
const RECORDED: &str = "/fixtures/";

/// Folders of somebody's machine, in two halves so that this file does not speak of one.
const MACHINE: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/"), concat!("/home", "/")];

/// Accounts that exist in images and examples, not on a machine of ours.
const NO_ONE: [&str; 4] = ["user/", "you/", "app/", "gateway/"];

/// A path that only exists where a file was written helps nobody else.
pub(super) fn no_machine_paths(tree: &Tree) -> Vec<Finding> {
    each_line(tree, |line| {
        MACHINE
            .iter()
            .find(|folder| names(line, folder))
            .map(|folder| format!("{folder} is a path of one machine"))
    })
}

/// The folder stands at the start of a path, and is not somebody's in an example.
fn names(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let inside = line[..at]
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '*' | '}'));
        let rest = &line[at + folder.len()..];
        !inside && !NO_ONE.iter().any(|account| rest.starts_with(account))
    })
}

/// How a vendor's keys begin, and how many characters follow at least.
const KEYS: &[(&str, usize)] = &[
    ("sk-", 20),
    ("AIza", 30),
    ("gsk_", 20),
    ("xai-", 20),
    ("ghp_", 30),
    ("AKIA", 16),
    ("pplx-", 20),
    ("gw_", 40),
];

/// Words in a key that nobody could use.
const PLACEHOLDER: [&str; 7] = ["canary", "test", "example", "placeholder", "xxxx", "0123456789", "abcdef"];

/// Nothing that looks like a key, unless it says that it is none.
pub(super) fn no_keys(tree: &Tree) -> Vec<Finding> {
    each_line(tree, |line| {
        if line.contains(concat!("-----BEGIN ", "PRIVATE KEY-----")) {
            return Some("a private key".to_owned());
        }
        KEYS.iter()
            .find(|(start, rest)| has_key(line, start, *rest))
            .map(|(start, _)| format!("looks like a key ({start}...)"))
    })
}

fn has_key(line: &str, start: &str, least: usize) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let inside_a_word =
            line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let body = &line[at + start.len()..];
        let end =
            body.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).unwrap_or(body.len());
        let body = body[..end].to_ascii_lowercase();
        let random = body.len() >= least && body.bytes().any(|byte| byte.is_ascii_digit());
        random && !inside_a_word && !PLACEHOLDER.iter().any(|word| body.contains(word))
    })
}

fn each_line(tree: &Tree, wrong: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| !path.contains(RECORDED)) {
        for (line, number) in text.lines().zip(1..) {
            findings.extend(wrong(line).map(|what| Finding::on_line(path, number, what)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(guard: fn(&Tree) -> Vec<Finding>, line: &str) -> bool {
        !guard(&Tree::of(&[("README.md", line)])).is_empty()
    }

    /// Keys are put together here, so that this file holds none.
    fn key(start: &str) -> String {
        format!("key = \"{start}{}\"", "7Hq2".repeat(10))
    }

    #[test]
    fn keys_of_every_vendor_are_found() {
        for (start, _) in KEYS {
            assert!(found(no_keys, &key(start)), "{start}");
        }
        assert!(found(no_keys, &key("sk-proj-")));
    }

    #[test]
    fn placeholders_short_words_and_words_with_a_hyphen_are_no_keys() {
        for line in [
            "sk-canary-7Hq27Hq27Hq27Hq27Hq2",
            "sk-...",
            "a task-force-of-twenty-5-people-and-more",
            "sk-ant-key",
        ] {
            assert!(!found(no_keys, line), "{line}");
        }
    }

    #[test]
    fn recorded_traffic_is_not_searched() {
        let line = key("sk-");
        assert_eq!(no_keys(&Tree::of(&[("crates/wire/tests/fixtures/a.json", &line)])), []);
    }

    #[test]
    fn paths_of_a_machine_are_found_and_paths_of_a_container_are_not() {
        assert!(found(no_machine_paths, concat!("see /ro", "ot/.cargo")));
        assert!(found(no_machine_paths, concat!("cd /home", "/ann/gateway")));
        assert!(!found(no_machine_paths, "WORKDIR /home/app/data"));
        assert!(!found(no_machine_paths, concat!("https://host.example/ro", "ot/page")));
        assert!(!found(no_machine_paths, concat!("target/wo", "rk/x")));
    }
}
