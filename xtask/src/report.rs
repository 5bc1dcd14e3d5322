//! What a command did, part by part, and the last line that says it in one.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::shell::Finished;
use crate::tally::{Runner, Tally};

/// The parts of a run, in order.
#[derive(Default)]
pub(crate) struct Report {
    parts: Vec<Part>,
}

struct Part {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Ran { tally: Tally, took: Duration },
    Skipped { why: String },
    Broken { why: String },
}

impl Report {
    /// Runs one suite of tests. A program that failed without naming a failed test (it did not build, it crashed) counts as one
    /// failure; so does one that ran no test at all, since a suite that finds nothing proves nothing.
    pub(crate) fn suite(&mut self, name: &str, runner: Runner, run: impl FnOnce() -> Result<Finished>) {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = match run() {
            Ok(finished) => judge(&finished, runner, start.elapsed()),
            Err(error) => Outcome::Broken { why: format!("{error:#}") },
        };
        self.parts.push(Part { name: name.to_owned(), outcome });
    }

    /// A part that has no tests to count: it holds or it does not.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<bool>) -> bool {
        let start = Instant::now();
        println!("\n== {name}");
        let outcome = match run() {
            Ok(true) => {
                Outcome::Ran { tally: Tally { passed: 1, ..Tally::default() }, took: start.elapsed() }
            }
            Ok(false) => Outcome::Broken { why: "failed; see above".to_owned() },
            Err(error) => Outcome::Broken { why: format!("{error:#}") },
        };
        let held = matches!(outcome, Outcome::Ran { .. });
        self.parts.push(Part { name: name.to_owned(), outcome });
        held
    }

    /// A part whose prerequisite cannot be had here.
    pub(crate) fn skip(&mut self, name: &str, why: impl Into<String>) {
        self.parts.push(Part { name: name.to_owned(), outcome: Outcome::Skipped { why: why.into() } });
    }

    /// Prints the summary; true if nothing failed.
    pub(crate) fn close(&self) -> bool {
        println!("\n== Summary");
        for part in &self.parts {
            println!("{:<30} {}", part.name, part.outcome);
        }
        let total = self.total();
        println!("{total}");
        total.failed == 0
    }

    fn total(&self) -> Tally {
        self.parts.iter().map(|part| part.outcome.tally()).sum()
    }
}

fn judge(finished: &Finished, runner: Runner, took: Duration) -> Outcome {
    let tally = runner.tally(&finished.lines);
    if !finished.ok && tally.failed == 0 {
        return Outcome::Broken {
            why: "ended with an error before its tests were done; see above".to_owned(),
        };
    }
    if tally == Tally::default() && !runner.may_find_nothing() {
        return Outcome::Broken { why: "ran no test at all".to_owned() };
    }
    Outcome::Ran { tally, took }
}

impl Outcome {
    fn tally(&self) -> Tally {
        match self {
            Self::Ran { tally, .. } => *tally,
            Self::Skipped { .. } => Tally { skipped: 1, ..Tally::default() },
            Self::Broken { .. } => Tally { failed: 1, ..Tally::default() },
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ran { tally, took } => write!(f, "{tally} in {} s", took.as_secs()),
            Self::Skipped { why } => write!(f, "SKIPPED: {why}"),
            Self::Broken { why } => write!(f, "FAILED: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(ok: bool, line: &str) -> Result<Finished> {
        Ok(Finished { ok, lines: vec![line.to_owned()] })
    }

    #[test]
    fn the_total_counts_tests_and_skipped_parts() {
        let mut report = Report::default();
        report.suite("unit", Runner::CargoTest, || {
            finished(true, "test result: ok. 3 passed; 0 failed; 1 ignored")
        });
        report.skip("browser", "no browser");
        assert_eq!(report.total(), Tally { passed: 3, failed: 0, skipped: 2 });
        assert!(report.close());
    }

    #[test]
    fn a_suite_that_crashes_before_its_first_test_is_a_failure() {
        let mut report = Report::default();
        report.suite("unit", Runner::CargoTest, || finished(false, "error: could not compile"));
        assert_eq!(report.total().failed, 1);
        assert!(!report.close());
    }

    #[test]
    fn a_suite_that_finds_no_test_is_a_failure() {
        let mut report = Report::default();
        report.suite("unit", Runner::CargoTest, || {
            finished(true, "test result: ok. 0 passed; 0 failed; 0 ignored")
        });
        assert!(!report.close());
    }

    #[test]
    fn documentation_without_examples_is_no_failure() {
        let mut report = Report::default();
        report.suite("documentation", Runner::DocTests, || finished(true, ""));
        assert!(report.close());
    }
}
