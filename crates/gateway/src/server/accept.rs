//! The accept loop.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Phase;
use super::worker::Workers;
use crate::clock;

/// How long to wait when the process is out of file descriptors: serving what is open frees some.
const OUT_OF_DESCRIPTORS_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections and hands them out. Returns, with the listener closed, when the server drains.
pub(super) async fn accept_until_draining(
    listener: TcpListener,
    workers: &Workers,
    mut phase: watch::Receiver<Phase>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
        };
        match accepted {
            Ok((stream, peer)) => workers.hand_over(stream, peer),
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections for the moment");
                clock::sleep(OUT_OF_DESCRIPTORS_PAUSE).await;
            }
        }
    }
}

fn is_about_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
