//! A legacy completion: carried, or not at all. Its streams go the way of a conversation's.

use bytes::Bytes;
use policy::Target;
use wire::dialect::Echo;
use wire::{Fault, RawObject};

use super::chat::carried_headers;
use super::{Outgoing, Reply, is_carried, unreadable};
use crate::exchange::admit::Inbound;
use crate::exchange::meter::Meter;

/// The client's bytes with a few splices.
pub(super) fn outgoing(inbound: &Inbound, target: &Target) -> Result<Outgoing, Fault> {
    if !is_carried(inbound, target) {
        let what = inbound.operation.in_words().to_owned();
        return Err(Fault::Unsupported { what, by: target.provider.name.clone(), at: None });
    }
    let mut body = inbound.body.clone();
    inbound.surface.surface().strip(&mut body);
    wire::complete::retarget(&mut body, &target.model.profile, inbound.peek.stream)?;
    target.apply_rules(inbound.surface, &mut body)?;
    let headers = carried_headers(target.endpoint().wire.wire(), inbound);
    Ok(Outgoing { headers, body: body.into_segments(), losses: Vec::new(), undo: None })
}

/// A whole answer: checked and counted.
pub(super) fn whole(target: &Target, body: Bytes, mut echo: Echo, meter: &mut Meter) -> Result<Reply, Fault> {
    let answer = RawObject::parse(body).map_err(unreadable)?;
    let glance = target.endpoint().wire.wire().glance_whole(&answer)?;
    meter.answered(glance.usage.as_ref(), glance.model.as_deref(), &mut echo);
    Ok(Reply::Whole { pieces: answer.into_segments(), echo })
}
