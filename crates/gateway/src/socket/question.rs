//! One request of a conversation, on the same path as one over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;
use wire::{Fault, Operation, SurfaceId};

use crate::app::App;
use crate::arrival::Arrival;
use crate::body::OutBody;
use crate::door::Caller;
use crate::exchange::{Explanation, Inbound, Meter, TimeLimit, exchange, explain, go_on};
use crate::problem::{self, Refusal};

/// A request as it came in a message.
pub(super) struct Question {
    pub(super) app: Arc<App>,
    pub(super) surface: SurfaceId,
    pub(super) caller: Caller,
    /// Of the handshake.
    pub(super) headers: HeaderMap,
    /// The client's own id of it, when it can be stored.
    pub(super) client_id: Option<String>,
    pub(super) body: Bytes,
}

impl Question {
    /// The answer as it streams, or why there is none.
    ///
    /// Nothing happens before the first poll: a question that waits for its turn costs its bytes and no more.
    pub(super) async fn ask(self) -> Result<OutBody, Refusal> {
        let arrival = Arrival::now();
        let refuse = |fault: &Fault| problem::refusal(self.surface, fault, &[], arrival);
        let world = self.app.world();
        if !world.doors.access.still_valid(&self.caller) {
            let why = "the key of this connection was revoked or changed; connect again".into();
            return Err(refuse(&Fault::Unauthenticated { why }));
        }
        let Some(place) = self.app.in_flight.enter(world.doors.in_flight) else {
            return Err(refuse(&Fault::Overloaded));
        };
        if self.app.is_draining() {
            return Err(refuse(&Fault::Draining));
        }
        let Ok(slot) = self.app.ledger.slot().await else { return Err(refuse(&Fault::Draining)) };
        let mut meter =
            Meter::open(slot, place, arrival, (self.surface, Operation::Chat), &self.caller, self.client_id);
        let admit = |body| {
            let limit = TimeLimit::of(&self.headers, arrival)?;
            Inbound::admit(world, self.surface.into(), &self.headers, limit, body, &mut meter)
        };
        let admitted = match admit(self.body) {
            Ok(inbound) if inbound.concerns_stored() => Box::pin(go_on(&self.app, inbound, &meter)).await,
            admitted => admitted,
        };
        let inbound = match admitted {
            Ok(inbound) => inbound,
            Err(fault) => {
                meter.fail(&fault);
                return Err(refuse(&fault));
            }
        };
        if inbound.explain {
            let told = explain(&self.app, &inbound, meter).await;
            return told.map(|told| told_as_event(&told)).map_err(|fault| refuse(&fault));
        }
        match exchange(&self.app, &inbound, meter).await {
            Ok(answer) => Ok(answer.body),
            Err(failed) => Err(problem::refusal(self.surface, &failed.fault, &failed.tried, arrival)),
        }
    }
}

/// What would happen, as the only event of an answer. Its type tells it from the events of the protocols.
fn told_as_event(told: &Explanation) -> OutBody {
    let event = json!({"type": "explanation", "explanation": told});
    Bytes::from(format!("data: {event}\n\n")).into()
}
