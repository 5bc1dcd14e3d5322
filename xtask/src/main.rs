//! The project's own commands: `cargo xtask test|check|tidy|tables|release|soak`.
//!
//! One file per command; `shell`, `tally` and `report` are what they share. Nothing here ships.

#![expect(clippy::print_stdout, reason = "a command line tool: standard output is what it makes")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod check;
mod release;
mod report;
mod shell;
mod soak;
mod tables;
mod tally;
mod test;
mod tidy;

/// Commands of the project. Run as `cargo xtask <command>`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Finds or installs what the tests need, builds once, runs every test and says what was left out
    Test(test::Options),
    /// Formatting, lints and (where cargo-deny is installed) dependencies
    Check,
    /// Guards the invariants that the compiler cannot see
    Tidy,
    /// Writes docs/translation.md again: what crosses between the APIs
    Tables,
    /// Builds the gateway by a profile of what runs, as it is released
    Release(release::Options),
    /// The long evidence: kill loops at full count, fuzzing, the speed comparison
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let place = Place::find();
    let outcome = match Cli::parse().command {
        Command::Test(options) => test::run(&place, &options),
        Command::Check => check::run(&place),
        Command::Tidy => tidy::run(&place),
        Command::Tables => tables::run(&place),
        Command::Release(options) => release::run(&place, &options),
        Command::Soak(options) => soak::run(&place, &options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Where the sources are and where what is built goes.
struct Place {
    root: PathBuf,
    target: PathBuf,
}

impl Place {
    /// From what cargo says at run time: one target directory may serve several checkouts.
    fn find() -> Self {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().expect("xtask lies in the workspace").to_path_buf();
        // This program is <target>/<profile>/xtask, whichever way the target directory was set.
        let own = std::env::current_exe().ok();
        let target = own.as_deref().and_then(|own| own.ancestors().nth(2)).map(Path::to_path_buf);
        Self { target: target.unwrap_or_else(|| root.join("target")), root }
    }

    /// A program of this workspace, as `cargo build` leaves it.
    fn built(&self, program: &str) -> PathBuf {
        self.target.join("debug").join(program)
    }
}
