//! `llm_generate`: one call through the same exchange as `/v1/generate`, with a row in the ledger.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use rmcp::model::{JsonObject, ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use serde_json::Value;
use wire::{Fault, SurfaceId};

use super::server::Visit;
use crate::app::App;
use crate::arrival::Arrival;
use crate::clock;
use crate::exchange::{Inbound, Meter, exchange};

/// How often a client that asked for progress hears that the model is still at work. Clients give up after 60 s of
/// silence (the default of both official SDKs, read 2026-11-25).
const PROGRESS: Duration = Duration::from_secs(1);

const SURFACE: SurfaceId = SurfaceId::Generate;

/// The answer's object. Dropped before it is done, it stops the upstream.
///
/// # Errors
/// As `/v1/generate`.
pub(super) async fn generate(app: &App, visit: &Visit, arguments: JsonObject) -> Result<Value, Fault> {
    let place = app.in_flight.enter().ok_or(Fault::Overloaded)?;
    let slot = app.ledger.slot().await.map_err(|_| Fault::Draining)?;
    let mut meter = Meter::open(slot, place, Arrival::now(), SURFACE, &visit.caller, None);
    let body = Bytes::from(Value::Object(arguments).to_string());
    let inbound = match Inbound::admit(SURFACE.into(), &headers(visit), body, &mut meter) {
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

/// The project of the visit, which one in the arguments goes before.
fn headers(visit: &Visit) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(project) = visit.project.as_deref().and_then(|project| HeaderValue::from_str(project).ok()) {
        headers.insert("x-project", project);
    }
    headers
}

/// Tells a client that asked for it how long the model has been at work, until dropped.
pub(super) async fn report_progress(peer: Peer<RoleServer>, token: Option<ProgressToken>) -> Fault {
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
