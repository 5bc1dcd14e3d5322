//! What of a carried answer has to be remembered for requests that go on from it: who keeps it.

use std::sync::Arc;

use policy::Target;

use crate::app::App;
use crate::credentials::Key;
use crate::exchange::admit::Inbound;
use crate::exchange::continued;
use crate::exchange::meter::Meter;
use crate::origins::{Origin, Origins};
use crate::recall::Owner;

/// Notes where an answer came from, once its id is known.
pub(in crate::exchange) struct Keeper {
    origins: Arc<Origins>,
    owner: Owner,
    origin: Origin,
}

impl Keeper {
    /// For an answer of this target to this caller.
    pub(in crate::exchange) fn new(
        app: &App,
        inbound: &Inbound,
        target: &Target,
        key: Option<&Key>,
        meter: &Meter,
    ) -> Self {
        let origin = Origin { provider: target.provider.id.clone(), account: continued::account(key) };
        Self::of(app.origins.clone(), inbound.owner(meter), origin)
    }

    pub(in crate::exchange) fn of(origins: Arc<Origins>, owner: Owner, origin: Origin) -> Self {
        Self { origins, owner, origin }
    }

    /// The id by which the provider keeps the answer.
    pub(in crate::exchange) fn keep(&self, id: &str) {
        self.origins.keep(&self.owner, id, self.origin.clone());
    }
}
