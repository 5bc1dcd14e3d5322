//! What an import says: carried over, approximated, not carried over; each thing with its place at the source.

use std::fmt;

use serde::Serialize;

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It works here as it did there.
    Carried,
    /// It works here, but not in every respect as there.
    Approximated,
    /// It is left behind.
    Not,
}

/// One thing of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    #[allow(missing_docs)]
    pub verdict: Verdict,
    /// Never a secret.
    pub what: String,
    /// As `config.yaml:12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What differs, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Everything that was found at the source.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report(Vec<Line>);

impl Report {
    pub(super) fn carried(&mut self, place: Option<String>, what: impl Into<String>) {
        self.0.push(Line { verdict: Verdict::Carried, what: what.into(), place, why: None });
    }

    pub(super) fn approximated(
        &mut self,
        place: Option<String>,
        what: impl Into<String>,
        why: impl Into<String>,
    ) {
        let (what, why) = (what.into(), Some(why.into()));
        self.0.push(Line { verdict: Verdict::Approximated, what, place, why });
    }

    pub(super) fn not(&mut self, place: Option<String>, what: impl Into<String>, why: impl Into<String>) {
        let (what, why) = (what.into(), Some(why.into()));
        self.0.push(Line { verdict: Verdict::Not, what, place, why });
    }

    /// Carried over, unless there is something to say about it.
    pub(super) fn took(&mut self, place: Option<String>, what: impl Into<String>, remark: Option<String>) {
        match remark {
            None => self.carried(place, what),
            Some(why) => self.approximated(place, what, why),
        }
    }

    /// The lines in the order in which they were found.
    pub fn lines(&self) -> &[Line] {
        &self.0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = [
            (Verdict::Carried, "carried over"),
            (Verdict::Approximated, "approximated"),
            (Verdict::Not, "not carried over"),
        ];
        for (verdict, title) in groups {
            let lines: Vec<&Line> = self.0.iter().filter(|line| line.verdict == verdict).collect();
            writeln!(f, "{title} ({})", lines.len())?;
            lines.into_iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)?;
        self.why.iter().try_for_each(|why| write!(f, " - {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_by_verdict_with_places_and_reasons() {
        let mut report = Report::default();
        report.not(Some("config.yaml:3".into()), "rpm", "limits come later");
        report.carried(None, "credential openai/default");
        let text = "carried over (1)\n  credential openai/default\napproximated (0)\nnot carried over (1)\n  \
                    config.yaml:3: rpm - limits come later\n";
        assert_eq!(report.to_string(), text);
    }
}
