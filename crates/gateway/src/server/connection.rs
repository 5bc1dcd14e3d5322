//! One HTTP/1.1 connection, with every bound that keeps a stranger from holding it for ever.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Phase;
use super::patience::Patience;
use crate::app::App;
use crate::router;
use crate::socket::{Handover, Socket};

/// Bounds of a connection (SAFETY.md section 1, "Bounds").
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until the head of a request is there.
    pub head: Duration,
    /// A client that takes no bytes for so long is dropped.
    pub write_idle: Duration,
    /// Header fields in a request.
    pub max_headers: usize,
    /// Bytes that hyper buffers of a head, and of an answer before it waits for the client.
    pub buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            write_idle: Duration::from_secs(60),
            max_headers: 100,
            // A prompt of 64 kB comes in one read, and its bytes are then never copied together.
            buffer: 128 * 1024,
        }
    }
}

/// Takes a socket over into the runtime of the calling worker. `TCP_NODELAY` is what keeps a stream's chunks from
/// waiting 40 ms for an acknowledgement.
pub(super) fn adopt(stream: std::net::TcpStream) -> Option<TcpStream> {
    stream.set_nodelay(true).ok()?;
    TcpStream::from_std(stream).ok()
}

/// A connection that has left HTTP.
pub(super) struct Upgraded {
    stream: Patience,
    /// Bytes that came behind the last request.
    early: Bytes,
    socket: Socket,
}

impl Upgraded {
    /// Once HTTP has let go of it.
    async fn of(handover: Handover) -> Option<Self> {
        let connection = handover.upgrade.await.ok()?;
        let parts = connection.downcast::<TokioIo<Patience>>().ok()?;
        Some(Self { stream: parts.io.into_inner(), early: parts.read_buf, socket: handover.socket })
    }

    /// Goes on as a socket, to its end.
    pub(super) async fn run(self, phase: watch::Receiver<Phase>) {
        self.socket.run(self.stream, self.early, phase).await;
    }
}

/// Serves requests until either side is done, or until the server drains and the running request has been answered.
/// Yields the connection when it goes on as something else.
pub(super) async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Arc<App>,
    limits: Limits,
    phase: watch::Receiver<Phase>,
) -> Option<Upgraded> {
    let handover = OnceLock::new();
    let stream = Patience::new(stream, limits.write_idle);
    if let Err(error) = serve_http(stream, peer, &app, limits, phase, &handover).await {
        tracing::debug!(%peer, %error, "connection ended early");
    }
    Upgraded::of(handover.into_inner()?).await
}

async fn serve_http(
    stream: Patience,
    peer: SocketAddr,
    app: &Arc<App>,
    limits: Limits,
    mut phase: watch::Receiver<Phase>,
    handover: &OnceLock<Handover>,
) -> hyper::Result<()> {
    let service = service_fn(|request| async move {
        let mut response = router::answer(app, peer, request).await;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Some(to) = response.extensions_mut().remove::<Handover>()
        {
            // Nothing follows a 101, so that it is set once.
            let _ = handover.set(to);
        }
        Ok::<_, std::convert::Infallible>(response)
    });
    // Not `pipeline_flush`: with it hyper 1.12 takes an answer's body without bound from a client that does not read.
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_headers(limits.max_headers)
            .max_buf_size(limits.buffer)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let draining = async { drop(phase.wait_for(|phase| *phase != Phase::Serving).await) };
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = draining => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}
