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
    if shell::ask(cargo(place).args(["deny", "--version"])).is_ok_and(|asked| asked.ok) {
        report.step("dependencies", || shell::passes(cargo(place).args(["deny", "--all-features", "check"])));
    } else {
        report.skip("dependencies", "cargo-deny is not installed (cargo install --locked cargo-deny)");
    }
    Ok(report.close())
}

/// The cargo that runs us, at the root of the workspace.
pub(crate) fn cargo(place: &Place) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(&place.root);
    command
}
