//! Which targets serve a request, in which order, and what to do when one fails.
//!
//! [`plan`] is pure: a request ([`Ask`]), the world ([`Snapshot`]) and the answer to "is it usable now" ([`Standing`])
//! give a [`Plan`]. The room `resolve` reads names, `retry` decides about waiting.

use std::sync::Arc;
use std::time::Duration;

use wire::fault::{Blame, Fault};
use wire::{SurfaceId, WireId};

use crate::provider::{Model, Provider, Reason};
use crate::snapshot::{DemoRole, Snapshot};

mod resolve;
mod retry;

use resolve::{Lead, Resolver};

/// What a request asks for, as far as routing is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The format of the client; a provider that speaks the same is carried.
    pub surface: SurfaceId,
    #[allow(missing_docs)]
    pub model: Option<&'a str>,
    /// Loses to `model` where the two disagree.
    pub provider: Option<&'a str>,
    /// Whose credentials may be used.
    pub project: &'a str,
    /// Exactly what was asked, or an error.
    pub strict: bool,
    /// One target only.
    pub no_fallback: bool,
}

/// What is known at this moment of providers: credentials, and later health.
pub trait Standing {
    /// Why the provider cannot be used by this project now; `None`: it can. Asked only about providers that are not
    /// switched off.
    fn unavailable(&self, provider: &Provider, project: &str) -> Option<Reason>;
}

/// One thing to try.
#[derive(Debug, Clone)]
pub struct Target {
    #[allow(missing_docs)]
    pub provider: Arc<Provider>,
    /// Position in [`Provider::endpoints`].
    pub endpoint: usize,
    #[allow(missing_docs)]
    pub model: Arc<Model>,
    /// Why it is in the plan.
    pub choice: Choice,
}

/// Why a target is in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// A section of the operator's file has the name before the slash.
    Section,
    /// It has a model of exactly this id.
    Owner,
    /// Its name stands before the slash.
    Prefix,
    /// The name is an alias of its model.
    Alias,
    /// The client asks for this provider.
    Asked,
    /// The operator's default for models that nobody has, and for requests without one.
    Default,
    /// The first that is available, since the client asks for nothing.
    First,
    /// Another provider, since the one that was asked for failed or is not available.
    Fallback,
    /// The demonstration, since nothing else is available.
    Demo,
}

/// A provider that is not in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// Position in [`Snapshot::providers`].
    pub provider: usize,
    #[allow(missing_docs)]
    pub why: Reason,
}

/// Targets in order, and how far we are. Never empty.
#[derive(Debug)]
pub struct Plan {
    targets: Vec<Target>,
    skipped: Vec<Skipped>,
    /// Position of the current target.
    at: usize,
    /// Tries so far, the current one included.
    attempts: u32,
    /// How long the client was made to wait between tries.
    held: Duration,
}

/// What to do after a failure.
#[derive(Debug)]
pub enum Next {
    /// Try this one at once.
    Try(Target),
    /// Try the same target again after a pause.
    Again {
        #[allow(missing_docs)]
        target: Target,
        #[allow(missing_docs)]
        pause: Duration,
    },
    /// The failure is the answer.
    GiveUp,
}

/// Decides who serves a request. Every provider is either a target or skipped for a reason.
pub fn plan(ask: &Ask<'_>, world: &Snapshot, standing: &dyn Standing) -> Result<Plan, Fault> {
    let absent = survey(ask, world, standing);
    let resolver = Resolver { ask, world, absent: &absent };
    let lead = resolver.lead()?;
    let mut builder = Builder { ask, world, absent: &absent, targets: Vec::new(), skipped: Vec::new() };
    builder.lead(&lead);
    builder.fallbacks(&lead);
    match builder.targets.is_empty() {
        true => Err(resolver.no_target(&lead)),
        false => Ok(Plan::new(builder.targets, builder.skipped)),
    }
}

/// For every provider why it cannot be used, or `None`.
fn survey(ask: &Ask<'_>, world: &Snapshot, standing: &dyn Standing) -> Vec<Option<Reason>> {
    let mut absent: Vec<Option<Reason>> = world
        .providers()
        .iter()
        .map(|provider| match provider.disabled {
            Some(_) => Some(Reason::Disabled),
            None => standing.unavailable(provider, ask.project),
        })
        .collect();
    let alone = (0..absent.len()).all(|at| world.is_demo(at) || absent[at].is_some());
    if world.demo_role() == DemoRole::WhenAlone && !alone {
        for (_, reason) in absent.iter_mut().enumerate().filter(|(at, _)| world.is_demo(*at)) {
            *reason = reason.or(Some(Reason::Demonstration));
        }
    }
    absent
}

