//! The tokens of a conversation: counted by the provider where it does, else estimated.

use bytes::Bytes;
use policy::Target;
use wire::chat::{Loss, Undo};
use wire::dialect::Echo;
use wire::fault::{Blame, Class};
use wire::{Fault, Operation, RawObject};

use super::chat::carried_headers;
use super::{Outgoing, Reply, ask, echo, is_carried, unreadable};
use crate::app::App;
use crate::exchange::admit::{Inbound, counting};
use crate::exchange::meter::Meter;
use crate::tokens;
use crate::world::World;

/// Asks the target, and estimates when it cannot tell: a client that wants a number is served better by a near one than
/// by none.
pub(super) async fn count(
    app: &App,
    world: &World,
    inbound: &Inbound,
    target: &Target,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    if !target.endpoint().wire.has(Operation::CountTokens) {
        meter.trying(target);
        meter.tried(None);
        return estimate(app, inbound, target, meter).await;
    }
    match ask(app, world, inbound, target, meter).await {
        Err(fault) if !is_an_answer(&fault) => estimate(app, inbound, target, meter).await,
        other => other,
    }
}

/// The client is to blame, or the provider does not know the model. A bare 404 comes from servers that do not count.
fn is_an_answer(fault: &Fault) -> bool {
    match fault {
        Fault::Upstream(stated) if stated.class == Class::NotFound => stated.code.is_some(),
        Fault::Upstream(stated) if matches!(stated.status, 405 | 501) => false,
        _ => matches!(fault.blame(), Blame::Client | Blame::Gateway),
    }
}

async fn estimate(app: &App, inbound: &Inbound, target: &Target, meter: &mut Meter) -> Result<Reply, Fault> {
    let tokens = tokens::estimate(inbound.decoded(&app.recall, meter)?, target.model.sent_as()).await?;
    meter.lost(vec![Loss::at("estimate", "")]);
    let body = counting(inbound.surface)?.encode_response(tokens, true);
    Ok(Reply::Whole { pieces: vec![body], echo: echo(inbound, target, meter) })
}

/// Carries the body when both sides speak the same dialect, else translates it. Rules are about answers and do not apply.
pub(super) fn outgoing(
    app: &App,
    inbound: &Inbound,
    target: &Target,
    meter: &Meter,
) -> Result<Outgoing, Fault> {
    let (wire, profile) = (target.endpoint().wire, &target.model.profile);
    let Some(counts) = wire.counts() else {
        return Err(Fault::internal(format!("{} does not count tokens", wire.name())));
    };
    if is_carried(inbound, target) {
        let mut body = inbound.body.clone();
        inbound.surface.surface().strip(&mut body);
        counts.retarget(&mut body, &profile.model)?;
        let headers = carried_headers(wire.wire(), inbound);
        return Ok(Outgoing { headers, body: body.into_segments(), losses: Vec::new(), undo: None });
    }
    let (body, losses) = counts.encode_request(wire.wire(), inbound.decoded(&app.recall, meter)?, profile)?;
    let headers = wire.wire().headers();
    Ok(Outgoing { headers, body: body.into_segments(), losses, undo: Some(Undo::default()) })
}

/// The provider's number, in the client's form.
pub(super) fn whole(
    inbound: &Inbound,
    target: &Target,
    body: Bytes,
    carried: bool,
    echo: Echo,
) -> Result<Reply, Fault> {
    let answer = RawObject::parse(body).map_err(unreadable)?;
    let counts = target.endpoint().wire.counts().unwrap_or(counting(inbound.surface)?);
    let tokens = counts.decode_response(&answer)?;
    let pieces = match carried {
        true => answer.into_segments(),
        false => vec![counting(inbound.surface)?.encode_response(tokens, false)],
    };
    Ok(Reply::Whole { pieces, echo })
}
