//! `cargo xtask tidy`: the invariants of ARCHITECTURE.md that neither the compiler nor clippy can see.
//!
//! A guard is a pure function of the tree, so that its test is a tree of two small files. To add one: a function and a
//! line in `GUARDS`.

use anyhow::Result;

use crate::Place;

mod catalog;
mod code;
mod papers;
mod pure;
mod secrets;
mod shape;
mod source;
mod tree;
mod walls;

use tree::Tree;

/// Something that a guard found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// `path` or `path:line`.
    at: String,
    /// What is wrong, and what to do instead.
    what: String,
    /// Only worth a look: does not fail the run.
    warning: bool,
}

impl Finding {
    fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at: at.into(), what: what.into(), warning: false }
    }

    fn on_line(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self::new(format!("{path}:{line}"), what)
    }

    fn warning(self) -> Self {
        Self { warning: true, ..self }
    }
}

type Guard = fn(&Tree) -> Vec<Finding>;

/// Every guard: what it keeps, and how.
const GUARDS: &[(&str, Guard)] = &[
    ("pure crates name no clock, file, network or chance", pure::no_outside_world),
    ("pure crates ban the same calls", pure::same_bans),
    ("no provider is named in the code", code::no_provider_names),
    ("dialects are told apart in dialect.rs only", code::no_match_on_dialects),
    ("no unwrap outside tests", code::no_unwrap),
    ("lints are expected with a reason, not allowed", code::no_allow),
    ("Secret is never printed, copied or serialised", code::secret_stays_secret),
    ("every dialect has the same files", shape::dialect_folders),
    ("files are short and say what they hold", shape::files),
    ("migrations are numbered without a gap", shape::migrations),
    ("every provider row says where it was read", catalog::rows_have_sources),
    ("the papers are there and short", papers::papers),
    ("no path of a machine", secrets::no_machine_paths),
    ("no key", secrets::no_keys),
];

/// True if no guard found anything worse than a warning.
pub(crate) fn run(place: &Place) -> Result<bool> {
    let tree = Tree::tracked(&place.root)?;
    let mut held = true;
    for (name, guard) in GUARDS {
        held &= show(name, &guard(&tree));
    }
    held &= show("the walls between crates stand", &walls::check(place)?);
    println!("{}", if held { "tidy" } else { "untidy: see FAIL above" });
    Ok(held)
}

fn show(name: &str, findings: &[Finding]) -> bool {
    let held = findings.iter().all(|finding| finding.warning);
    println!("{} {name}", if held { "ok  " } else { "FAIL" });
    for finding in findings {
        println!("     {}{}: {}", if finding.warning { "warning: " } else { "" }, finding.at, finding.what);
    }
    held
}
