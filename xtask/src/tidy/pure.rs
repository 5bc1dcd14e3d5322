//! The pure crates stay pure: no word of the outside world in their code.
//!
//! Their `clippy.toml` bans clocks and chance even in tests; files are banned here, since tests read fixtures.

use super::Finding;
use super::tree::Tree;

const PURE: [&str; 2] = ["crates/wire/src/", "crates/policy/src/"];

/// Clippy reads one file a crate, so the bans stand twice; they must not drift apart.
pub(super) fn same_bans(tree: &Tree) -> Vec<Finding> {
    let [wire, policy] = ["crates/wire/clippy.toml", "crates/policy/clippy.toml"];
    let missing = [wire, policy].into_iter().filter(|path| tree.get(path).is_none());
    let mut findings: Vec<_> =
        missing.map(|path| Finding::new(path, "is not there: who bans the clock?")).collect();
    if findings.is_empty() && tree.get(wire) != tree.get(policy) {
        findings.push(Finding::new(policy, format!("differs from {wire}")));
    }
    findings
}

/// Modules of the standard library that reach outside.
const OUTSIDE: [&str; 5] = ["fs", "net", "process", "env", "thread"];

/// Words of `std::time` that read a clock.
const CLOCKS: [&str; 2] = ["SystemTime", "Instant"];

pub(super) fn no_outside_world(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.shipped().filter(|(path, _)| PURE.iter().any(|pure| path.starts_with(pure))) {
        for module in OUTSIDE {
            let what = format!("std::{module} reaches outside; pure crates take what they need as arguments");
            findings.extend(
                source.lines_of(&["std", "::", module]).map(|line| Finding::on_line(path, line, &*what)),
            );
        }
        for clock in CLOCKS {
            let what = format!("{clock}::now reads the clock; take the time as an argument");
            findings.extend(
                source.lines_of(&[clock, "::", "now"]).map(|line| Finding::on_line(path, line, &*what)),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_that_differ_or_are_missing_are_found() {
        let tree =
            |policy| Tree::of(&[("crates/wire/clippy.toml", "a = 1"), ("crates/policy/clippy.toml", policy)]);
        assert_eq!(same_bans(&tree("a = 1")), []);
        assert_eq!(same_bans(&tree("a = 2")).len(), 1);
        assert_eq!(same_bans(&Tree::of(&[])).len(), 2);
    }

    #[test]
    fn files_and_clocks_are_found_in_pure_crates_only() {
        let code = "use std::fs::File;\nfn f() { Instant::now() }\n#[cfg(test)] mod tests { use std::fs; }";
        let tree = Tree::of(&[("crates/policy/src/x.rs", code), ("crates/upstream/src/x.rs", code)]);
        let found: Vec<_> = no_outside_world(&tree).into_iter().map(|finding| finding.at).collect();
        assert_eq!(found, ["crates/policy/src/x.rs:1", "crates/policy/src/x.rs:2"]);
    }
}
