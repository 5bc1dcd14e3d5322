//! What has been seen of providers lately: breakers, a pool of keys for each, pace.
//!
//! Pure: told what happened and when, asked what may be used. A failure counts where it belongs, so that a bad model does
//! not lock its account and a bad key not its provider:
//!
//! | failure | counts against |
//! |---|---|
//! | cannot be reached | the provider |
//! | 5xx, silence, broken answer | the model |
//! | 401, 402 | the key |
//! | 403, 429 | the key for this model |
//!
//! Everything else is the client's doing or says that the target is alive.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use wire::fault::{Blame, Class, Fault, Phase};

use crate::breaker::{Breaker, BreakerSettings};
use crate::provider::Reason;

mod pace;
mod pool;
mod sessions;

pub use pace::Pace;
pub use pool::{Hold, KeyId};
pub use sessions::Pin;

/// Entries of one kind, at most: clients may name any model.
const MOST_PLACES: usize = 8192;

/// A provider, or (`Some`) one of its models.
type Place = (Arc<str>, Option<Arc<str>>);

/// What has been seen lately. All times are since one fixed moment.
#[derive(Debug, Default)]
pub struct Health {
    settings: BreakerSettings,
    breakers: HashMap<Place, Breaker, RandomState>,
    pool: pool::Pool,
    paces: pace::Paces,
    sessions: sessions::Sessions,
}

/// Whether a target is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Like any other.
    Well,
    /// After all others: its keys were refused.
    LastResort,
    /// Not before the reason's time is over.
    Resting(Reason),
}

impl Health {
    /// With other than the usual settings of breakers.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    #[allow(missing_docs)]
    pub fn settings(&self) -> &BreakerSettings {
        &self.settings
    }

    /// New settings hold from now on; what is open stays so for as long as it was said.
    pub fn set(&mut self, settings: BreakerSettings) {
        self.settings = settings;
        if !settings.enabled {
            self.breakers.clear();
        }
    }

    /// Whether a model of a provider may be asked with one of these keys; without keys, when it takes none.
    pub fn verdict(&self, provider: &Arc<str>, model: &Arc<str>, keys: &[KeyId], now: Duration) -> Verdict {
        if let Some(wait) = self.open_for(provider, model, now) {
            return Verdict::Resting(Reason::BreakerOpen(wait));
        }
        let holds = keys.iter().map(|key| self.pool.hold(provider, *key, model, now));
        let mut soonest = None::<Duration>;
        let mut refused = false;
        for hold in holds {
            match hold {
                None => return Verdict::Well,
                Some(Hold::Refused { .. }) => refused = true,
                Some(Hold::Cooling { until, .. }) => {
                    soonest = Some(soonest.map_or(until, |other| other.min(until)))
                }
            }
        }
        match (refused, soonest) {
            (true, _) => Verdict::LastResort,
            (false, Some(until)) => Verdict::Resting(Reason::CoolingDown(until.saturating_sub(now))),
            (false, None) => Verdict::Well,
        }
    }

    fn open_for(&self, provider: &Arc<str>, model: &Arc<str>, now: Duration) -> Option<Duration> {
        if self.breakers.is_empty() {
            return None;
        }
        let wait = |model: Option<&Arc<str>>| {
            self.breakers.get(&(provider.clone(), model.cloned())).and_then(|breaker| breaker.wait(now))
        };
        wait(None).max(wait(Some(model)))
    }

    /// Whether any key is held at all; else none has to be looked at.
    pub fn holds_keys(&self) -> bool {
        !self.pool.is_empty()
    }

    /// What keeps a key from a model now.
    pub fn hold(&self, provider: &Arc<str>, key: KeyId, model: &Arc<str>, now: Duration) -> Option<Hold> {
        self.pool.hold(provider, key, model, now)
    }

    /// A request goes out. To be followed by [`Health::end`], and by what became of it in between.
    pub fn begin(&mut self, provider: &Arc<str>, model: &Arc<str>, now: Duration) {
        for place in [(provider.clone(), None), (provider.clone(), Some(model.clone()))] {
            if let Some(breaker) = self.breakers.get_mut(&place) {
                breaker.begin(now, &self.settings);
            }
        }
        self.paces.begin(provider, model);
    }

