//! When a configuration is read again: a file of it has changed, or the process was told to (SIGHUP).

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Reload, Status};
use crate::app::App;
use crate::clock;
use crate::config::Sources;

/// How often to look; a look asks the file system about a handful of files.
const GLANCE: Duration = Duration::from_millis(500);

/// How long a changed file has to stay as it is: editors write in several steps.
const SETTLED: Duration = Duration::from_millis(250);

/// Watches until the gateway is gone. From the return of this on, SIGHUP no longer ends the process.
pub fn watch(app: &Arc<App>) {
    let hangup = signal(SignalKind::hangup());
    if let Err(error) = &hangup {
        tracing::error!(%error, "cannot listen for SIGHUP");
    }
    tokio::spawn(obey(Arc::downgrade(app), hangup.ok()));
}

async fn obey(app: Weak<App>, mut hangup: Option<Signal>) {
    loop {
        tokio::select! {
            () = told(&mut hangup) => {}
            () = changed(&app) => {}
        }
        let Some(app) = app.upgrade() else { return };
        app.reload().await;
    }
}

async fn told(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Resolves when the files differ from what was read of them and have come to rest, or when the gateway is gone.
async fn changed(app: &Weak<App>) {
    loop {
        clock::sleep(GLANCE).await;
        let Some(app) = app.upgrade() else { return };
        let read = app.reload.sources.load_full();
        let found = look(&read).await;
        if found == *read {
            continue;
        }
        clock::sleep(SETTLED).await;
        // Meanwhile somebody may have asked for it.
        let is_news = **app.reload.sources.load() != found;
        if is_news && look(&found).await == found {
            return;
        }
    }
}

/// On a thread that may wait: a file may lie on a disk that does not answer.
async fn look(at: &Sources) -> Sources {
    let sources = at.clone();
    let looked = tokio::task::spawn_blocking(move || sources.look()).await;
    looked.unwrap_or_else(|_| at.clone())
}

impl App {
    /// Reads the configuration again, on a thread that may wait, and puts it in force if it is valid.
    pub async fn reload(self: &Arc<Self>) -> Status {
        let app = self.clone();
        let done = tokio::task::spawn_blocking(move || Reload::run(&app.reload, &app)).await;
        done.unwrap_or_else(|_| self.reload.status())
    }
}
