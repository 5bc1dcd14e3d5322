//! A conversation: the client's bytes with a few splices, or the request in another dialect; and the answer likewise.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use policy::Target;
use wire::chat::{ChatRequest, Encoded, Profile, Stop, Undo};
use wire::dialect::{Echo, Wire};
use wire::fault::{Class, UpstreamFault};
use wire::{Fault, Operation, RawObject};

use super::thoughts::{self, Thoughts};
use super::{Outgoing, Reply, WHOLE_ANSWER, is_carried, unreadable};
use crate::app::App;
use crate::credentials::Key;
use crate::exchange::admit::Inbound;
use crate::exchange::meter::Meter;
use crate::exchange::relay::{Carried, Keeper, Memory, Passage, Relay, Translated};

/// Carries the body when both sides speak the same dialect and thoughts need not be taken out, else translates it; then
/// applies the rules.
pub(super) fn outgoing(
    app: &App,
    inbound: &Inbound,
    target: &Target,
    thoughts: Thoughts,
    meter: &Meter,
) -> Result<Outgoing, Fault> {
    let wire = target.endpoint().wire.wire();
    let (mut body, headers, losses, undo) = if thoughts == Thoughts::Kept && is_carried(inbound, target) {
        let mut body = inbound.body.clone();
        inbound.surface.surface().strip(&mut body);
        wire.retarget(&mut body, &target.model.profile, inbound.peek.stream)?;
        (body, carried_headers(wire, inbound), Vec::new(), None)
    } else {
        let request = inbound.decoded(&app.recall, meter)?;
        let encoded = encoded(wire, request, target, thoughts)?;
        if !target.has_rules() {
            let (headers, losses) = (encoded.headers, encoded.losses);
            return Ok(Outgoing { headers, body: vec![encoded.body], losses, undo: Some(encoded.undo) });
        }
        (RawObject::parse(encoded.body)?, encoded.headers, encoded.losses, Some(encoded.undo))
    };
    target.apply_rules(inbound.surface, &mut body)?;
    Ok(Outgoing { headers, body: body.into_segments(), losses, undo })
}

/// The request in the target's dialect, with or without its thoughts.
pub(super) fn encoded(
    wire: &dyn Wire,
    request: &ChatRequest,
    target: &Target,
    thoughts: Thoughts,
) -> Result<Encoded, Fault> {
    let profile = &target.model.profile;
    if thoughts == Thoughts::Kept {
        return wire.encode_request(request, profile);
    }
    let (request, dropped) = thoughts::dropped(request);
    let profile = Profile { thoughts_with_calls: true, ..Profile::clone(profile) };
    let mut encoded = wire.encode_request(&request, &profile)?;
    encoded.losses.splice(..0, dropped);
    Ok(encoded)
}

/// What the wire wants, unless the client said it itself.
pub(super) fn carried_headers(wire: &dyn Wire, inbound: &Inbound) -> Vec<(HeaderName, HeaderValue)> {
    let said = |name: &HeaderName| inbound.forwarded.iter().any(|(other, _)| other == name);
    let mut headers = wire.headers();
    headers.retain(|(name, _)| !said(name));
    headers.extend(inbound.forwarded.iter().cloned());
    headers
}

/// A whole answer: checked, counted, and given the client's form.
pub(super) fn whole(
    app: &App,
    inbound: &Inbound,
    (target, key): (&Target, Option<&Key>),
    body: Bytes,
    undo: Option<Undo>,
    mut echo: Echo,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    let wire = target.endpoint().wire.wire();
    let surface = inbound.surface.surface();
    echo.latency_ms = Some(u64::try_from(meter.elapsed().as_millis()).unwrap_or(u64::MAX));
    let Some(undo) = undo else {
        let mut answer = RawObject::parse(body).map_err(unreadable)?;
        let glance = wire.glance_whole(&answer)?;
        not_declined(target, glance.stop.as_ref())?;
        if let Some(id) = &glance.kept_as {
            Keeper::new(app, inbound, target, key, meter).keep(id);
        }
        meter.answered(glance.usage.as_ref(), glance.model.as_deref(), &mut echo);
        surface.annotate(&mut answer, &echo, glance.usage.as_ref());
        return Ok(Reply::Whole { pieces: answer.into_segments(), echo });
    };
    let response = wire.decode_response(&body, &undo)?;
    not_declined(target, response.choices.first().map(|choice| &choice.stop))?;
    meter.answered(response.usage.as_ref(), response.model.as_deref(), &mut echo);
    Memory::new(app.recall.clone(), inbound.owner(meter)).keep(&response);
    let mut losses = Vec::new();
    let body = surface.encode_response(&response, &echo, &mut losses);
    meter.lost(losses);
    Ok(Reply::Whole { pieces: vec![body], echo })
}

/// A streamed answer, once its first content is there.
pub(super) async fn stream(
    inbound: &Inbound,
    target: &Target,
    reply: upstream::Reply,
    undo: Option<Undo>,
    echo: Echo,
    (memory, keeper, secret): (Memory, Keeper, Option<HeaderValue>),
) -> Result<Reply, Fault> {
    let wire = target.endpoint().wire.wire();
    let provider: Arc<str> = target.provider.id.clone();
    let kind = media_type(&reply.headers);
    let Some(framing) = wire.framing_of(kind) else {
        if kind != "application/json" || inbound.operation != Operation::Chat {
            let why = format!("a stream was asked for, and it sent '{kind}'");
            return Err(Fault::BadAnswer { provider: String::new(), why });
        }
        let body = reply.body.collect(WHOLE_ANSWER).await?;
        let response = wire.decode_response(&body, &undo.unwrap_or_default())?;
        not_declined(target, response.choices.first().map(|choice| &choice.stop))?;
        memory.keep(&response);
        let relay = Box::new(Relay::of_whole(inbound.surface, provider, echo.clone(), &response));
        return Ok(Reply::Stream { relay, echo });
    };
    let passage = match undo {
        None => Passage::Carried(Carried {
            wire,
            surface: inbound.surface.surface(),
            hide_usage: !inbound.peek.include_usage,
            framing: inbound.head.framing,
            keeper,
        }),
        Some(undo) => {
            let writer = inbound.surface.surface().stream_writer(echo.clone());
            Passage::Translated(Box::new(Translated::new(wire.stream_reader(&undo), writer, memory)))
        }
    };
    let source = (reply.body, framing);
    let relay = Relay::new(inbound.surface, provider, echo.request_id.clone(), source, passage);
    let mut relay = Box::new(relay.hiding(secret));
    relay.prime().await?;
    not_declined(target, relay.declined())?;
    Ok(Reply::Stream { relay, echo })
}

/// Where somebody else takes what a target declines, an answer that only declines is none.
fn not_declined(target: &Target, stop: Option<&Stop>) -> Result<(), Fault> {
    let Some(stop) = stop.filter(|stop| target.passes_refusals_on && stop.reason.declines()) else {
        return Ok(());
    };
    let why = stop.explanation.as_deref().unwrap_or("the model declined to answer for its content policy");
    Err(Fault::from(UpstreamFault {
        provider: target.provider.id.to_string(),
        status: 200,
        class: Class::BadRequest,
        message: why.to_owned(),
        param: None,
        code: Some("content_filter".to_owned()),
        retry_after: None,
        original: None,
    }))
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
