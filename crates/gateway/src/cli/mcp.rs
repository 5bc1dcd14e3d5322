//! `llm-gateway mcp`: the tools on standard input and output, which belong to the protocol alone; with `--http` the
//! server beside them.

use std::sync::Arc;

use rmcp::service::ServerInitializeError;
use tokio::sync::watch;

use super::{McpArgs, serve};
use crate::app::App;
use crate::door::Caller;
use crate::exit::Failure;
use crate::hardening::keep_memory_private;
use crate::mcp::{Tools, Visit};
use crate::server::Phase;
use crate::startup::{self, Started};
use crate::{config, reload, telemetry};

/// Serves one client until it closes its side, or until a signal.
pub(super) fn mcp(args: &McpArgs) -> Result<(), Failure> {
    let flags =
        config::Flags { config: args.common.config.clone(), port: args.port, ..config::Flags::default() };
    let config = startup::configuration(&flags)?;
    telemetry::install(&config.log);
    keep_memory_private();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(1, format!("cannot start a runtime: {error}")))?;
    let ended = runtime.block_on(run(args, config));
    // A read of standard input cannot be taken back, and is not worth waiting for.
    runtime.shutdown_background();
    ended
}

async fn run(args: &McpArgs, config: config::Config) -> Result<(), Failure> {
    // The address first: a second server on it must not touch the vault of the first.
    let listener = match args.http {
        true => Some(serve::listen(&config).await?),
        false => None,
    };
    let Started { app, ledger, store, .. } = startup::start(&config, telemetry::request_log()).await?;
    reload::watch(&app);
    let (phase, watched) = watch::channel(Phase::Serving);
    let signals = tokio::spawn(serve::obey_signals(app.clone(), phase.clone()));
    let served = match listener {
        None => Box::pin(tools(app, args, watched)).await,
        Some(listener) => {
            let server = serve::server(listener, app.clone(), None)?;
            let stream = async {
                let ended = Box::pin(tools(app.clone(), args, watched.clone())).await;
                // The client that started us is gone: what runs over HTTP may finish.
                app.drain();
                phase.send_replace(Phase::Draining);
                ended
            };
            let (ended, served) = tokio::join!(stream, server.run(watched.clone()));
            ended.and(served.map_err(|error| Failure::new(1, error)))
        }
    };
    signals.abort();
    ledger.close().await;
    store.close().await;
    served
}

async fn tools(app: Arc<App>, args: &McpArgs, mut phase: watch::Receiver<Phase>) -> Result<(), Failure> {
    let caller = Caller::admin(Some("mcp"));
    let tools = Tools::for_one(app, Visit::new(caller, args.project.clone()), args.read_only);
    let conversation = async {
        match Box::pin(rmcp::serve_server(tools, rmcp::transport::io::stdio_pipes())).await {
            Ok(running) => running.waiting().await.map(drop).map_err(|error| Failure::new(1, error)),
            // It left before it said anything.
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(ServerInitializeError::ExpectedInitializeRequest(_)) => {
                Err(Failure::new(2, "the client did not begin with 'initialize'"))
            }
            Err(error) => Err(Failure::new(1, error)),
        }
    };
    tokio::select! {
        ended = conversation => ended,
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => Ok(()),
    }
}
