//! One request to one target, from its sending to its end: what becomes of it is told once, and its place is given back
//! however it ends.

use std::sync::Arc;
use std::time::Duration;

use policy::{KeyId, Target};
use wire::Fault;

use super::LiveHealth;

/// A request under way. Dropped without a word on how it ended, it only gives its place back: the client left.
pub struct Errand {
    health: Arc<LiveHealth>,
    provider: Arc<str>,
    model: Arc<str>,
    key: Option<KeyId>,
}

impl Errand {
    pub(super) fn new(health: Arc<LiveHealth>, target: &Target, key: Option<KeyId>) -> Self {
        Self { health, provider: target.provider.id.clone(), model: target.model.id.clone(), key }
    }

    /// The key that it was sent with.
    pub fn key(&self) -> Option<KeyId> {
        self.key
    }

    /// The first content is there after so long; of an answer that is not streamed, all of it.
    pub fn answering(&self, after: Duration, streamed: bool) {
        self.health.change(|health, now| {
            health.answering(&self.provider, &self.model, self.key, (after, streamed), now);
        });
    }

    /// The answer is complete.
    pub fn succeeded(self) {
        self.health.change(|health, now| health.succeeded(&self.provider, &self.model, now));
    }

    /// It failed.
    pub fn failed(self, fault: &Fault) {
        self.health.change(|health, now| health.failed(&self.provider, &self.model, self.key, fault, now));
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.health.seen().health.end(&self.provider, &self.model);
    }
}
