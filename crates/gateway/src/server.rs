//! Listening, and carrying connections: one acceptor, one current-thread runtime a core, a graceful end.
//!
//! The acceptor hands each connection to the runtime with the fewest open ones, so that a handful of busy
//! connections cannot end up on one core while others idle (as happens with `SO_REUSEPORT`), and so that a second
//! gateway on the same port is refused by the kernel.

mod accept;
mod connection;
mod framing;
mod patience;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use connection::Limits;
use worker::Workers;

use crate::app::App;
use crate::clock;

/// How far the end of the server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Takes requests.
    Serving,
    /// Takes no new connection, finishes what runs.
    Draining,
    /// Drops what still runs.
    Stopped,
}

/// A bound listener and what it will serve.
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
    limits: Limits,
    workers: usize,
    drain: Duration,
}

impl Server {
    /// Binds without serving yet.
    ///
    /// # Errors
    /// A sentence that names the address and says what to do.
    pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
        let bound = TcpListener::bind(address).await;
        bound.map_err(|error| format!("cannot listen on {address}: {}", describe(&error)))
    }

    /// `workers` runtimes will carry connections; `drain` bounds the end.
    pub fn new(listener: TcpListener, app: Arc<App>, workers: usize, drain: Duration) -> Self {
        Self { listener, app, limits: Limits::default(), workers, drain }
    }

    /// Where it listens; differs from what was asked for when the port was 0.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `phase` says otherwise, then drains: running requests finish, at most for the drain time.
    pub async fn run(self, phase: watch::Receiver<Phase>) -> std::io::Result<()> {
        let workers = Workers::start(self.workers, &self.app, self.limits, &phase)?;
        accept::accept_until_draining(self.listener, &workers, phase.clone()).await;
        tracing::info!(open = workers.open(), "draining: running requests may finish");
        let mut stopped = phase;
        tokio::select! {
            () = workers.finished() => {}
            () = clock::sleep(self.drain) => {
                tracing::warn!(open = workers.open(), "drain time is over: dropping what still runs");
            }
            _ = stopped.wait_for(|phase| *phase == Phase::Stopped) => {}
        }
        workers.stop();
        Ok(())
    }
}

fn describe(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "the address is in use; stop the other program or choose a port with -p".into()
        }
        std::io::ErrorKind::PermissionDenied => "permission denied; choose a port above 1023".into(),
        std::io::ErrorKind::AddrNotAvailable => "no interface of this machine has that address".into(),
        _ => error.to_string(),
    }
}
