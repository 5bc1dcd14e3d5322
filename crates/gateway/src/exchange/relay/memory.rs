//! What of a translated stream has to be remembered for the next turn.

use std::sync::Arc;

use wire::chat::{ChatResponse, Event, Fold};

use crate::recall::{Owner, Recall};

/// Gathers a stream, and keeps its unseen parts when it is complete. A stream that broke is no turn of a conversation.
pub(in crate::exchange) struct Memory {
    recall: Arc<Recall>,
    owner: Owner,
    fold: Fold,
}

impl Memory {
    /// For the conversation of this owner.
    pub(in crate::exchange) fn new(recall: Arc<Recall>, owner: Owner) -> Self {
        Self { recall, owner, fold: Fold::new() }
    }

    /// The next step.
    pub(super) fn see(&mut self, event: &Event) {
        self.fold.push(event);
    }

    /// The stream is complete.
    pub(super) fn complete(&mut self) {
        let response = std::mem::take(&mut self.fold).finish();
        self.keep(&response);
    }

    /// Keeps the unseen parts of an answer; of several choices nobody knows which one goes on.
    pub(in crate::exchange) fn keep(&self, response: &ChatResponse) {
        if let [choice] = response.choices.as_slice() {
            self.recall.keep(&self.owner, &choice.parts);
        }
    }
}
