//! The runtimes that carry connections: one current-thread runtime a core, which never steals work.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::connection::{Limits, serve_connection};
use super::{Phase, connection};
use crate::app::App;
use crate::clock;

/// How often a draining server looks whether its connections are gone.
const DRAIN_POLL: Duration = Duration::from_millis(10);

type Accepted = (std::net::TcpStream, SocketAddr);

/// The running runtimes.
pub(super) struct Workers {
    workers: Vec<Worker>,
    stop: watch::Sender<bool>,
}

struct Worker {
    inbox: mpsc::UnboundedSender<Accepted>,
    open: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Counts one open connection for as long as it lives.
struct OpenConnection(Arc<AtomicUsize>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Workers {
    pub(super) fn start(
        count: usize,
        app: &Arc<App>,
        limits: Limits,
        phase: &watch::Receiver<Phase>,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let workers = (0..count.max(1))
            .map(|number| Worker::start(number, app.clone(), limits, phase.clone(), stopped.clone()))
            .collect::<std::io::Result<_>>()?;
        Ok(Self { workers, stop })
    }

    /// Gives a connection to the runtime with the fewest open ones.
    pub(super) fn hand_over(&self, stream: TcpStream, peer: SocketAddr) {
        // Leaves this runtime's poller; the worker registers it with its own.
        let Ok(stream) = stream.into_std() else { return };
        if let Some(worker) = self.workers.iter().min_by_key(|worker| worker.open.load(Ordering::Relaxed)) {
            worker.open.fetch_add(1, Ordering::Relaxed);
            if worker.inbox.send((stream, peer)).is_err() {
                worker.open.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Open connections.
    pub(super) fn open(&self) -> usize {
        self.workers.iter().map(|worker| worker.open.load(Ordering::Relaxed)).sum()
    }

    /// Resolves when no connection is open.
    pub(super) async fn finished(&self) {
        while self.open() > 0 {
            clock::sleep(DRAIN_POLL).await;
        }
    }

    /// Drops what still runs and waits for the threads.
    pub(super) fn stop(mut self) {
        self.stop.send_replace(true);
        for thread in self.workers.iter_mut().filter_map(|worker| worker.thread.take()) {
            if thread.join().is_err() {
                tracing::error!("a worker thread panicked");
            }
        }
    }
}

impl Worker {
    fn start(
        number: usize,
        app: Arc<App>,
        limits: Limits,
        phase: watch::Receiver<Phase>,
        mut stopped: watch::Receiver<bool>,
    ) -> std::io::Result<Self> {
        let (inbox, arrivals) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let counter = open.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = carry(arrivals, app, limits, phase, counter) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => {}
                }
            });
            // Dropping the runtime drops every connection that still runs on it.
            runtime.shutdown_timeout(Duration::from_millis(100));
        })?;
        Ok(Self { inbox, open, thread: Some(thread) })
    }
}

async fn carry(
    mut arrivals: mpsc::UnboundedReceiver<Accepted>,
    app: Arc<App>,
    limits: Limits,
    phase: watch::Receiver<Phase>,
    open: Arc<AtomicUsize>,
) {
    while let Some((stream, peer)) = arrivals.recv().await {
        let counted = OpenConnection(open.clone());
        let Some(stream) = connection::adopt(stream) else { continue };
        let serving = serve_connection(stream, peer, app.clone(), limits, phase.clone());
        let phase = phase.clone();
        tokio::spawn(async move {
            let Some(upgraded) = serving.await else { return drop(counted) };
            // In a task of its own: what HTTP took of memory is given back.
            tokio::spawn(async move {
                upgraded.run(phase).await;
                drop(counted);
            });
        });
    }
}
