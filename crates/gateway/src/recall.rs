//! Thoughts that clients could not carry, kept for the next turn of their conversation.
//!
//! A client that speaks plain chat sends back the text of an answer without its thoughts and seals, and some models
//! refuse to go on without them. They are kept here for an hour, sealed, a bounded number of them, for the caller and
//! project of the request alone; the next request of the same conversation finds them by what the client did keep.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use store::Sealer;
use wire::chat::recall::{Unseen, face, is_whole};
use wire::chat::{ChatRequest, Part};

use crate::clock::{self, Instant};

/// How long a turn is remembered.
const KEPT: Duration = Duration::from_secs(3600);
/// Turns that are remembered, at most, and their bytes together; the oldest give way.
const KEPT_AT_MOST: usize = 8192;
const BYTES_AT_MOST: usize = 32 * 1024 * 1024;
/// A turn with more is not remembered.
const TURN_AT_MOST: usize = 1024 * 1024;

/// Whose conversation it is: the caller's key and the project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Which key, as no two have it ([`Caller::identity`](crate::door::Caller::identity)); `None`: the gateway asks for none.
    pub key: Option<String>,
    #[allow(missing_docs)]
    pub project: String,
}

/// The memory of this process.
pub struct Recall {
    sealer: Option<Sealer>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    turns: HashMap<Turn, Sealed, RandomState>,
    /// In order of keeping; may name turns that were kept again since.
    order: VecDeque<(Instant, Turn)>,
    bytes: usize,
}

/// A turn of a conversation, by what its client can see.
type Turn = (Owner, u64);

struct Sealed {
    since: Instant,
    text: Vec<u8>,
}

impl Recall {
    /// Empty. Without random bytes from the system it stays so.
    pub fn new() -> Self {
        Self { sealer: Sealer::new(), kept: Mutex::default() }
    }

    /// Remembers what a client will not send back of an answer.
    pub fn keep(&self, owner: &Owner, parts: &[Part]) {
        let (Some(sealer), Some(unseen)) = (&self.sealer, Unseen::of(parts)) else { return };
        let (Some(face), Ok(text)) = (face(parts), serde_json::to_vec(&unseen)) else { return };
        if text.len() > TURN_AT_MOST {
            return;
        }
        if let Some(text) = sealer.seal(&bound(owner, face), &text) {
            self.lock().insert((owner.clone(), face), text, clock::now());
        }
    }

    /// Puts back what the client of a conversation has lost. Turns whose thoughts it kept are left alone.
    pub fn restore(&self, owner: &Owner, request: &mut ChatRequest) {
        if self.lock().turns.is_empty() {
            return;
        }
        for message in request.messages.iter_mut().filter(|message| !is_whole(message)) {
            if let Some(unseen) = face(&message.parts).and_then(|face| self.unseen(owner, face)) {
                unseen.restore(&mut message.parts);
            }
        }
    }

    fn unseen(&self, owner: &Owner, face: u64) -> Option<Unseen> {
        let sealed = self.lock().find(&(owner.clone(), face), clock::now())?;
        let text = self.sealer.as_ref()?.open(&bound(owner, face), &sealed)?;
        serde_json::from_slice(&text).ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Recall {
    fn default() -> Self {
        Self::new()
    }
}

impl Kept {
    fn find(&self, turn: &Turn, now: Instant) -> Option<Vec<u8>> {
        let sealed = self.turns.get(turn)?;
        (now - sealed.since < KEPT).then(|| sealed.text.clone())
    }

    fn insert(&mut self, turn: Turn, text: Vec<u8>, now: Instant) {
        self.bytes += text.len();
        if let Some(before) = self.turns.insert(turn.clone(), Sealed { since: now, text }) {
            self.bytes -= before.text.len();
        }
        self.order.push_back((now, turn));
        while let Some((since, _)) = self.order.front() {
            let old = now - *since >= KEPT;
            if !old && self.order.len() <= KEPT_AT_MOST && self.bytes <= BYTES_AT_MOST {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((since, turn)) = self.order.pop_front() else { return };
        // One that was kept again is newer than its first entry, and has another.
        if self.turns.get(&turn).is_some_and(|sealed| sealed.since == since)
            && let Some(sealed) = self.turns.remove(&turn)
        {
            self.bytes -= sealed.text.len();
        }
    }
}

/// What a sealed turn is bound to: it opens for nobody else and for no other turn.
fn bound(owner: &Owner, face: u64) -> Vec<u8> {
    let key = owner.key.as_deref().unwrap_or_default();
    let mut bound = face.to_be_bytes().to_vec();
    bound.push(u8::from(owner.key.is_some()));
    bound.extend_from_slice(&(key.len() as u64).to_be_bytes());
    bound.extend_from_slice(key.as_bytes());
    bound.extend_from_slice(owner.project.as_bytes());
    bound
}

#[cfg(test)]
mod tests {
    use wire::Dialect;
    use wire::chat::{Message, Role};

    use super::*;

    fn owner(project: &str) -> Owner {
        Owner { key: Some("a".into()), project: project.into() }
    }

    fn thought() -> Part {
        Part::Thinking {
            text: "hm".into(),
            signature: Some("seal".into()),
            encrypted: None,
            id: None,
            origin: Some(Dialect::AnthropicMessages.into()),
        }
    }

    fn history(text: &str) -> ChatRequest {
        let parts = vec![Part::text(text)];
        let message = Message { role: Role::Assistant, parts, name: None, extra: Default::default() };
        ChatRequest { messages: vec![message], ..Default::default() }
    }

    fn restored(recall: &Recall, owner: &Owner, text: &str) -> bool {
        let mut request = history(text);
        recall.restore(owner, &mut request);
        request.messages[0].parts.contains(&thought())
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_gets_its_thoughts_back_for_an_hour() {
        let recall = Recall::new();
        recall.keep(&owner("p"), &[thought(), Part::text("so")]);
        assert!(restored(&recall, &owner("p"), "so") && !restored(&recall, &owner("p"), "other"));
        tokio::time::advance(KEPT).await;
        assert!(!restored(&recall, &owner("p"), "so"));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_gets_the_thoughts_of_another_project_or_key() {
        let recall = Recall::new();
        recall.keep(&owner("p"), &[thought(), Part::text("so")]);
        assert!(!restored(&recall, &owner("q"), "so"));
        assert!(!restored(&recall, &Owner { key: None, project: "p".into() }, "so"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded_and_the_oldest_turns_give_way() {
        let recall = Recall::new();
        for turn in 0..=KEPT_AT_MOST {
            recall.keep(&owner("p"), &[thought(), Part::text(turn.to_string())]);
        }
        assert!(!restored(&recall, &owner("p"), "0") && restored(&recall, &owner("p"), "1"));
        let kept = recall.lock();
        assert_eq!((kept.turns.len(), kept.order.len()), (KEPT_AT_MOST, KEPT_AT_MOST));
        assert_eq!(kept.bytes, kept.turns.values().map(|sealed| sealed.text.len()).sum::<usize>());
    }
}
