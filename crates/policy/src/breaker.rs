//! A breaker: after failures in a row nothing is sent for a while, then a little, to see whether it has healed.
//!
//! Pure: times are durations since any fixed moment, the same for all calls.

use std::time::Duration;

/// When breakers open and close. The defaults are those that mcp-llm-bridge documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Switched off, a breaker never opens.
    pub enabled: bool,
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open, where no `backoff` is set.
    pub open_for: Duration,
    /// Successes in a row that close it again.
    pub probes: u32,
    /// How long it stays open the first time; then `factor` times longer with each probe that fails.
    pub backoff: Option<Duration>,
    #[allow(missing_docs)]
    pub factor: u32,
    /// The longest that it stays open.
    pub longest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            failures: 5,
            open_for: Duration::from_secs(30),
            probes: 2,
            backoff: None,
            factor: 2,
            longest: Duration::from_secs(300),
        }
    }
}

/// The state of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Everything passes; so many failures in a row.
    Closed {
        #[allow(missing_docs)]
        failures: u32,
    },
    /// Nothing passes until then.
    Open {
        #[allow(missing_docs)]
        until: Duration,
        /// How often it has opened since it was last closed.
        openings: u32,
    },
    /// One request passes at a time.
    Probing {
        /// The one under way has until then; if nothing is heard of it, another may go.
        until: Duration,
        #[allow(missing_docs)]
        openings: u32,
        #[allow(missing_docs)]
        successes: u32,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Breaker::Closed { failures: 0 }
    }
}

impl Breaker {
    /// How long nothing may be sent; `None`: it may now.
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        match self {
            Breaker::Closed { .. } => None,
            Breaker::Open { until, .. } | Breaker::Probing { until, .. } => {
                until.checked_sub(now).filter(|left| !left.is_zero())
            }
        }
    }

    /// Something is sent: if the breaker was open, it is a probe.
    pub fn begin(&mut self, now: Duration, settings: &BreakerSettings) {
        let until = now + settings.open_for;
        match *self {
            Breaker::Closed { .. } => {}
            Breaker::Open { openings, .. } => *self = Breaker::Probing { until, openings, successes: 0 },
            Breaker::Probing { openings, successes, .. } => {
                *self = Breaker::Probing { until, openings, successes }
            }
        }
    }

    /// What was sent was answered. An answer to what was sent before it opened tells nothing new.
    pub fn succeeded(&mut self, now: Duration, settings: &BreakerSettings) {
        match *self {
            Breaker::Probing { openings, successes, .. } if successes + 1 < settings.probes => {
                *self = Breaker::Probing { until: now, openings, successes: successes + 1 }
            }
            Breaker::Closed { .. } | Breaker::Probing { .. } => *self = Breaker::default(),
            Breaker::Open { .. } => {}
        }
    }

    /// What was sent failed.
    pub fn failed(&mut self, now: Duration, settings: &BreakerSettings) {
        match *self {
            Breaker::Closed { failures } if failures + 1 < settings.failures || !settings.enabled => {
                *self = Breaker::Closed { failures: failures.saturating_add(1) }
            }
            Breaker::Closed { .. } => self.open(now, 1, settings),
            Breaker::Probing { openings, .. } => self.open(now, openings.saturating_add(1), settings),
            Breaker::Open { .. } => {}
        }
    }

    fn open(&mut self, now: Duration, openings: u32, settings: &BreakerSettings) {
        let growth = settings.factor.saturating_pow(openings.saturating_sub(1));
        let open_for = settings.backoff.map_or(settings.open_for, |base| base.saturating_mul(growth));
        *self = Breaker::Open { until: now + open_for.min(settings.longest), openings };
    }

    /// Failures in a row that it has seen, while it is closed.
    pub fn failures(&self) -> Option<u32> {
        match self {
            Breaker::Closed { failures } => Some(*failures),
            Breaker::Open { .. } | Breaker::Probing { .. } => None,
        }
    }

    /// For lists: `closed`, `open` or `half-open`, as mcp-llm-bridge calls them.
    pub fn name(&self) -> &'static str {
        match self {
            Breaker::Closed { .. } => "closed",
            Breaker::Open { .. } => "open",
            Breaker::Probing { .. } => "half-open",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BreakerSettings = BreakerSettings {
        enabled: true,
        failures: 3,
        open_for: at(30),
        probes: 2,
        backoff: Some(at(10)),
        factor: 2,
        longest: at(35),
    };

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        (0..3).for_each(|_| breaker.failed(at(100), &SETTINGS));
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.failed(at(0), &SETTINGS);
            breaker.failed(at(0), &SETTINGS);
            breaker.succeeded(at(0), &SETTINGS);
        }
        assert_eq!(breaker, Breaker::default());
        assert_eq!(opened().wait(at(100)), Some(at(10)));
    }

    #[test]
    fn after_its_time_one_request_passes_and_two_successes_close_it() {
        let mut breaker = opened();
        assert_eq!((breaker.wait(at(109)), breaker.wait(at(110))), (Some(at(1)), None));
        breaker.begin(at(110), &SETTINGS);
        assert!(breaker.wait(at(111)).is_some(), "the probe is alone");
        breaker.succeeded(at(112), &SETTINGS);
        assert_eq!((breaker.name(), breaker.wait(at(112))), ("half-open", None));
        breaker.begin(at(112), &SETTINGS);
        breaker.succeeded(at(113), &SETTINGS);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn a_probe_that_fails_opens_it_for_longer_up_to_the_longest() {
        let mut breaker = opened();
        let mut now = at(110);
        for expected in [20, 35, 35] {
            breaker.begin(now, &SETTINGS);
            breaker.failed(now, &SETTINGS);
            assert_eq!(breaker.wait(now), Some(at(expected)));
            now += at(expected);
        }
    }

    #[test]
    fn a_probe_of_which_nothing_is_heard_makes_room_for_another() {
        let mut breaker = opened();
        breaker.begin(at(110), &SETTINGS);
        assert_eq!((breaker.wait(at(139)), breaker.wait(at(140))), (Some(at(1)), None));
    }

    #[test]
    fn what_was_sent_before_it_opened_tells_nothing_new() {
        let mut breaker = opened();
        breaker.failed(at(105), &SETTINGS);
        breaker.succeeded(at(105), &SETTINGS);
        assert_eq!(breaker, opened());
    }

    #[test]
    fn switched_off_it_never_opens() {
        let off = BreakerSettings { enabled: false, ..SETTINGS };
        let mut breaker = Breaker::default();
        (0..100).for_each(|_| breaker.failed(at(0), &off));
        assert_eq!(breaker.wait(at(0)), None);
    }
}
