//! `llm-gateway route explain MODEL`: who would serve a request, and why; nothing is sent.
//!
//! What a running gateway has seen of providers is its own: here every provider counts as well. The same question to it is
//! `POST /admin/v1/route/explain`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use wire::{Operation, SurfaceId};

use super::local::{print_json, with_app};
use super::{ExplainArgs, say};
use crate::app::App;
use crate::arrival::Arrival;
use crate::door::Caller;
use crate::exchange::{Explanation, Inbound, Meter, explain};
use crate::exit::Failure;

/// Prints the plan for one short prompt.
pub(super) fn explain_route(args: &ExplainArgs) -> Result<(), Failure> {
    let explanation = with_app(&args.common, async |app| ask(app, args).await)?;
    match args.json {
        true => print_json(&explanation),
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
