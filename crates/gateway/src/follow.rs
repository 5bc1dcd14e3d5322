//! Follows what other processes change in the vault: a key revoked by one is refused by all within a second.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::app::App;
use crate::clock;

/// How often to look; a look is one read of one row.
const GLANCE: Duration = Duration::from_millis(500);

/// Looks until the gateway is gone. `seen` is the generation that it was started with.
pub async fn follow(app: Weak<App>, mut seen: i64) {
    loop {
        clock::sleep(GLANCE).await;
        let Some(app) = app.upgrade() else { return };
        // A store that cannot be read now is looked at again; its callers hear of it themselves.
        match app.store.generation().await {
            Ok(now) if now != seen && take_over(&app).await => seen = now,
            _ => {}
        }
    }
}

async fn take_over(app: &Arc<App>) -> bool {
    let taken = [
        app.credentials_changed().await,
        app.keys_changed().await,
        app.groups_changed().await,
        app.breakers_changed().await,
    ];
    for fault in taken.iter().filter_map(|taken| taken.as_ref().err()) {
        tracing::warn!(error = %fault, "the vault has changed and cannot be read; trying again");
    }
    taken.iter().all(Result::is_ok)
}
