//! What a run measured, as JSON.

use std::time::Duration;

use serde_json::{Value, json};

/// Durations gathered during a run.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    nanoseconds: Vec<u64>,
}

impl Samples {
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        self.nanoseconds.push(nanoseconds);
    }

    pub(crate) fn add_time(&mut self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.nanoseconds.extend(other.nanoseconds);
    }

    pub(crate) fn len(&self) -> usize {
        self.nanoseconds.len()
    }

    /// Count, rate and percentiles in microseconds.
    pub(crate) fn report(mut self, took: Duration) -> Value {
        self.nanoseconds.sort_unstable();
        json!({
            "count": self.len(), "seconds": took.as_secs_f64(), "per_second": self.len() as f64 / took.as_secs_f64(),
            "p50_us": self.at(0.50), "p90_us": self.at(0.90), "p99_us": self.at(0.99), "max_us": self.at(1.0),
        })
    }

    fn at(&self, share: f64) -> Option<f64> {
        let last = self.len().checked_sub(1)?;
        let place = (last as f64 * share).round() as usize;
        Some(self.nanoseconds[place] as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_samples() {
        let mut samples = Samples::default();
        (1..=101).rev().for_each(|number| samples.add(number * 1000));
        let report = samples.report(Duration::from_secs(1));
        assert_eq!(
            (&report["p50_us"], &report["p99_us"], &report["max_us"]),
            (&json!(51.0), &json!(100.0), &json!(101.0))
        );
        assert_eq!(Samples::default().report(Duration::from_secs(1))["p50_us"], Value::Null);
    }
}
