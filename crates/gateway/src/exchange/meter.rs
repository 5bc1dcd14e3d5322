//! One meter a request: it sees everything that is counted, and writes exactly one ledger row, when it is dropped.

use std::mem;
use std::time::Duration;

use policy::{Model, Pin, Target};
use serde::ser::{Serialize, SerializeMap, Serializer};
use store::{Entry, Outcome, Slot};
use wire::chat::{Loss, Usage};
use wire::dialect::{Echo, Peek};
use wire::fault::Blame;
use wire::{Fault, Operation, SurfaceId};

use super::Failed;
use super::admit::NAME_AT_MOST;
use crate::arrival::Arrival;
use crate::clock::{self, Instant};
use crate::door::Caller;
use crate::health::Errand;
use crate::limits::Place;

/// Stands for a fault where an attempt was dropped because another, beside it, answered first. It may be billed all the same.
const OUTRUN: &str = "outrun";

/// Stands for the fault of a target that declined for its content policy.
const DECLINED: &str = "declined";

/// Counts one request. Dropped without [`Meter::complete`] or [`Meter::fail`], it records that the client left.
pub struct Meter {
    arrival: Arrival,
    caller: Caller,
    entry: Entry,
    /// Room in the ledger's queue, taken at the door so that the row cannot be refused later. `None`: it writes no row.
    slot: Option<Slot>,
    usage: Option<Usage>,
    tries: Vec<Tried>,
    /// Attempts beside these, which another outran.
    outrun: Vec<Tried>,
    losses: Vec<Loss>,
    /// The attempt that is under way.
    errand: Option<Errand>,
    /// Time spent waiting for upstreams before the answer began.
    upstream_wait: Duration,
    /// The row is complete already.
    filled: bool,
    /// Held until the answer is complete.
    place: Option<Place>,
}

/// One attempt, as the row keeps it: never with an upstream's words, which may quote the prompt.
#[derive(Debug)]
pub struct Tried {
    /// Who was asked for which model.
    pub target: Target,
    /// Code of the fault in which it ended.
    pub fault: Option<&'static str>,
    /// It failed, and may be billed all the same.
    may_be_billed: bool,
    began: Instant,
    took: Duration,
}

impl Serialize for Tried {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("provider", &*self.target.provider.id)?;
        map.serialize_entry("model", &**self.target.model.sent_as())?;
        map.serialize_entry("wire", self.target.endpoint().wire.name())?;
        map.serialize_entry("reason", &self.target.reason.to_string())?;
        if let Some(fault) = self.fault {
            map.serialize_entry("fault", fault)?;
        }
        if self.may_be_billed {
            map.serialize_entry("billed", "maybe")?;
        }
        map.serialize_entry("ms", &u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX))?;
        map.end()
    }
}

impl Meter {
    /// Opens the meter of a request that passed the door.
    pub fn open(
        slot: Slot,
        place: Place,
        arrival: Arrival,
        (surface, operation): (SurfaceId, Operation),
        caller: &Caller,
        client_request_id: Option<String>,
    ) -> Self {
        let mut entry =
            Entry::admitted(arrival.id, arrival.wall, surface.name().into(), operation.name().into());
        entry.key_name = caller.key_name.as_deref().map(str::to_owned);
        entry.client_request_id = client_request_id;
        let mut meter = Self::without_row(arrival, caller.clone(), entry);
        (meter.slot, meter.place) = (Some(slot), Some(place));
        meter
    }

    fn without_row(arrival: Arrival, caller: Caller, entry: Entry) -> Self {
        Self {
            arrival,
            caller,
            entry,
            slot: None,
            usage: None,
            tries: Vec::new(),
            outrun: Vec::new(),
            losses: Vec::new(),
            errand: None,
            upstream_wait: Duration::ZERO,
            filled: false,
            place: None,
        }
    }

    /// Whose request it is.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// When the request came.
    pub fn arrival(&self) -> Arrival {
        self.arrival
    }

    /// What the client asked for.
    pub fn asked(&mut self, peek: &Peek, project: &str) {
        if project != store::GLOBAL {
            self.entry.project = project.to_owned().into();
        }
        self.entry.model_asked.clone_from(&peek.model);
        self.entry.stream = peek.stream;
    }

