//! How busy and how quick the models of providers are, from live traffic.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

/// How much a new sample counts, in percent.
const WEIGHT: u32 = 20;

/// One model of one provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Requests that it works at now.
    pub in_flight: u32,
    /// Moving average of the time to the first content of a streamed answer.
    pub first_token: Option<Duration>,
    /// Moving average of the time of a whole answer.
    pub whole: Option<Duration>,
    /// When it was last measured.
    pub measured: Option<Duration>,
}

impl Pace {
    /// What to compare it by: streamed answers are the better measure.
    pub fn latency(&self) -> Option<Duration> {
        self.first_token.or(self.whole)
    }

    fn is_blank(&self) -> bool {
        self.in_flight == 0 && self.latency().is_none()
    }
}

/// All that are busy or have been measured.
#[derive(Debug, Default)]
pub(super) struct Paces {
    by_model: HashMap<(Arc<str>, Arc<str>), Pace, RandomState>,
}

impl Paces {
    pub(super) fn of(&self, provider: &Arc<str>, model: &Arc<str>) -> Pace {
        self.by_model.get(&(provider.clone(), model.clone())).copied().unwrap_or_default()
    }

    /// In no order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, &Pace)> {
        self.by_model.iter().map(|((provider, model), pace)| (provider, model, pace))
    }

    pub(super) fn begin(&mut self, provider: &Arc<str>, model: &Arc<str>) {
        let place = (provider.clone(), model.clone());
        if self.by_model.len() < super::MOST_PLACES || self.by_model.contains_key(&place) {
            self.by_model.entry(place).or_default().in_flight += 1;
        }
    }

    pub(super) fn end(&mut self, provider: &Arc<str>, model: &Arc<str>) {
        let place = (provider.clone(), model.clone());
        let Some(pace) = self.by_model.get_mut(&place) else { return };
        pace.in_flight = pace.in_flight.saturating_sub(1);
        if pace.is_blank() {
            self.by_model.remove(&place);
        }
    }

    pub(super) fn measure(
        &mut self,
        provider: &Arc<str>,
        model: &Arc<str>,
        (took, streamed): (Duration, bool),
        now: Duration,
    ) {
        let Some(pace) = self.by_model.get_mut(&(provider.clone(), model.clone())) else { return };
        let average = if streamed { &mut pace.first_token } else { &mut pace.whole };
        *average = Some(average.map_or(took, |old| (old * (100 - WEIGHT) + took * WEIGHT) / 100));
        pace.measured = Some(now);
    }
}
