//! What happened, for tests to read: requests received, connections accepted and closed by the peer, bytes sent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

/// One request, as it came over the wire.
#[derive(Clone, Debug)]
pub struct Received {
    /// Which accepted connection it came on, from 0.
    pub connection: usize,
    /// The method, as sent.
    pub method: String,
    /// The request target: path and query, as sent.
    pub path: String,
    /// Header names as sent, in order, and their values.
    pub headers: Vec<(String, String)>,
    /// The body, chunked framing removed.
    pub body: Bytes,
    /// When the last byte of the body was read.
    pub at: Instant,
}

impl Received {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// How `GET /_received` shows it.
    pub(crate) fn render(&self) -> Value {
        let body = match self.json() {
            Value::Null => Value::String(String::from_utf8_lossy(&self.body).into_owned()),
            body => body,
        };
        json!({
            "connection": self.connection, "method": self.method, "path": self.path,
            "headers": self.headers, "body": body,
        })
    }
}

/// A connection the peer closed.
#[derive(Clone, Debug)]
pub struct Closed {
    /// Which accepted connection, from 0.
    pub connection: usize,
    /// When we saw it.
    pub at: Instant,
    /// An answer was still owed: nothing of it, or not all of it, had been sent.
    pub answering: bool,
    /// It ended in a reset rather than an orderly close.
    pub reset: bool,
    /// Time since the connection's last request was read, if it had one.
    pub since_request: Option<Duration>,
    /// Time since the first byte of the answer to it was sent, if one was.
    pub since_first_byte: Option<Duration>,
}

/// The log of one provider, shared by its connections and the test.
#[derive(Debug)]
pub(crate) struct Journal {
    log: Mutex<Log>,
    sent: AtomicU64,
    /// Counts the entries, to wake those who wait.
    changes: watch::Sender<u64>,
}

/// The entries themselves.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) connections: usize,
    pub(crate) received: Vec<Received>,
    /// Requests for the list of models: gateways read it whenever they like.
    pub(crate) lists: Vec<Received>,
    pub(crate) closed: Vec<Closed>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { log: Mutex::default(), sent: AtomicU64::new(0), changes: watch::Sender::new(0) }
    }
}

impl Journal {
    pub(crate) fn received(&self) -> Vec<Received> {
        self.log().received.clone()
    }

    pub(crate) fn lists(&self) -> Vec<Received> {
        self.log().lists.clone()
    }

    pub(crate) fn closed(&self) -> Vec<Closed> {
        self.log().closed.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.log().connections
    }

    pub(crate) fn bytes_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Notes a new connection and gives its number.
    pub(crate) fn accept(&self) -> usize {
        let number = {
            let mut log = self.log();
            log.connections += 1;
            log.connections - 1
        };
        self.changed();
        number
    }

    /// Notes a request for the list of models, which has no number.
    pub(crate) fn receive_list(&self, request: Received) {
        self.log().lists.push(request);
        self.changed();
    }

    /// Notes a request and gives its number.
    pub(crate) fn receive(&self, request: Received) -> usize {
        let number = {
            let mut log = self.log();
            log.received.push(request);
            log.received.len() - 1
        };
        self.changed();
        number
    }

    pub(crate) fn close(&self, closed: Closed) {
        self.log().closed.push(closed);
        self.changed();
    }

    pub(crate) fn count_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Waits until `look` finds something in the log, at most `within`.
    pub(crate) async fn wait<T>(&self, within: Duration, look: impl Fn(&Log) -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let search = async {
            loop {
                if let Some(found) = look(&self.log()) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(within, search).await.ok().flatten()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("nobody panics while holding the log")
    }
}
