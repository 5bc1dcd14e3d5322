//! The writer against a store that the test makes slow, failing or well. Time stands still but for what is waited for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::*;
use crate::error::StoreError;
use crate::types::{Outcome, Totals};

/// Keeps batches in memory; does as it is told.
struct Scripted {
    batches: Mutex<Vec<Vec<Uuid>>>,
    failing: AtomicBool,
    tries: AtomicUsize,
    /// One permit lets one append through.
    gate: Semaphore,
}

impl Scripted {
    fn well() -> Arc<Self> {
        Self::gated(Semaphore::MAX_PERMITS)
    }

    fn gated(appends: usize) -> Arc<Self> {
        Arc::new(Self {
            batches: Mutex::default(),
            failing: AtomicBool::new(false),
            tries: AtomicUsize::new(0),
            gate: Semaphore::new(appends),
        })
    }

    fn failing() -> Arc<Self> {
        let ledger = Self::well();
        ledger.failing.store(true, SeqCst);
        ledger
    }

    fn sizes(&self) -> Vec<usize> {
        self.batches.lock().unwrap().iter().map(Vec::len).collect()
    }

    fn rows(&self) -> Vec<Uuid> {
        self.batches.lock().unwrap().concat()
    }
}

#[async_trait]
impl Ledger for Scripted {
    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.tries.fetch_add(1, SeqCst);
        self.gate.acquire().await.unwrap().forget();
        if self.failing.load(SeqCst) {
            return Err(StoreError::Full);
        }
        self.batches.lock().unwrap().push(entries.iter().map(|entry| entry.id).collect());
        Ok(())
    }

    async fn recent(&self, _: u32) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    async fn count(&self) -> Result<i64, StoreError> {
        Ok(self.rows().len() as i64)
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        Ok(Totals::default())
    }
}

fn entry(number: usize) -> Entry {
    let id = Uuid::from_u128(number as u128);
    let mut entry = Entry::admitted(id, Timestamp::UNIX_EPOCH, "openai_chat".into(), "chat".into());
    (entry.status, entry.outcome, entry.attempts, entry.total_us) = (200, Outcome::Completed, 1, 1);
    entry
}

fn ids(rows: std::ops::Range<usize>) -> Vec<Uuid> {
    rows.map(|number| entry(number).id).collect()
}

fn spawn(ledger: &Arc<Scripted>, settings: LedgerSettings) -> LedgerWriter {
    let ledger: Arc<dyn Ledger> = Arc::clone(ledger) as _;
    LedgerWriter::spawn(ledger, &Handle::current(), settings, |_| {})
}

async fn write(handle: &LedgerHandle, rows: std::ops::Range<usize>) {
    for number in rows {
        handle.slot().await.unwrap().write(entry(number));
    }
}

/// Lets the job do what it can do at this moment and in the next `length` of time.
async fn pass(length: Duration) {
    sleep(length).await;
}

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn rows_that_end_close_together_share_a_transaction() {
    let ledger = Scripted::well();
    let writer = spawn(&ledger, LedgerSettings::default());
    write(&writer.handle(), 0..10).await;
    pass(15 * MS).await;
    write(&writer.handle(), 10..30).await;
    pass(15 * MS).await;
    assert_eq!(ledger.sizes(), [30]);
    assert_eq!(ledger.rows(), ids(0..30));
}

