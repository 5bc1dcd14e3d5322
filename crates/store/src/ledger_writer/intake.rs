//! Rows on this side of the store: those in their slots, and those that wait while the store fails.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use tracing::error;

use super::stats::Counters;
use crate::types::Entry;

/// Sees every row once, before the store does.
pub(super) type OnBatch = Box<dyn FnMut(&[Entry]) + Send>;

pub(super) struct Intake {
    slots: Receiver<Entry>,
    /// Taken out of their slots because the store fails; empty otherwise.
    waiting: VecDeque<Entry>,
    /// How many may wait.
    backlog: usize,
    /// Whether rows are being dropped, so that it is said once.
    overflowing: bool,
    counters: Arc<Counters>,
    on_batch: OnBatch,
}

impl Intake {
    pub(super) fn new(
        slots: Receiver<Entry>,
        backlog: usize,
        counters: Arc<Counters>,
        on_batch: OnBatch,
    ) -> Self {
        Self { slots, waiting: VecDeque::new(), backlog, overflowing: false, counters, on_batch }
    }

    /// Gives out no more slots; those given out may still be written.
    pub(super) fn close(&mut self) {
        self.slots.close();
    }

    /// Waits for a row; `None` when closed and every slot is written or dropped.
    pub(super) async fn next(&mut self) -> Option<Entry> {
        self.slots.recv().await
    }

    /// Moves rows from their slots into `batch`, up to `full`.
    pub(super) fn take(&mut self, batch: &mut Vec<Entry>, full: usize) {
        while batch.len() < full
            && let Ok(row) = self.slots.try_recv()
        {
            batch.push(row);
        }
    }

    pub(super) fn show(&mut self, batch: &[Entry]) {
        (self.on_batch)(batch);
    }

    /// Empties the slots, so that requests go on; what finds no room is dropped.
    pub(super) fn absorb(&mut self) {
        let mut fresh = Vec::new();
        self.take(&mut fresh, self.slots.len());
        if fresh.is_empty() {
            return;
        }
        self.show(&fresh);
        let room = self.backlog.saturating_sub(self.waiting.len());
        self.drop_beyond(room, &mut fresh);
        self.waiting.extend(fresh);
    }

    /// Moves rows that waited into `batch`, up to `full`.
    pub(super) fn refill(&mut self, batch: &mut Vec<Entry>, full: usize) {
        let rows = self.waiting.len().min(full);
        batch.extend(self.waiting.drain(..rows));
        self.overflowing = false;
    }

    /// Forgets the rows that wait; gives their number.
    pub(super) fn discard(&mut self) -> usize {
        let rows = self.waiting.len();
        self.waiting.clear();
        rows
    }

    fn drop_beyond(&mut self, room: usize, fresh: &mut Vec<Entry>) {
        let lost = fresh.len().saturating_sub(room);
        if lost == 0 {
            return;
        }
        fresh.truncate(room);
        self.counters.dropped(lost);
        if !self.overflowing {
            self.overflowing = true;
            error!(
                backlog = self.backlog,
                "{} ledger rows wait for the store; more are being dropped", self.backlog
            );
        }
    }
}
