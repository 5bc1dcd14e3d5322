//! Guards over what the code says: names of providers, matches on dialects, shortcuts, secrets.

use super::Finding;
use super::catalog::providers;
use super::source::Source;
use super::tree::Tree;

/// Provider ids that are words of the code as well: word, where it may stand, why.
const SHARED_WORDS: &[(&str, &str, &str)] = &[
    ("openai", "crates/gateway/src/server", "path prefix that clients append to a base URL"),
    ("anthropic", "crates/gateway/src/server", "path prefix that clients append to a base URL"),
    (
        "openai",
        "crates/gateway/src/config/file/provider.rs",
        "an adapter in LLM-Bridge's file: the name of a format",
    ),
    (
        "anthropic",
        "crates/gateway/src/config/file/provider.rs",
        "an adapter in LLM-Bridge's file: the name of a format",
    ),
    ("google", "crates/wire/src/openai_chat/request/turns.rs", "a field of the format: extra_content.google"),
];

/// A vendor is data: no id of the catalogue as a string, no address of one.
pub(super) fn no_provider_names(tree: &Tree) -> Vec<Finding> {
    let rows = providers(tree).unwrap_or_default();
    let mut findings = Vec::new();
    for (path, source) in tree.shipped() {
        for (line, text) in source.strings() {
            let named = rows.iter().find(|row| row.id == text && !is_shared(text, path));
            if let Some(row) = named {
                let what =
                    format!("\"{}\" is a provider; what differs belongs in its row of the catalogue", row.id);
                findings.push(Finding::on_line(path, line, what));
            } else if let Some(host) =
                rows.iter().filter_map(|row| row.host()).find(|host| text.contains(*host))
            {
                findings.push(Finding::on_line(path, line, format!("{host} belongs in the catalogue")));
            }
        }
    }
    findings
}

fn is_shared(word: &str, path: &str) -> bool {
    SHARED_WORDS.iter().any(|(shared, place, _)| word == *shared && path.starts_with(place))
}

/// The one place that tells dialects apart.
const DIALECT_FILE: &str = "crates/wire/src/dialect.rs";

/// The enums that stand for dialects.
const DIALECT_ENUMS: [&str; 3] = ["Dialect", "SurfaceId", "WireId"];

/// A pattern on a dialect anywhere else is a pair of dialects in the making.
pub(super) fn no_match_on_dialects(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.shipped().filter(|(path, _)| *path != DIALECT_FILE) {
        for name in DIALECT_ENUMS {
            for at in source.find(&[name, "::"]).filter(|at| is_pattern(&source, *at)) {
                let what =
                    format!("{name} is matched on; give it a method in {DIALECT_FILE}, or ask its codec");
                findings.push(Finding::on_line(path, source.tokens[at].line, what));
            }
        }
    }
    findings
}

/// `Dialect::X =>`, `Some(Dialect::X) if`, `Dialect::X | ..`, `if let Dialect::X`, `matches!(_, Dialect::X)`.
fn is_pattern(source: &Source, at: usize) -> bool {
    let before = source.tokens[..at].iter().rev().map(|token| token.text.as_str());
    if before.clone().next().is_some_and(|text| matches!(text, "==" | "!=")) {
        return false;
    }
    let mut statement = before.take_while(|text| !matches!(*text, ";" | "{" | "}" | "=>" | "="));
    let bound = statement.any(|text| matches!(text, "let" | "matches"));
    bound || matches!(source.text(after_pattern(source, at + 3)), "=>" | "if" | "|")
}

/// Skips what closes a pattern around: `)` and `, _)`.
fn after_pattern(source: &Source, mut at: usize) -> usize {
    loop {
        match [source.text(at), source.text(at + 1), source.text(at + 2)] {
            [")", ..] => at += 1,
            [",", "_", ")"] => at += 3,
            _ => return at,
        }
    }
}

/// `unwrap` gives no reason; `expect` has to.
pub(super) fn no_unwrap(tree: &Tree) -> Vec<Finding> {
    each_line(tree, &[".", "unwrap", "(", ")"], "say why this cannot fail (`expect`), or return a Fault")
}

/// Missing documentation is allowed inside a module whose every field is named by an outside page.
pub(super) fn no_allow(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.shipped() {
        let allows = source.find(&["[", "allow", "("]).filter(|at| source.text(at + 3) != "missing_docs");
        findings.extend(allows.map(|at| {
            let what = "use #[expect(lint, reason = \"...\")]: it goes away with its cause";
            Finding::on_line(path, source.tokens[at].line, what)
        }));
    }
    findings
}

/// Traits that would let a secret out.
const LEAKS: [&str; 4] = ["Display", "Serialize", "Clone", "Debug"];

/// No derive on `Secret`, and no `impl` of a leaking trait but a `Debug` that prints a placeholder.
pub(super) fn secret_stays_secret(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.shipped() {
        for leak in LEAKS.iter().filter(|leak| **leak != "Debug") {
            let what = format!("Secret must not implement {leak}");
            findings.extend(
                source.lines_of(&[leak, "for", "Secret"]).map(|line| Finding::on_line(path, line, &*what)),
            );
        }
        for at in source.find(&["struct", "Secret"]) {
            let derived = attributes_before(&source, at);
            for leak in LEAKS.iter().filter(|leak| derived.contains(*leak)) {
                let what = format!("Secret must not derive {leak}");
                findings.push(Finding::on_line(path, source.tokens[at].line, what));
            }
        }
    }
    findings
}

