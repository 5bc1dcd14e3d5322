//! From a configuration to a running gateway.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy::{BreakerSettings, Kind, Snapshot};
use store::{Entry, KeySource, LedgerSettings, LedgerWriter, OpenOptions, Store};
use tokio::runtime::Handle;
use upstream::{Options, Upstreams};

use crate::app::App;
use crate::config::{self, Config, ConfigError, Warning};
use crate::discovery::discover;
use crate::door::Doors;
use crate::exit::Failure;
use crate::follow::follow;
use crate::home;
use crate::reload::Reload;
use crate::responses::prune;
use crate::world::{Configured, World, runtimes};

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
    load(flags, &working_dir).map_err(|error| Failure::new(error.exit_code(), error))
}

/// Reads it under the variables of this process.
///
/// # Errors
/// As [`config::load`].
pub fn load(flags: &config::Flags, working_dir: &Path) -> Result<Config, ConfigError> {
    config::load(flags, &|name| std::env::var(name).ok(), working_dir)
}

/// Opens the store and builds the gateway; `on_batch` sees every batch of ledger rows that was written.
pub async fn start(
    config: &Config,
    on_batch: impl FnMut(&[Entry]) + Send + 'static,
) -> Result<Started, Failure> {
    let (configured, warnings) = configured(config, None).map_err(|why| Failure::new(3, why))?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let opened =
        store::open(store_options(config)).await.map_err(|error| Failure::new(error.exit_code(), error))?;
    // Before anything is read, so that no change between two reads is missed.
    let generation = opened.store.generation().await.map_err(|error| Failure::new(65, error))?;
    let credentials = opened.store.credentials(None).await.map_err(|error| Failure::new(65, error))?;
    let world = World::new(configured, &credentials);
    let runtime = Handle::current();
    let ledger = LedgerWriter::spawn(opened.store.clone(), &runtime, LedgerSettings::default(), on_batch);
    let app = App::new(
        opened.store.clone(),
        ledger.handle(),
        Upstreams::new(Options { extra_roots: config.extra_roots.clone(), ..Options::default() }),
        world,
        BreakerSettings { enabled: config.breakers, ..BreakerSettings::default() },
        Reload::new(config, warnings),
    );
    let app = Arc::new(app);
    app.keys_changed().await.map_err(|error| Failure::new(65, error))?;
    app.groups_changed().await.map_err(|error| Failure::new(65, error))?;
    app.breakers_changed().await.map_err(|error| Failure::new(65, error))?;
    runtime.spawn(follow(Arc::downgrade(&app), generation));
    runtime.spawn(discover(Arc::downgrade(&app)));
    runtime.spawn(prune(Arc::downgrade(&app)));
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

/// What a configuration makes of the gateway, and what the operator should know about it. `before` are the doors of the
/// configuration in whose place it comes.
///
/// # Errors
/// A sentence about what cannot be used.
pub fn configured(config: &Config, before: Option<&Doors>) -> Result<(Configured, Vec<Warning>), String> {
    let (snapshot, warnings) = config::build_snapshot(config);
    let runtimes = runtimes(&snapshot, &config.provider_keys, &config.egresses())?;
    let doors = Doors::of(config);
    let configured = Configured {
        doors: Arc::new(match before {
            Some(before) => doors.after(before),
            None => doors,
        }),
        snapshot: Arc::new(snapshot),
        runtimes: Arc::new(runtimes),
    };
    Ok((configured, warnings))
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
