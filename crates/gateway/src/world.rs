//! One view of everything that a request may use: the doors it comes through, the snapshot that decisions are made on,
//! and what is needed to carry them out. Immutable; a change makes a new one, and a request keeps the one it started with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use policy::{Auth, DemoRole, Found, KeyId, Kind, Provider, Reason, Route, Snapshot, Standing};
use store::{Credential, GLOBAL, Secret};
use upstream::{Demo, Destination, Endpoint, Scheme, Timeouts};
use wire::{Fault, Operation, WireId};

use crate::VERSION;
use crate::clock;
use crate::credentials::key::Key;
use crate::door::Doors;
use crate::egress::{Egress, Egresses, ListPlace};

/// Configured keys, by provider.
pub type ConfiguredKeys = HashMap<String, Secret>;

/// The view.
pub struct World {
    /// Who comes in, and what may be brought.
    pub doors: Arc<Doors>,
    /// What decisions are made on.
    pub snapshot: Arc<Snapshot>,
    /// Which credentials the vault holds.
    pub vault: Arc<VaultIndex>,
    runtimes: Arc<Runtimes>,
    /// By place in [`Snapshot::providers`]: needs no credential, or has a configured one.
    has_its_own_key: Box<[bool]>,
    /// Somebody has configured something, be it for another project: from then on a demonstration is a surprise.
    demo_is_off: bool,
}

/// Everything of a view that the configuration decides; the rest is the vault's.
#[derive(Clone)]
pub struct Configured {
    #[allow(missing_docs)]
    pub doors: Arc<Doors>,
    #[allow(missing_docs)]
    pub snapshot: Arc<Snapshot>,
    #[allow(missing_docs)]
    pub runtimes: Arc<Runtimes>,
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
    /// Its own list of models, where that is known.
    pub list: Option<ModelList>,
    timeouts: policy::Timeouts,
}

