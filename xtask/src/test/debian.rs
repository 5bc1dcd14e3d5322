//! Debian packages, installed only where we are root and only when missing.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::shell;

/// Makes sure that a program is on PATH; the error says why it is not.
pub(crate) fn ensure(program: &str, package: &str) -> Result<(), String> {
    if shell::find(program).is_some() {
        return Ok(());
    }
    install(package)?;
    shell::find(program).map(|_| ()).ok_or(format!("Debian's {package} does not bring {program}"))
}

/// Installs a package.
pub(crate) fn install(package: &str) -> Result<(), String> {
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!("{package} is not installed, and this is no Debian"));
    }
    if !shell::is_root() {
        return Err(format!("{package} is not installed (apt-get install {package})"));
    }
    if !lists_are_fresh() || !apt_get(&["install", "--yes", "--no-install-recommends", package]) {
        return Err(format!("apt-get could not install {package}"));
    }
    Ok(())
}

/// The package lists, updated once a run.
fn lists_are_fresh() -> bool {
    static UPDATED: OnceLock<bool> = OnceLock::new();
    *UPDATED.get_or_init(|| apt_get(&["update"]))
}

fn apt_get(arguments: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    shell::passes(&mut command).unwrap_or(false)
}
