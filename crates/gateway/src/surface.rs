//! The inference surfaces: read the body, open the meter, exchange, answer. None has a path of its own to a provider.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};
use hyper::body::Incoming;
use wire::{Fault, SurfaceId};

use crate::app::App;
use crate::arrival::{Arrival, is_plain_id};
use crate::body::{OutBody, demand_json, last, pass_over, read_limited};
use crate::door::Caller;
use crate::exchange::{Answer, Asked, Inbound, Meter, TimeLimit, exchange, explain, go_on};
use crate::manage::json;
use crate::problem;
use crate::world::World;

/// What the client calls its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
    let (inbound, meter) = match take_in(app, world, arrival, asked, caller, request).await {
        Ok(taken) => taken,
        Err(refused) => return refused.answer(surface, arrival),
    };
    if inbound.explain {
        let told = tell(app, &inbound, meter).await;
        return told.unwrap_or_else(|fault| problem::answer(surface, &fault, arrival));
    }
    match exchange(app, &inbound, meter).await {
        Ok(answer) => respond(answer),
        Err(failed) => problem::of_failed(surface, &failed, arrival),
    }
}

/// Says what would be done for a request; faults are the administration's to render.
///
/// # Errors
/// What the request itself would have got.
pub async fn explained(
    app: &Arc<App>,
    world: Arc<World>,
    arrival: Arrival,
    asked: Asked,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let taken = take_in(app, world, arrival, asked, caller, request).await;
    let (inbound, meter) = taken.map_err(|refused| refused.fault)?;
    tell(app, &inbound, meter).await
}

async fn tell(app: &App, inbound: &Inbound, meter: Meter) -> Result<Response<OutBody>, Fault> {
    Ok(json(StatusCode::OK, &explain(app, inbound, meter).await?))
}

/// A request that was not taken in.
struct Refused {
    fault: Fault,
    /// Its body was not read to the end, so nothing can come after it.
    unread: bool,
}

impl Refused {
    /// Before its body was read. What the client has sent of it is, lest it be reset before it has the answer.
    async fn unread(request: Request<Incoming>, fault: Fault) -> Self {
        Self { unread: !pass_over(request).await, fault }
    }

    fn answer(self, surface: SurfaceId, arrival: Arrival) -> Response<OutBody> {
        let answer = problem::answer(surface, &self.fault, arrival);
        if self.unread { last(answer) } else { answer }
    }
}

/// A place, a row in the ledger, then the body.
async fn take_in(
    app: &Arc<App>,
    world: Arc<World>,
    arrival: Arrival,
    asked: Asked,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<(Inbound, Meter), Refused> {
    let Some(place) = app.in_flight.enter(world.doors.in_flight) else {
        return Err(Refused::unread(request, Fault::Overloaded).await);
    };
    let Ok(slot) = app.ledger.slot().await else {
        return Err(Refused::unread(request, Fault::Draining).await);
    };
    let client_id = request.headers().get(&REQUEST_ID).filter(|id| is_plain_id(id));
    let client_id = client_id.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let way = (asked.surface, asked.operation);
    let mut meter = Meter::open(slot, place, arrival, way, &caller, client_id);
    let checked = demand_json(request.headers());
    let limit = match checked.and_then(|()| TimeLimit::of(request.headers(), arrival)) {
        Ok(limit) => limit,
        Err(fault) => {
            meter.fail(&fault);
            return Err(Refused::unread(request, fault).await);
        }
    };
    let (head, body) = request.into_parts();
    let read = read_in_time(body, world.doors.body_limit, limit).await;
    let unread = read.is_err();
    let admit = |body| Inbound::admit(world, asked, &head.headers, limit, body, &mut meter);
    let admitted = match read.and_then(admit) {
        Ok(inbound) if inbound.concerns_stored() => Box::pin(go_on(app, inbound, &meter)).await,
        admitted => admitted,
    };
    match admitted {
        Ok(inbound) => Ok((inbound, meter)),
        Err(fault) => {
            meter.fail(&fault);
            Err(Refused { fault, unread })
        }
    }
}

/// A body, in the time that the client has.
async fn read_in_time(body: Incoming, most: usize, limit: Option<TimeLimit>) -> Result<Bytes, Fault> {
    let reading = read_limited(body, most);
    match limit {
        Some(limit) => Box::pin(limit.within(reading)).await?,
        None => reading.await,
    }
}

fn respond(answer: Answer) -> Response<OutBody> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
