//! Who answered a conversation last, so that it goes back to where its prompt is in the cache.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::KeyId;

/// Conversations that are remembered, at most; those that were not heard of for the longest time go first.
const MOST: usize = 16_384;

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    #[allow(missing_docs)]
    pub provider: Arc<str>,
    #[allow(missing_docs)]
    pub model: Arc<str>,
    /// Caches belong to accounts.
    pub key: Option<KeyId>,
}

/// A route, and a conversation on it.
type Place = (Arc<str>, u64);
type Pins = HashMap<Place, (Pin, Duration), RandomState>;

/// All conversations, in two halves: when the younger is full, the older goes.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    young: Pins,
    old: Pins,
}

impl Sessions {
    pub(super) fn of(&self, route: &Arc<str>, session: u64, now: Duration) -> Option<&Pin> {
        let place = (route.clone(), session);
        let (pin, until) = self.young.get(&place).or_else(|| self.old.get(&place))?;
        (*until > now).then_some(pin)
    }

    pub(super) fn pin(&mut self, route: &Arc<str>, session: u64, pin: Pin, until: Duration) {
        let place = (route.clone(), session);
        if self.young.len() >= MOST / 2 && !self.young.contains_key(&place) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(place, (pin, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(model: &str) -> Pin {
        Pin { provider: "p".into(), model: model.into(), key: None }
    }

    #[test]
    fn a_conversation_goes_back_until_its_time_is_over() {
        let mut sessions = Sessions::default();
        let (route, end) = (Arc::from("r"), Duration::from_secs(60));
        sessions.pin(&route, 1, pin("m"), end);
        assert_eq!(sessions.of(&route, 1, Duration::ZERO), Some(&pin("m")));
        assert_eq!(sessions.of(&route, 2, Duration::ZERO), None);
        assert_eq!(sessions.of(&Arc::from("other"), 1, Duration::ZERO), None);
        assert_eq!(sessions.of(&route, 1, end), None);
    }

    #[test]
    fn the_table_stays_small_and_keeps_those_that_are_heard_of() {
        let mut sessions = Sessions::default();
        let (route, end) = (Arc::from("r"), Duration::from_secs(60));
        for session in 0..100_000_u64 {
            sessions.pin(&route, session, pin("m"), end);
            if session % 1000 == 0 {
                sessions.pin(&route, u64::MAX, pin("kept"), end);
            }
        }
        assert!(sessions.young.len() + sessions.old.len() <= MOST);
        assert_eq!(sessions.of(&route, u64::MAX, Duration::ZERO), Some(&pin("kept")));
        assert_eq!(sessions.of(&route, 0, Duration::ZERO), None);
    }
}
