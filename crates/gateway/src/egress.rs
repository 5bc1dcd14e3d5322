//! How calls leave the gateway: through which proxy, where the name of a provider may lead, and whether its own list of
//! models is read.
//!
//! Decided by the configuration (`config::egress`), one answer a provider; carried out by `upstream`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use upstream::{Endpoint, Proxy, Reach};

/// How one provider is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    /// `None`: directly.
    pub proxy: Option<Arc<Proxy>>,
    /// Where its name may lead.
    pub reach: Reach,
    /// Its own list of models, where that is known.
    pub list: Option<ListPlace>,
}

/// Where a server lists its models, and whether that is read unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    /// Path and query.
    pub target: String,
    /// How often; `None`: only when somebody asks for it.
    pub every: Option<Duration>,
}

/// How every provider is reached, by its id; one that is missing is reached directly, at public addresses.
pub type Egresses = HashMap<String, Egress>;

impl Egress {
    /// Whether its list of models is read unasked.
    #[must_use]
    pub fn reads_list(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.every.is_some())
    }

    /// An endpoint of the provider, reached like this.
    #[must_use]
    pub fn of(&self, endpoint: &Endpoint) -> Arc<Endpoint> {
        let endpoint = endpoint.reaching(self.reach);
        self.proxy.as_ref().map_or(endpoint.clone(), |proxy| endpoint.via(proxy.clone()))
    }
}
