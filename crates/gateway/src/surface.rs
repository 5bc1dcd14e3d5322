//! The inference surfaces: read the body, open the meter, exchange, answer. None has a path of its own to a provider.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use wire::Fault;

use crate::app::App;
use crate::arrival::{Arrival, is_plain_id};
use crate::body::{OutBody, demand_json, read_limited};
use crate::door::Caller;
use crate::exchange::{Answer, Asked, Inbound, Meter, exchange, explain};
use crate::manage::json;
use crate::problem;
use crate::world::World;

/// Answers an inference request that has passed the door.
pub async fn answer(
    app: &Arc<App>,
    world: Arc<World>,
    arrival: Arrival,
    asked: Asked,
    caller: Caller,
    request: Request<Incoming>,
) -> Response<OutBody> {
    let surface = asked.surface;
    let Some(place) = app.in_flight.enter(world.doors.in_flight) else {
        return problem::answer(surface, &Fault::Overloaded, arrival);
    };
    let (head, body) = request.into_parts();
    let client_id = head.headers.get("x-request-id").filter(|id| is_plain_id(id));
    let client_id = client_id.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let Ok(slot) = app.ledger.slot().await else {
        return problem::answer(surface, &Fault::Draining, arrival);
    };
    let mut meter = Meter::open(slot, place, arrival, (surface, asked.operation), &caller, client_id);
    let read = match demand_json(&head.headers) {
        Ok(()) => read_limited(body, world.doors.body_limit).await,
        Err(fault) => Err(fault),
    };
    let admit = |body| Inbound::admit(world, asked, &head.headers, body, &mut meter);
    let inbound = match read.and_then(admit) {
        Ok(inbound) => inbound,
        Err(fault) => {
            meter.fail(&fault);
            return problem::answer(surface, &fault, arrival);
        }
    };
    if inbound.explain {
        return match explain(app, &inbound, meter).await {
            Ok(explanation) => json(StatusCode::OK, &explanation),
            Err(fault) => problem::answer(surface, &fault, arrival),
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
