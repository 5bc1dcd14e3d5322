//! What has been seen of providers lately, shared by all requests: behind one lock that is held for moments and never
//! across an await. The rules are in `policy`; here they get the time, and attempts that end by themselves.

mod errand;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use policy::{
    Ask, Budget, Health, Hold, KeyId, Model, Next, Pace, Pin, Plan, Provider, Reason, Standing, Target,
    Verdict,
};
use wire::Fault;

pub use errand::Errand;

use crate::clock::{self, Instant};
use crate::credentials::Key;
use crate::world::World;

/// The shared state.
pub struct LiveHealth {
    seen: Mutex<Seen>,
    /// What all times are counted from.
    since: Instant,
}

#[derive(Default)]
struct Seen {
    health: Health,
    budget: Budget,
    /// Requests of each route.
    turns: HashMap<Arc<str>, u64, RandomState>,
}

impl Default for LiveHealth {
    fn default() -> Self {
        Self { seen: Mutex::default(), since: clock::now() }
    }
}

impl LiveHealth {
    /// Decides who serves a request that is about to be sent.
    ///
    /// # Errors
    /// Nobody can, and why.
    pub fn plan(&self, ask: &Ask<'_>, world: &World) -> Result<Plan, Fault> {
        let now = self.now();
        let mut seen = self.seen();
        let made = policy::plan(ask, &world.snapshot, &View { world, seen: &seen, now })?;
        seen.budget.pay_in();
        if let Some(route) = made.route() {
            let turn = seen.turns.entry(route.clone()).or_default();
            *turn = turn.wrapping_add(1);
        }
        Ok(made)
    }

    /// The plan that a request would get now; nothing is counted.
    ///
    /// # Errors
    /// Nobody can serve it, and why.
    pub fn preview(&self, ask: &Ask<'_>, world: &World) -> Result<Plan, Fault> {
        let now = self.now();
        policy::plan(ask, &world.snapshot, &View { world, seen: &self.seen(), now })
    }

    /// What to do after a target failed.
    pub fn after(&self, plan: &mut Plan, fault: Fault, dice: u64) -> Next {
        plan.after(fault, dice, &mut self.seen().budget)
    }

    /// Somebody to ask beside the target that takes its time; `None`: nobody is left, or there is no budget for it.
    pub fn beside(&self, plan: &mut Plan) -> Option<Target> {
        plan.beside(&mut self.seen().budget)
    }

    /// A conversation was answered: if its route is sticky, it goes back there for a while.
    pub fn pin(&self, plan: &Plan, session: Option<u64>, answered: impl FnOnce() -> Option<Pin>) {
        let Some(((route, sticky), session)) = plan.route().zip(plan.sticky()).zip(session) else { return };
        let Some(pin) = answered() else { return };
        self.change(|health, now| health.pin(route, session, pin, now + sticky));
    }

    /// The keys for a target in the order in which they are to be tried: those that were refused last, and those that are
    /// told to wait only when there are no others, which the plan has then allowed. The warm one goes first.
    pub fn in_order(&self, target: &Target, keys: Vec<Option<Arc<Key>>>) -> Vec<Option<Arc<Key>>> {
        let now = self.now();
        let seen = self.seen();
        let rank = |key: &Option<Arc<Key>>| {
            let hold = |key: &Arc<Key>| seen.health.hold(&target.provider.id, key.id, &target.model.id, now);
            match key.as_ref().and_then(hold) {
                None if target.warm_key.is_some() && key.as_ref().map(|key| key.id) == target.warm_key => 0,
                None => 1,
                Some(Hold::Refused { .. }) => 2,
                Some(Hold::Cooling { .. }) => 3,
            }
        };
        let mut ranked: Vec<(u8, Option<Arc<Key>>)> = keys.into_iter().map(|key| (rank(&key), key)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        if ranked.first().is_some_and(|(rank, _)| *rank < 3) {
            ranked.retain(|(rank, _)| *rank < 3);
        }
        ranked.into_iter().map(|(_, key)| key).collect()
    }

    /// A request goes out.
    pub fn begin(self: &Arc<Self>, target: &Target, key: Option<KeyId>) -> Errand {
        self.seen().health.begin(&target.provider.id, &target.model.id, self.now());
        Errand::new(self.clone(), target, key)
    }

    /// Credentials changed: all of them get a new chance.
    pub fn credentials_changed(&self) {
        self.seen().health.credentials_changed();
    }

    /// A look at what has been seen, and at the time.
    pub fn look<T>(&self, look: impl FnOnce(&Health, Duration) -> T) -> T {
        let now = self.now();
        look(&self.seen().health, now)
    }

    /// Changes what has been seen, or how it is judged.
    pub fn change<T>(&self, change: impl FnOnce(&mut Health, Duration) -> T) -> T {
        let now = self.now();
        change(&mut self.seen().health, now)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        clock::now() - self.since
    }
}

/// What a plan asks: the world, and what has been seen of it.
struct View<'a> {
    world: &'a World,
    seen: &'a Seen,
    now: Duration,
}

impl Standing for View<'_> {
    fn unavailable(&self, at: usize, provider: &Provider, project: &str) -> Option<Reason> {
        self.world.unavailable(at, provider, project)
    }

    fn keys_named(&self, provider: &Provider, project: &str, name: &str) -> Vec<KeyId> {
        self.world.keys_named(provider, project, name)
    }

    fn verdict(&self, provider: &Provider, model: &Model, project: &str, key: Option<&Arc<str>>) -> Verdict {
        let held = self.seen.health.holds_keys();
        let keys = held.then(|| self.world.keys(&provider.id, project, key.map(|name| &**name)));
        let keys = keys.unwrap_or_default();
        self.seen.health.verdict(&provider.id, &model.id, &keys, self.now)
    }

    fn pace(&self, provider: &Provider, model: &Model) -> Pace {
        self.seen.health.pace(&provider.id, &model.id)
    }

    fn turn(&self, route: &str) -> u64 {
        self.seen.turns.get(route).copied().unwrap_or_default()
    }

    fn pinned(&self, route: &Arc<str>, session: u64) -> Option<Pin> {
        self.seen.health.pinned(route, session, self.now).cloned()
    }
}
