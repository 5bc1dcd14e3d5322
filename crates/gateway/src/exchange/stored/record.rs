//! The record of one answer: what is written into it of being kept, and keeping it.

use std::sync::Arc;

use bytes::Bytes;
use store::NewResponse;
use wire::RawObject;
use wire::chat::Loss;

use super::Turn;
use crate::arrival::Arrival;
use crate::responses::Shelf;
use crate::telemetry::metrics;

/// What is kept: answers that have come to their end, however early. Others may be asked for again.
const KEPT: [&str; 2] = ["completed", "incomplete"];
/// Ends of what is no answer.
const NOT_KEPT: [&str; 2] = ["failed", "cancelled"];

/// Keeps the answer to one turn.
#[derive(Clone)]
pub(in crate::exchange) struct Record {
    shelf: Arc<Shelf>,
    turn: Turn,
    arrival: Arrival,
}

impl Record {
    pub(super) fn new(shelf: Arc<Shelf>, turn: Turn, arrival: Arrival) -> Self {
        Self { shelf, turn, arrival }
    }

    /// A whole answer as the client gets it, and what it does not get. One that is no object stays as it is.
    pub(super) async fn whole(self, body: Bytes) -> (Vec<Bytes>, Vec<Loss>) {
        let Ok(mut answer) = RawObject::parse(body.clone()) else { return (vec![body], Vec::new()) };
        self.mark(&mut answer);
        if !self.is_kept(&answer) {
            return (answer.into_segments(), Vec::new());
        }
        let losses = self.keep(&mut answer).await.into_iter().collect();
        (answer.into_segments(), losses)
    }

    /// Says in an answer, or in the beginning of one, whether it is kept and what it goes on from.
    pub(in crate::exchange) fn mark(&self, answer: &mut RawObject) {
        if self.turn.keeps {
            answer.set("store", &!NOT_KEPT.contains(&status(answer).as_str()));
        }
        if let Some(previous) = &self.turn.previous {
            answer.set("previous_response_id", &previous.id);
        }
    }

    /// Whether an answer that says this of itself is to be kept.
    pub(in crate::exchange) fn is_kept(&self, answer: &RawObject) -> bool {
        self.turn.keeps && KEPT.contains(&status(answer).as_str())
    }

    /// Keeps an answer. Where that fails, the client gets it all the same, and is told.
    pub(in crate::exchange) async fn keep(&self, answer: &mut RawObject) -> Option<Loss> {
        let why = match self.put(answer).await {
            Ok(()) => return None,
            Err(why) => why,
        };
        let request_id = self.arrival.id;
        tracing::warn!(%request_id, "a response could not be stored: {why}");
        metrics::response_not_stored();
        answer.set("store", &false);
        Some(Loss::at("not_stored", "store"))
    }

    async fn put(&self, answer: &RawObject) -> Result<(), String> {
        let id: Option<String> = answer.get("id").ok().flatten();
        let id = id.filter(|id| !id.is_empty()).ok_or("it has no id")?;
        let text = answer.clone().into_bytes();
        let response = NewResponse {
            owner: self.turn.owner.clone(),
            id,
            previous: self.turn.previous.clone(),
            created_at: self.arrival.wall,
            input: self.turn.input.to_string(),
            answer: String::from_utf8(text.into()).map_err(|error| error.to_string())?,
        };
        self.shelf.put(response).await.map_err(|error| error.to_string())
    }
}

fn status(answer: &RawObject) -> String {
    answer.get("status").ok().flatten().unwrap_or_default()
}
