//! Going through a plan: what comes first, what after a failure, and what beside a target that takes its time.

use std::sync::Arc;
use std::time::Duration;

use wire::fault::{Blame, Class, Fault};

use super::budget::Budget;
use super::target::{Choice, Target};
use super::{Skipped, fit, retry};
use crate::route::Route;
use crate::snapshot::Snapshot;

/// Targets in order, and how far we are. Never empty.
#[derive(Debug)]
pub struct Plan {
    targets: Vec<Target>,
    skipped: Vec<Skipped>,
    /// The route that it follows.
    route: Option<Followed>,
    /// Position of the current target.
    at: usize,
    /// Tries so far, the current one included.
    attempts: u32,
    /// How long the client was made to wait between tries.
    held: Duration,
}

/// What of a route counts after the plan is made.
#[derive(Debug)]
struct Followed {
    name: Arc<str>,
    sticky: Option<Duration>,
    hedge: Option<Duration>,
}

/// What to do after a failure.
#[derive(Debug)]
pub enum Next {
    /// Try this one at once.
    Try(Target),
    /// Try this one, the same as before, after a pause.
    Wait {
        #[allow(missing_docs)]
        pause: Duration,
        #[allow(missing_docs)]
        target: Target,
    },
    /// The failure is the answer.
    GiveUp(Fault),
}

impl Plan {
    pub(super) fn new(targets: Vec<Target>, skipped: Vec<Skipped>, route: Option<&Route>) -> Self {
        let route = route.map(Followed::of);
        Self { targets, skipped, route, at: 0, attempts: 1, held: Duration::ZERO }
    }

    /// What to begin with.
    pub fn first(&self) -> Next {
        Next::Try(self.targets[self.at].clone())
    }

    /// What to do after the current target failed, before anything was sent to the client. `dice` is any random number;
    /// the budget is drawn on only when the same target is tried again.
    pub fn after(&mut self, fault: Fault, dice: u64, budget: &mut Budget) -> Next {
        let is_for_another = fault.is_content_policy() && self.targets[self.at].passes_refusals_on;
        match fault.blame() {
            Blame::Client | Blame::Gateway if !is_for_another => return Next::GiveUp(fault),
            _ => {}
        }
        self.attempts += 1;
        if let Some(next) = self.next_that_could(&fault, is_for_another) {
            self.at = next;
            return self.first();
        }
        let pause = retry::pause(&fault, self.attempts - 1, self.held, dice);
        let Some(pause) = pause.filter(|_| budget.draw()) else {
            return Next::GiveUp(fault);
        };
        self.held += pause;
        Next::Wait { pause, target: self.targets[self.at].clone() }
    }

    /// The next target that is asked too, beside the current one, which takes its time. Like a second try it has to be
    /// paid from the budget.
    pub fn beside(&mut self, budget: &mut Budget) -> Option<Target> {
        let next = self.at + 1;
        let target = self.targets.get(next).filter(|target| !target.is_reserve())?;
        if !budget.draw() {
            return None;
        }
        self.at = next;
        self.attempts += 1;
        Some(target.clone())
    }

    /// The plan with these targets only; `None`: none is left.
    pub fn only(mut self, keep: impl Fn(&Target) -> bool) -> Option<Self> {
        self.targets.retain(keep);
        fit::pass_refusals_on(&mut self.targets);
        (!self.targets.is_empty()).then_some(self)
    }

    /// The next target; after a prompt that was too long, the next that is not known to hold as little. Reserves come in
    /// their own case only, and who is in one stays there.
    fn next_that_could(&self, fault: &Fault, refused: bool) -> Option<usize> {
        let current = &self.targets[self.at];
        let too_long = matches!(fault, Fault::Upstream(stated) if stated.class == Class::ContextTooLong);
        let failed = current.model.context.filter(|_| too_long);
        let as_little = |target: &Target| {
            failed.zip(target.model.context).is_some_and(|(failed, context)| context <= failed)
        };
        let could = |target: &Target| match target.reason {
            _ if current.is_reserve() => target.reason == current.reason,
            Choice::WhenTooLong => too_long && !as_little(target),
            Choice::WhenRefused => refused,
            _ => !refused && !as_little(target),
        };
        (self.at + 1..self.targets.len()).find(|at| could(&self.targets[*at]))
    }

    /// The route that it follows, if one of the operator's holds for the request.
    pub fn route(&self) -> Option<&Arc<str>> {
        self.route.as_ref().map(|route| &route.name)
    }

    /// For how long a conversation goes back to who answers this one.
    pub fn sticky(&self) -> Option<Duration> {
        self.route.as_ref()?.sticky
    }

    /// After how long without an answer the next target is asked as well.
    pub fn hedge(&self) -> Option<Duration> {
        self.route.as_ref()?.hedge
    }

    /// All targets, in order.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Who is not among the targets, and why.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The whole plan in sentences, for people.
    pub fn explain(&self, world: &Snapshot) -> Vec<String> {
        let targets = self.targets.iter().map(Target::explain);
        targets.chain(self.skipped.iter().map(|skipped| skipped.explain(world))).collect()
    }
}

impl Followed {
    fn of(route: &Route) -> Self {
        Self { name: route.name.clone(), sticky: route.sticky, hedge: route.hedge }
    }
}
