//! The path of a request, top to bottom: admit, plan, attempt, relay; the meter runs along and writes itself on drop.
//!
//! There is no clean-up after an await anywhere below: the client may leave at any of them. What has to happen then
//! happens in a `Drop` (the upstream's connection closes, the meter writes its row).

mod admit;
mod answer;
mod attempt;
mod continued;
mod explain;
mod hedge;
mod meter;
mod needs;
mod relay;
mod session;
mod stored;
mod tally;
mod time_limit;

use std::time::Duration;

use policy::Next;
use wire::Fault;

pub use admit::{Asked, Inbound};
pub use answer::Answer;
pub use attempt::{refusal, without_key};
pub use explain::{Explanation, explain};
pub use meter::{Meter, Tried};
pub use relay::Relay;
pub use stored::go_on;
pub use time_limit::TimeLimit;

use crate::app::App;
use crate::clock;

/// A request that no target answered.
pub struct Failed {
    /// The last target's fault, or why there was none.
    pub fault: Fault,
    /// What was tried, in order.
    pub tried: Vec<Tried>,
}

/// Answers an admitted request, or says why not. The meter is settled either way.
pub async fn exchange(app: &App, inbound: &Inbound, meter: Meter) -> Result<Answer, Failed> {
    let mut meter = meter;
    match try_targets(app, inbound, &mut meter).await {
        Ok(reply) if inbound.turn.is_some() => {
            let reply = Box::pin(stored::kept(app, inbound, &mut meter, reply)).await;
            Ok(reply.into_answer(inbound, meter))
        }
        Ok(reply) => Ok(reply.into_answer(inbound, meter)),
        Err(fault) => Err(meter.give_up(fault)),
    }
}

/// Goes through the plan until a target answers.
async fn try_targets(app: &App, inbound: &Inbound, meter: &mut Meter) -> Result<attempt::Reply, Fault> {
    let world = &*inbound.world;
    let origin = continued::origin(app, inbound, meter)?;
    let mut plan = app.health.plan(&inbound.ask(&world.snapshot), world)?;
    if let Some(origin) = &origin {
        plan = continued::at_origin(plan, origin, inbound)?;
    }
    let mut next = plan.first();
    let mut declined = None;
    loop {
        match next {
            Next::Try(target) => {
                let asked = hedge::Asked { app, world, inbound };
                match asked.attempt(&mut plan, &target, meter).await {
                    Ok(reply) => {
                        app.health.pin(&plan, inbound.session(&world.snapshot), || meter.pin());
                        return Ok(reply);
                    }
                    Err(fault) => {
                        declined = declined.or_else(|| of_policy(&fault));
                        next = app.health.after(&mut plan, fault, clock::dice(inbound.arrival.id));
                    }
                }
            }
            Next::Wait { pause, target } => {
                wait(pause, inbound.time_limit).await?;
                next = Next::Try(target);
            }
            Next::GiveUp(fault) => return Err(declined.unwrap_or(fault)),
        }
    }
}

/// What somebody declined for its content policy. It stays the answer when whoever was asked instead fails too: the
/// client is to change the request, not to wait for a stand-in.
fn of_policy(fault: &Fault) -> Option<Fault> {
    match fault {
        Fault::Upstream(stated) if fault.is_content_policy() => Some(Fault::Upstream(stated.clone())),
        _ => None,
    }
}

/// The pause before a target is tried again, which not every client has the time for.
async fn wait(pause: Duration, limit: Option<TimeLimit>) -> Result<(), Fault> {
    let pause = clock::sleep(pause);
    match limit {
        Some(limit) => limit.within(pause).await,
        None => {
            pause.await;
            Ok(())
        }
    }
}