    /// A target is about to be tried.
    pub fn trying(&mut self, target: &Target) {
        let endpoint = target.endpoint();
        self.entry.provider = Some(target.provider.id.to_string().into());
        self.entry.wire = Some(endpoint.wire.name().into());
        self.entry.model_sent = Some(target.model.sent_as().to_string());
        self.entry.model_answered = None;
        self.usage = None;
        self.losses.clear();
        self.tries.push(Tried {
            target: target.clone(),
            fault: None,
            may_be_billed: false,
            began: clock::now(),
            took: Duration::ZERO,
        });
    }

    /// The target that was announced is asked.
    pub fn sends(&mut self, errand: Errand) {
        self.errand = Some(errand);
    }

    /// How the attempt ended that `trying` announced.
    pub fn tried(&mut self, fault: Option<&Fault>) {
        let Some(last) = self.tries.last_mut() else { return };
        let took = clock::now() - last.began;
        self.upstream_wait += took;
        last.fault = fault.map(word);
        last.may_be_billed = fault.is_some_and(Fault::may_be_billed);
        last.took = took;
        match (fault, &self.errand) {
            (Some(fault), _) => self.report(fault),
            (None, Some(errand)) => errand.answering(took, self.entry.stream),
            (None, None) => {}
        }
    }

    /// What became of the attempt that is under way.
    fn report(&mut self, fault: &Fault) {
        if let Some(errand) = self.errand.take() {
            errand.failed(fault);
        }
    }

    /// A meter for an attempt beside the one that is about to begin. It writes no row.
    pub(super) fn beside(&self) -> Self {
        Self::without_row(self.arrival, self.caller.clone(), self.entry.clone())
    }

    /// The attempt beside this one came too late, or failed.
    pub(super) fn outran(&mut self, mut other: Self) {
        self.outrun.extend(other.given_up());
    }

    /// The attempt beside this one was quicker: what it counted is what counts.
    pub(super) fn was_outrun_by(&mut self, mut other: Self) {
        let outrun = self.given_up();
        other.slot = self.slot.take();
        other.place = self.place.take();
        other.outrun.extend(outrun);
        *self = other;
    }

    /// Its attempts; the one under way is let go.
    fn given_up(&mut self) -> Vec<Tried> {
        self.let_go(OUTRUN);
        mem::take(&mut self.tries)
    }

    /// The attempt under way ends here, through no fault of its target's, of which nothing can be said.
    pub(super) fn let_go(&mut self, why: &'static str) {
        if let Some(last) = self.tries.last_mut().filter(|_| self.errand.take().is_some()) {
            last.fault = Some(why);
            last.may_be_billed = true;
            last.took = clock::now() - last.began;
        }
    }

    /// Who is answering, for the next request of the conversation.
    pub(super) fn pin(&self) -> Option<Pin> {
        let target = &self.tries.last()?.target;
        let key = self.errand.as_ref().and_then(Errand::key);
        Some(Pin { provider: target.provider.id.clone(), model: target.model.id.clone(), key })
    }

    /// Attempts so far.
    pub fn attempts(&self) -> usize {
        self.tries.len() + self.outrun.len()
    }

    /// Whether another than the first choice is being tried.
    pub fn fell_back(&self) -> bool {
        match (self.tries.first(), self.tries.last()) {
            (Some(first), Some(last)) => {
                first.target.provider.id != last.target.provider.id
                    || first.target.model.id != last.target.model.id
            }
            _ => false,
        }
    }

    /// Nothing will be sent: no row is written, and the place in the queue is free again.
    pub(super) fn unwritten(mut self) -> Self {
        self.slot = None;
        self
    }

    /// No target answered: the row is settled and written.
    pub(super) fn give_up(mut self, fault: Fault) -> Failed {
        self.fail(&fault);
        self.fill();
        self.filled = true;
        let mut tried = mem::take(&mut self.tries);
        tried.append(&mut self.outrun);
        Failed { fault, tried }
    }

    /// Something a translation could not carry.
    pub fn lost(&mut self, losses: Vec<Loss>) {
        self.losses.extend(losses);
    }

    /// What was lost so far.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Token counts; cumulative, the last of each field counts.
    pub fn count(&mut self, usage: &Usage) {
        self.usage.get_or_insert_default().update(usage);
    }

    /// The model that the upstream says has answered.
    pub fn answered_by(&mut self, model: &str) {
        let model = &model[..model.floor_char_boundary(NAME_AT_MOST)];
        if self.entry.model_answered.as_deref() != Some(model) {
            self.entry.model_answered = Some(model.to_owned());
        }
    }

