//! One view of everything that a request may use: the snapshot that decisions are made on, and what is needed to carry
//! them out. Immutable; a change makes a new one, and a request keeps the one it started with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use policy::{Auth, DemoRole, KeyId, Kind, Provider, Reason, Route, Snapshot, Standing};
use store::{Credential, GLOBAL, Secret};
use upstream::{Demo, Destination, Endpoint, Scheme, Timeouts};
use wire::{Fault, Operation, WireId};

use crate::VERSION;
use crate::clock;
use crate::credentials::key::Key;

/// Configured keys, by provider.
pub type ConfiguredKeys = HashMap<String, Secret>;

/// The view.
pub struct World {
    /// What decisions are made on.
    pub snapshot: Arc<Snapshot>,
    /// Which credentials the vault holds.
    pub vault: VaultIndex,
    runtimes: Arc<Runtimes>,
    /// Somebody has configured something, be it for another project: from then on a demonstration is a surprise.
    demo_is_off: bool,
}

/// What sending to a provider takes, by provider id.
pub type Runtimes = HashMap<Arc<str>, Runtime, RandomState>;

/// What sending to one provider takes.
pub struct Runtime {
    #[allow(missing_docs)]
    pub provider: Arc<str>,
    /// One for each endpoint of the provider, in the same order.
    pub ways: Vec<Way>,
    /// Headers of every call, without credential.
    pub headers: HeaderMap,
    /// Without a credential a call is pointless.
    pub needs_key: bool,
    timeouts: policy::Timeouts,
}

impl Runtime {
    fn new(provider: &Provider, configured: Option<&Secret>) -> Result<Self, String> {
        let ways = provider.endpoints.iter().map(|endpoint| Way::new(provider, endpoint, configured));
        Ok(Self {
            provider: provider.id.clone(),
            ways: ways.collect::<Result<_, _>>()?,
            headers: headers(provider)?,
            needs_key: provider.needs_credential(),
            timeouts: provider.timeouts,
        })
    }

    fn has_configured_key(&self) -> bool {
        self.ways.iter().any(|way| way.configured_key.is_some())
    }

    /// Deadlines of one call; a model's own total wins over its provider's.
    pub fn timeouts(&self, stream: bool, model_total: Option<Duration>) -> Timeouts {
        Timeouts {
            connect: self.timeouts.connect,
            head: if stream { self.timeouts.head_stream } else { self.timeouts.head_whole },
            idle: self.timeouts.idle,
            total: model_total.or(self.timeouts.total),
        }
    }
}

/// What sending to one endpoint of a provider takes.
pub struct Way {
    wire: WireId,
    destination: Destination,
    /// `None`: it takes no credential.
    pub scheme: Option<Scheme>,
    /// From the environment or the file; used after the vault's.
    pub configured_key: Option<Arc<Key>>,
}

impl Way {
    fn new(
        provider: &Provider,
        endpoint: &policy::Endpoint,
        configured: Option<&Secret>,
    ) -> Result<Self, String> {
        let auth = provider.auth_at(endpoint);
        let scheme = auth.map(|auth| scheme(&provider.id, &auth)).transpose()?;
        let configured_key = match (&scheme, configured) {
            (Some(scheme), Some(secret)) => {
                let key = Key::new(KeyId::CONFIGURED, scheme, secret)
                    .map_err(|fault| format!("{}: {fault}", provider.id))?;
                Some(Arc::new(key))
            }
            _ => None,
        };
        Ok(Self {
            wire: endpoint.wire,
            destination: destination(provider, endpoint)?,
            scheme,
            configured_key,
        })
    }

    /// Where an operation goes.
    ///
    /// # Errors
    /// `Internal`: the plan chose an endpoint that does not have the operation.
    pub fn destination(&self, operation: Operation, model: &str, stream: bool) -> Result<Destination, Fault> {
        let Destination::Http(endpoint) = &self.destination else { return Ok(self.destination.clone()) };
        match self.wire.target(endpoint.target(), operation, model, stream) {
            Some(target) if *target == *endpoint.target() => Ok(self.destination.clone()),
            Some(target) => Ok(Destination::Http(endpoint.at(&target))),
            None => {
                let what = format!("{} does not have the operation {}", self.wire.name(), operation.name());
                Err(Fault::internal(what))
            }
        }
    }
}

/// Makes ready to send to every provider of a snapshot.
///
/// # Errors
/// A sentence about the first provider whose URL, header or key cannot be used.
pub fn runtimes(snapshot: &Snapshot, keys: &ConfiguredKeys) -> Result<Runtimes, String> {
    let made = snapshot.providers().iter().map(|provider| {
        let runtime = Runtime::new(provider, keys.get(&*provider.id))?;
        Ok((provider.id.clone(), runtime))
    });
    made.collect()
}

fn scheme(provider: &str, auth: &Auth) -> Result<Scheme, String> {
    let header =
        auth.header.parse().map_err(|_| format!("{provider}: '{}' is not a header name", auth.header))?;
    Ok(Scheme { header, prefix: auth.prefix.clone() })
}

fn destination(provider: &Provider, endpoint: &policy::Endpoint) -> Result<Destination, String> {
    if provider.kind == Kind::Demo {
        return Ok(Destination::InProcess(Arc::new(Demo { clock: clock::wall_seconds })));
    }
    let parsed = Endpoint::parse(&endpoint.url);
    parsed.map(Destination::Http).map_err(|why| format!("{}: {}: {why}", provider.id, endpoint.url))
}

