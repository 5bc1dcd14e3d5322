//! What all requests share, built once, in reading order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, Guard};
use store::{LedgerHandle, Store};
use upstream::Upstreams;
use wire::Fault;

use crate::credentials::{self, Credentials};
use crate::door::{Access, Cors, HostRule};
use crate::groups;
use crate::health::LiveHealth;
use crate::limits::InFlight;
use crate::mcp;
use crate::origins::Origins;
use crate::recall::Recall;
use crate::world::World;

/// What all requests share.
pub struct App {
    /// Who may come in.
    pub access: Access,
    /// Which `Host` headers are answered.
    pub host_rule: HostRule,
    /// Which web pages may read answers.
    pub cors: Cors,
    /// Bytes of a request's body, at most.
    pub body_limit: usize,
    /// Whether `x_gateway` is written into whole answers.
    pub annotate: bool,
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
    world: ArcSwap<World>,
    draining: AtomicBool,
}

/// The parts of [`App`] that are decided by the configuration.
pub struct Doors {
    #[allow(missing_docs)]
    pub access: Access,
    #[allow(missing_docs)]
    pub host_rule: HostRule,
    #[allow(missing_docs)]
    pub cors: Cors,
    #[allow(missing_docs)]
    pub body_limit: usize,
    #[allow(missing_docs)]
    pub in_flight: usize,
    #[allow(missing_docs)]
    pub annotate: bool,
}

impl App {
    #[allow(missing_docs)]
    pub fn new(
        doors: Doors,
        store: Arc<dyn Store>,
        ledger: LedgerHandle,
        upstreams: Upstreams,
        world: World,
    ) -> Self {
        Self {
            access: doors.access,
            host_rule: doors.host_rule,
            cors: doors.cors,
            body_limit: doors.body_limit,
            annotate: doors.annotate,
            in_flight: InFlight::new(doors.in_flight),
            credentials: Credentials::new(store.clone()),
            store,
            ledger,
            upstreams,
            recall: Arc::default(),
            health: Arc::default(),
            mcp_calls: Arc::default(),
            origins: Arc::default(),
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

    /// An access key changed: every request that starts after this sees it.
    pub async fn keys_changed(&self) -> Result<(), Fault> {
        let issued = self.store.issued_keys().await.map_err(credentials::fault)?;
        self.access.issue(issued);
        Ok(())
    }

    /// A group changed: every request that starts after this sees it.
    pub async fn groups_changed(&self) -> Result<(), Fault> {
        let groups = self.store.groups().await.map_err(credentials::fault)?;
        let routes = groups::routes(&groups);
        self.world.rcu(|world| world.with_groups(routes.clone()));
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
