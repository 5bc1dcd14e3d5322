//! How much the gateway carries at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Requests in flight, and how many there may be: a full gateway refuses instead of growing.
#[derive(Debug)]
pub struct InFlight {
    now: Arc<AtomicUsize>,
    limit: usize,
}

/// One request's place; given back on drop.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl InFlight {
    /// At most `limit` at a time.
    pub fn new(limit: usize) -> Self {
        Self { now: Arc::default(), limit }
    }

    /// A place, unless all are taken.
    pub fn enter(&self) -> Option<Place> {
        let before = self.now.fetch_add(1, Ordering::Relaxed);
        let place = Place(self.now.clone());
        (before < self.limit).then_some(place)
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
        let in_flight = InFlight::new(1);
        let held = in_flight.enter();
        assert!(held.is_some() && in_flight.enter().is_none());
        drop(held);
        assert!(in_flight.enter().is_some());
    }
}
