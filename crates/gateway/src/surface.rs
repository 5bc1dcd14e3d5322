//! The inference surfaces: read the body, open the meter, exchange, answer. None has a path of its own to a provider.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use wire::Fault;

use crate::app::App;
use crate::arrival::{Arrival, is_plain_id};
use crate::body::{OutBody, demand_json, read_limited, turned_away};
use crate::door::Caller;
use crate::exchange::{Answer, Asked, Inbound, Meter, exchange, explain};
use crate::manage::json;
use crate::problem;

/// Answers an inference request that has passed the door.
pub async fn answer(
    app: &Arc<App>,
    arrival: Arrival,
    asked: Asked,
    caller: Caller,
    request: Request<Incoming>,
) -> Response<OutBody> {
    let surface = asked.surface;
    let refuse = |fault: &Fault| problem::answer(surface, fault, arrival);
    let Some(place) = app.in_flight.enter() else {
        return turned_away(request, refuse(&Fault::Overloaded)).await;
    };
    let Ok(slot) = app.ledger.slot().await else {
        return turned_away(request, refuse(&Fault::Draining)).await;
    };
    let client_id = request.headers().get("x-request-id").filter(|id| is_plain_id(id));
    let client_id = client_id.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut meter = Meter::open(slot, place, arrival, (surface, asked.operation), &caller, client_id);
    if let Err(fault) = demand_json(request.headers()) {
        meter.fail(&fault);
        return turned_away(request, refuse(&fault)).await;
    }
    let (head, body) = request.into_parts();
    let read = read_limited(body, app.body_limit).await;
    let inbound = match read.and_then(|body| Inbound::admit(asked, &head.headers, body, &mut meter)) {
        Ok(inbound) => inbound,
        Err(fault) => {
            meter.fail(&fault);
            return refuse(&fault);
        }
    };
    if inbound.explain {
        return match explain(app, &inbound, meter).await {
            Ok(explanation) => json(StatusCode::OK, &explanation),
            Err(fault) => refuse(&fault),
        };
    }
    match exchange(app, &inbound, meter).await {
        Ok(answer) => respond(answer),
        Err(failed) => problem::of_failed(surface, &failed, arrival),
    }
}

fn respond(answer: Answer) -> Response<OutBody> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
