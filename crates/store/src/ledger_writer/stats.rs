//! Counts what became of ledger rows; read by metrics and health pages.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What became of the rows that were handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerStats {
    /// In the store.
    pub written: u64,
    /// On the way.
    pub pending: u64,
    /// Lost, because the store failed for longer than the queue could hold.
    pub dropped: u64,
    /// Whether the store failed when it was last asked.
    pub failing: bool,
}

#[derive(Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
    failing: AtomicBool,
}

impl Counters {
    pub(super) fn accept(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(super) fn wrote(&self, rows: usize) {
        self.written.fetch_add(rows as u64, Relaxed);
    }

    pub(super) fn dropped(&self, rows: usize) {
        self.dropped.fetch_add(rows as u64, Relaxed);
    }

    /// Notes the state of the store; `true` if it changed.
    pub(super) fn set_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, Relaxed) != failing
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    pub(super) fn read(&self) -> LedgerStats {
        let (written, dropped) = (self.written.load(Relaxed), self.dropped.load(Relaxed));
        let pending = self.accepted.load(Relaxed).saturating_sub(written + dropped);
        LedgerStats { written, pending, dropped, failing: self.is_failing() }
    }
}
