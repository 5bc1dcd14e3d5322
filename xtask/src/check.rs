//! `cargo xtask check`: what a change must pass before it is shown to others. Quick, and changes nothing.

use std::process::Command;

use anyhow::Result;

use crate::report::Report;
use crate::{Place, shell};

/// The lints of the whole workspace, as CI asks for them.
const CLIPPY: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];

/// True if everything holds.
pub(crate) fn run(place: &Place) -> Result<bool> {
    let mut report = Report::default();
    report.step("formatting", || shell::passes(cargo(place).args(["fmt", "--all", "--check"])));
    report.step("lints", || shell::passes(cargo(place).args(CLIPPY)));
    dependencies(&mut report, place);
    Ok(report.close())
}

/// What `deny.toml` asks for; known weaknesses apart, since their list is fetched.
fn dependencies(report: &mut Report, place: &Place) {
    if !shell::ask(cargo(place).args(["deny", "--version"])).is_ok_and(|asked| asked.ok) {
        return report
            .skip("dependencies", "cargo-deny is not installed (cargo install --locked cargo-deny)");
    }
    let deny = |what: &[&str]| shell::run(cargo(place).args(["deny", "--all-features", "check"]).args(what));
    report.step("dependencies", || Ok(deny(&["bans", "licenses", "sources"])?.ok));
    match deny(&["advisories"]) {
        Ok(checked)
            if checked.lines.iter().any(|line| line.contains("failed to fetch advisory database")) =>
        {
            report.skip("known weaknesses", "the list of advisories cannot be fetched");
        }
        checked => {
            report.step("known weaknesses", || Ok(checked?.ok));
        }
    }
}

/// The cargo that runs us, at the root of the workspace.
pub(crate) fn cargo(place: &Place) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(&place.root);
    command
}
