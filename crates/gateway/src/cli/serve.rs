//! `llm-gateway serve`

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{ServeArgs, banner, say};
use crate::app::App;
use crate::exit::Failure;
use crate::hardening::keep_memory_private;
use crate::server::{Phase, Server};
use crate::startup::{self, Started};
use crate::{config, telemetry};

/// Running requests may finish for so long after the first SIGTERM.
const DRAIN: Duration = Duration::from_secs(12);

/// Serves until a signal says otherwise.
pub(super) fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let flags = config::Flags {
        config: args.common.config.clone(),
        host: args.host.map(|host| host.to_string()),
        port: args.port,
        demo: args.demo,
    };
    let config = startup::configuration(&flags)?;
    telemetry::install(&config.log);
    keep_memory_private();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(1, format!("cannot start a runtime: {error}")))?;
    runtime.block_on(run(args, config))
}

async fn run(args: &ServeArgs, config: config::Config) -> Result<(), Failure> {
    let address = SocketAddr::new(config.host, config.port);
    // Binding first: a second gateway on the same port must not touch the vault of the first.
    let listener = Server::listen(address).await.map_err(|error| Failure::new(1, error))?;
    let started = startup::start(&config, telemetry::request_log()).await?;
    let workers =
        args.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let server = Server::new(listener, started.app.clone(), workers, DRAIN);
    let address = server.address().map_err(|error| Failure::new(1, error))?;
    say(&banner::banner(&config, &started, address))?;
    tracing::info!(version = crate::VERSION, "listening on http://{address}");
    let Started { app, ledger, store, .. } = started;
    let (phase, watched) = watch::channel(Phase::Serving);
    let signals = tokio::spawn(obey_signals(app.clone(), phase));
    let served = server.run(watched).await;
    signals.abort();
    ledger.close().await;
    store.close().await;
    served.map_err(|error| Failure::new(1, error))?;
    tracing::info!("stopped");
    Ok(())
}

/// The first SIGTERM or SIGINT drains, the second stops at once.
async fn obey_signals(app: Arc<App>, phase: watch::Sender<Phase>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("cannot listen for signals");
        return;
    };
    for next in [Phase::Draining, Phase::Stopped] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        app.drain();
        phase.send_replace(next);
    }
}
