//! Which targets serve a request, in which order, and what to do when one fails.
//!
//! [`plan`] is pure: a request ([`Ask`]), the world ([`Snapshot`]) and the answer to "is it usable now" ([`Standing`])
//! give a [`Plan`]. The room `resolve` reads names, `follow` follows the operator's routes, `fit` leaves out who cannot
//! serve now, `steps` goes through a plan, `retry` and `budget` decide about waiting, `target` applies what the operator
//! wants of a target's body.

use std::sync::Arc;

use wire::fault::Fault;
use wire::{Dialect, Operation};

use crate::access::Access;
use crate::health::{KeyId, Pace, Pin, Verdict};
use crate::nearest::nearest;
use crate::provider::{Kind, Model, Provider, Reason};
use crate::snapshot::{DemoRole, Snapshot};

mod budget;
mod fit;
mod follow;
mod resolve;
mod retry;
mod steps;
mod target;

pub use budget::Budget;
pub use fit::Needs;
pub use steps::{Next, Plan};

use resolve::{Lead, Resolver};
pub use target::{Choice, Target};

/// How many similar names an error suggests.
const SUGGESTIONS: usize = 3;

/// What a request asks for, as far as routing is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What the client wants done.
    pub operation: Operation,
    /// The format of the client, if it is one of the dialects; a provider that speaks the same is carried.
    pub dialect: Option<Dialect>,
    #[allow(missing_docs)]
    pub model: Option<&'a str>,
    /// Loses to `model` where the two disagree.
    pub provider: Option<&'a str>,
    /// Whose credentials may be used.
    pub project: &'a str,
    /// What the client's key may use.
    pub access: &'a Access,
    /// Exactly what was asked, from one target, or an error.
    pub strict: bool,
    /// What the conversation holds that not every model takes.
    pub needs: Needs,
    /// Name of the access key that it was sent with.
    pub key: Option<&'a str>,
    /// Tags that the client gave it.
    pub tags: &'a [String],
    /// Bytes of its body.
    pub size: u64,
    /// Which conversation it belongs to, as far as that can be told; only sticky routes ask.
    pub session: Option<u64>,
    /// Any random number, for strategies that draw lots.
    pub dice: u64,
}

impl<'a> Ask<'a> {
    /// A conversation with a model, by somebody who may use everything, in no project.
    pub fn chat(model: Option<&'a str>) -> Self {
        Self {
            operation: Operation::Chat,
            dialect: Some(Dialect::OpenAiChat),
            model,
            provider: None,
            project: "_global",
            access: Access::ALL,
            strict: false,
            needs: Needs::default(),
            key: None,
            tags: &[],
            size: 0,
            session: None,
            dice: 0,
        }
    }
}

/// What is known at this moment of providers: credentials and health.
pub trait Standing {
    /// Why the provider at this place of [`Snapshot::providers`] cannot be used by this project now; `None`: it can. Asked
    /// of every provider that is not switched off, for every plan: that has to be cheap.
    fn unavailable(&self, at: usize, provider: &Provider, project: &str) -> Option<Reason>;

    /// The credentials of that name that a project has for it.
    fn keys_named(&self, _provider: &Provider, _project: &str, _name: &str) -> Vec<KeyId> {
        vec![KeyId::CONFIGURED]
    }

    /// Whether one of its models is to be asked now; with one credential (`Some`), or with any that there is.
    fn verdict(
        &self,
        _provider: &Provider,
        _model: &Model,
        _project: &str,
        _key: Option<&Arc<str>>,
    ) -> Verdict {
        Verdict::Well
    }

    /// How busy and how quick one of its models is.
    fn pace(&self, _provider: &Provider, _model: &Model) -> Pace {
        Pace::default()
    }

    /// How many requests a route has had.
    fn turn(&self, _route: &str) -> u64 {
        0
    }

    /// Who answered a conversation last on a sticky route.
    fn pinned(&self, _route: &Arc<str>, _session: u64) -> Option<Pin> {
        None
    }
}

/// A provider, or one of its models, that is not in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Position in [`Snapshot::providers`].
    pub provider: usize,
    /// `None`: none of its models.
    pub model: Option<Arc<str>>,
    #[allow(missing_docs)]
    pub why: Reason,
}

