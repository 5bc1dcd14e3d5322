//! What a model's name means (DECISIONS 12). The first reading that an available provider can serve wins:
//!
//! 1. the name before the slash is a section of the operator's file;
//! 2. the operator's default provider has a model of this id, when there is no slash;
//! 3. a provider has a model of exactly this id, the one that the client asks for before all others;
//! 4. the name before the first slash is a provider, which takes any model or has this one;
//! 5. the name is an alias;
//! 6. the provider that the client asks for takes any model, and nobody has this one;
//! 7. the operator's default provider takes any model, when there is no slash.

use std::sync::Arc;

use wire::fault::Fault;

use super::{Ask, Choice, unknown_among};
use crate::provider::{Model, Provider, Reason};
use crate::snapshot::Snapshot;

/// Who should serve, before any fallback.
pub(super) enum Lead {
    /// This one, and it can.
    Serve { provider: usize, model: Arc<Model>, choice: Choice },
    /// Somebody who cannot now; `model` is the name without its provider.
    Absent { provider: usize, model: Option<String>, preferred: Option<usize> },
    /// Nobody is available at all.
    Nobody,
}

impl Lead {
    pub(super) fn provider_that_serves(&self) -> Option<usize> {
        match self {
            Lead::Serve { provider, .. } => Some(*provider),
            _ => None,
        }
    }

    /// The provider that goes first among those that serve instead.
    pub(super) fn preferred(&self) -> Option<usize> {
        match self {
            Lead::Absent { preferred, .. } => *preferred,
            _ => None,
        }
    }

    /// The model that others are asked for, if they have it.
    pub(super) fn model<'a>(&'a self, ask: &Ask<'a>) -> Option<&'a str> {
        match self {
            Lead::Serve { model, .. } => ask.model.map(|_| &*model.id),
            Lead::Absent { model, .. } => model.as_deref(),
            Lead::Nobody => ask.model,
        }
    }
}

/// One way to read a name.
struct Reading<'a> {
    provider: usize,
    model: &'a str,
    choice: Choice,
}

pub(super) struct Resolver<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) world: &'a Snapshot,
    /// For every provider why it cannot be used.
    pub(super) absent: &'a [Option<Reason>],
}

impl<'a> Resolver<'a> {
    pub(super) fn lead(&self) -> Result<Lead, Fault> {
        let asked = self.asked()?;
        match self.ask.model {
            Some("") => Err(Fault::malformed("model".to_owned(), "the model must not be empty")),
            Some(name) => self.for_name(name, asked),
            None => self.for_no_name(asked),
        }
    }

    /// What to say when nobody is left to try.
    pub(super) fn no_target(&self, lead: &Lead) -> Fault {
        if let Some(fault) = self.not_offered(lead) {
            return fault;
        }
        let why = match (lead, self.ask.model) {
            (Lead::Absent { provider, .. }, Some(model)) => {
                format!("the model '{model}' cannot be served: {}", self.why_absent(*provider))
            }
            (Lead::Absent { provider, .. }, None) => self.why_absent(*provider),
            _ => self.why_nobody(),
        };
        Fault::NoTarget { why }
    }

    /// The operation is the reason: waiting or another key would change nothing.
    fn not_offered(&self, lead: &Lead) -> Option<Fault> {
        let lacks = |at: usize| self.absent[at] == Some(Reason::NoOperation);
        let by = match lead {
            Lead::Absent { provider, .. } => {
                lacks(*provider).then(|| self.provider(*provider).name.clone())?
            }
            Lead::Nobody => (0..self.absent.len()).any(lacks).then(|| "no configured provider".to_owned())?,
            Lead::Serve { .. } => return None,
        };
        Some(Fault::Unsupported { what: self.ask.operation.in_words().to_owned(), by, at: None })
    }

    fn asked(&self) -> Result<Option<usize>, Fault> {
        let Some(name) = self.ask.provider else { return Ok(None) };
        self.world.position(name).map(Some).ok_or_else(|| Fault::UnknownProvider {
            provider: name.to_owned(),
            known: self.world.providers().iter().map(|provider| provider.id.to_string()).collect(),
        })
    }

    fn for_no_name(&self, asked: Option<usize>) -> Result<Lead, Fault> {
        let wished = asked.map(|at| (at, Choice::Asked));
        let default = self.world.default_position().map(|at| (at, Choice::Default));
        let others = (0..self.absent.len()).map(|at| (at, Choice::First));
        if let Some((provider, _)) = wished.filter(|(at, _)| self.absent[*at].is_some()) {
            if self.absent[provider] == Some(Reason::NotAllowed) {
                let why = format!("this key may not use the provider '{}'", self.provider(provider).id);
                return Err(Fault::Forbidden { why });
            }
            return Ok(self.demo_alone().unwrap_or(Lead::Absent { provider, model: None, preferred: None }));
        }
        let lead = wished
            .into_iter()
            .chain(default)
            .chain(others)
            .filter(|(at, _)| self.absent[*at].is_none())
            .find_map(|(provider, choice)| {
                let model = self.own_model(provider)?;
                Some(Lead::Serve { provider, model, choice })
            })
            .unwrap_or(Lead::Nobody);
        Ok(lead)
    }

