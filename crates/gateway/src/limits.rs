//! How much the gateway carries at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Requests in flight: a full gateway refuses instead of growing.
#[derive(Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

/// One request's place; given back on drop.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl InFlight {
    /// A place, unless `limit` are taken.
    pub fn enter(&self, limit: usize) -> Option<Place> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let place = Place(self.0.clone());
        (before < limit).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_holder_is_gone() {
        let in_flight = InFlight::default();
        let held = in_flight.enter(1);
        assert!(held.is_some() && in_flight.enter(1).is_none());
        drop(held);
        assert!(in_flight.enter(1).is_some());
    }
}
