//! A request that goes on from an answer which its provider keeps (`previous_response_id`): it goes back there, to the
//! same account, or nowhere.

use policy::{KeyId, Plan, Target};
use wire::Fault;

use super::admit::Inbound;
use super::meter::Meter;
use crate::app::App;
use crate::credentials::Key;
use crate::origins::{Account, Origin};

/// Where the answer came from that the request goes on from; `None`: it goes on from none.
///
/// # Errors
/// `Malformed`: nobody knows the answer, or it was made for somebody else.
pub(super) fn origin(app: &App, inbound: &Inbound, meter: &Meter) -> Result<Option<Origin>, Fault> {
    let Some(id) = &inbound.peek.previous else { return Ok(None) };
    match app.origins.of(&inbound.owner(meter), id) {
        Some(origin) => Ok(Some(origin)),
        None => Err(refused(format!("no answer with the id '{id}' is known here for this key and project"))),
    }
}

/// Only the targets that keep the answer.
///
/// # Errors
/// `Malformed`: the model is served by somebody else.
pub(super) fn at_origin(plan: Plan, origin: &Origin, inbound: &Inbound) -> Result<Plan, Fault> {
    let keeps = |target: &Target| target.provider.id == origin.provider && is_asked(target, inbound);
    plan.only(keeps).ok_or_else(|| {
        let provider = &origin.provider;
        refused(format!("the answer before is kept by {provider}, which does not serve this request"))
    })
}

/// It speaks the format in which the answer was kept, and has the very model: another one would not be a fallback but a
/// mistake.
fn is_asked(target: &Target, inbound: &Inbound) -> bool {
    let has = |model: &String| !target.is_fallback() || target.provider.model(model).is_some();
    inbound.surface.dialect() == target.endpoint().wire.dialect()
        && inbound.peek.model.as_ref().is_none_or(has)
}

/// Whose account a key is of.
pub(super) fn account(key: Option<&Key>) -> Account {
    match key.map(|key| key.id) {
        None => Account::None,
        Some(KeyId::CONFIGURED) => Account::Configured,
        Some(KeyId(id)) => Account::Stored(id),
    }
}

/// The account is not to be had any more.
pub(super) fn without_account(origin: &Origin) -> Fault {
    refused(format!("the credential of {} with which the answer before was made is gone", origin.provider))
}

fn refused(why: String) -> Fault {
    let way_out = "send the whole conversation in 'input' instead";
    Fault::malformed("previous_response_id".to_owned(), format!("{why}; {way_out}"))
}