/// The words between the end of the item before and this one.
fn attributes_before(source: &Source, at: usize) -> Vec<&str> {
    let words = source.tokens[..at].iter().rev().map(|token| token.text.as_str());
    words.take_while(|word| !matches!(*word, "}" | ";")).collect()
}

fn each_line(tree: &Tree, words: &[&str], what: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.shipped() {
        findings.extend(source.lines_of(words).map(|line| Finding::on_line(path, line, what)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "[[provider]]\nid = 'acme'\nbase = 'https://api.acme.example/v1'\n\
                        [[provider]]\nid = 'local'\nbase = 'http://127.0.0.1:1/v1'\n\
                        [[provider]]\nid = 'openai'\nbase = 'https://api.openai.com/v1'";

    fn lines(guard: fn(&Tree) -> Vec<Finding>, path: &str, code: &str) -> Vec<String> {
        let tree = Tree::of(&[("catalog/providers.toml", ROWS), (path, code)]);
        guard(&tree).into_iter().map(|finding| finding.at).collect()
    }

    #[test]
    fn a_provider_named_in_code_is_found() {
        let code = "fn f(p: &str) -> bool {\n p == \"acme\" ||\n p.contains(\"api.acme.example\") || p == \"acme corp\" }";
        assert_eq!(
            lines(no_provider_names, "crates/gateway/src/x.rs", code),
            ["crates/gateway/src/x.rs:2", "crates/gateway/src/x.rs:3"]
        );
    }

    #[test]
    fn a_provider_named_in_tests_documentation_or_as_a_path_prefix_is_not() {
        let tests = "/// Such as \"acme\".\n#[cfg(test)] mod tests { const A: &str = \"acme\"; }";
        assert!(lines(no_provider_names, "crates/gateway/src/x.rs", tests).is_empty());
        let prefix = "const P: &str = \"openai\"; const L: &str = \"127.0.0.1\";";
        assert!(lines(no_provider_names, "crates/gateway/src/server.rs", prefix).is_empty());
        assert_eq!(lines(no_provider_names, "crates/gateway/src/other.rs", prefix).len(), 1);
    }

    #[test]
    fn every_kind_of_pattern_on_a_dialect_is_found() {
        for code in [
            "match d { Dialect::Gemini => 1, _ => 2 }",
            "match d { Some(Dialect::Gemini) => 1, _ => 2 }",
            "match d { (Dialect::Gemini, _) => 1, _ => 2 }",
            "match d { (_, Dialect::Gemini) => 1, _ => 2 }",
            "match w { WireId::OpenAiChat | WireId::Ollama => 1, _ => 2 }",
            "match w { WireId::OpenAiChat if hot => 1, _ => 2 }",
            "if let SurfaceId::Generate = s { }",
            "if let Some(SurfaceId::Generate) = s { }",
            "matches!(s.id(), SurfaceId::Generate)",
        ] {
            let code = format!("fn f() {{ {code} }}");
            assert!(!lines(no_match_on_dialects, "crates/gateway/src/x.rs", &code).is_empty(), "{code}");
        }
    }

    #[test]
    fn naming_a_dialect_is_not_matching_on_it() {
        for code in [
            "Extra::of(Dialect::Gemini)",
            "let w = WireId::OpenAiChat; assert!(w.is_known());",
            "if extra.from == Dialect::Gemini { go() }",
            "match x { A => B { from: Some(Dialect::Gemini) }, C => D }",
            "match x { A if from == Dialect::Gemini => go(), _ => {} }",
            "match x { A => Dialect::Gemini, _ => other }",
            "let Some(row) = rows.get(Dialect::Gemini) else { return };",
            "for wire in WireId::ALL { go(wire) }",
        ] {
            let code = format!("fn f() {{ {code} }}");
            assert!(lines(no_match_on_dialects, "crates/gateway/src/x.rs", &code).is_empty(), "{code}");
        }
        let arm = "fn f() { match d { Dialect::Gemini => 1 } }";
        assert!(lines(no_match_on_dialects, DIALECT_FILE, arm).is_empty());
    }

    #[test]
    fn unwrap_and_allow_are_found_outside_tests_only() {
        let code =
            "#[allow(dead_code)]\nfn f() { x.unwrap() }\n#[cfg(test)] mod tests { fn g() { x.unwrap() } }";
        assert_eq!(lines(no_unwrap, "crates/wire/src/x.rs", code), ["crates/wire/src/x.rs:2"]);
        assert_eq!(lines(no_allow, "crates/wire/src/x.rs", code), ["crates/wire/src/x.rs:1"]);
        assert!(lines(no_allow, "crates/wire/src/x.rs", "#![allow(missing_docs)]").is_empty());
    }

    #[test]
    fn a_secret_that_can_be_copied_or_printed_is_found() {
        let path = "crates/store/src/secret.rs";
        assert_eq!(
            lines(secret_stays_secret, path, "struct A; #[derive(Clone, Debug)] pub struct Secret(X);").len(),
            2
        );
        assert_eq!(lines(secret_stays_secret, path, "impl fmt::Display for Secret {}").len(), 1);
        let good = "#[derive(Debug)] struct A; pub struct Secret(X); impl fmt::Debug for Secret {}";
        assert!(lines(secret_stays_secret, path, good).is_empty());
    }
}
