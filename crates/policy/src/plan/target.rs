//! One thing to try, and why it is in the plan.

use std::fmt;
use std::sync::Arc;

use wire::{Fault, RawObject, SurfaceId};

use crate::health::KeyId;
use crate::provider::{Endpoint, Model, Provider};
use crate::rule::Rules;

/// One thing to try.
#[derive(Debug, Clone)]
pub struct Target {
    #[allow(missing_docs)]
    pub provider: Arc<Provider>,
    /// Position in [`Provider::endpoints`].
    pub endpoint: usize,
    #[allow(missing_docs)]
    pub model: Arc<Model>,
    /// Name of the only credential to use; `None`: any that there is.
    pub key: Option<Arc<str>>,
    /// The credential to begin with, since its account has the prompt in its cache.
    pub warm_key: Option<KeyId>,
    /// An answer in which it declines for its content policy is not for the client: somebody else is to be asked.
    pub passes_refusals_on: bool,
    /// Why it is in the plan.
    pub reason: Choice,
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
    /// The operator's route for the name leads there.
    Route,
    /// It answered this conversation last, and has its prompt in the cache.
    Sticky,
    /// The client asks for this provider.
    Asked,
    /// The operator's default for models that nobody has, and for requests without one.
    Default,
    /// The first that is available, since the client asks for nothing.
    First,
    /// Another provider, since the one that was asked for failed or is not available.
    Fallback,
    /// Only for prompts that were too long for another.
    WhenTooLong,
    /// Only for what another declined for its content policy.
    WhenRefused,
    /// The demonstration, since nothing else is available.
    Demo,
}

impl Target {
    /// Where it is reached, and in which format.
    pub fn endpoint(&self) -> &Endpoint {
        &self.provider.endpoints[self.endpoint]
    }

    /// It is not what the client asked for.
    pub fn is_fallback(&self) -> bool {
        matches!(self.reason, Choice::Fallback | Choice::Demo) || self.is_reserve()
    }

    /// It is tried in one case only.
    pub fn is_reserve(&self) -> bool {
        matches!(self.reason, Choice::WhenTooLong | Choice::WhenRefused)
    }

    /// Its body is edited after it was carried or encoded.
    pub fn has_rules(&self) -> bool {
        self.model.max_tokens.is_some()
            || !self.provider.rules.is_empty()
            || !self.provider.conditional.is_empty()
            || !self.model.rules.is_empty()
    }

    /// A request that would lose something in translation is refused.
    pub fn translates_strictly(&self) -> bool {
        self.model.strict_translation.unwrap_or(self.provider.strict_translation)
    }

    /// Edits the final body of a request in this format: the model's output limit, the provider's rules, those that hold
    /// for some requests, the model's own.
    pub fn apply_rules(&self, surface: SurfaceId, body: &mut RawObject) -> Result<(), Fault> {
        if let Some(limit) = self.model.max_tokens {
            let place = self.endpoint().wire.output_limit(self.model.profile.max_tokens_field);
            place.hold(limit, body)?;
        }
        self.rules(surface).for_each(|rules| rules.apply(body));
        Ok(())
    }

    /// What [`Target::apply_rules`] does, a sentence each, in order.
    pub fn rules_in_words(&self, surface: SurfaceId) -> Vec<String> {
        let limit = self.model.max_tokens.map(|limit| format!("limit the answer to {limit} tokens"));
        let rules = self.rules(surface).flat_map(Rules::iter);
        limit.into_iter().chain(rules.map(ToString::to_string)).collect()
    }

    /// All rules that hold, in the order in which they are applied: the particular ones last.
    fn rules(&self, surface: SurfaceId) -> impl Iterator<Item = &Rules> {
        let (provider, model) = (&*self.provider, &*self.model);
        let wire = self.endpoint().wire;
        let holding =
            provider.conditional.iter().filter(move |of| of.when.holds(surface, wire, provider, model));
        let holding = holding.map(|of| &of.rules);
        std::iter::once(&provider.rules).chain(holding).chain(std::iter::once(&model.rules))
    }

    pub(super) fn explain(&self) -> String {
        match &self.key {
            Some(key) => {
                format!("{} with {} (key {key}): {}", self.provider.id, self.model.id, self.reason)
            }
            None => format!("{} with {}: {}", self.provider.id, self.model.id, self.reason),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Choice::Section => "a section of the configuration file has this prefix",
            Choice::Owner => "has a model of exactly this id",
            Choice::Prefix => "its name is the prefix of the model",
            Choice::Alias => "the name is an alias of this model",
            Choice::Route => "is the route's choice",
            Choice::Sticky => "answered this conversation last and has its prompt in the cache",
            Choice::Asked => "the client asked for it",
            Choice::Default => "is the default provider",
            Choice::First => "is the first provider that is available",
            Choice::Fallback => "may serve instead",
            Choice::WhenTooLong => "takes only prompts that were too long for another",
            Choice::WhenRefused => "takes only what another declined for its content policy",
            Choice::Demo => "is the only one that is available",
        })
    }
}