/// Built from zero, never copied from the client.
fn headers(provider: &Provider) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    let agent = format!("llm-gateway/{VERSION}");
    headers.insert(USER_AGENT, HeaderValue::from_str(&agent).map_err(|error| error.to_string())?);
    for (name, value) in &provider.extra_headers {
        let name: HeaderName =
            name.parse().map_err(|_| format!("{}: '{name}' is not a header name", provider.id))?;
        let value =
            HeaderValue::from_str(value).map_err(|_| format!("{}: bad value of {name}", provider.id))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

impl World {
    #[allow(missing_docs)]
    pub fn new(snapshot: Arc<Snapshot>, runtimes: Arc<Runtimes>, credentials: &[Credential]) -> Self {
        let any_key = !credentials.is_empty() || runtimes.values().any(Runtime::has_configured_key);
        let demo_is_off = any_key && snapshot.demo_role() == DemoRole::WhenAlone;
        Self { snapshot, runtimes, vault: VaultIndex::new(credentials), demo_is_off }
    }

    /// The same, but for the vault.
    #[must_use]
    pub fn with_credentials(&self, credentials: &[Credential]) -> Self {
        Self::new(self.snapshot.clone(), self.runtimes.clone(), credentials)
    }

    /// What sending to a provider of the snapshot takes.
    ///
    /// # Errors
    /// `Internal`, for a provider of another snapshot.
    pub fn runtime(&self, provider: &str) -> Result<&Runtime, Fault> {
        self.runtimes
            .get(provider)
            .ok_or_else(|| Fault::internal(format!("no runtime for provider {provider}")))
    }
}

impl World {
    /// Every key that a project has for a provider, or those of one name; none, where it takes none.
    pub fn keys(&self, provider: &str, project: &str, name: Option<&str>) -> Vec<KeyId> {
        let configured = self.runtimes.get(provider).is_some_and(Runtime::has_configured_key);
        let configured = (configured && is_configured(name)).then_some(KeyId::CONFIGURED);
        self.vault.ids(provider, project, name).map(KeyId).chain(configured).collect()
    }

    /// The same, but for the groups.
    #[must_use]
    pub fn with_groups(&self, groups: Vec<Route>) -> Self {
        let snapshot = match self.snapshot.groups() == groups {
            true => self.snapshot.clone(),
            false => Arc::new(Snapshot::clone(&self.snapshot).with_groups(groups)),
        };
        Self {
            snapshot,
            vault: self.vault.clone(),
            runtimes: self.runtimes.clone(),
            demo_is_off: self.demo_is_off,
        }
    }
}

impl Standing for World {
    fn unavailable(&self, provider: &Provider, project: &str) -> Option<Reason> {
        if provider.disabled.is_some() {
            return Some(Reason::Disabled);
        }
        if provider.kind == Kind::Demo {
            return self.demo_is_off.then_some(Reason::Demonstration);
        }
        let configured = || self.runtimes.get(&provider.id).is_some_and(Runtime::has_configured_key);
        let missing = provider.needs_credential() && !configured() && !self.vault.has(&provider.id, project);
        missing.then_some(Reason::NoCredential)
    }

    fn keys_named(&self, provider: &Provider, project: &str, name: &str) -> Vec<KeyId> {
        self.keys(&provider.id, project, Some(name))
    }
}

/// Whether the key of environment or file is meant: it has no name, and goes by the one that a key has to which nobody
/// gave one.
pub(crate) fn is_configured(name: Option<&str>) -> bool {
    name.is_none_or(|name| name == "default")
}

/// Which credentials the vault holds; never the credentials themselves.
#[derive(Debug, Default, Clone)]
pub struct VaultIndex {
    /// By provider, in the vault's order.
    by_provider: HashMap<String, Vec<Kept>, RandomState>,
}

/// One of them.
#[derive(Debug, Clone)]
struct Kept {
    project: String,
    name: String,
    id: i64,
}

impl VaultIndex {
    fn new(credentials: &[Credential]) -> Self {
        let mut index = Self::default();
        // What was changed behind the vault's back would only fail when it is used.
        for credential in credentials.iter().filter(|credential| credential.intact) {
            let of_provider = index.by_provider.entry(credential.provider.clone()).or_default();
            let (project, name) = (credential.project.clone(), credential.key_name.clone());
            of_provider.push(Kept { project, name, id: credential.id });
        }
        index
    }

    /// Ids to try, all or those of one name: the project's own first, then the global ones.
    pub fn ids<'a>(
        &'a self,
        provider: &str,
        project: &'a str,
        name: Option<&'a str>,
    ) -> impl Iterator<Item = i64> + use<'a> {
        let all = self.by_provider.get(provider).map(Vec::as_slice).unwrap_or_default();
        let wanted = move |kept: &&Kept| name.is_none_or(|name| kept.name == name);
        let own = all.iter().filter(move |kept| kept.project == project);
        let global = all.iter().filter(move |kept| kept.project == GLOBAL && project != GLOBAL);
        own.chain(global).filter(wanted).map(|kept| kept.id)
    }

    fn has(&self, provider: &str, project: &str) -> bool {
        self.ids(provider, project, None).next().is_some()
    }
}
