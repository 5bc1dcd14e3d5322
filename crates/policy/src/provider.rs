//! Providers and models, as the rest of the gateway sees them: catalogue, file and environment already merged.

use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use wire::chat::Profile;
use wire::{Dialect, Operation, WireId};

use crate::price::Rate;
use crate::rule::{ConditionalRules, Rules};

/// Something that answers requests.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The gateway's own name for it, as in `anthropic`.
    pub id: Arc<str>,
    /// Other names that requests and files may use for it, as `gemini` for `google`.
    pub spellings: Vec<String>,
    /// The name for people.
    pub name: String,
    #[allow(missing_docs)]
    pub kind: Kind,
    /// Where it is reached, the preferred wire first. Without one it takes no part.
    pub endpoints: Vec<Endpoint>,
    /// How a credential is presented; `None`: it takes none.
    pub auth: Option<Auth>,
    /// Environment variables that may hold its key, for messages.
    pub key_names: Vec<String>,
    /// Headers that every request to it carries; never credentials.
    pub extra_headers: Vec<(String, String)>,
    /// Serves requests that name no model, or one that it does not have.
    pub default_model: Option<Arc<str>>,
    /// What it is known to have, by id, in the order of listing.
    pub models: IndexMap<Arc<str>, Arc<Model>, RandomState>,
    /// Operations that it does not offer although its wires have them.
    pub lacks: Vec<Operation>,
    /// Takes unlisted models when it is named: `groq/brand-new-model`.
    pub takes_any_model: bool,
    /// The operator's file has a section for it, under this name.
    pub section: Option<String>,
    /// The program to run, of a command-line subscription.
    pub program: Option<String>,
    /// Apply to all its models, before the model's own.
    pub rules: Rules,
    /// Apply after those, where they hold.
    pub conditional: Vec<ConditionalRules>,
    #[allow(missing_docs)]
    pub timeouts: Timeouts,
    /// A request that would lose something in translation is refused.
    pub strict_translation: bool,
    /// Why it takes no part, in words that follow its name: `needs a proxy, which ...`.
    pub disabled: Option<String>,
    /// What is known of a model that is not listed.
    pub profile: Profile,
}

/// What kind of thing a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An HTTP API.
    Api,
    /// A program on this machine, used through its owner's subscription.
    Cli,
    /// The built-in demonstration; asks no model.
    Demo,
}

impl Kind {
    /// As it is written in lists.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Api => "api",
            Kind::Cli => "cli",
            Kind::Demo => "demo",
        }
    }
}

/// One way to reach a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    #[allow(missing_docs)]
    pub wire: WireId,
    /// The address of its chat operation, complete: nothing is appended. Other operations stand beside it.
    pub url: String,
    /// How a credential is presented here, where it differs from the provider's usual way.
    pub auth: Option<Auth>,
}

/// How a credential is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Name of the header, lower case.
    pub header: String,
    /// What stands before the key, its space included: `Bearer `.
    pub prefix: String,
    /// Without a key the provider cannot be used; local servers mostly take none.
    pub required: bool,
}

/// Deadlines of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the request to the head of a streamed answer.
    pub head_stream: Duration,
    /// From the request to the head of a whole answer: reasoning models think long.
    pub head_whole: Duration,
    /// Silence within an answer.
    pub idle: Duration,
    /// The whole attempt; `None`: unlimited.
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head_stream: Duration::from_secs(120),
            head_whole: Duration::from_secs(600),
            idle: Duration::from_secs(120),
            total: None,
        }
    }
}

/// A model of one provider.
#[derive(Debug, Clone)]
pub struct Model {
    /// What clients call it; unique within its provider.
    pub id: Arc<str>,
    /// The name for people.
    pub name: String,
    /// What it is made for; [`Operation::Chat`] when nothing is known.
    pub made_for: Operation,
    /// What is known of it; `profile.model` is the id that goes upstream.
    pub profile: Arc<Profile>,
    /// `None`: unknown, which is not free.
    pub rate: Option<Rate>,
    /// Where the prices come from, as `models.dev` or `file`.
    pub price_source: Option<Arc<str>>,
    /// Tokens of prompt and answer together.
    pub context: Option<u64>,
    /// The most that one answer may hold, in tokens.
    pub max_output: Option<u64>,
    /// How it is listed to clients, as `gpt-4o`, or `closeai/gpt-4o` when a section of the file has it; `None`: not at all.
    pub listed_as: Option<String>,
    /// The operator's output limit in tokens: default and cap.
    pub max_tokens: Option<u64>,
    /// Edits of the final body.
    pub rules: Rules,
    /// Bounds the whole attempt, instead of the provider's own.
    pub timeout: Option<Duration>,
    /// Whether a request that would lose something in translation is refused, instead of the provider's own.
    pub strict_translation: Option<bool>,
}

/// Why a provider takes no part in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Switched off; [`Provider::disabled`] says why.
    Disabled,
    /// No key in the environment, the file or the vault of this project.
    NoCredential,
    /// It has none of the name that the operator's route wants.
    NoSuchKey,
    /// It has neither the model nor a default one.
    NoModel,
    /// It does not offer the operation, as embeddings.
    NoOperation,
    /// The client's key may not use it, or not this model of it.
    NotAllowed,
    /// The client wants no other provider than the first.
    NoFallback,
    /// The demonstration answers only when nothing else can.
    Demonstration,
    /// It failed so often in a row that it rests for so long.
    BreakerOpen(Duration),
    /// All its keys are told to wait for so long.
    CoolingDown(Duration),
    /// The model does not take this, as `images`.
    Lacks(&'static str),
    /// The operator's route for the model does not lead there.
    NotOnRoute,
}