impl Runtime {
    fn new(provider: &Provider, configured: Option<&Secret>, egress: &Egress) -> Result<Self, String> {
        let ways = provider.endpoints.iter().map(|endpoint| Way::new(provider, endpoint, configured, egress));
        let ways = ways.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            provider: provider.id.clone(),
            list: ways.first().zip(egress.list.as_ref()).and_then(|(way, place)| way.list(place)),
            ways,
            headers: headers(provider)?,
            needs_key: provider.needs_credential(),
            timeouts: provider.timeouts,
        })
    }

    /// Deadlines of reading the list of models, all of which are at most `patience`.
    pub fn timeouts_of_list(&self, patience: Duration) -> Timeouts {
        let connect = self.timeouts.connect.min(patience);
        Timeouts { connect, head: patience, idle: patience, total: Some(patience) }
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

/// A server's own list of models.
pub struct ModelList {
    #[allow(missing_docs)]
    pub endpoint: Arc<Endpoint>,
    /// What the server speaks.
    pub wire: WireId,
    /// How often it is read; `None`: only when somebody asks for it.
    every: Option<Duration>,
}

/// A list that is read unasked.
#[derive(Clone, Copy)]
pub struct Listing<'a> {
    /// Whose it is.
    pub of: &'a Runtime,
    #[allow(missing_docs)]
    pub list: &'a ModelList,
    /// How often it is read.
    pub every: Duration,
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
        egress: &Egress,
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
            destination: destination(provider, endpoint, egress)?,
            scheme,
            configured_key,
        })
    }

    fn list(&self, place: &ListPlace) -> Option<ModelList> {
        let Destination::Http(endpoint) = &self.destination else { return None };
        let endpoint = endpoint.at(&place.target).to_read();
        Some(ModelList { endpoint, wire: self.wire, every: place.every })
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
pub fn runtimes(snapshot: &Snapshot, keys: &ConfiguredKeys, egresses: &Egresses) -> Result<Runtimes, String> {
    let usual = Egress::default();
    let made = snapshot.providers().iter().map(|provider| {
        let egress = egresses.get(&*provider.id).unwrap_or(&usual);
        let runtime = Runtime::new(provider, keys.get(&*provider.id), egress)?;
        Ok((provider.id.clone(), runtime))
    });
    made.collect()
}

fn scheme(provider: &str, auth: &Auth) -> Result<Scheme, String> {
    let header =
        auth.header.parse().map_err(|_| format!("{provider}: '{}' is not a header name", auth.header))?;
    Ok(Scheme { header, prefix: auth.prefix.clone() })
}

fn destination(
    provider: &Provider,
    endpoint: &policy::Endpoint,
    egress: &Egress,
) -> Result<Destination, String> {
    if provider.kind == Kind::Demo {
        return Ok(Destination::InProcess(Arc::new(Demo { clock: clock::wall_seconds })));
    }
    let parsed = Endpoint::parse(&endpoint.url);
    parsed
        .map(|parsed| Destination::Http(egress.of(&parsed)))
        .map_err(|why| format!("{}: {}: {why}", provider.id, endpoint.url))
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
    pub fn new(configured: Configured, credentials: &[Credential]) -> Self {
        Self::of(configured, Arc::new(VaultIndex::new(credentials)))
    }

    fn of(configured: Configured, vault: Arc<VaultIndex>) -> Self {
        let Configured { doors, snapshot, runtimes } = configured;
        let any_key = vault.holds_any || runtimes.values().any(Runtime::has_configured_key);
        let demo_is_off = any_key && snapshot.demo_role() == DemoRole::WhenAlone;
        let has_its_own_key = snapshot.providers().iter().map(|provider| {
            let configured = || runtimes.get(&provider.id).is_some_and(Runtime::has_configured_key);
            !provider.needs_credential() || configured()
        });
        let has_its_own_key = has_its_own_key.collect();
        Self { doors, snapshot, vault, runtimes, has_its_own_key, demo_is_off }
    }

    /// The same, but for the vault.
    #[must_use]
    pub fn with_credentials(&self, credentials: &[Credential]) -> Self {
        Self::new(self.configured(), credentials)
    }

    /// The same vault and groups under another configuration.
    #[must_use]
    pub fn with_configuration(&self, configured: Configured) -> Self {
        let groups = self.snapshot.groups().to_vec();
        Self::of(configured, self.vault.clone()).with_found(self.snapshot.found()).with_groups(groups)
    }

    /// The same, with what servers say they have. What a server said whose list is not read, or no longer, is left out.
    #[must_use]
    pub fn with_found(&self, found: &Found) -> Self {
        let listed = found.iter().filter(|(id, _)| self.listing(id).is_some());
        let found: Found = listed.map(|(id, models)| (id.clone(), models.clone())).collect();
        let mut configured = self.configured();
        if found != **self.snapshot.found() {
            configured.snapshot = Arc::new(Snapshot::clone(&self.snapshot).with_found(Arc::new(found)));
        }
        Self::of(configured, self.vault.clone())
    }

    /// A provider that takes part, if its own list of models is read unasked.
    fn listing(&self, provider: &str) -> Option<Listing<'_>> {
        let takes_part = self.snapshot.provider(provider).is_some_and(|provider| provider.disabled.is_none());
        let of = self.runtimes.get(provider).filter(|_| takes_part)?;
        let list = of.list.as_ref()?;
        Some(Listing { of, list, every: list.every? })
    }

    /// Every provider whose own list of models is read unasked.
    pub fn listings(&self) -> impl Iterator<Item = Listing<'_>> {
        self.runtimes.keys().filter_map(|provider| self.listing(provider))
    }

    fn configured(&self) -> Configured {
        let (doors, snapshot) = (self.doors.clone(), self.snapshot.clone());
        Configured { doors, snapshot, runtimes: self.runtimes.clone() }
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
        let mut configured = self.configured();
        if self.snapshot.groups() != groups {
            configured.snapshot = Arc::new(Snapshot::clone(&self.snapshot).with_groups(groups));
        }
        Self::of(configured, self.vault.clone())
    }
}

impl Standing for World {
    fn unavailable(&self, at: usize, provider: &Provider, project: &str) -> Option<Reason> {
        if provider.disabled.is_some() {
            return Some(Reason::Disabled);
        }
        if provider.kind == Kind::Demo {
            return self.demo_is_off.then_some(Reason::Demonstration);
        }
        let missing = !self.has_its_own_key[at] && !self.vault.has(&provider.id, project);
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
    /// Also when it is one that cannot be used.
    holds_any: bool,
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
        let mut index = Self { holds_any: !credentials.is_empty(), ..Self::default() };
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

    /// What a credential is called.
    pub fn name(&self, id: i64) -> Option<&str> {
        self.by_provider.values().flatten().find(|kept| kept.id == id).map(|kept| kept.name.as_str())
    }

    fn has(&self, provider: &str, project: &str) -> bool {
        self.ids(provider, project, None).next().is_some()
    }
}
