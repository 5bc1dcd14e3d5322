//! `llm-gateway chat MODEL "..."`: one streamed call through the same exchange as any other; the smoke test.

use std::future::poll_fn;
use std::io::{IsTerminal, Read, Write};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use wire::frame::SseSplitter;
use wire::{Operation, SurfaceId};

use super::ChatArgs;
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::OutBody;
use crate::door::Caller;
use crate::exchange::{Inbound, Meter, Relay, exchange};
use crate::exit::Failure;
use crate::startup::{self, Started};
use crate::{config, telemetry};

/// Bytes of one event of our own stream.
const EVENT_LIMIT: usize = 8 * 1024 * 1024;

/// Streams one answer to standard output.
pub(super) fn chat(args: &ChatArgs) -> Result<(), Failure> {
    let prompt = prompt(args)?;
    let flags = config::Flags { config: args.common.config.clone(), ..config::Flags::default() };
    let config = startup::configuration(&flags)?;
    telemetry::install("warn");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(1, format!("cannot start a runtime: {error}")))?;
    runtime.block_on(async {
        let Started { app, ledger, store, .. } = startup::start(&config, |_| {}).await?;
        let outcome = converse(&app, &args.model, &prompt).await;
        ledger.close().await;
        store.close().await;
        outcome
    })
}

fn prompt(args: &ChatArgs) -> Result<String, Failure> {
    let mut text = args.prompt.join(" ");
    if args.prompt.is_empty() && !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::new(74, error))?;
    }
    if text.trim().is_empty() {
        return Err(Failure::new(2, "nothing to say: give a prompt as an argument or on standard input"));
    }
    Ok(text)
}

async fn converse(app: &App, model: &str, prompt: &str) -> Result<(), Failure> {
    let body = json!({ "model": model, "stream": true, "messages": [{ "role": "user", "content": prompt }] });
    let surface = SurfaceId::OpenAiChat;
    let caller = Caller::admin(Some("command line"));
    let slot = app.ledger.slot().await.map_err(|error| Failure::new(1, error))?;
    let world = app.world();
    let place = app.in_flight.enter(1).expect("a fresh gateway has places");
    let mut meter = Meter::open(slot, place, Arrival::now(), (surface, Operation::Chat), &caller, None);
    let body = Bytes::from(body.to_string());
    let answer = match Inbound::admit(world, surface.into(), &HeaderMap::new(), None, body, &mut meter) {
        Ok(inbound) => exchange(app, &inbound, meter).await.map_err(|failed| Failure::from(failed.fault))?,
        Err(fault) => {
            meter.fail(&fault);
            return Err(fault.into());
        }
    };
    match answer.body {
        OutBody::Stream(relay) => print(*relay).await,
        OutBody::Whole(_) | OutBody::Boxed(_) => Err(Failure::new(1, "the answer is not a stream")),
    }
}

/// Prints the text of a stream as it comes.
async fn print(mut relay: Relay) -> Result<(), Failure> {
    let io = |error: std::io::Error| Failure::new(74, error);
    let mut out = std::io::stdout().lock();
    let mut splitter = SseSplitter::new(EVENT_LIMIT);
    while let Some(bytes) = poll_fn(|cx| relay.poll_bytes(cx)).await {
        splitter.push(&bytes.map_err(|broken| Failure::new(6, broken))?);
        while let Some(event) = splitter.next()? {
            let Ok(chunk) = serde_json::from_str::<Value>(event.frame().data) else { continue };
            if let Some(message) = chunk["error"]["message"].as_str() {
                writeln!(out).map_err(io)?;
                return Err(Failure::new(6, message));
            }
            let text = chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
            out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(io)?;
        }
    }
    writeln!(out).map_err(io)
}