/// Decides who serves a request. Every provider is either a target or skipped for a reason.
pub fn plan(ask: &Ask<'_>, world: &Snapshot, standing: &dyn Standing) -> Result<Plan, Fault> {
    let mut absent = survey(world, standing, ask.project, ask.operation);
    let forbidden = |provider: &Arc<Provider>| !ask.access.to_provider(provider);
    for (_, reason) in world.providers().iter().zip(&mut absent).filter(|(provider, _)| forbidden(provider)) {
        *reason = Some(Reason::NotAllowed);
    }
    let resolver = Resolver { ask, world, absent: &absent };
    let mut builder = Builder {
        ask,
        world,
        absent: &absent,
        targets: Vec::with_capacity(absent.len()),
        reserves: Vec::new(),
        skipped: Vec::with_capacity(absent.len()),
    };
    let route = world.route(ask);
    match route {
        Some(route) => builder.follow(route, &resolver, standing)?,
        None => {
            let lead = resolver.lead()?;
            builder.lead(&lead);
            builder.fallbacks(&lead);
            if builder.targets.is_empty() {
                return Err(resolver.no_target(&lead));
            }
        }
    }
    let Builder { targets, reserves, mut skipped, .. } = builder;
    let mut targets = fit::sift(ask, world, standing, targets, &mut skipped)?;
    fit::add_reserves(ask, world, standing, &mut targets, reserves, &mut skipped);
    Ok(Plan::new(targets, skipped, route))
}

/// The providers that a project can use now, in order of preference.
pub fn available<'a>(world: &'a Snapshot, standing: &dyn Standing, project: &str) -> Vec<&'a Arc<Provider>> {
    let absent = survey(world, standing, project, Operation::Chat);
    world
        .providers()
        .iter()
        .zip(absent)
        .filter(|(_, absent)| absent.is_none())
        .map(|(provider, _)| provider)
        .collect()
}

/// The fault for a model that none of these has, with the most similar names that exist.
fn unknown_among<'a>(model: &str, providers: impl Iterator<Item = &'a Arc<Provider>>) -> Fault {
    let known = providers.flat_map(|provider| {
        provider.models.iter().map(|(id, model)| model.listed_as.as_deref().unwrap_or(id))
    });
    Fault::UnknownModel { model: model.to_owned(), nearest: nearest(model, known, SUGGESTIONS) }
}

/// For every provider why it cannot be used, or `None`.
fn survey(
    world: &Snapshot,
    standing: &dyn Standing,
    project: &str,
    operation: Operation,
) -> Vec<Option<Reason>> {
    let of_one = |(at, provider): (usize, &Arc<Provider>)| {
        if provider.disabled.is_some() || provider.endpoints.is_empty() {
            return Some(Reason::Disabled);
        }
        let unavailable = standing.unavailable(at, provider, project);
        unavailable.or_else(|| (!provider.serves(operation)).then_some(Reason::NoOperation))
    };
    let mut absent: Vec<Option<Reason>> = world.providers().iter().enumerate().map(of_one).collect();
    let is_demo = |at: usize| world.providers()[at].kind == Kind::Demo;
    let alone = (0..absent.len()).all(|at| is_demo(at) || absent[at].is_some());
    if world.demo_role() == DemoRole::WhenAlone && !alone {
        for (_, reason) in absent.iter_mut().enumerate().filter(|(at, _)| is_demo(*at)) {
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
    /// Targets for one case only.
    reserves: Vec<Target>,
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
                Err(why) => self.skipped.push(Skipped { provider: at, model: None, why }),
            }
        }
    }

    fn fallback(&self, at: usize, lead: &Lead) -> Result<Arc<Model>, Reason> {
        if let Some(reason) = self.absent[at] {
            return Err(reason);
        }
        if self.ask.strict {
            return Err(Reason::NoFallback);
        }
        if self.world.is_demo(at) {
            return Err(Reason::Demonstration);
        }
        let (provider, name) = (&self.world.providers()[at], lead.model(self.ask));
        let model = match self.ask.operation {
            Operation::Chat => provider.model_or_default(name),
            // Another model's vectors, tokens or continuations are of no use to the client.
            Operation::Embed | Operation::EmbedOne | Operation::CountTokens | Operation::Complete => {
                name.and_then(|name| provider.model(name)).cloned()
            }
        };
        let model = model.ok_or(Reason::NoModel)?;
        if self.ask.access.to_model(provider, &model) { Ok(model) } else { Err(Reason::NotAllowed) }
    }

    fn push(&mut self, at: usize, model: Arc<Model>, choice: Choice) {
        let target = self.target(at, model, choice);
        self.targets.push(target);
    }

    fn target(&self, at: usize, model: Arc<Model>, choice: Choice) -> Target {
        let provider = self.world.providers()[at].clone();
        let has = |operation| provider.endpoint_for(operation, self.ask.dialect);
        let endpoint = has(self.ask.operation).or_else(|| has(Operation::Chat)).unwrap_or_default();
        Target {
            provider,
            endpoint,
            model,
            key: None,
            warm_key: None,
            passes_refusals_on: false,
            reason: choice,
        }
    }
}

impl Skipped {
    /// In one sentence, for people.
    pub fn explain(&self, world: &Snapshot) -> String {
        let sentence = world.providers()[self.provider].why(self.why);
        match &self.model {
            Some(model) => format!("{model}: {sentence}"),
            None => sentence,
        }
    }
}