#[tokio::test(start_paused = true)]
async fn no_row_waits_longer_than_fifty_milliseconds() {
    let ledger = Scripted::well();
    let writer = spawn(&ledger, LedgerSettings { delay: Duration::from_secs(9), ..Default::default() });
    write(&writer.handle(), 0..1).await;
    pass(49 * MS).await;
    assert!(ledger.sizes().is_empty());
    pass(2 * MS).await;
    assert_eq!(ledger.sizes(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait() {
    let ledger = Scripted::well();
    let writer = spawn(&ledger, LedgerSettings { batch: 100, ..Default::default() });
    write(&writer.handle(), 0..250).await;
    pass(6 * MS).await;
    assert_eq!(ledger.sizes(), [100, 100]);
    pass(50 * MS).await;
    assert_eq!(ledger.sizes(), [100, 100, 50]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_holds_back_new_requests_and_loses_nothing() {
    let ledger = Scripted::gated(0);
    let writer = spawn(&ledger, LedgerSettings { capacity: 10, batch: 5, ..Default::default() });
    let handle = writer.handle();
    write(&handle, 0..5).await;
    pass(50 * MS).await;
    write(&handle, 5..15).await;
    assert!(
        timeout(Duration::from_secs(60), handle.slot()).await.is_err(),
        "no slot while the store is slow"
    );
    assert_eq!(handle.stats(), LedgerStats { pending: 15, ..Default::default() });

    ledger.gate.add_permits(100);
    let slot = timeout(MS * 50, handle.slot()).await.unwrap().unwrap();
    slot.write(entry(15));
    drop(handle);
    assert_eq!(writer.close().await, LedgerStats { written: 16, ..Default::default() });
    assert_eq!(ledger.rows(), ids(0..16));
}

#[tokio::test(start_paused = true)]
async fn a_failing_store_holds_nobody_back_and_gets_its_rows_later() {
    let ledger = Scripted::failing();
    let writer = spawn(&ledger, LedgerSettings { capacity: 10, batch: 5, ..Default::default() });
    let handle = writer.handle();
    write(&handle, 0..1).await;
    pass(100 * MS).await;
    timeout(Duration::from_secs(10), write(&handle, 1..1_000))
        .await
        .expect("slots are free while the store fails");
    assert!(handle.stats().failing);
    assert_eq!(handle.stats().pending, 1_000);

    ledger.failing.store(false, SeqCst);
    pass(LONGEST_PAUSE).await;
    assert_eq!(handle.stats(), LedgerStats { written: 1_000, ..Default::default() });
    assert_eq!(ledger.rows(), ids(0..1_000));
}

/// A little more than the longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(5_100);

#[tokio::test(start_paused = true)]
async fn requests_go_on_while_a_failing_store_hangs_in_its_next_try() {
    let ledger = Scripted::failing();
    ledger.gate.forget_permits(usize::MAX);
    ledger.gate.add_permits(1);
    let writer = spawn(&ledger, LedgerSettings { capacity: 4, ..Default::default() });
    let handle = writer.handle();
    write(&handle, 0..1).await;
    pass(Duration::from_secs(1)).await;
    assert_eq!(ledger.tries.load(SeqCst), 2, "the second try hangs");
    timeout(Duration::from_secs(10), write(&handle, 1..50)).await.expect("slots are free meanwhile");
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_is_dropped_and_counted() {
    let ledger = Scripted::failing();
    let settings = LedgerSettings { capacity: 10, batch: 5, backlog: 20, ..Default::default() };
    let writer = spawn(&ledger, settings);
    let handle = writer.handle();
    write(&handle, 0..5).await;
    pass(10 * MS).await;
    write(&handle, 5..100).await;
    pass(10 * MS).await;
    assert_eq!(handle.stats(), LedgerStats { pending: 25, dropped: 75, failing: true, ..Default::default() });

    ledger.failing.store(false, SeqCst);
    pass(LONGEST_PAUSE).await;
    assert_eq!(handle.stats(), LedgerStats { written: 25, dropped: 75, ..Default::default() });
    assert_eq!(ledger.rows(), ids(0..25), "what was promised first is kept");
}

#[tokio::test(start_paused = true)]
async fn a_failing_store_is_asked_less_and_less() {
    let ledger = Scripted::failing();
    let writer = spawn(&ledger, LedgerSettings::default());
    write(&writer.handle(), 0..1).await;
    pass(Duration::from_secs(60)).await;
    let tries = ledger.tries.load(SeqCst);
    assert!((15..=20).contains(&tries), "{tries} tries in a minute");
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_slots_given_out_and_writes_everything() {
    let ledger = Scripted::well();
    let writer = spawn(&ledger, LedgerSettings::default());
    let handle = writer.handle();
    write(&handle, 0..7).await;
    let late = handle.slot().await.unwrap();
    let unused = handle.slot().await.unwrap();
    let closing = tokio::spawn(writer.close());
    pass(Duration::from_secs(5)).await;
    assert!(!closing.is_finished());
    assert_eq!(handle.slot().await.err(), Some(LedgerClosed));
    drop(unused);
    late.write(entry(7));
    assert_eq!(closing.await.unwrap(), LedgerStats { written: 8, ..Default::default() });
    assert_eq!(ledger.rows(), ids(0..8));
}

#[tokio::test(start_paused = true)]
async fn closing_gives_up_on_a_store_that_keeps_failing_and_says_what_was_lost() {
    let ledger = Scripted::failing();
    let writer = spawn(&ledger, LedgerSettings { batch: 5, ..Default::default() });
    write(&writer.handle(), 0..30).await;
    pass(Duration::from_secs(30)).await;
    let start = Instant::now();
    let stats = writer.close().await;
    assert_eq!((stats.written, stats.pending, stats.dropped), (0, 0, 30));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_recovered_between_two_tries_gets_its_rows_when_the_writer_closes() {
    let ledger = Scripted::failing();
    let writer = spawn(&ledger, LedgerSettings::default());
    write(&writer.handle(), 0..30).await;
    pass(Duration::from_secs(30)).await;
    ledger.failing.store(false, SeqCst);
    assert_eq!(writer.close().await, LedgerStats { written: 30, ..Default::default() });
}

#[tokio::test(start_paused = true)]
async fn every_row_is_shown_once_whatever_the_store_does() {
    let ledger = Scripted::failing();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&shown);
    let settings = LedgerSettings { capacity: 10, batch: 5, backlog: 10, ..Default::default() };
    let writer = LedgerWriter::spawn(Arc::clone(&ledger) as _, &Handle::current(), settings, move |rows| {
        sink.lock().unwrap().extend(rows.iter().map(|row| row.id));
    });
    write(&writer.handle(), 0..60).await;
    pass(Duration::from_secs(1)).await;
    ledger.failing.store(false, SeqCst);
    write(&writer.handle(), 60..90).await;
    writer.close().await;
    assert_eq!(*shown.lock().unwrap(), ids(0..90));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_writer_still_writes_what_it_was_given() {
    let ledger = Scripted::well();
    let writer = spawn(&ledger, LedgerSettings::default());
    let handle = writer.handle();
    write(&handle, 0..3).await;
    drop(writer);
    pass(100 * MS).await;
    assert_eq!(ledger.rows(), ids(0..3));
    assert_eq!(handle.slot().await.err(), Some(LedgerClosed));
}
