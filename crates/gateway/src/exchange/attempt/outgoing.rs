//! What goes upstream: the client's bytes with a few splices, or the request in another dialect.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use policy::Target;
use wire::chat::{Loss, Undo};
use wire::dialect::Wire;
use wire::{Fault, RawObject};

use crate::exchange::admit::Inbound;

/// What goes upstream, and what must be reversed on the way back.
pub(super) struct Outgoing {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<Bytes>,
    pub(super) losses: Vec<Loss>,
    /// `None`: carried.
    pub(super) undo: Option<Undo>,
}

/// What the wire wants, unless the client said it itself.
fn carried_headers(wire: &dyn Wire, inbound: &Inbound) -> Vec<(HeaderName, HeaderValue)> {
    let said = |name: &HeaderName| inbound.forwarded.iter().any(|(other, _)| other == name);
    let mut headers = wire.headers();
    headers.retain(|(name, _)| !said(name));
    headers.extend(inbound.forwarded.iter().cloned());
    headers
}

/// Carries the body when both sides speak the same dialect, else translates it; then applies the rules.
pub(super) fn outgoing(inbound: &Inbound, target: &Target) -> Result<Outgoing, Fault> {
    let endpoint = target.endpoint();
    let wire = endpoint.wire.wire();
    let carried = inbound.surface.dialect().is_some() && inbound.surface.dialect() == endpoint.wire.dialect();
    let (mut body, headers, losses, undo) = if carried {
        let mut body = inbound.body.clone();
        inbound.surface.surface().strip(&mut body);
        wire.retarget(&mut body, &target.model.profile, inbound.peek.stream)?;
        (body, carried_headers(wire, inbound), Vec::new(), None)
    } else {
        let encoded = wire.encode_request(inbound.decoded()?, &target.model.profile)?;
        if !target.has_rules() {
            let (headers, losses) = (encoded.headers, encoded.losses);
            return Ok(Outgoing { headers, body: vec![encoded.body], losses, undo: Some(encoded.undo) });
        }
        (RawObject::parse(encoded.body)?, encoded.headers, encoded.losses, Some(encoded.undo))
    };
    target.apply_rules(&mut body)?;
    Ok(Outgoing { headers, body: body.into_segments(), losses, undo })
}
