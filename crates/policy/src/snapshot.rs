//! What exists, frozen: a request keeps the snapshot it started with.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::found::Found;
use crate::plan::Ask;
use crate::provider::{Kind, Model, Provider};
use crate::route::Route;

/// All providers in order of preference, and what names mean. Immutable; a change makes a new one.
#[derive(Debug, Default, Clone)]
pub struct Snapshot {
    providers: Vec<Arc<Provider>>,
    /// The same as they are configured, without what servers list themselves.
    written: Vec<Arc<Provider>>,
    found: Arc<Found>,
    by_name: HashMap<String, usize, RandomState>,
    /// Model id -> providers that have it, in order of preference.
    owners: HashMap<Arc<str>, Vec<usize>, RandomState>,
    default_provider: Option<usize>,
    aliases: HashMap<String, String>,
    routes: Vec<Route>,
    /// How many of the routes are the file's; the others are groups.
    of_file: usize,
    demo: DemoRole,
}

/// When the built-in demonstration takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DemoRole {
    /// Only while no other provider is available; then it answers for any model.
    #[default]
    WhenAlone,
    /// Also beside others, by its name.
    Always,
}

impl Snapshot {
    /// Providers in order of preference. Of two with the same name the first keeps it.
    pub fn new(providers: Vec<Provider>) -> Self {
        let written: Vec<Arc<Provider>> = providers.into_iter().map(Arc::new).collect();
        let mut world = Self { providers: written.clone(), written, ..Self::default() };
        for (at, provider) in world.providers.iter().enumerate() {
            for name in std::iter::once(&*provider.id).chain(provider.spellings.iter().map(String::as_str)) {
                world.by_name.entry(name.to_owned()).or_insert(at);
            }
        }
        world.find_owners();
        world
    }

    /// Sets what servers say they have, in place of what they said before.
    #[must_use]
    pub fn with_found(mut self, found: Arc<Found>) -> Self {
        let with_found = |provider: &Arc<Provider>| match found.get(&provider.id) {
            Some(models) => Arc::new(provider.with_found(models)),
            None => provider.clone(),
        };
        self.providers = self.written.iter().map(with_found).collect();
        self.found = found;
        self.find_owners();
        self
    }

    /// What servers say they have.
    pub fn found(&self) -> &Arc<Found> {
        &self.found
    }

    fn find_owners(&mut self) {
        self.owners.clear();
        for (at, provider) in self.providers.iter().enumerate() {
            for id in provider.models.keys() {
                self.owners.entry(id.clone()).or_default().push(at);
            }
        }
    }

    /// Sets the provider for models that nobody has, and for requests without one. A name that is not known is ignored.
    #[must_use]
    pub fn with_default_provider(mut self, name: Option<&str>) -> Self {
        self.default_provider = name.and_then(|name| self.position(name));
        self
    }

    /// Sets further names of models: alias -> a model's id or `provider/model`.
    #[must_use]
    pub fn with_aliases(mut self, aliases: HashMap<String, String>) -> Self {
        self.aliases = aliases;
        self
    }

    /// Sets the operator's routes; of two that hold for a name the first counts.
    #[must_use]
    pub fn with_routes(mut self, routes: Vec<Route>) -> Self {
        self.of_file = routes.len();
        self.routes = routes;
        self
    }

    /// Sets the routes that were made by API, in place of the ones before. They come after those of the file.
    #[must_use]
    pub fn with_groups(mut self, groups: Vec<Route>) -> Self {
        self.routes.truncate(self.of_file);
        self.routes.extend(groups);
        self
    }

    /// Sets when the demonstration takes part.
    #[must_use]
    pub fn with_demo(mut self, role: DemoRole) -> Self {
        self.demo = role;
        self
    }

    /// All providers, available or not, in order of preference.
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// The provider of that id or spelling.
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.position(name).map(|at| &self.providers[at])
    }

    /// Models that some provider has under exactly this id, in order of preference.
    pub fn owned(&self, id: &str) -> impl Iterator<Item = (&Arc<Provider>, &Arc<Model>)> {
        self.owners(id).iter().filter_map(move |at| {
            let provider = &self.providers[*at];
            Some((provider, provider.models.get(id)?))
        })
    }

    /// Where requests go whose model nobody has.
    pub fn default_provider(&self) -> Option<&Arc<Provider>> {
        self.default_provider.map(|at| &self.providers[at])
    }

    /// Further names of models, in no order.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|(alias, model)| (alias.as_str(), model.as_str()))
    }

    /// The operator's routes in order: those of the file, then groups.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Those of them that were made by API.
    pub fn groups(&self) -> &[Route] {
        &self.routes[self.of_file..]
    }

    /// The route that holds for a request.
    pub fn route(&self, ask: &Ask<'_>) -> Option<&Route> {
        self.routes.iter().find(|route| route.holds(ask))
    }

    /// Whether some route sends conversations back to who answered them.
    pub fn is_sticky(&self) -> bool {
        self.routes.iter().any(|route| route.sticky.is_some())
    }

    /// Whether a provider, available or not, is known to have a model of this name, or takes any after its own.
    pub fn has(&self, name: &str) -> bool {
        let prefix = name.split_once('/').filter(|(_, model)| !model.is_empty());
        !self.owners(name).is_empty() || prefix.is_some_and(|(provider, _)| self.position(provider).is_some())
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn owners(&self, id: &str) -> &[usize] {
        self.owners.get(id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn default_position(&self) -> Option<usize> {
        self.default_provider
    }

    pub(crate) fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(name).map(String::as_str)
    }

    /// When the demonstration takes part.
    pub fn demo_role(&self) -> DemoRole {
        self.demo
    }

    pub(crate) fn is_demo(&self, at: usize) -> bool {
        self.providers[at].kind == Kind::Demo
    }
}
