//! `llm-gateway route explain MODEL`: who would serve a request, and why; nothing is sent.
//!
//! What a running gateway has seen of providers is its own: here every provider counts as well. The same question to it is
//! `POST /admin/v1/route/explain`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use wire::{Operation, SurfaceId};

use super::{ExplainArgs, say};
use crate::app::App;
use crate::arrival::Arrival;
use crate::door::Caller;
use crate::exchange::{Explanation, Inbound, Meter, explain};
use crate::exit::Failure;
use crate::startup::{self, Started};
use crate::{config, telemetry};

/// Prints the plan for one short prompt.
pub(super) fn explain_route(args: &ExplainArgs) -> Result<(), Failure> {
    let flags = config::Flags { config: args.common.config.clone(), ..config::Flags::default() };
    let config = startup::configuration(&flags)?;
    telemetry::install("error");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(1, format!("cannot start a runtime: {error}")))?;
    let explanation = runtime.block_on(async {
        let Started { app, ledger, store, .. } = startup::start(&config, |_| {}).await?;
        let outcome = ask(&app, args).await;
        ledger.close().await;
        store.close().await;
        outcome
    })?;
    match args.json {
        true => {
            let text = serde_json::to_string_pretty(&explanation).map_err(|error| Failure::new(1, error))?;
            say(&format!("{text}\n"))
        }
        false => say(&explanation.to_string()),
    }
}

async fn ask(app: &App, args: &ExplainArgs) -> Result<Explanation, Failure> {
    let mut body = json!({ "model": args.model, "messages": [{ "role": "user", "content": "Hello" }] });
    if let Some(provider) = &args.provider {
        body["provider"] = json!(provider);
    }
    if args.strict {
        body["strict"] = json!(true);
    }
    let mut headers = HeaderMap::new();
    if let Some(project) = &args.project {
        let value = HeaderValue::from_str(project).map_err(|error| Failure::new(2, error))?;
        headers.insert(HeaderName::from_static("x-project"), value);
    }
    let surface = SurfaceId::OpenAiChat;
    let caller = Caller::admin(Some("command line"));
    let slot = app.ledger.slot().await.map_err(|error| Failure::new(1, error))?;
    let world = app.world();
    let place = app.in_flight.enter(1).expect("a fresh gateway has places");
    let mut meter = Meter::open(slot, place, Arrival::now(), (surface, Operation::Chat), &caller, None);
    let inbound =
        Inbound::admit(world, surface.into(), &headers, None, Bytes::from(body.to_string()), &mut meter);
    explain(app, &inbound.map_err(Failure::from)?, meter).await.map_err(Failure::from)
}
