//! From a configuration to a running gateway.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy::{BreakerSettings, Kind, Snapshot};
use store::{Entry, KeySource, LedgerSettings, LedgerWriter, OpenOptions, Store};
use tokio::runtime::Handle;
use upstream::{Options, Upstreams};

use crate::app::{App, Doors};
use crate::config::{self, Config};
use crate::door::{Access, Cors, HostRule, Scope, StaticKey};
use crate::exit::Failure;
use crate::follow::follow;
use crate::home;
use crate::world::{World, runtimes};

/// A gateway that is ready to take requests.
pub struct Started {
    #[allow(missing_docs)]
    pub app: Arc<App>,
    /// To be closed last, so that every row is written.
    pub ledger: LedgerWriter,
    #[allow(missing_docs)]
    pub store: Arc<dyn Store>,
    /// The database file.
    pub database: PathBuf,
    /// Where the master key came from.
    pub key_source: KeySource,
}

/// Reads file, environment and flags, and finds the vault.
pub fn configuration(flags: &config::Flags) -> Result<Config, Failure> {
    let mut config = written_configuration(flags)?;
    home::find(&mut config);
    Ok(config)
}

/// The same, with the vault where file and environment have it.
pub fn written_configuration(flags: &config::Flags) -> Result<Config, Failure> {
    let working_dir = std::env::current_dir().map_err(|error| Failure::new(74, error))?;
    config::load(flags, &|name| std::env::var(name).ok(), &working_dir)
        .map_err(|error| Failure::new(error.exit_code(), error))
}

/// Opens the store and builds the gateway; `on_batch` sees every batch of ledger rows that was written.
pub async fn start(
    config: &Config,
    on_batch: impl FnMut(&[Entry]) + Send + 'static,
) -> Result<Started, Failure> {
    let (snapshot, warnings) = config::build_snapshot(config);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let runtimes = runtimes(&snapshot, &config.provider_keys).map_err(|why| Failure::new(3, why))?;
    let opened =
        store::open(store_options(config)).await.map_err(|error| Failure::new(error.exit_code(), error))?;
    // Before anything is read, so that no change between two reads is missed.
    let generation = opened.store.generation().await.map_err(|error| Failure::new(65, error))?;
    let credentials = opened.store.credentials(None).await.map_err(|error| Failure::new(65, error))?;
    let world = World::new(Arc::new(snapshot), Arc::new(runtimes), &credentials);
    let runtime = Handle::current();
    let ledger = LedgerWriter::spawn(opened.store.clone(), &runtime, LedgerSettings::default(), on_batch);
    let app = App::new(
        doors(config),
        opened.store.clone(),
        ledger.handle(),
        Upstreams::new(Options::default()),
        world,
    );
    let app = Arc::new(app);
    let breakers = BreakerSettings { enabled: config.breakers, ..BreakerSettings::default() };
    app.health.change(|health, _| health.set(breakers));
    app.keys_changed().await.map_err(|error| Failure::new(65, error))?;
    app.groups_changed().await.map_err(|error| Failure::new(65, error))?;
    runtime.spawn(follow(Arc::downgrade(&app), generation));
    Ok(Started { app, ledger, store: opened.store, database: opened.database, key_source: opened.key_source })
}

/// Where the store of a configuration is.
pub fn store_options(config: &Config) -> OpenOptions {
    OpenOptions {
        data_dir: config.data_dir.clone(),
        db_path: config.db_path.clone(),
        master_key: config.master_key(),
    }
}

fn doors(config: &Config) -> Doors {
    let access = Access::new(
        config.auth_token.as_ref(),
        config.access_keys.iter().map(|key| StaticKey {
            name: &key.name,
            secret: &key.secret,
            scope: Scope {
                project: key.project.clone(),
                access: policy::Access { models: key.models.clone(), providers: key.providers.clone() },
                expires_at: None,
            },
        }),
    );
    let cors = Cors::new(&config.cors_origins, !access.is_open());
    Doors {
        host_rule: HostRule::new(config.host, &config.allowed_hosts),
        access,
        cors,
        body_limit: config.body_limit,
        in_flight: config.in_flight,
        annotate: config.annotate,
    }
}

/// Programs of command-line subscriptions that are on `PATH`.
pub fn programs_on_path(snapshot: &Snapshot) -> Vec<&str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let programs = snapshot.providers().iter().filter(|provider| provider.kind == Kind::Cli);
    programs
        .map(|provider| provider.program.as_deref().unwrap_or(&provider.id))
        .filter(|program| dirs.iter().any(|dir| is_program(&dir.join(program))))
        .collect()
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
