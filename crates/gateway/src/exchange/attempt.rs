//! One target: carry or translate, authorize, send, classify. What an operation does differently is in the file of its
//! name.

mod chat;
mod complete;
mod count;
mod embed;
mod refusal;
mod thoughts;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use policy::Target;
use upstream::Call;
use wire::chat::{Loss, Undo, custody};
use wire::dialect::Echo;
use wire::fault::{Blame, Class};
use wire::{Fault, Operation};

pub use refusal::{refusal, without_key};
pub(super) use thoughts::Thoughts;

use super::admit::Inbound;
use super::answer::Answer;
use super::continued;
use super::meter::{Meter, codes};
use super::relay::{Keeper, Memory, Relay};
use crate::app::App;
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

/// What goes upstream, and what must be reversed on the way back.
pub(super) struct Outgoing {
    /// Without the credential.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<Bytes>,
    pub(super) losses: Vec<Loss>,
    /// `None`: carried.
    pub(super) undo: Option<Undo>,
}

/// Tries one target.
pub(super) async fn attempt(
    app: &App,
    world: &World,
    inbound: &Inbound,
    target: &Target,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    match inbound.operation {
        Operation::CountTokens => count::count(app, world, inbound, target, meter).await,
        _ => ask(app, world, inbound, target, meter).await,
    }
}

/// Asks one target with each of its credentials in turn: a key that is refused, or has used up its quota, is no reason
/// to leave the provider while there is another. Refused thoughts are none either: they are left out then, once.
async fn ask(
    app: &App,
    world: &World,
    inbound: &Inbound,
    target: &Target,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    let runtime = world.runtime(&target.provider.id)?;
    let mut keys =
        app.credentials.of(world, runtime, target.endpoint, &inbound.project, target.key.as_deref()).await?;
    if let Some(origin) = continued::origin(app, inbound, meter)? {
        keys.retain(|key| continued::account(key.as_deref()) == origin.account);
        if keys.is_empty() {
            return Err(continued::without_account(&origin));
        }
    }
    let mut refused = None::<Fault>;
    for key in app.health.in_order(target, keys) {
        let key = key.as_deref();
        let mut replied = ask_with(app, runtime, inbound, target, key, Thoughts::Kept, meter).await;
        if let Err(fault) = &replied
            && thoughts::are_refused(inbound, fault)
            && thoughts::may_be_to_blame(app, inbound, target, meter)
        {
            // Where that does not help either, the first refusal says more than the second.
            let without = ask_with(app, runtime, inbound, target, key, Thoughts::Dropped, meter).await;
            replied = without.or(replied);
        }
        match replied {
            // Of several refusals the one that passes is the one to tell.
            Err(fault) if another_key_may_do(&fault) => {
                refused = Some(refused.filter(is_rate_limit).unwrap_or(fault));
            }
            other => return other,
        }
    }
    Err(refused.unwrap_or_else(|| Fault::NoTarget {
        why: format!("{} has no credential for project {}", target.provider.name, inbound.project),
    }))
}

fn another_key_may_do(fault: &Fault) -> bool {
    fault.blame() == Blame::Credential || is_rate_limit(fault)
}

fn is_rate_limit(fault: &Fault) -> bool {
    matches!(fault, Fault::Upstream(stated) if stated.class == Class::RateLimit)
}

async fn ask_with(
    app: &App,
    runtime: &Runtime,
    inbound: &Inbound,
    target: &Target,
    key: Option<&Key>,
    thoughts: Thoughts,
    meter: &mut Meter,
) -> Result<Reply, Fault> {
    meter.trying(target);
    // Whether tokens are counted says nothing of how a model answers.
    if inbound.operation != Operation::CountTokens {
        meter.sends(app.health.begin(target, key.map(|key| key.id)));
    }
    let outgoing = outgoing(app, inbound, target, thoughts, meter).await;
    let replied = match outgoing.and_then(|outgoing| without_loss(target, outgoing)) {
        Ok(outgoing) => send(app, runtime, inbound, target, key, outgoing, meter).await,
        Err(fault) => Err(fault),
    };
    let replied =
        replied.map_err(|fault| without_key(fault.named(&target.provider.id), key.map(|key| &key.value)));
    meter.tried(replied.as_ref().err());
    if let Err(fault) = &replied {
        log(target, fault, meter);
    }
    replied
}