impl Provider {
    /// The endpoint for an operation of a client of this dialect: one that speaks the same, so that the request is
    /// carried, else the first that has the operation.
    pub fn endpoint_for(&self, operation: Operation, dialect: Option<Dialect>) -> Option<usize> {
        let same = |endpoint: &Endpoint| dialect.is_some() && endpoint.wire.dialect() == dialect;
        let has = |endpoint: &Endpoint| endpoint.wire.has(operation);
        let carries = self.endpoints.iter().position(|endpoint| same(endpoint) && has(endpoint));
        carries.or_else(|| self.endpoints.iter().position(has))
    }

    /// Whether it can be of use for an operation. Tokens can always be counted: without its help they are estimated.
    pub fn serves(&self, operation: Operation) -> bool {
        match operation {
            Operation::Chat | Operation::CountTokens => true,
            Operation::Embed | Operation::EmbedOne | Operation::Complete => {
                self.kind == Kind::Api
                    && !self.lacks.contains(&operation.family())
                    && self.endpoint_for(operation, None).is_some()
            }
        }
    }

    /// How a credential is presented at one of its endpoints.
    pub fn auth_at(&self, endpoint: &Endpoint) -> Option<Auth> {
        let usual = self.auth.as_ref()?;
        Some(endpoint.auth.as_ref().unwrap_or(usual).clone())
    }

    /// The listed model of that name: whole (`o3-mini<high>`), else without its trailing `<...>`, as LLM-Bridge cuts it.
    pub fn model(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.get(name).or_else(|| self.models.get(without_variant(name)))
    }

    /// The model of that name, made on the fly when it is not listed and the provider takes any.
    pub fn model_or_unlisted(&self, name: &str) -> Option<Arc<Model>> {
        let unlisted = || self.takes_any_model.then(|| Arc::new(self.unlisted(without_variant(name))));
        self.model(name).cloned().or_else(unlisted)
    }

    /// Its own model of that name, else its default.
    pub fn model_or_default(&self, name: Option<&str>) -> Option<Arc<Model>> {
        let default = || self.default_model.as_deref().and_then(|id| self.model_or_unlisted(id));
        name.and_then(|name| self.model(name).cloned()).or_else(default)
    }

    /// The models that are listed to clients.
    pub fn listed_models(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.values().filter(|model| model.listed_as.is_some())
    }

    /// The name under which a model is listed.
    pub fn listed_id(&self, model: &Model) -> String {
        model.listed_as.clone().unwrap_or_else(|| model.id.to_string())
    }

    /// A credential has to be found before it can be used.
    pub fn needs_credential(&self) -> bool {
        self.auth.as_ref().is_some_and(|auth| auth.required)
    }

    /// What keeps it out, and what to do about it, in one sentence.
    pub fn why(&self, reason: Reason) -> String {
        let name = &self.id;
        match reason {
            Reason::Disabled => format!("{name} {}", self.disabled.as_deref().unwrap_or("is switched off")),
            Reason::NoCredential => {
                format!(
                    "{name} has no key: set {} or store one with POST /v1/credentials",
                    self.key_names.join(" or ")
                )
            }
            Reason::NoSuchKey => format!("{name} has no key of the name that the route wants"),
            Reason::NoModel => format!("{name} does not have the model, and no default model is set for it"),
            Reason::NoOperation => format!("{name} does not offer this operation"),
            Reason::NotAllowed => format!("{name} is left out because the key may not use it for this model"),
            Reason::NoFallback => format!("{name} is left out because the request wants no fallback"),
            Reason::Demonstration => format!("{name} answers only when no other provider can"),
            Reason::BreakerOpen(wait) => {
                format!("{name} failed several times in a row and rests; the next probe is in {} s", up(wait))
            }
            Reason::Lacks(what) => format!("{name} is left out because this model does not take {what}"),
            Reason::NotOnRoute => format!("{name} is not among the targets of the route"),
            Reason::CoolingDown(wait) => {
                format!(
                    "{name} told every key that there is for it to wait; the next is free in {} s",
                    up(wait)
                )
            }
        }
    }

    pub(crate) fn unlisted(&self, name: &str) -> Model {
        let id: Arc<str> = name.into();
        Model {
            name: name.to_owned(),
            made_for: Operation::Chat,
            profile: Arc::new(Profile { model: id.clone(), ..self.profile.clone() }),
            id,
            rate: None,
            price_source: None,
            context: None,
            max_output: None,
            listed_as: None,
            max_tokens: None,
            rules: Rules::default(),
            timeout: None,
            strict_translation: None,
        }
    }
}

impl Model {
    /// The id that goes upstream: `o3-mini` for `o3-mini<high>`.
    pub fn sent_as(&self) -> &Arc<str> {
        &self.profile.model
    }
}

/// Whole seconds, rounded up: who comes a moment early is turned away again.
fn up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The name before a trailing `<...>`, which marks a variant of a model's parameters in LLM-Bridge's file and never goes
/// upstream.
pub fn without_variant(name: &str) -> &str {
    match name.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((model, _)) if !model.is_empty() => model,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_mark_is_cut_only_from_the_end_and_only_when_something_is_left() {
        assert_eq!(without_variant("o3-mini<high>"), "o3-mini");
        assert_eq!(without_variant("o3-mini"), "o3-mini");
        assert_eq!(without_variant("a<b>c"), "a<b>c");
        assert_eq!(without_variant("<high>"), "<high>");
        assert_eq!(without_variant("a>"), "a>");
    }
}