    /// A whole answer has come: what it says of tokens and of the model that gave it.
    pub(super) fn answered(&mut self, usage: Option<&Usage>, model: Option<&str>, echo: &mut Echo) {
        if let Some(usage) = usage {
            self.count(usage);
        }
        self.answered_by(model.unwrap_or(&echo.resolved_model));
        echo.cost_nanos = self.cost_nanos();
    }

    /// The model that the upstream says has answered, once it has said so.
    pub fn model_answered(&self) -> Option<&str> {
        self.entry.model_answered.as_deref()
    }

    /// The first content went out (or the whole answer did).
    pub fn first_byte(&mut self) {
        if self.entry.first_byte_us.is_none() {
            self.entry.first_byte_us = Some(micros(clock::now() - self.arrival.at));
        }
    }

    /// Time since the request came.
    pub fn elapsed(&self) -> Duration {
        clock::now() - self.arrival.at
    }

    /// The gateway's own share of the time since the request came.
    pub fn overhead(&self) -> Duration {
        self.elapsed().saturating_sub(self.upstream_wait)
    }

    /// What the request cost so far, in nanodollars; `None` when tokens or prices are unknown.
    pub fn cost_nanos(&self) -> Option<i64> {
        let rate = self.model()?.rate.as_ref()?;
        policy::cost(self.usage.as_ref()?, rate).map(policy::Money::nanos)
    }

    /// The answer is complete.
    pub fn complete(&mut self, status: u16) {
        self.entry.status = status;
        self.entry.outcome = Outcome::Completed;
        if let Some(errand) = self.errand.take() {
            errand.succeeded();
        }
    }

    /// The request ended in a fault.
    pub fn fail(&mut self, fault: &Fault) {
        self.report(fault);
        self.entry.status = fault.status().as_u16();
        self.entry.fault_code = Some(fault.code().into());
        self.entry.outcome = match fault.blame() {
            Blame::Client => Outcome::ClientError,
            Blame::Gateway => Outcome::GatewayError,
            Blame::Credential | Blame::Target | Blame::Upstream => Outcome::UpstreamError,
        };
    }

    /// The request ended in a fault after its answer had begun: the client has got a 200.
    pub fn break_off(&mut self, fault: &Fault) {
        self.fail(fault);
        self.entry.status = 200;
    }

    /// The model that is being asked.
    fn model(&self) -> Option<&Model> {
        self.tries.last().map(|tried| &*tried.target.model)
    }

    fn fill(&mut self) {
        let cost_nanos = self.cost_nanos();
        let price_source =
            self.model().and_then(|model| Some(model.price_source.as_deref()?.to_owned().into()));
        let entry = &mut self.entry;
        entry.cost_nanos = cost_nanos;
        entry.price_source = price_source;
        if let Some(usage) = &self.usage {
            let stored = |tokens: Option<u64>| tokens.and_then(|tokens| i64::try_from(tokens).ok());
            entry.input = stored(usage.input);
            entry.cache_read = stored(usage.cache_read);
            entry.cache_write = stored(usage.cache_write);
            entry.cache_write_1h = stored(usage.cache_write_1h);
            entry.output = stored(usage.output);
            entry.reasoning = stored(usage.reasoning);
            entry.usage_odd = usage.odd;
            entry.stated_cost_nanos = usage.stated_cost_nanos;
        }
        let tries: Vec<&Tried> = self.tries.iter().chain(&self.outrun).collect();
        entry.attempts = u32::try_from(tries.len()).unwrap_or(u32::MAX);
        if tries.len() > 1 || tries.iter().any(|tried| tried.fault.is_some()) {
            entry.attempts_detail = serde_json::to_string(&tries).ok();
        }
        if !self.losses.is_empty() {
            entry.losses = Some(codes(&self.losses));
        }
        entry.total_us = micros(clock::now() - self.arrival.at);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if !self.filled {
            self.fill();
        }
        let Some(slot) = self.slot.take() else { return };
        let blank = Entry::admitted(self.arrival.id, self.arrival.wall, "".into(), "".into());
        slot.write(mem::replace(&mut self.entry, blank));
    }
}

/// What the row calls it: a refusal is told apart from other mistakes of the client's.
fn word(fault: &Fault) -> &'static str {
    if fault.is_content_policy() { DECLINED } else { fault.code() }
}

/// Codes of losses, comma-separated, each once, in order of appearance.
pub(super) fn codes(losses: &[Loss]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for loss in losses {
        if !seen.contains(&&*loss.code) {
            seen.push(&loss.code);
        }
    }
    seen.join(",")
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