    /// Its first content is there, after so long; or, not streamed, the whole answer.
    pub fn answering(
        &mut self,
        provider: &Arc<str>,
        model: &Arc<str>,
        key: Option<KeyId>,
        sample: (Duration, bool),
        now: Duration,
    ) {
        if let Some(key) = key {
            self.pool.release(provider, key, model);
        }
        self.paces.measure(provider, model, sample, now);
    }

    /// Its answer is complete.
    pub fn succeeded(&mut self, provider: &Arc<str>, model: &Arc<str>, now: Duration) {
        for place in [(provider.clone(), None), (provider.clone(), Some(model.clone()))] {
            let Some(breaker) = self.breakers.get_mut(&place) else { continue };
            breaker.succeeded(now, &self.settings);
            if *breaker == Breaker::default() {
                self.breakers.remove(&place);
            }
        }
    }

    /// It failed.
    pub fn failed(
        &mut self,
        provider: &Arc<str>,
        model: &Arc<str>,
        key: Option<KeyId>,
        fault: &Fault,
        now: Duration,
    ) {
        let class = match fault {
            Fault::Upstream(stated) => Some(stated.class),
            _ => None,
        };
        let for_model = Some(model.clone());
        match (class, key) {
            (Some(Class::Auth | Class::Billing), Some(key)) => {
                self.pool.refuse((provider.clone(), key, None), now)
            }
            (Some(Class::Permission), Some(key)) => self.pool.refuse((provider.clone(), key, for_model), now),
            (Some(Class::RateLimit), Some(key)) => {
                self.pool.cool((provider.clone(), key, for_model), fault.retry_after(), now)
            }
            _ if fault.blame() == Blame::Upstream => {
                let whole = is_unreachable(fault);
                self.count((provider.clone(), for_model.filter(|_| !whole)), now);
            }
            // It answered, and had nothing to say against us but the request.
            _ if class.is_some() => self.succeeded(provider, model, now),
            _ => {}
        }
    }

    fn count(&mut self, place: Place, now: Duration) {
        if self.breakers.len() >= MOST_PLACES {
            self.breakers.retain(|_, breaker| breaker.wait(now).is_some());
        }
        if self.breakers.len() < MOST_PLACES || self.breakers.contains_key(&place) {
            self.breakers.entry(place).or_default().failed(now, &self.settings);
        }
    }

    /// It is over, however it ended.
    pub fn end(&mut self, provider: &Arc<str>, model: &Arc<str>) {
        self.paces.end(provider, model);
    }

    /// Credentials changed: all of them get a new chance.
    pub fn credentials_changed(&mut self) {
        self.pool.forget();
    }

    /// How busy and how quick a model is.
    pub fn pace(&self, provider: &Arc<str>, model: &Arc<str>) -> Pace {
        self.paces.of(provider, model)
    }

    /// Everything that is busy or has been measured, in no order.
    pub fn paces(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, &Pace)> {
        self.paces.all()
    }

    /// A conversation on a sticky route was answered: for so long it goes back there.
    pub fn pin(&mut self, route: &Arc<str>, session: u64, pin: Pin, until: Duration) {
        self.sessions.pin(route, session, pin, until);
    }

    /// Who answered a conversation last on a sticky route.
    pub fn pinned(&self, route: &Arc<str>, session: u64, now: Duration) -> Option<&Pin> {
        self.sessions.of(route, session, now)
    }

    /// Breakers that have seen failures: provider, model (`None`: all of them), state. In no order.
    pub fn breakers(&self) -> impl Iterator<Item = (&Arc<str>, Option<&Arc<str>>, &Breaker)> {
        self.breakers.iter().map(|((provider, model), breaker)| (provider, model.as_ref(), breaker))
    }

    /// Closes the breakers of a provider (`None`: of all) and frees its keys, as if nothing had been seen.
    pub fn reset(&mut self, provider: Option<&str>) {
        self.breakers.retain(|(of, _), _| provider.is_some_and(|provider| **of != *provider));
        self.pool.forget();
    }
}

/// No model was asked: whatever is wrong, it is wrong for all of them.
fn is_unreachable(fault: &Fault) -> bool {
    matches!(fault, Fault::Unreachable { .. } | Fault::Timeout { phase: Phase::Connect, .. })
}