    /// What a provider serves to those who name no model: its default, else the first that the key may use.
    fn own_model(&self, at: usize) -> Option<Arc<Model>> {
        let provider = self.provider(at);
        let allowed = |model: &Arc<Model>| self.ask.access.to_model(provider, model);
        let default = provider.model_or_default(None);
        let listed = || provider.listed_models().filter(|_| default.is_some()).find(|model| allowed(model));
        default.clone().filter(allowed).or_else(|| listed().cloned())
    }

    fn for_name(&self, name: &'a str, asked: Option<usize>) -> Result<Lead, Fault> {
        let mut first = None;
        let mut forbidden = false;
        for reading in self.readings(name, asked) {
            let Some(model) = self.provider(reading.provider).model_or_unlisted(reading.model) else {
                continue;
            };
            if !self.ask.access.to_model(self.provider(reading.provider), &model) {
                forbidden = true;
                continue;
            }
            if self.absent[reading.provider].is_none() {
                return Ok(Lead::Serve { provider: reading.provider, model, choice: reading.choice });
            }
            first.get_or_insert(reading);
        }
        if forbidden && first.is_none() {
            return Err(Fault::Forbidden { why: format!("this key may not use the model '{name}'") });
        }
        if let Some(demo) = self.demo_alone() {
            return Ok(demo);
        }
        let Some(first) = first else { return Err(self.unknown_model(name)) };
        let preferred = asked.filter(|at| *at != first.provider);
        Ok(Lead::Absent { provider: first.provider, model: Some(first.model.to_owned()), preferred })
    }

    /// All readings of a name, best first.
    fn readings(&self, name: &'a str, asked: Option<usize>) -> impl Iterator<Item = Reading<'a>> {
        let prefix = self.prefix(name);
        let default = self.world.default_position().filter(|_| !name.contains('/'));
        let owners = self.world.owners(name);
        let whole = move |provider, choice| Reading { provider, model: name, choice };

        let section = self.prefix(name).filter(|r| self.provider(r.provider).section.is_some());
        let section = section.map(|reading| Reading { choice: Choice::Section, ..reading });
        let listed = default.filter(|at| owners.contains(at)).map(move |at| whole(at, Choice::Default));
        let asked_owner = asked.filter(|at| owners.contains(at));
        let owners_in_order = asked_owner.into_iter().chain(owners.iter().copied());
        let owned = owners_in_order.map(move |at| whole(at, Choice::Owner));
        let unowned = asked.filter(|_| owners.is_empty() && prefix.is_none());
        section
            .into_iter()
            .chain(listed)
            .chain(owned)
            .chain(prefix)
            .chain(self.alias(name))
            .chain(unowned.map(move |at| whole(at, Choice::Asked)))
            .chain(default.map(move |at| whole(at, Choice::Default)))
    }

    fn prefix(&self, name: &'a str) -> Option<Reading<'a>> {
        let (provider, model) = name.split_once('/').filter(|(_, model)| !model.is_empty())?;
        let provider = self.world.position(provider)?;
        Some(Reading { provider, model, choice: Choice::Prefix })
    }

    /// An alias is looked up once: an alias of an alias names nothing. What it means is read like any other name.
    fn alias(&self, name: &str) -> Option<Reading<'a>> {
        let meant = self.world.alias(name)?;
        let owners = self.world.owners(meant);
        let whole = |provider| Reading { provider, model: meant, choice: Choice::Alias };
        let section = self.prefix(meant).filter(|reading| self.provider(reading.provider).section.is_some());
        let owned = owners.iter().copied().find(|at| self.absent[*at].is_none()).map(whole);
        let absent = || owners.first().copied().map(whole);
        let reading = section.or(owned).or_else(|| self.prefix(meant)).or_else(absent)?;
        Some(Reading { choice: Choice::Alias, ..reading })
    }

    /// The demonstration, when nothing else is available and the client does not insist.
    fn demo_alone(&self) -> Option<Lead> {
        let mut available = (0..self.absent.len()).filter(|at| self.absent[*at].is_none());
        let only = available.next().filter(|at| self.world.is_demo(*at) && !self.ask.strict)?;
        let model = self.own_model(only)?;
        available.next().is_none().then_some(Lead::Serve { provider: only, model, choice: Choice::Demo })
    }

    fn unknown_model(&self, name: &str) -> Fault {
        let available = self.world.providers().iter().zip(self.absent).filter(|(_, absent)| absent.is_none());
        unknown_among(name, available.map(|(provider, _)| provider))
    }

    fn why_absent(&self, at: usize) -> String {
        self.provider(at).why(self.absent[at].unwrap_or(Reason::NoModel))
    }

    fn why_nobody(&self) -> String {
        let keyless = |(provider, absent): (&'a Arc<Provider>, &Option<Reason>)| {
            (*absent == Some(Reason::NoCredential))
                .then(|| provider.key_names.first().map(String::as_str))
                .flatten()
        };
        let names: Vec<&str> = self.world.providers().iter().zip(self.absent).filter_map(keyless).collect();
        match names.is_empty() {
            true => "no provider is available and configured with a model".to_owned(),
            false => format!(
                "no provider is available: set one of {} or store a key with POST /v1/credentials",
                names.join(", ")
            ),
        }
    }

    fn provider(&self, at: usize) -> &'a Arc<Provider> {
        &self.world.providers()[at]
    }
}
