//! `cargo xtask soak`: the evidence that takes hours, kept out of `test`.
//!
//! Most parts are the same code that `test` or `bench/` runs in short, with its figures turned up; those that have no
//! short form are ignored tests.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::check::cargo;
use crate::report::Report;
use crate::shell::Finished;
use crate::tally::Runner;
use crate::test::agents;
use crate::{Place, shell};

/// Environment variable that the kill -9 tests read: how many times the gateway is killed.
const KILL_ROUNDS: &str = "GATEWAY_KILL_ROUNDS";

/// Environment variable that the test of reloads reads: how often the configuration changes under load.
const RELOADS: &str = "GATEWAY_RELOADS";

#[derive(Args)]
pub(crate) struct Options {
    /// How many times the gateway is killed during writes
    #[arg(long, default_value_t = 500, value_name = "N")]
    kill_rounds: u32,
    /// How often the configuration changes under load
    #[arg(long, default_value_t = 1000, value_name = "N")]
    reloads: u32,
    /// How long each fuzz target runs, in minutes
    #[arg(long, default_value_t = 10, value_name = "MINUTES")]
    fuzz_minutes: u64,
    /// How many interleaved rounds the speed comparison takes
    #[arg(long, default_value_t = 5, value_name = "N")]
    bench_rounds: u32,
}

/// True if nothing failed; what could not run is named.
pub(crate) fn run(place: &Place, options: &Options) -> Result<bool> {
    let mut report = Report::default();
    report.suite("the vault and the doors under load", Runner::CargoTest, || soaks(place));
    report.suite("two processes on one vault", Runner::CargoTest, || two_processes(place));
    report.suite("kill -9 during writes", Runner::CargoTest, || kill_loops(place, options.kill_rounds));
    report.suite("reloads under load", Runner::CargoTest, || reloads(place, options.reloads));
    if report.step("build", || shell::passes(cargo(place).args(["build", "--workspace"]))) {
        agents::run(&mut report, place, agents::Wires::All);
    }
    fuzz(&mut report, place, options.fuzz_minutes);
    speed(&mut report, place, options.bench_rounds);
    Ok(report.close())
}

/// What `tests/it/soaks` holds: every test by itself, since they measure times and want the machine.
fn soaks(place: &Place) -> Result<Finished> {
    let mut command = cargo(place);
    command.args(["test", "--release", "--package", "llm-gateway", "--test", "it", "--"]);
    shell::run(command.args(["--ignored", "--test-threads=1", "--nocapture", "soaks::"]))
}

/// 20,000 writes.
fn two_processes(place: &Place) -> Result<Finished> {
    let mut command = cargo(place);
    command.args(["test", "--release", "--package", "llm-gateway-store", "--test", "two_processes"]);
    shell::run(command.env("GATEWAY_WRITES", "3334"))
}

/// Every `tests/kill*.rs`, in a release build, one test at a time.
fn kill_loops(place: &Place, rounds: u32) -> Result<Finished> {
    let mut command = cargo(place);
    command.args(["test", "--release", "--workspace", "--test", "kill*", "--", "--test-threads=1"]);
    shell::run(command.env(KILL_ROUNDS, rounds.to_string()))
}

/// In a release build: a thousand of them take minutes in another.
fn reloads(place: &Place, rounds: u32) -> Result<Finished> {
    let mut command = cargo(place);
    command.args(["test", "--release", "-p", "llm-gateway", "--test", "it", "reload::load"]);
    shell::run(command.env(RELOADS, rounds.to_string()))
}

fn fuzz(report: &mut Report, place: &Place, minutes: u64) {
    let folder = place.root.join("crates/wire/fuzz");
    let targets = fuzz_targets(&folder);
    if targets.is_empty() {
        return report.skip("fuzzing", "no target in crates/wire/fuzz/fuzz_targets");
    }
    if !has_fuzzer() {
        return report
            .skip("fuzzing", "needs a nightly toolchain and cargo-fuzz (cargo install --locked cargo-fuzz)");
    }
    let limit = format!("-max_total_time={}", minutes * 60);
    for target in targets {
        report.step(&format!("fuzz {target}"), || {
            let mut command = Command::new("cargo");
            command.args(["+nightly", "fuzz", "run", &target, "--", &limit]);
            shell::passes(command.current_dir(folder.parent().expect("the fuzz folder lies in a crate")))
        });
    }
}

fn has_fuzzer() -> bool {
    shell::ask(Command::new("cargo").args(["+nightly", "fuzz", "--version"])).is_ok_and(|asked| asked.ok)
}

/// The names of the target files: one target a file.
fn fuzz_targets(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join("fuzz_targets")) else { return Vec::new() };
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let rust = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> =
        rust.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

fn speed(report: &mut Report, place: &Place, rounds: u32) {
    let script = place.root.join("bench/compare.py");
    if let Some(why) = speed_lacks(&script) {
        return report.skip("speed comparison", why);
    }
    let build = ["build", "--release", "--package", "llm-gateway", "--package", "llm-gateway-bench"];
    if !report.step("release build", || shell::passes(cargo(place).args(build))) {
        return report.skip("speed comparison", "the release build failed");
    }
    report.step("speed comparison", || {
        let mut command = Command::new("python3");
        command.arg(&script).arg("--gateway").arg(place.target.join("release/llm-gateway"));
        shell::passes(command.arg("--rounds").arg(rounds.to_string()).current_dir(&place.root))
    });
}

fn speed_lacks(script: &Path) -> Option<&'static str> {
    if !script.is_file() {
        return Some("bench/compare.py is not there");
    }
    let needs =
        [("python3", "needs python3"), ("nginx", "needs nginx"), ("taskset", "needs taskset (util-linux)")];
    needs.iter().find(|(program, _)| shell::find(program).is_none()).map(|(_, why)| *why)
}
