//! How many tests passed, failed and were skipped, read from what the test runners print.

/// The programs that run tests, told apart by how they report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    Nextest,
    CargoTest,
    DocTests,
    Unittest,
    NodeTest,
}

impl Runner {
    /// What the lines of a run say.
    pub(crate) fn tally(self, lines: &[String]) -> Tally {
        match self {
            Self::Nextest => Tally::of_nextest(lines),
            Self::CargoTest | Self::DocTests => Tally::of_libtest(lines),
            Self::Unittest => Tally::of_unittest(lines),
            Self::NodeTest => Tally::of_node(lines),
        }
    }

    /// A suite that finds no test proves nothing and fails; documentation may well hold no example.
    pub(crate) fn may_find_nothing(self) -> bool {
        self == Self::DocTests
    }
}

/// Counts of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Tally {
    /// `Summary [0.2s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 2 skipped` of cargo-nextest.
    fn of_nextest(lines: &[String]) -> Self {
        let summary =
            lines.iter().rfind(|line| line.trim_start().starts_with("Summary [")).map(String::as_str);
        let line = summary.unwrap_or_default();
        let count = |word| number_before(line, word);
        Self {
            passed: count("passed"),
            failed: count("failed") + count("timed out") + count("exec failed"),
            skipped: count("skipped"),
        }
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; ...`, one line per test program.
    fn of_libtest(lines: &[String]) -> Self {
        lines.iter().filter(|line| line.starts_with("test result:")).fold(Self::default(), |sum, line| {
            let count = |word| number_before(line, word);
            sum + Self { passed: count("passed"), failed: count("failed"), skipped: count("ignored") }
        })
    }

    /// `Ran 9 tests in 0.2s` and `FAILED (failures=1, errors=1, skipped=2)` of Python's unittest.
    fn of_unittest(lines: &[String]) -> Self {
        let ran =
            lines.iter().rfind(|line| line.starts_with("Ran ")).map_or(0, |line| number_before(line, "test"));
        let verdict = lines.iter().rfind(|line| line.starts_with("OK") || line.starts_with("FAILED"));
        let line = verdict.map(String::as_str).unwrap_or_default();
        let failed = number_after(line, "failures=") + number_after(line, "errors=");
        let skipped = number_after(line, "skipped=");
        Self { passed: ran.saturating_sub(failed + skipped), failed, skipped }
    }

    /// The last lines of `node --test`: `pass 7`, `fail 1`, `skipped 0`, behind a mark that depends on the reporter.
    fn of_node(lines: &[String]) -> Self {
        let count = |word: &str| {
            let found = lines.iter().rev().find_map(|line| {
                let line = line.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
                line.strip_prefix(word)?.trim().parse().ok()
            });
            found.unwrap_or(0)
        };
        Self {
            passed: count("pass "),
            failed: count("fail ") + count("cancelled "),
            skipped: count("skipped ") + count("todo "),
        }
    }
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, one| sum + one)
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The number in front of a word: 7 for `passed` in `9 run: 7 passed, 1 exec failed`.
fn number_before(line: &str, word: &str) -> u32 {
    let before = line.match_indices(word).find_map(|(at, _)| {
        let number = line[..at].trim_end().rsplit(|c: char| !c.is_ascii_digit()).next()?;
        number.parse().ok()
    });
    before.unwrap_or(0)
}

fn number_after(line: &str, label: &str) -> u32 {
    let Some((_, rest)) = line.split_once(label) else { return 0 };
    rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn tally(passed: u32, failed: u32, skipped: u32) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn a_test_that_timed_out_counts_as_failed() {
        let text = "     Summary [   1.0s] 10 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 3 skipped";
        assert_eq!(Tally::of_nextest(&lines(text)), tally(8, 2, 3));
    }

    #[test]
    fn test_programs_of_cargo_test_add_up() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\nnoise\n\
                    test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Tally::of_libtest(&lines(text)), tally(5, 4, 1));
    }

    #[test]
    fn errors_of_unittest_are_failures() {
        let text = "Ran 12 tests in 0.3s\n\nFAILED (failures=1, errors=2, skipped=3)";
        assert_eq!(Tally::of_unittest(&lines(text)), tally(6, 3, 3));
        assert_eq!(Tally::of_unittest(&lines("Ran 1 test in 0.3s\n\nOK")), tally(1, 0, 0));
    }

    #[test]
    fn both_reporters_of_node_are_read() {
        let tap = "# tests 9\n# suites 2\n# pass 7\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0";
        assert_eq!(Tally::of_node(&lines(tap)), tally(7, 1, 1));
        assert_eq!(Tally::of_node(&lines(&tap.replace('#', "\u{2139}"))), tally(7, 1, 1));
    }

    #[test]
    fn a_runner_that_printed_nothing_has_run_nothing() {
        assert_eq!(Tally::of_nextest(&[]), Tally::default());
        assert_eq!(Tally::of_unittest(&[]), Tally::default());
    }
}