/// What fails is told in the ledger. That it may have to be paid for is told in the log too, since nothing else will.
fn log(target: &Target, fault: &Fault, meter: &Meter) {
    let (provider, code, attempt) = (&target.provider.id, fault.code(), meter.attempts());
    if fault.may_be_billed() {
        let request_id = meter.arrival().id;
        tracing::warn!(%provider, code, %request_id, "attempt {attempt} failed, and {provider} may bill for it");
    } else {
        tracing::debug!(%provider, code, "attempt {attempt} failed");
    }
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
    if !(200..300).contains(&reply.status) {
        return Err(refusal(target.endpoint().wire.wire(), reply).await);
    }
    let mut echo = echo(inbound, target, meter);
    if outgoing.undo.is_some() {
        echo.request_fields = inbound.surface.surface().echoed(&inbound.body);
    }
    let (carried, undo) = (outgoing.undo.is_none(), outgoing.undo);
    if inbound.peek.stream {
        let memory = Memory::new(app.recall.clone(), inbound.owner(meter));
        let keeper = Keeper::new(app, inbound, target, key, meter);
        let secret = key.map(|key| key.value.clone());
        return chat::stream(inbound, target, reply, undo, echo, (memory, keeper, secret)).await;
    }
    let body = reply.body.collect(WHOLE_ANSWER).await?;
    match inbound.operation {
        Operation::Chat => chat::whole(app, inbound, (target, key), body, undo, echo, meter),
        Operation::CountTokens => count::whole(inbound, target, body, carried, echo),
        Operation::Embed | Operation::EmbedOne => embed::whole(inbound, target, body, carried, echo, meter),
        Operation::Complete => complete::whole(target, body, echo, meter),
    }
}

/// A target that translates strictly gets all of a request, or none of it.
fn without_loss(target: &Target, outgoing: Outgoing) -> Result<Outgoing, Fault> {
    match outgoing.losses.first() {
        Some(first) if target.translates_strictly() => Err(Fault::Unsupported {
            what: format!(
                "all of this request, and strict_translation is on (lost: {})",
                codes(&outgoing.losses)
            ),
            by: target.model.sent_as().to_string(),
            at: Some(first.at.clone()),
        }),
        _ => Ok(outgoing),
    }
}

/// What would be sent to a target.
pub(super) async fn outgoing(
    app: &App,
    inbound: &Inbound,
    target: &Target,
    thoughts: Thoughts,
    meter: &Meter,
) -> Result<Outgoing, Fault> {
    match inbound.operation {
        Operation::Chat => chat::outgoing(app, inbound, target, thoughts, meter),
        Operation::CountTokens => count::outgoing(app, inbound, target, meter),
        Operation::Embed | Operation::EmbedOne => embed::outgoing(inbound, target).await,
        Operation::Complete => complete::outgoing(inbound, target),
    }
}

/// Both sides speak the same dialect, and the body holds no thoughts of another family in the form that only the gateway
/// understands: those are for no upstream.
fn is_carried(inbound: &Inbound, target: &Target) -> bool {
    let dialect = inbound.surface.dialect();
    dialect.is_some()
        && dialect == target.endpoint().wire.dialect()
        && !(inbound.surface.surface().wraps_thoughts() && custody::is_in(inbound.body.as_bytes()))
}

/// What the answer repeats of the request and says about its way.
fn echo(inbound: &Inbound, target: &Target, meter: &Meter) -> Echo {
    Echo {
        request_id: inbound.arrival.id.to_string(),
        requested_provider: inbound.peek.provider.clone(),
        requested_model: inbound.peek.model.clone(),
        resolved_provider: target.provider.id.to_string(),
        resolved_model: target.model.sent_as().to_string(),
        fallback_used: target.is_fallback() || meter.fell_back(),
        created: u64::try_from(inbound.arrival.wall.as_second()).unwrap_or_default(),
        include_usage: inbound.peek.include_usage,
        thoughts: inbound.surface.surface().thoughts(&inbound.body),
        legacy_functions: inbound.body.has("functions"),
        annotate: inbound.world.doors.annotate,
        framing: inbound.head.framing,
        ..Echo::default()
    }
}

/// The scanner blames the client; here the bytes are the upstream's.
fn unreadable(fault: Fault) -> Fault {
    Fault::BadAnswer { provider: String::new(), why: fault.to_string() }
}
