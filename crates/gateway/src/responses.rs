//! Answers that the gateway keeps for its clients, where that is configured: put away, found again, and thrown away when
//! they are too old or too many. What is in them, and who may go on from them, is known to `exchange` and `manage`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use store::{NewResponse, Store, StoreError};
use tokio::sync::Notify;

use crate::app::App;
use crate::clock;
use crate::config::StoredResponses;

/// How often it is looked for what is too old, when nothing is put away.
const GLANCE: Duration = Duration::from_secs(60);
/// A pause between two looks, however many answers are put away.
const PAUSE: Duration = Duration::from_secs(1);

/// Where answers are put.
pub struct Shelf {
    store: Arc<dyn Store>,
    /// Something was put there.
    grown: Notify,
}

impl Shelf {
    #[allow(missing_docs)]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, grown: Notify::new() }
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// It could not be written.
    pub async fn put(&self, response: NewResponse) -> Result<(), StoreError> {
        self.store.keep_response(response).await?;
        self.grown.notify_one();
        Ok(())
    }
}

/// What was kept before this moment is kept no longer.
pub fn oldest_kept(settings: &StoredResponses) -> Timestamp {
    clock::wall().checked_sub(settings.retention).unwrap_or(Timestamp::MIN)
}

/// Throws away what is too old or too much, until the gateway is gone. That holds too where no more answers are kept.
pub async fn prune(app: Weak<App>) {
    loop {
        let Some(shelf) = app.upgrade().map(|app| app.shelf.clone()) else { return };
        // Either way it is looked.
        let _ = clock::timeout(GLANCE, shelf.grown.notified()).await;
        drop(shelf);
        loop {
            let Some(app) = app.upgrade() else { return };
            if !step(&app).await {
                break;
            }
        }
        clock::sleep(PAUSE).await;
    }
}

/// Whether there may be more to throw away.
async fn step(app: &App) -> bool {
    let settings = app.world().doors.responses;
    let pruned = app.store.prune_responses(oldest_kept(&settings), settings.max_bytes).await;
    pruned.unwrap_or_else(|error| {
        tracing::warn!(%error, "old responses cannot be thrown away; trying again");
        false
    })
}
