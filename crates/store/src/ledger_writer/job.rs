//! The loop of the ledger writer: wait for a row, let others join it, write them, try again while the store fails.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::LedgerSettings;
use super::intake::Intake;
use super::stats::Counters;
use crate::Ledger;
use crate::error::StoreError;
use crate::types::Entry;

/// How often the slots are looked at while a batch grows or the store fails. Rows do not wake the job one by one,
/// which would cost each request a wake-up.
const GLANCE: Duration = Duration::from_millis(5);

/// Pauses between tries on a failing store: doubled each time, from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Tries on a failing store once the writer is being closed.
const LAST_TRIES: u32 = 3;

pub(super) struct Job {
    ledger: Arc<dyn Ledger>,
    settings: LedgerSettings,
    counters: Arc<Counters>,
    intake: Intake,
    /// On the way to the store; leaves only when it is there, or given up.
    batch: Vec<Entry>,
    stop: Stop,
}

impl Job {
    pub(super) fn new(
        ledger: Arc<dyn Ledger>,
        settings: LedgerSettings,
        counters: Arc<Counters>,
        intake: Intake,
        stopped: oneshot::Receiver<()>,
    ) -> Self {
        Self { ledger, settings, counters, intake, batch: Vec::new(), stop: Stop { signal: Some(stopped) } }
    }

    pub(super) async fn run(mut self) {
        while let Some(first) = self.next().await {
            self.gather(first).await;
            self.write().await;
        }
    }

    /// The first row of a batch; `None` when closed and empty.
    async fn next(&mut self) -> Option<Entry> {
        tokio::select! {
            biased;
            () = self.stop.wait() => self.intake.close(),
            row = self.intake.next() => return row,
        }
        self.intake.next().await
    }

    /// Lets others join the first row, until it has waited long enough or the batch is full.
    async fn gather(&mut self, first: Entry) {
        self.batch.push(first);
        let end = Instant::now() + self.settings.delay;
        loop {
            self.intake.take(&mut self.batch, self.settings.batch);
            let left = end.saturating_duration_since(Instant::now());
            if self.batch.len() >= self.settings.batch || left.is_zero() || self.stop.is_due() {
                break;
            }
            sleep(left.min(GLANCE)).await;
        }
        self.intake.show(&self.batch);
    }

    /// Writes the batch, and what had to wait behind it.
    async fn write(&mut self) {
        let (mut failures, mut last_failures) = (0, 0);
        while !self.batch.is_empty() {
            let closing = self.stop.is_due();
            match self.append().await {
                Ok(()) => {
                    self.succeeded();
                    (failures, last_failures) = (0, 0);
                }
                Err(_) if closing && last_failures + 1 == LAST_TRIES => self.give_up(),
                Err(error) => {
                    self.failed(&error);
                    failures += 1;
                    last_failures += u32::from(closing);
                    self.pause(if closing { last_failures } else { failures }).await;
                }
            }
        }
    }

    /// One try. While the store fails, requests must not wait for it, so their rows are taken in meanwhile.
    async fn append(&mut self) -> Result<(), StoreError> {
        let append = self.ledger.append(&self.batch);
        tokio::pin!(append);
        loop {
            tokio::select! {
                biased;
                done = &mut append => return done,
                () = sleep(GLANCE), if self.counters.is_failing() => self.intake.absorb(),
            }
        }
    }

    fn succeeded(&mut self) {
        self.counters.wrote(self.batch.len());
        self.batch.clear();
        self.intake.refill(&mut self.batch, self.settings.batch);
        if self.counters.set_failing(false) {
            let stats = self.counters.read();
            info!(
                dropped = stats.dropped,
                "the ledger can be written again; {} rows were lost so far", stats.dropped
            );
        }
    }

    fn failed(&mut self, error: &StoreError) {
        if self.counters.set_failing(true) {
            warn!(%error, "the ledger cannot be written ({error}); its rows wait in memory");
        }
    }

    /// Waits after the `failures`th failure in a row; cut short when the writer is told to close.
    async fn pause(&mut self, failures: u32) {
        let length = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(10)).min(LAST_PAUSE);
        let end = Instant::now() + length;
        let closing = self.stop.is_due();
        while Instant::now() < end && self.stop.is_due() == closing {
            self.intake.absorb();
            sleep(GLANCE).await;
        }
    }

    fn give_up(&mut self) {
        let lost = self.batch.len() + self.intake.discard();
        self.batch.clear();
        self.counters.dropped(lost);
        error!(rows = lost, "the ledger could not be written before the end; {lost} rows are lost");
    }
}

/// Whether the writer is to close.
struct Stop {
    /// `None` once it has come.
    signal: Option<oneshot::Receiver<()>>,
}

impl Stop {
    /// Waits for the signal, which a dropped writer gives too; returns at once after it has come.
    async fn wait(&mut self) {
        if let Some(signal) = &mut self.signal {
            let _ = signal.await;
            self.signal = None;
        }
    }

    fn is_due(&mut self) -> bool {
        if let Some(signal) = &mut self.signal
            && !matches!(signal.try_recv(), Err(TryRecvError::Empty))
        {
            self.signal = None;
        }
        self.signal.is_none()
    }
}
