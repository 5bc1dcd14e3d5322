//! One target: carry or translate, authorize, send, classify.

mod outgoing;
mod refusal;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, header};
use policy::Target;
use upstream::Call;
use wire::chat::Undo;
use wire::dialect::Echo;
use wire::{Fault, RawObject};

use outgoing::{Outgoing, outgoing};
use refusal::{refusal, without_key};

use super::admit::Inbound;
use super::answer::Answer;
use super::meter::Meter;
use super::relay::{Carried, Passage, Relay, Translated};
use crate::app::App;
use crate::clock;
use crate::credentials::Key;
use crate::world::{Runtime, World};

/// Bytes of a whole answer, at most.
const WHOLE_ANSWER: usize = 32 * 1024 * 1024;

/// A target's answer, before the client has seen any of it.
pub(super) enum Reply {
    /// Complete.
    Whole { pieces: Vec<Bytes>, echo: Echo },
    /// Its first content is there.
    Stream { relay: Box<Relay>, echo: Echo },
}

impl Reply {
    pub(super) fn into_answer(self, inbound: &Inbound, meter: Meter) -> Answer {
        match self {
            Reply::Whole { pieces, echo } => Answer::whole(inbound, meter, &echo, pieces),
            Reply::Stream { relay, echo } => Answer::stream(inbound, meter, &echo, *relay),
        }
    }
}

/// Tries one target with each of its credentials in turn: a refused key is no reason to leave the provider while
/// there is another.
pub(super) async fn attempt(
    app: &App,
    world: &World,
    inbound: &Inbound,
    target: &Target,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    let runtime = world.runtime(&target.provider.id)?;
    let keys = app.credentials.of(world, runtime, target.endpoint, &inbound.project).await?;
    let mut refused = None;
    for key in keys {
        match attempt_with(app, runtime, inbound, target, key.as_deref(), meter).await {
            Err(fault) if fault.blame() == wire::fault::Blame::Credential => refused = Some(fault),
            other => return other,
        }
    }
    Err(refused.unwrap_or_else(|| Fault::NoTarget {
        why: format!("{} has no credential for project {}", target.provider.name, inbound.project),
    }))
}

async fn attempt_with(
    app: &App,
    runtime: &Runtime,
    inbound: &Inbound,
    target: &Target,
    key: Option<&Key>,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    meter.trying(target);
    let started = clock::now();
    let replied = match outgoing(inbound, target) {
        Ok(outgoing) => send(app, runtime, inbound, target, key, outgoing, meter).await,
        Err(fault) => Err(fault),
    };
    let replied = replied.map_err(|fault| without_key(fault.named(&target.provider.id), key));
    meter.tried(started, replied.as_ref().err());
    if let Err(fault) = &replied {
        tracing::debug!(provider = %target.provider.id, code = fault.code(), "attempt {} failed", meter.attempts());
    }
    replied
}

async fn send(
    app: &App,
    runtime: &Runtime,
    inbound: &Inbound,
    target: &Target,
    key: Option<&Key>,
    outgoing: Outgoing,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    let mut headers = runtime.headers.clone();
    headers.extend(outgoing.headers);
    if let Some(key) = key {
        headers.insert(key.header.clone(), key.value.clone());
    }
    meter.lost(outgoing.losses);
    let call = Call {
        provider: target.provider.id.clone(),
        to: runtime.ways[target.endpoint].destination(
            inbound.operation,
            target.model.sent_as(),
            inbound.peek.stream,
        )?,
        headers,
        body: outgoing.body,
        timeouts: runtime.timeouts(inbound.peek.stream, target.model.timeout),
    };
    let reply = app.upstreams.send(call).await?;
    let wire = target.endpoint().wire.wire();
    if !(200..300).contains(&reply.status) {
        return Err(refusal(wire, reply).await);
    }
    let echo = echo(app, inbound, target, meter);
    if inbound.peek.stream {
        stream(inbound, target, reply, outgoing.undo, echo).await
    } else {
        whole(inbound, target, reply.body.collect(WHOLE_ANSWER).await?, outgoing.undo, echo, meter)
    }
}

fn echo(app: &App, inbound: &Inbound, target: &Target, meter: &Meter) -> Echo {
    Echo {
        request_id: inbound.arrival.id.to_string(),
        requested_provider: inbound.peek.provider.clone(),
        requested_model: inbound.peek.model.clone(),
        resolved_provider: target.provider.id.to_string(),
        resolved_model: target.model.sent_as().to_string(),
        fallback_used: target.is_fallback() || meter.fell_back(),
        created: u64::try_from(inbound.arrival.wall.as_second()).unwrap_or_default(),
        include_usage: inbound.peek.include_usage,
        legacy_functions: inbound.body.has("functions"),
        annotate: app.annotate,
        framing: inbound.head.framing,
        ..Echo::default()
    }
}

/// A whole answer: checked, counted, and given the client's form.
fn whole(
    inbound: &Inbound,
    target: &Target,
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
        if let Some(usage) = &glance.usage {
            meter.count(usage);
        }
        meter.answered_by(glance.model.as_deref().unwrap_or(&echo.resolved_model));
        echo.cost_nanos = meter.cost_nanos();
        surface.annotate(&mut answer, &echo, glance.usage.as_ref());
        return Ok(Reply::Whole { pieces: answer.into_segments(), echo });
    };
    let response = wire.decode_response(&body, &undo)?;
    if let Some(usage) = &response.usage {
        meter.count(usage);
    }
    meter.answered_by(response.model.as_deref().unwrap_or(&echo.resolved_model));
    echo.cost_nanos = meter.cost_nanos();
    let mut losses = Vec::new();
    let body = surface.encode_response(&response, &echo, &mut losses);
    meter.lost(losses);
    Ok(Reply::Whole { pieces: vec![body], echo })
}

/// A streamed answer, once its first content is there.
async fn stream(
    inbound: &Inbound,
    target: &Target,
    reply: upstream::Reply,
    undo: Option<Undo>,
    echo: Echo,
) -> Result<Reply, Fault> {
    let wire = target.endpoint().wire.wire();
    let provider: Arc<str> = target.provider.id.clone();
    match media_type(&reply.headers) {
        "text/event-stream" | "" => {}
        "application/json" => {
            let body = reply.body.collect(WHOLE_ANSWER).await?;
            let response = wire.decode_response(&body, &undo.unwrap_or_default())?;
            let relay = Box::new(Relay::of_whole(inbound.surface, provider, echo.clone(), &response));
            return Ok(Reply::Stream { relay, echo });
        }
        other => {
            let why = format!("a stream was asked for, and it sent '{other}'");
            return Err(Fault::BadAnswer { provider: String::new(), why });
        }
    }
    let passage = match undo {
        None => Passage::Carried(Carried {
            wire,
            surface: inbound.surface.surface(),
            hide_usage: !inbound.peek.include_usage,
            framing: inbound.head.framing,
        }),
        Some(undo) => {
            let writer = inbound.surface.surface().stream_writer(echo.clone());
            Passage::Translated(Box::new(Translated::new(wire.stream_reader(&undo), writer)))
        }
    };
    let mut relay =
        Box::new(Relay::new(inbound.surface, provider, echo.request_id.clone(), reply.body, passage));
    relay.prime().await?;
    Ok(Reply::Stream { relay, echo })
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// The scanner blames the client; here the bytes are the upstream's.
fn unreadable(fault: Fault) -> Fault {
    Fault::BadAnswer { provider: String::new(), why: fault.to_string() }
}
