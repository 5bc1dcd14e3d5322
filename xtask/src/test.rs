//! `cargo xtask test`: every test there is, in order, after finding or installing what they need.
//!
//! What is already there is used as it is: the second run needs neither the network nor any right. What cannot be had
//! is skipped, and the summary says so by name.

use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::check::cargo;
use crate::report::Report;
use crate::tally::Runner;
use crate::{Place, shell};

pub(crate) mod agents;
mod debian;
mod house;
mod sdk;
mod server;
mod tools;

const ABOUT: &str = "\
Runs every test of the project:
  1. finds or installs what the tests need: strace, two proxies, Python and Node with the SDKs of the vendors, LangChain and the AI SDK
  2. builds the workspace
  3. unit and integration tests, then the examples in the documentation
  4. those SDKs, unmodified, against the real gateway and a scripted upstream
  5. the agents claude, codex, copilot, gemini and opencode likewise, each from its registry, with a tool
Anything installed goes into the target directory, but Debian packages, which are only installed for root.
A part that cannot run here is skipped and named in the summary.";

#[derive(Args)]
pub(crate) struct Options {
    /// Only these parts (may be repeated)
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Unit and integration tests
    Rust,
    /// Examples in the documentation
    Doc,
    /// The SDKs for Python
    Python,
    /// The SDKs for Node
    Node,
    /// The command-line agents
    Agents,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Programs, the Debian packages that bring them (and start no service), and the tests that cannot run without them.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("strace", "strace", "tracing of connections"),
    ("microsocks", "microsocks", "calls through a real SOCKS5 proxy"),
    ("tinyproxy", "tinyproxy-bin", "calls through a real HTTP proxy"),
    ("faketime", "faketime", "jumps of the clock"),
];

/// True if nothing failed.
pub(crate) fn run(place: &Place, options: &Options) -> Result<bool> {
    println!("{ABOUT}");
    let mut report = Report::default();
    for (program, package, what) in PROGRAMS {
        if options.wants(Part::Rust)
            && let Err(why) = debian::ensure(program, package)
        {
            report.skip(what, why);
        }
    }
    if !report.step("build", || shell::passes(cargo(place).args(["build", "--workspace"]))) {
        return Ok(report.close());
    }
    if options.wants(Part::Rust) {
        rust(&mut report, place);
    }
    if options.wants(Part::Doc) {
        report.suite("documentation", Runner::DocTests, || {
            shell::run(plain(cargo(place).args(["test", "--workspace", "--doc"])))
        });
    }
    sdk::run(&mut report, place, options.wants(Part::Python), options.wants(Part::Node));
    if options.wants(Part::Agents) {
        agents::run(&mut report, place, agents::Wires::Two);
    }
    Ok(report.close())
}

fn rust(report: &mut Report, place: &Place) {
    const NAME: &str = "unit and integration tests";
    if shell::ask(cargo(place).args(["nextest", "--version"])).is_ok_and(|asked| asked.ok) {
        let mut command = cargo(place);
        command.args(["nextest", "run", "--workspace"]);
        return report.suite(NAME, Runner::Nextest, || shell::run(plain(&mut command)));
    }
    let mut command = cargo(place);
    command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
    report.suite(NAME, Runner::CargoTest, || shell::run(plain(&mut command)));
}

/// Without colours: the summary is read from what the runner prints.
fn plain(command: &mut Command) -> &mut Command {
    command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1")
}
