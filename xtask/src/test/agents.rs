//! The command-line agents, unmodified, as clients of the real gateway. The suite is in `tests/agents/`.

use std::process::Command;

use anyhow::{Context, Result};

use super::debian;
use super::house::House;
use super::tools::{self, Agents, Lack};
use crate::Place;
use crate::report::Report;
use crate::shell::{self, Finished};
use crate::tally::Runner;

const NAME: &str = "command-line agents";

/// Which wires each agent is tried against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wires {
    /// One that speaks the agent's dialect, and another.
    Two,
    /// All of them, with every client that an agent has.
    All,
}

/// Runs the suite, or says why not. An agent that could not be installed is skipped by name.
pub(crate) fn run(report: &mut Report, place: &Place, wires: Wires) {
    match installed(place) {
        Ok(agents) => report.suite(NAME, Runner::Unittest, || suite(place, &agents, wires)),
        Err(why) => report.skip(NAME, why),
    }
}

fn installed(place: &Place) -> Result<Agents, Lack> {
    debian::ensure("python3", "python3")?;
    tools::agents(place)
}

fn suite(place: &Place, agents: &Agents, wires: Wires) -> Result<Finished> {
    let folder = place.root.join("tests/agents");
    let config = std::fs::read_to_string(folder.join("config.yaml")).context("tests/agents/config.yaml")?;
    House::with(place, &config, |house| {
        let mut command = Command::new("python3");
        command.args(["-m", "unittest", "discover", "--verbose", "--start-directory"]).arg(&folder);
        house.introduce(&mut command).env("PATH", &agents.path).env("AGENTS_BIN", &agents.folder);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        if wires == Wires::All {
            command.env("AGENTS_ALL", "1");
        }
        shell::run(&mut command)
    })
}
