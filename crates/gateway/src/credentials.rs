//! The credentials of a provider at the moment of a call: from the vault (opened, kept briefly in the clear, wiped), or
//! from the configuration.

pub mod key;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use key::Key;
use policy::KeyId;
use store::{Store, StoreError};
use upstream::Scheme;
use wire::Fault;

use crate::clock::{self, Instant};
use crate::world::{Runtime, World, is_configured};

/// How long an opened credential stays in the clear, and how many (SAFETY.md section 2, point 7).
const KEPT: Duration = Duration::from_secs(60);
const KEPT_AT_MOST: usize = 256;

/// Id of a credential, and the endpoint that it is opened for: each of a provider's may want the key in a form of its own.
type Place = (i64, usize);

/// Opens credentials and keeps the opened ones for a moment.
pub struct Credentials {
    store: Arc<dyn Store>,
    opened: Mutex<HashMap<Place, Opened>>,
}

/// A credential in the clear.
struct Opened {
    key: Arc<Key>,
    /// The form that it was put in; a new configuration may want another.
    scheme: Scheme,
    since: Instant,
}

impl Credentials {
    #[allow(missing_docs)]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, opened: Mutex::default() }
    }

    /// The keys to try at an endpoint, all or those of one name, in order: the project's own, the global ones, the
    /// configured one. A provider that needs none has one `None`.
    pub async fn of(
        &self,
        world: &World,
        runtime: &Runtime,
        endpoint: usize,
        project: &str,
        name: Option<&str>,
    ) -> Result<Vec<Option<Arc<Key>>>, Fault> {
        let way = &runtime.ways[endpoint];
        let Some(scheme) = &way.scheme else { return Ok(vec![None]) };
        let (mut keys, mut lost) = (Vec::new(), None);
        for id in world.vault.ids(&runtime.provider, project, name) {
            match self.open((id, endpoint), scheme).await {
                Ok(key) => keys.push(Some(key)),
                // Removed a moment ago, or changed outside the gateway: another may do.
                Err(fault @ (Fault::NotFound { .. } | Fault::Store { retry_after: None, .. })) => {
                    tracing::warn!(provider = &*runtime.provider, "a credential is left out: {fault}");
                    lost = Some(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        keys.extend(way.configured_key.clone().filter(|_| is_configured(name)).map(Some));
        if keys.is_empty() && !runtime.needs_key && name.is_none() {
            keys.push(None);
        }
        match lost.filter(|_| keys.is_empty()) {
            Some(why) => Err(Fault::Store { why: why.to_string(), retry_after: None }),
            None => Ok(keys),
        }
    }

    async fn open(&self, place: Place, scheme: &Scheme) -> Result<Arc<Key>, Fault> {
        if let Some(key) = self.kept(place, scheme) {
            return Ok(key);
        }
        let secret = self.store.open_credential(place.0).await.map_err(fault)?;
        let key = Arc::new(Key::new(KeyId(place.0), scheme, &secret)?);
        self.keep(place, key.clone(), scheme);
        Ok(key)
    }

    fn kept(&self, place: Place, scheme: &Scheme) -> Option<Arc<Key>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = opened.get(&place).filter(|kept| kept.scheme == *scheme)?;
        (clock::now() - kept.since < KEPT).then(|| kept.key.clone())
    }

    fn keep(&self, place: Place, key: Arc<Key>, scheme: &Scheme) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let since = clock::now();
        opened.retain(|_, kept| since - kept.since < KEPT);
        if opened.len() < KEPT_AT_MOST || opened.contains_key(&place) {
            opened.insert(place, Opened { key, scheme: scheme.clone(), since });
        }
    }

    /// Forgets what was opened: a credential changed.
    pub fn forget(&self) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A store's error as the client sees it.
pub fn fault(error: StoreError) -> Fault {
    if error.is_retryable() {
        return Fault::Store { why: error.to_string(), retry_after: Some(Duration::from_secs(1)) };
    }
    match error {
        StoreError::Tampered { .. }
        | StoreError::Full
        | StoreError::ReadOnly
        | StoreError::KeyExhausted
        | StoreError::KeyReplaced => Fault::Store { why: error.to_string(), retry_after: None },
        StoreError::Stale { .. } => Fault::Stale { why: error.to_string() },
        StoreError::NotFound { .. } => Fault::NotFound { what: error.to_string() },
        other => Fault::internal(other),
    }
}
