//! A second request beside one that takes its time, where a route of the operator's wants that: the first content wins,
//! the other request is dropped, and the ledger's row tells of both.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use policy::{Plan, Target};
use wire::fault::Blame;
use wire::{Fault, Operation};

use super::admit::Inbound;
use super::attempt::{Reply, attempt};
use super::meter::Meter;
use super::time_limit::TimeLimit;
use crate::app::App;
use crate::clock;
use crate::world::World;

/// What is asked, of whomever.
pub(super) struct Asked<'a> {
    pub(super) app: &'a App,
    pub(super) world: &'a World,
    pub(super) inbound: &'a Inbound,
}

/// How two requests ended.
enum Race {
    First(Reply),
    Second(Reply),
    Neither(Fault),
}

/// After how long the second target is asked as well; `None`: it is not.
pub(super) fn delay(plan: &Plan, inbound: &Inbound) -> Option<Duration> {
    let has_second = plan.targets().get(1).is_some_and(|target| !target.is_reserve());
    plan.hedge().filter(|_| has_second && may_be_asked_twice(inbound))
}

/// Nothing is left behind at the one whose answer is dropped.
fn may_be_asked_twice(inbound: &Inbound) -> bool {
    let peek = &inbound.peek;
    inbound.operation != Operation::CountTokens && peek.previous.is_none() && !peek.keeps
}

impl Asked<'_> {
    /// Tries a target of the plan; the first one perhaps with another beside it, on which the plan then stands.
    pub(super) async fn attempt(
        &self,
        plan: &mut Plan,
        target: &Target,
        meter: &mut Meter,
    ) -> Result<Reply, Fault> {
        match delay(plan, self.inbound).filter(|_| meter.attempts() == 0) {
            Some(delay) => Box::pin(self.hedged(delay, plan, target, meter)).await,
            None => self.plain(target, meter).await,
        }
    }

    async fn plain(&self, target: &Target, meter: &mut Meter) -> Result<Reply, Fault> {
        match self.inbound.time_limit {
            Some(limit) => Box::pin(self.limited(limit, target, meter)).await,
            None => attempt(self.app, self.world, self.inbound, target, meter).await,
        }
    }

    /// As long as the client has time. A target that was given less than it needs is let go, not judged.
    async fn limited(&self, limit: TimeLimit, target: &Target, meter: &mut Meter) -> Result<Reply, Fault> {
        let replied = {
            let asking = pin!(attempt(self.app, self.world, self.inbound, target, meter));
            limit.within(asking).await
        };
        replied.unwrap_or_else(|fault| {
            meter.let_go(fault.code());
            Err(fault)
        })
    }

    async fn hedged(
        &self,
        delay: Duration,
        plan: &mut Plan,
        target: &Target,
        meter: &mut Meter,
    ) -> Result<Reply, Fault> {
        let mut second_meter = meter.beside();
        let race = {
            let mut first = pin!(self.plain(target, meter));
            if let Ok(replied) = clock::timeout(delay, &mut first).await {
                return replied;
            }
            let Some(other) = self.app.health.beside(plan) else { return first.await };
            tracing::debug!(provider = %other.provider.id, "asked as well after {} ms", delay.as_millis());
            race(first, pin!(self.plain(&other, &mut second_meter))).await
        };
        match race {
            Race::First(reply) => {
                meter.outran(second_meter);
                Ok(reply)
            }
            Race::Second(reply) => {
                meter.was_outrun_by(second_meter);
                Ok(reply)
            }
            Race::Neither(fault) => {
                meter.outran(second_meter);
                Err(fault)
            }
        }
    }
}

/// The first good answer; a request that nobody would take ends it too.
async fn race(
    first: impl Future<Output = Result<Reply, Fault>> + Unpin,
    second: impl Future<Output = Result<Reply, Fault>> + Unpin,
) -> Race {
    let is_final = |fault: &Fault| matches!(fault.blame(), Blame::Client | Blame::Gateway);
    match select(first, second).await {
        Either::Left((Ok(reply), _)) => Race::First(reply),
        Either::Right((Ok(reply), _)) => Race::Second(reply),
        Either::Left((Err(fault), _)) | Either::Right((Err(fault), _)) if is_final(&fault) => {
            Race::Neither(fault)
        }
        Either::Left((Err(_), second)) => second.await.map_or_else(Race::Neither, Race::Second),
        Either::Right((Err(_), first)) => first.await.map_or_else(Race::Neither, Race::First),
    }
}
