//! One target: carry or translate, authorize, send, classify.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use policy::Target;
use upstream::Call;
use wire::chat::{Loss, Undo};
use wire::dialect::{Echo, Wire};
use wire::{Fault, RawObject};

use super::admit::Inbound;
use super::answer::Answer;
use super::meter::Meter;
use super::relay::{Passage, Relay};
use crate::app::App;
use crate::clock;
use crate::credentials::Key;
use crate::world::{Runtime, World};

/// Bytes of an upstream's error body that are looked at.
const ERROR_BODY: usize = 64 * 1024;
/// Bytes of a whole answer, at most.
const WHOLE_ANSWER: usize = 32 * 1024 * 1024;
/// A longer wait than a day is not believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

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

/// What goes upstream, and what must be reversed on the way back.
struct Outgoing {
    headers: Vec<(http::HeaderName, HeaderValue)>,
    body: Vec<Bytes>,
    losses: Vec<Loss>,
    /// `None`: carried.
    undo: Option<Undo>,
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
    let keys = app.credentials.of(world, runtime, &inbound.project).await?;
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
    let replied = replied.map_err(|fault| fault.named(&target.provider.id));
    meter.tried(started, replied.as_ref().err());
    if let Err(fault) = &replied {
        tracing::debug!(provider = %target.provider.id, code = fault.code(), "attempt {} failed", meter.attempts());
    }
    replied
}

/// Carries the body when both sides speak the same dialect, else translates it; then applies the rules.
fn outgoing(inbound: &Inbound, target: &Target) -> Result<Outgoing, Fault> {
    let endpoint = target.endpoint();
    let wire = endpoint.wire.wire();
    let carried = inbound.surface.dialect().is_some() && inbound.surface.dialect() == endpoint.wire.dialect();
    let (mut body, headers, losses, undo) = if carried {
        let mut body = inbound.body.clone();
        inbound.surface.surface().strip(&mut body);
        wire.retarget(&mut body, &target.model.profile, inbound.peek.stream)?;
        (body, wire.headers(), Vec::new(), None)
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
        to: runtime.destinations[target.endpoint].clone(),
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

/// An answer with a status other than 2xx.
async fn refusal(wire: &dyn Wire, reply: upstream::Reply) -> Fault {
    if (300..400).contains(&reply.status) {
        let why = format!("it redirects (HTTP {}), and redirects are not followed", reply.status);
        return Fault::BadAnswer { provider: String::new(), why };
    }
    let retry_after = retry_after(&reply.headers);
    match reply.body.collect(ERROR_BODY).await {
        Ok(body) => wire.decode_fault(reply.status, retry_after, &body),
        // The status alone says enough.
        Err(_) => wire.decode_fault(reply.status, retry_after, b""),
    }
}

/// `retry-after-ms`, or `retry-after` in seconds or as a date. Absurd values are dropped.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        Duration::try_from_secs_f64(millis / 1000.0).ok()?
    } else {
        let value = text("retry-after")?;
        match value.parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
            Err(_) => until(value)?,
        }
    };
    (wait <= MAX_RETRY_AFTER).then_some(wait)
}

/// Time until an HTTP date; none for one that is past.
fn until(date: &str) -> Option<Duration> {
    let at = httpdate::parse_http_date(date).ok()?;
    Some(at.duration_since(clock::system()).unwrap_or_default())
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
        None => Passage::Carried { wire, hide_usage: !inbound.peek.include_usage },
        Some(undo) => Passage::Translated {
            reader: wire.stream_reader(&undo),
            writer: inbound.surface.surface().stream_writer(echo.clone()),
            events: Vec::new(),
        },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(name: &'static str, value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        retry_after(&headers)
    }

    #[test]
    fn retry_after_is_read_in_every_form_and_absurd_ones_are_dropped() {
        assert_eq!(wait("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(wait("retry-after", "1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(wait("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(wait("retry-after", "1555200"), None);
        assert_eq!(wait("retry-after", "-3"), None);
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
    }
}
