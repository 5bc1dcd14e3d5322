//! What each crate may not depend on, directly or through others.

use std::process::Command;

use anyhow::Result;

use super::Finding;
use crate::check::cargo;
use crate::{Place, shell};

/// Whatever does I/O, tells the time or throws dice. A trailing `*` stands for any ending.
const OUTSIDE_WORLD: &[&str] = &[
    "async-std",
    "axum*",
    "chrono",
    "fastrand",
    "getrandom",
    "hyper*",
    "libsqlite3-sys",
    "mio",
    "rand",
    "rand_*",
    "redis",
    "reqwest",
    "rusqlite",
    "rustls*",
    "smol",
    "socket2",
    "sqlx*",
    "time",
    "tokio*",
    "ureq",
];

const SERVER: &[&str] = &["axum*", "tower-http"];

/// A crate and what must not be found below it.
struct Wall {
    package: &'static str,
    bans: &'static [&'static [&'static str]],
}

/// Source: the table of crates in ARCHITECTURE.md.
const WALLS: &[Wall] = &[
    Wall { package: "llm-gateway-wire", bans: &[OUTSIDE_WORLD, &["llm-gateway-*"]] },
    Wall {
        package: "llm-gateway-policy",
        bans: &[OUTSIDE_WORLD, &["llm-gateway-store", "llm-gateway-upstream", "llm-gateway"]],
    },
    Wall { package: "llm-gateway-upstream", bans: &[SERVER, &["llm-gateway-store", "llm-gateway", "sqlx*"]] },
    Wall {
        package: "llm-gateway-store",
        bans: &[SERVER, &["llm-gateway-upstream", "llm-gateway", "hyper*"]],
    },
];

/// Asks cargo what lies below each walled crate.
pub(super) fn check(place: &Place) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for wall in WALLS {
        match dependencies(place, wall.package) {
            Ok(tree) => findings.extend(wall.breaches(&tree)),
            Err(error) => findings.push(Finding::new(wall.package, format!("{error:#}"))),
        }
    }
    Ok(findings)
}

/// One package a line, the crate itself first. What only tests need is not counted.
fn dependencies(place: &Place, package: &str) -> Result<String> {
    let mut command: Command = cargo(place);
    command.args(["tree", "--quiet", "--package", package, "--edges", "normal,build", "--prefix", "none"]);
    shell::output(command.args(["--no-dedupe", "--format", "{p}"]))
}

impl Wall {
    fn breaches(&self, tree: &str) -> Vec<Finding> {
        let mut names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
        names.sort_unstable();
        names.dedup();
        let others = names.into_iter().filter(|name| *name != self.package);
        let banned =
            others.filter(|name| self.bans.iter().flat_map(|list| list.iter()).any(|ban| fits(ban, name)));
        let finding =
            |name| Finding::new(self.package, format!("must not depend on {name}, not even through others"));
        banned.map(finding).collect()
    }
}

fn fits(ban: &str, name: &str) -> bool {
    ban.strip_suffix('*').map_or(ban == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &Wall = &WALLS[0];

    #[test]
    fn a_banned_package_is_named_once_however_deep_it_lies() {
        let tree = "llm-gateway-wire v0.1.0 (path)\nserde v1.0.0\ntokio-util v0.7.0\nbytes v1.0.0\ntokio-util v0.7.0 (*)";
        let breaches = WIRE.breaches(tree);
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].what.contains("tokio-util"), "{breaches:?}");
    }

    #[test]
    fn a_crate_does_not_ban_itself_nor_what_merely_looks_like_a_banned_one() {
        assert!(WIRE.breaches("llm-gateway-wire v0.1.0\nrandom-names v1.0.0\ntimeless v1.0.0").is_empty());
    }
}
