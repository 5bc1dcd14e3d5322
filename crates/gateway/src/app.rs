//! What all requests share, built once, in reading order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, Guard};
use policy::{BreakerSettings, Found};
use store::{LedgerHandle, Store};
use upstream::Upstreams;
use wire::Fault;

use crate::breakers;
use crate::credentials::{self, Credentials};
use crate::groups;
use crate::health::LiveHealth;
use crate::limits::InFlight;
use crate::mcp;
use crate::origins::Origins;
use crate::recall::Recall;
use crate::reload::Reload;
use crate::responses::Shelf;
use crate::world::{Configured, World};

/// What all requests share.
pub struct App {
    /// Places for requests.
    pub in_flight: InFlight,
    /// Where records and secrets live.
    pub store: Arc<dyn Store>,
    /// The queue to the ledger.
    pub ledger: LedgerHandle,
    /// Opened credentials.
    pub credentials: Credentials,
    /// Everything that leaves the process.
    pub upstreams: Upstreams,
    /// Thoughts that clients could not carry.
    pub recall: Arc<Recall>,
    /// What has been seen of providers lately.
    pub health: Arc<LiveHealth>,
    /// Calls of tools that another request may cancel.
    pub mcp_calls: Arc<mcp::Calls>,
    /// Where answers came from that their providers keep.
    pub origins: Arc<Origins>,
    /// Where answers are kept for clients.
    pub shelf: Arc<Shelf>,
    /// How another configuration takes the place of the one in force.
    pub reload: Reload,
    /// What holds of breakers as long as nobody says otherwise.
    usual_breakers: BreakerSettings,
    world: ArcSwap<World>,
    draining: AtomicBool,
}

impl App {
    #[allow(missing_docs)]
    pub fn new(
        store: Arc<dyn Store>,
        ledger: LedgerHandle,
        upstreams: Upstreams,
        world: World,
        usual_breakers: BreakerSettings,
        reload: Reload,
    ) -> Self {
        Self {
            in_flight: InFlight::default(),
            credentials: Credentials::new(store.clone()),
            shelf: Arc::new(Shelf::new(store.clone())),
            store,
            ledger,
            upstreams,
            recall: Arc::default(),
            health: Arc::default(),
            mcp_calls: Arc::default(),
            origins: Arc::default(),
            reload,
            usual_breakers,
            world: ArcSwap::from_pointee(world),
            draining: AtomicBool::new(false),
        }
    }

    /// One view of the world, for the whole of a request.
    pub fn world(&self) -> Arc<World> {
        Guard::into_inner(self.world.load())
    }

    /// The vault changed: every request that starts after this sees it.
    pub async fn credentials_changed(&self) -> Result<(), Fault> {
        let stored = self.store.credentials(None).await.map_err(credentials::fault)?;
        self.world.rcu(|world| world.with_credentials(&stored));
        self.credentials.forget();
        self.health.credentials_changed();
        Ok(())
    }

    /// The configuration changed: every request that starts after this sees all of it, and those that run see none.
    pub fn configure(&self, configured: &Configured) {
        self.world.rcu(|world| world.with_configuration(configured.clone()));
    }

    /// Servers listed their models: every request that starts after this sees them.
    pub fn models_found(&self, found: &Found) {
        self.world.rcu(|world| world.with_found(found));
    }

    /// An access key changed: every request that starts after this sees it.
    pub async fn keys_changed(&self) -> Result<(), Fault> {
        let issued = self.store.issued_keys().await.map_err(credentials::fault)?;
        self.world.load().doors.access.issue(issued);
        Ok(())
    }

    /// A group changed: every request that starts after this sees it.
    pub async fn groups_changed(&self) -> Result<(), Fault> {
        let groups = self.store.groups().await.map_err(credentials::fault)?;
        let routes = groups::routes(&groups);
        self.world.rcu(|world| world.with_groups(routes.clone()));
        Ok(())
    }

    /// Somebody said when breakers are to open: every failure after this is judged so.
    pub async fn breakers_changed(&self) -> Result<(), Fault> {
        let rule = self.store.breakers().await.map_err(credentials::fault)?;
        self.health.change(|health, _| health.set(breakers::settings(&rule, self.usual_breakers)));
        Ok(())
    }

    /// The server takes no new connections any more.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Says so.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
