//! `llm-gateway serve`

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{ServeArgs, banner, say};
use crate::app::App;
use crate::exit::Failure;
use crate::hardening::keep_memory_private;
use crate::server::{Phase, Server};
use crate::startup::{self, Started};
use crate::{config, reload, telemetry};

/// Running requests may finish for so long after the first SIGTERM.
const DRAIN: Duration = Duration::from_secs(12);

/// Serves until a signal says otherwise.
pub(super) fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let flags = config::Flags {
        config: args.common.config.clone(),
        host: args.host.map(|host| host.to_string()),
        port: args.port,
        demo: args.demo,
        ..config::Flags::default()
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
    // Binding first: a second gateway on the same port must not touch the vault of the first.
    let listener = listen(&config).await?;
    let started = startup::start(&config, telemetry::request_log()).await?;
    let address = listener.local_addr().map_err(|error| Failure::new(1, error))?;
    say(&banner::banner(&config, &started, address))?;
    reload::watch(&started.app);
    let server = server(listener, started.app.clone(), args.workers)?;
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

/// Binds the configured address.
pub(super) async fn listen(config: &config::Config) -> Result<TcpListener, Failure> {
    let address = SocketAddr::new(config.host, config.port);
    Server::listen(address).await.map_err(|error| Failure::new(1, error))
}

/// A server with one runtime a core, unless `workers` says otherwise.
pub(super) fn server(
    listener: TcpListener,
    app: Arc<App>,
    workers: Option<usize>,
) -> Result<Server, Failure> {
    let workers = workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let server = Server::new(listener, app, workers, DRAIN);
    let address = server.address().map_err(|error| Failure::new(1, error))?;
    tracing::info!(version = crate::VERSION, "listening on http://{address}");
    Ok(server)
}

/// The first SIGTERM or SIGINT drains, the second stops at once.
pub(super) async fn obey_signals(app: Arc<App>, phase: watch::Sender<Phase>) {
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