/// Collects targets; remembers why the others are none.
struct Builder<'a> {
    ask: &'a Ask<'a>,
    world: &'a Snapshot,
    absent: &'a [Option<Reason>],
    targets: Vec<Target>,
    skipped: Vec<Skipped>,
}

impl Builder<'_> {
    fn lead(&mut self, lead: &Lead) {
        if let Lead::Serve { provider, model, choice } = lead {
            self.push(*provider, model.clone(), *choice);
        }
    }

    /// All other providers in order; the one that the client asked for first, when its model is to be had nowhere.
    fn fallbacks(&mut self, lead: &Lead) {
        let served = lead.provider_that_serves();
        let preferred = lead.preferred().filter(|at| Some(*at) != served);
        let others = (0..self.absent.len()).filter(|at| Some(*at) != served && Some(*at) != preferred);
        for at in preferred.into_iter().chain(others) {
            match self.fallback(at, lead) {
                Ok(model) => self.push(at, model, Choice::Fallback),
                Err(why) => self.skipped.push(Skipped { provider: at, why }),
            }
        }
    }

    fn fallback(&self, at: usize, lead: &Lead) -> Result<Arc<Model>, Reason> {
        if let Some(reason) = self.absent[at] {
            return Err(reason);
        }
        if self.ask.strict || self.ask.no_fallback {
            return Err(Reason::NoFallback);
        }
        if self.world.is_demo(at) {
            return Err(Reason::Demonstration);
        }
        self.world.providers()[at].model_or_default(lead.model(self.ask)).ok_or(Reason::NoModel)
    }

    fn push(&mut self, at: usize, model: Arc<Model>, choice: Choice) {
        let provider = self.world.providers()[at].clone();
        let endpoint = provider.endpoint_for(self.ask.surface.dialect());
        self.targets.push(Target { provider, endpoint, model, choice });
    }
}

impl Plan {
    fn new(targets: Vec<Target>, skipped: Vec<Skipped>) -> Self {
        Self { targets, skipped, at: 0, attempts: 1, held: Duration::ZERO }
    }

    /// The target to begin with.
    pub fn first(&self) -> Target {
        self.targets[0].clone()
    }

    /// What to do after the current target failed, before anything was sent to the client. `dice` is any random number.
    pub fn after(&mut self, fault: &Fault, dice: u64) -> Next {
        match fault.blame() {
            Blame::Client | Blame::Gateway => return Next::GiveUp,
            Blame::Credential | Blame::Target | Blame::Upstream => {}
        }
        self.attempts += 1;
        if self.at + 1 < self.targets.len() {
            self.at += 1;
            return Next::Try(self.targets[self.at].clone());
        }
        self.again(fault, dice)
    }

    fn again(&mut self, fault: &Fault, dice: u64) -> Next {
        let Some(pause) = retry::pause(fault, self.attempts - 1, self.held, dice) else {
            return Next::GiveUp;
        };
        self.held += pause;
        Next::Again { target: self.targets[self.at].clone(), pause }
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
        let skipped = self.skipped.iter().map(|skipped| world.providers()[skipped.provider].why(skipped.why));
        targets.chain(skipped).collect()
    }
}

impl Target {
    /// The format that is spoken to it.
    pub fn wire(&self) -> Option<WireId> {
        self.provider.endpoints.get(self.endpoint).map(|endpoint| endpoint.wire)
    }

    /// It is not what the client asked for.
    pub fn is_fallback(&self) -> bool {
        matches!(self.choice, Choice::Fallback | Choice::Demo)
    }

    fn explain(&self) -> String {
        format!("{} with {}: {}", self.provider.id, self.model.id, self.choice.text())
    }
}

impl Choice {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Choice::Section => "a section of the configuration file has this prefix",
            Choice::Owner => "has a model of exactly this id",
            Choice::Prefix => "its name is the prefix of the model",
            Choice::Alias => "the name is an alias of this model",
            Choice::Asked => "the client asked for it",
            Choice::Default => "is the default provider",
            Choice::First => "is the first provider that is available",
            Choice::Fallback => "may serve instead",
            Choice::Demo => "is the only one that is available",
        }
    }
}
