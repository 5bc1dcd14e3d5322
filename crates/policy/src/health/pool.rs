//! Keys of providers that are not to be used for a while. A key that is not here is well.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

/// A longer wait than this is not sat out: after it one request finds out whether the quota is back. Hints of hours and
/// days are often wrong, and a probe costs one refused request.
const TRUSTED_HINT: Duration = Duration::from_secs(600);
/// The wait after a first 429 that names none; doubled with each further one. Shorter than the pause before another try.
const FIRST_COOLING: Duration = Duration::from_millis(100);
/// The longest wait that no provider has asked for.
const LONGEST_COOLING: Duration = Duration::from_secs(60);
/// After this time a refused key is tried before the others' turn again: an account may have been paid meanwhile.
const REFUSED_FOR: Duration = Duration::from_secs(600);

/// A credential: its number in the vault, or [`KeyId::CONFIGURED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub i64);

impl KeyId {
    /// The key that environment or file have for a provider; the vault's numbers begin at 1.
    pub const CONFIGURED: Self = Self(0);
}

/// Why a key is not used like the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It answered 429 so often in a row.
    Cooling {
        #[allow(missing_docs)]
        until: Duration,
        #[allow(missing_docs)]
        strikes: u32,
    },
    /// The provider refused it (401, 402, 403): used only when nothing else is left.
    Refused {
        #[allow(missing_docs)]
        until: Duration,
    },
}

impl Hold {
    fn until(&self) -> Duration {
        match self {
            Hold::Cooling { until, .. } | Hold::Refused { until } => *until,
        }
    }
}

/// A key of a provider, for one of its models or (`None`) for all.
type Place = (Arc<str>, KeyId, Option<Arc<str>>);

/// All holds.
#[derive(Debug, Default)]
pub(super) struct Pool {
    holds: HashMap<Place, Hold, RandomState>,
}

impl Pool {
    /// What keeps a key from a model now.
    pub(super) fn hold(
        &self,
        provider: &Arc<str>,
        key: KeyId,
        model: &Arc<str>,
        now: Duration,
    ) -> Option<Hold> {
        if self.holds.is_empty() {
            return None;
        }
        let of = |model: Option<&Arc<str>>| self.holds.get(&(provider.clone(), key, model.cloned()));
        let here = [of(None), of(Some(model))].into_iter().flatten().filter(|hold| hold.until() > now);
        here.max_by_key(|hold| hold.until()).copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// The provider answered 429, and may have said for how long.
    pub(super) fn cool(&mut self, place: Place, hint: Option<Duration>, now: Duration) {
        let strikes = match self.holds.get(&place) {
            Some(Hold::Cooling { strikes, .. }) => strikes.saturating_add(1),
            _ => 1,
        };
        let usual = FIRST_COOLING.saturating_mul(2_u32.saturating_pow(strikes - 1)).min(LONGEST_COOLING);
        let until = now + hint.unwrap_or(usual).min(TRUSTED_HINT);
        self.put(place, Hold::Cooling { until, strikes }, now);
    }

    /// The provider refused it.
    pub(super) fn refuse(&mut self, place: Place, now: Duration) {
        self.put(place, Hold::Refused { until: now + REFUSED_FOR }, now);
    }

    fn put(&mut self, place: Place, hold: Hold, now: Duration) {
        if self.holds.len() >= super::MOST_PLACES {
            self.holds.retain(|_, hold| hold.until() > now);
        }
        if self.holds.len() < super::MOST_PLACES || self.holds.contains_key(&place) {
            self.holds.insert(place, hold);
        }
    }

    /// It was used, and answered.
    pub(super) fn release(&mut self, provider: &Arc<str>, key: KeyId, model: &Arc<str>) {
        if !self.holds.is_empty() {
            self.holds.remove(&(provider.clone(), key, None));
            self.holds.remove(&(provider.clone(), key, Some(model.clone())));
        }
    }

    /// Credentials changed: all of them get a new chance.
    pub(super) fn forget(&mut self) {
        self.holds.clear();
    }
}
