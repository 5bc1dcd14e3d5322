//! `llm_generate`: one call through the same exchange as `/v1/generate`, with a row in the ledger.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use rmcp::model::{JsonObject, ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use serde_json::Value;
use wire::{Fault, Operation, SurfaceId};

use super::vault::Errand;
use crate::arrival::Arrival;
use crate::clock;
use crate::exchange::{Inbound, Meter, TimeLimit, exchange};

/// How often a client that asked for progress hears that the model is still at work. Clients give up after 60 s of
/// silence (the default of both official SDKs, read 2026-11-25).
const PROGRESS: Duration = Duration::from_secs(1);

/// Argument with the most milliseconds that a call may take.
pub(super) const TIMEOUT: &str = "timeoutMs";

const SURFACE: SurfaceId = SurfaceId::Generate;

/// The answer's object. Dropped before it is done, it stops the upstream.
///
/// # Errors
/// As `/v1/generate`.
pub(super) async fn generate(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, world, caller, project, arguments } = errand;
    let place = app.in_flight.enter(world.doors.in_flight).ok_or(Fault::Overloaded)?;
    let slot = app.ledger.slot().await.map_err(|_| Fault::Draining)?;
    let arrival = Arrival::now();
    let mut meter = Meter::open(slot, place, arrival, (SURFACE, Operation::Chat), caller, None);
    let limit = time_limit(&arguments, arrival);
    let body = Bytes::from(Value::Object(arguments).to_string());
    let headers = headers(project.as_deref());
    let admit = |limit| Inbound::admit(world, SURFACE.into(), &headers, limit, body, &mut meter);
    let inbound = match limit.and_then(admit) {
        Ok(inbound) => inbound,
        Err(fault) => {
            meter.fail(&fault);
            return Err(fault);
        }
    };
    let answer = exchange(app, &inbound, meter).await.map_err(|failed| failed.fault)?;
    let body = answer.body.collect().await.map_err(Fault::internal)?.to_bytes();
    serde_json::from_slice(&body).map_err(Fault::internal)
}

/// How long the client is willing to wait, if it says so.
fn time_limit(arguments: &JsonObject, arrival: Arrival) -> Result<Option<TimeLimit>, Fault> {
    let Some(number) = arguments.get(TIMEOUT).and_then(Value::as_u64) else { return Ok(None) };
    let limit = TimeLimit::from_millis(number, arrival).ok_or_else(|| {
        Fault::malformed(TIMEOUT.to_owned(), format!("{TIMEOUT} must be at most {}", TimeLimit::MOST))
    })?;
    Ok(Some(limit))
}

/// The project, where such a request has it.
fn headers(project: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(project) = project.and_then(|project| HeaderValue::from_str(project).ok()) {
        headers.insert("x-project", project);
    }
    headers
}

/// Tells a client that asked for it how long the model has been at work, until dropped.
pub(super) async fn report_progress(peer: Peer<RoleServer>, token: Option<ProgressToken>) -> Infallible {
    let Some(token) = token else { return std::future::pending().await };
    for seconds in 0_u32.. {
        let message = match seconds {
            0 => "asking the model".to_owned(),
            seconds => format!("the model has been at work for {seconds} s"),
        };
        let progress =
            ProgressNotificationParam::new(token.clone(), f64::from(seconds)).with_message(message);
        if peer.notify_progress(progress).await.is_err() {
            break;
        }
        clock::sleep(PROGRESS).await;
    }
    std::future::pending().await
}
