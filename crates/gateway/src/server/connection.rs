//! One HTTP/1.1 connection, with every bound that keeps a stranger from holding it for ever.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Phase;
use super::patience::Patience;
use crate::app::App;
use crate::router;

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

/// Serves requests until either side is done, or until the server drains and the running request has been answered.
pub(super) async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Arc<App>,
    limits: Limits,
    mut phase: watch::Receiver<Phase>,
) {
    let io = TokioIo::new(Patience::new(stream, limits.write_idle));
    let service = service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, std::convert::Infallible>(router::answer(&app, peer, request).await) }
    });
    // Not `pipeline_flush`: with it hyper 1.12 takes an answer's body without bound from a client that does not read.
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_headers(limits.max_headers)
            .max_buf_size(limits.buffer)
            .serve_connection(io, service)
    );
    let draining = async { drop(phase.wait_for(|phase| *phase != Phase::Serving).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = draining => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}
