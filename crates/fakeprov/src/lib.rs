//! A scripted LLM provider for tests. It speaks OpenAI Chat, Responses and legacy Completions, Anthropic Messages, Gemini
//! and Ollama's own wire, whole and streamed, with embeddings and token counting beside them (`endpoint` lists all),
//! and takes its orders from the model name: `text+cut=1`, `tools-parallel`, `truncate+eof`, `replay:<fixture id>`.
//! `script` lists every word.
//!
//! It shares no code with the gateway, because it judges it: a request a real provider would refuse is refused
//! here, and what arrived can be read back. It speaks HTTP/1.1 on raw sockets, so that it can misbehave to the byte.

mod absent;
mod answer;
mod anthropic;
mod ask;
mod coding;
mod completions;
mod endpoint;
mod faults;
mod gemini;
mod http;
mod journal;
mod models;
mod ollama;
mod openai;
mod replay;
mod reply;
mod responses;
mod schema;
mod script;
mod seal;
mod server;
mod sse;
mod stream;
mod tokens;
mod vector;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use absent::Absent;
pub use answer::TEXT;
pub use journal::{Closed, Received};

use journal::Journal;

/// How a scripted provider is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Directory of recorded exchanges (`<id>.json`), served to models named `replay:<id>`.
    pub fixtures: Option<PathBuf>,
    /// The only API key that is accepted; without one every key is, and none too.
    pub key: Option<String>,
}

/// A running scripted provider, on a thread and runtime of its own so that a test may block or pause its clock.
/// Dropping it closes the port and every connection.
#[derive(Debug)]
pub struct FakeProv {
    address: SocketAddr,
    journal: Arc<Journal>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeProv {
    /// Starts one on a free loopback port, with no fixtures and no key.
    pub async fn start() -> Self {
        Self::with(Options::default()).expect("a free loopback port can be had")
    }

    /// Starts one that also serves the recorded exchanges of a directory.
    pub async fn with_fixtures(fixtures: impl Into<PathBuf>) -> Self {
        let options = Options { fixtures: Some(fixtures.into()), ..Options::default() };
        Self::with(options).expect("a free loopback port can be had")
    }

    /// Starts one that answers 401 to any key but this.
    pub async fn with_key(key: impl Into<String>) -> Self {
        let options = Options { key: Some(key.into()), ..Options::default() };
        Self::with(options).expect("a free loopback port can be had")
    }

    /// Starts one with every choice given. Fails when the port cannot be bound.
    pub fn with(options: Options) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let journal = Arc::new(Journal::default());
        let state = server::State::new(options, address, Arc::clone(&journal));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("fakeprov".into())
            .spawn(move || server::run(listener, state, stopped))?;
        Ok(Self { address, journal, stop: Some(stop), thread: Some(thread) })
    }

    /// The base URL an OpenAI client wants: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> String {
        format!("{}/v1", self.origin())
    }

    /// The base URL an Anthropic client wants, without a path: `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request read in full so far, oldest first, but for [`lists`](Self::lists).
    pub fn received(&self) -> Vec<Received> {
        self.journal.received()
    }

    /// Every request for the list of models so far, oldest first; those are not among [`received`](Self::received).
    pub fn lists(&self) -> Vec<Received> {
        self.journal.lists()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.journal.connections()
    }

    /// Bytes of answers handed to the kernel so far, heads and framing included.
    pub fn bytes_sent(&self) -> u64 {
        self.journal.bytes_sent()
    }

    /// Every close by the peer so far, oldest first, of idle connections too.
    pub fn closed(&self) -> Vec<Closed> {
        self.journal.closed()
    }

    /// Waits until `count` requests were received; `false` when `within` passes first.
    pub async fn wait_received(&self, count: usize, within: Duration) -> bool {
        self.journal.wait(within, |log| (log.received.len() >= count).then_some(())).await.is_some()
    }

    /// Waits until the peer closed a connection on which an answer was still owed; the first such close,
    /// or `None` when `within` passes first.
    pub async fn wait_closed(&self, within: Duration) -> Option<Closed> {
        self.journal.wait(within, |log| log.closed.iter().find(|closed| closed.answering).cloned()).await
    }
}

impl Drop for FakeProv {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread ends at once when `stop` is gone; if it panicked, the test has seen worse already.
            let _ = thread.join();
        }
    }
}
