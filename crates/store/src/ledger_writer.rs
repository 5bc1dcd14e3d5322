//! Brings ledger rows to the store in batches, off the path of requests.
//!
//! A request takes a `Slot` when it is admitted and writes its row into it when it ends, which never waits and cannot
//! fail. A slow store lets the slots run out, which holds back new requests. A failing store does not: rows then wait
//! in a bounded queue until it recovers, and what does not fit is dropped and counted.

mod intake;
mod job;
mod stats;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, OwnedPermit, Sender};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Ledger;
use crate::types::Entry;
use intake::Intake;
use job::Job;
use stats::Counters;
pub use stats::LedgerStats;

/// The longest that a finished row may wait for its batch. Source: DECISIONS.md 20.
const LONGEST_DELAY: Duration = Duration::from_millis(50);

/// How much the writer holds, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct LedgerSettings {
    /// Slots: requests in flight and rows not yet taken, together.
    pub capacity: usize,
    /// How long a row waits for others to join its batch; 50 ms at most.
    pub delay: Duration,
    /// Rows of one transaction.
    pub batch: usize,
    /// Rows that wait while the store fails.
    pub backlog: usize,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self { capacity: 16_384, delay: Duration::from_millis(25), batch: 1_000, backlog: 100_000 }
    }
}

/// The job that writes, and the right to end it.
pub struct LedgerWriter {
    handle: LedgerHandle,
    stop: oneshot::Sender<()>,
    job: JoinHandle<()>,
}

impl LedgerWriter {
    /// Starts the job on `runtime`, which needs a timer. `on_batch` sees every row once, in the order they came, before
    /// the store does: the place to write the request log. It runs on `runtime` and must not wait for long.
    pub fn spawn(
        ledger: Arc<dyn Ledger>,
        runtime: &Handle,
        settings: LedgerSettings,
        on_batch: impl FnMut(&[Entry]) + Send + 'static,
    ) -> Self {
        let settings = LedgerSettings {
            delay: settings.delay.min(LONGEST_DELAY),
            batch: settings.batch.max(1),
            ..settings
        };
        let (sender, rows) = mpsc::channel(settings.capacity.max(1));
        let (stop, stopped) = oneshot::channel();
        let counters = Arc::new(Counters::default());
        let intake = Intake::new(rows, settings.backlog, Arc::clone(&counters), Box::new(on_batch));
        let job = Job::new(ledger, settings, Arc::clone(&counters), intake, stopped);
        let job = runtime.spawn(job.run());
        Self { handle: LedgerHandle { sender, counters }, stop, job }
    }

    /// For those who write rows.
    pub fn handle(&self) -> LedgerHandle {
        self.handle.clone()
    }

    /// Gives out no more slots, waits for those given out, and writes everything. A store that fails now is tried
    /// a few times; what it did not take is counted as dropped.
    pub async fn close(self) -> LedgerStats {
        let _ = self.stop.send(());
        if let Err(error) = self.job.await {
            tracing::error!(%error, "the ledger writer ended badly");
        }
        self.handle.stats()
    }
}

/// Gives out slots; cheap to clone.
#[derive(Clone)]
pub struct LedgerHandle {
    sender: Sender<Entry>,
    counters: Arc<Counters>,
}

/// The ledger writer has been closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the ledger is closed")]
pub struct LedgerClosed;

impl LedgerHandle {
    /// A place for one row; waits while a slow store has let them run out.
    pub async fn slot(&self) -> Result<Slot, LedgerClosed> {
        let permit = self.sender.clone().reserve_owned().await.map_err(|_| LedgerClosed)?;
        Ok(Slot { permit, counters: Arc::clone(&self.counters) })
    }

    /// What became of the rows so far.
    pub fn stats(&self) -> LedgerStats {
        self.counters.read()
    }
}

/// The right to write one row. Dropped unused, it makes room for another.
pub struct Slot {
    permit: OwnedPermit<Entry>,
    counters: Arc<Counters>,
}

impl Slot {
    /// Hands the row over. Never waits, never fails.
    pub fn write(self, entry: Entry) {
        self.counters.accept();
        self.permit.send(entry);
    }
}
