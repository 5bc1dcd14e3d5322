//! Another configuration in the place of the one in force: all of it or nothing. What is wrong is said once and shown
//! until it is mended; requests that run keep what they began under.
//!
//! Here is how a configuration is read again and put in force. `watch` says when: a file changed, or SIGHUP; the
//! administration may ask too (`manage/config.rs`).

mod fixed;
mod watch;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::Serialize;

pub use watch::watch;

use crate::app::App;
use crate::config::{Config, Flags, Sources, Warning};
use crate::telemetry::{self, metrics};
use crate::{clock, home, startup};
use fixed::Fixed;

/// What a process needs to read its configuration again, and what became of the last attempt.
pub struct Reload {
    flags: Flags,
    working_dir: PathBuf,
    fixed: Fixed,
    /// The files that were read last, as they were then.
    sources: ArcSwap<Sources>,
    status: ArcSwap<Status>,
    /// What has been warned of. Attempts are made one at a time, by who holds this: a thread that may wait.
    warned: Mutex<Vec<Warning>>,
}

/// What is in force, and why the file is not, if it is not.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ConfigStatus")]
pub struct Status {
    /// The file of the configuration in force; `None`: there is none.
    pub file: Option<PathBuf>,
    /// When the configuration in force was read.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub loaded_at: Timestamp,
    /// Settings that were changed and will hold after a restart.
    pub needs_restart: Vec<&'static str>,
    /// Why the last attempt changed nothing, a sentence for each thing that is wrong; empty when it was put in force.
    pub errors: Vec<String>,
}

impl Reload {
    /// For the configuration that the process starts with.
    pub fn new(config: &Config, warnings: Vec<Warning>) -> Self {
        let status = Status {
            file: config.file.clone(),
            loaded_at: clock::wall(),
            needs_restart: Vec::new(),
            errors: Vec::new(),
        };
        Self {
            flags: config.flags.clone(),
            // Without one nothing could have been read.
            working_dir: std::env::current_dir().unwrap_or_default(),
            fixed: Fixed::of(config),
            sources: ArcSwap::from_pointee(config.sources.clone()),
            status: ArcSwap::from_pointee(status),
            warned: Mutex::new(warnings),
        }
    }

    /// What is in force.
    pub fn status(&self) -> Status {
        Status::clone(&self.status.load())
    }

    /// How many things are wrong with what was read last.
    pub fn errors(&self) -> usize {
        self.status.load().errors.len()
    }

    /// Reads everything again and puts it in force, or says why not. Waits for files.
    pub fn run(&self, app: &App) -> Status {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.status();
        let status = match self.attempt(app, &before, &mut warned) {
            Ok(status) => status,
            Err(errors) => Status { errors, ..before.clone() },
        };
        metrics::configuration_read(status.errors.is_empty());
        tell(&before, &status);
        self.status.store(status.clone().into());
        status
    }

    fn attempt(&self, app: &App, before: &Status, warned: &mut Vec<Warning>) -> Result<Status, Vec<String>> {
        let (config, needs_restart) = self.read()?;
        not_gone(before, &config)?;
        put_in_force(app, &config, warned)?;
        Ok(Status { file: config.file, loaded_at: clock::wall(), needs_restart, errors: Vec::new() })
    }

    /// What was written, under the values that a running process cannot change, and the names of those.
    fn read(&self) -> Result<(Config, Vec<&'static str>), Vec<String>> {
        let mut wanted = self.load(&self.flags)?;
        home::find(&mut wanted);
        let needs_restart = self.fixed.differs_from(&wanted);
        if needs_restart.is_empty() {
            return Ok((wanted, needs_restart));
        }
        // Whether keys are needed depends on the address that is listened at, and that stays.
        Ok((self.load(&self.fixed.flags(&self.flags))?, needs_restart))
    }

    fn load(&self, flags: &Flags) -> Result<Config, Vec<String>> {
        let loaded = startup::load(flags, &self.working_dir);
        let sources = loaded.as_ref().map_or_else(|error| error.sources(), |config| &config.sources);
        self.sources.store(sources.clone().into());
        loaded.map_err(|error| error.lines().to_vec())
    }
}

/// Without its file the gateway would lose all providers and keys at once, which nobody means.
fn not_gone(before: &Status, now: &Config) -> Result<(), Vec<String>> {
    match (&before.file, &now.file) {
        (Some(file), None) => Err(vec![format!("{} is gone", file.display())]),
        _ => Ok(()),
    }
}

fn put_in_force(app: &App, config: &Config, warned: &mut Vec<Warning>) -> Result<(), Vec<String>> {
    let (configured, warnings) =
        startup::configured(config, Some(&app.world().doors)).map_err(|why| vec![why])?;
    app.configure(&configured);
    telemetry::set_level(&config.log);
    for warning in warnings.iter().filter(|warning| !warned.contains(warning)) {
        tracing::warn!("{warning}");
    }
    *warned = warnings;
    Ok(())
}

/// What is wrong is said when it comes up, not each time that it is still there.
fn tell(before: &Status, now: &Status) {
    if !now.errors.is_empty() {
        if now.errors != before.errors {
            tracing::error!(
                "the new configuration is not valid, the old one stays: {}",
                now.errors.join("; ")
            );
        }
        return;
    }
    tracing::info!(
        file = now.file.as_ref().map(|file| file.display().to_string()),
        "configuration read anew"
    );
    let news = now.needs_restart.iter().filter(|name| !before.needs_restart.contains(name));
    for name in news {
        tracing::warn!("{name} was changed, which needs a restart; the rest is in force");
    }
}
