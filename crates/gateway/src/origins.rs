//! Where answers came from that their providers keep, so that a request that goes on from one (`previous_response_id`)
//! goes back there, to the same account.
//!
//! The answers themselves are not kept here: the gateway stores no conversation. What is kept is bounded, lives for a day,
//! and belongs to the caller and the project of the request: an id of somebody else is as unknown as one that never was.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;

use crate::clock::{self, Instant};
use crate::recall::Owner;

/// How long an answer can be gone on from.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Answers that are remembered, at most; the oldest give way.
const KEPT_AT_MOST: usize = 16_384;
/// Bytes of an id, at most; a longer one is not remembered. OpenAI's have 53 or 68.
const ID_AT_MOST: usize = 256;

/// Who keeps an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Id of the provider.
    pub provider: Arc<str>,
    /// The account.
    pub account: Account,
}

/// Whose account at a provider was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Nobody's: the provider was asked without a key.
    None,
    /// That of the configured key.
    Configured,
    /// That of the credential with this id in the vault.
    Stored(i64),
}

/// The table of this process.
#[derive(Debug, Default)]
pub struct Origins {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    origins: HashMap<Answer, (Origin, Instant), RandomState>,
    /// In order of keeping; may name answers that were kept again since.
    order: VecDeque<(Instant, Answer)>,
}

/// An answer: for whom it was made, and its id.
type Answer = (Owner, String);

impl Origins {
    /// Remembers where an answer came from.
    pub fn keep(&self, owner: &Owner, id: &str, origin: Origin) {
        if (1..=ID_AT_MOST).contains(&id.len()) {
            self.lock().insert((owner.clone(), id.to_owned()), origin, clock::now());
        }
    }

    /// Where an answer of this caller came from.
    pub fn of(&self, owner: &Owner, id: &str) -> Option<Origin> {
        let kept = self.lock();
        let (origin, since) = kept.origins.get(&(owner.clone(), id.to_owned()))?;
        (clock::now() - *since < KEPT).then(|| origin.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, answer: Answer, origin: Origin, now: Instant) {
        self.origins.insert(answer.clone(), (origin, now));
        self.order.push_back((now, answer));
        while let Some((since, _)) = self.order.front() {
            if now - *since < KEPT && self.order.len() <= KEPT_AT_MOST {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((since, answer)) = self.order.pop_front() else { return };
        // One that was kept again is newer than its first entry, and has another.
        if self.origins.get(&answer).is_some_and(|(_, kept)| *kept == since) {
            self.origins.remove(&answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(key: &str, project: &str) -> Owner {
        Owner { key: Some(key.into()), project: project.into() }
    }

    fn origin() -> Origin {
        Origin { provider: "p".into(), account: Account::Stored(7) }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_found_for_a_day_and_by_its_caller_alone() {
        let origins = Origins::default();
        origins.keep(&owner("a", "p"), "resp_1", origin());
        assert_eq!(origins.of(&owner("a", "p"), "resp_1"), Some(origin()));
        for (owner, id) in
            [(owner("b", "p"), "resp_1"), (owner("a", "q"), "resp_1"), (owner("a", "p"), "resp_2")]
        {
            assert_eq!(origins.of(&owner, id), None);
        }
        tokio::time::advance(KEPT).await;
        assert_eq!(origins.of(&owner("a", "p"), "resp_1"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded_and_the_oldest_answers_give_way() {
        let origins = Origins::default();
        let owner = owner("a", "p");
        for number in 0..=KEPT_AT_MOST {
            origins.keep(&owner, &format!("resp_{number}"), origin());
        }
        origins.keep(&owner, &"x".repeat(ID_AT_MOST + 1), origin());
        assert_eq!((origins.of(&owner, "resp_0"), origins.of(&owner, "resp_1")), (None, Some(origin())));
        let kept = origins.lock();
        assert_eq!((kept.origins.len(), kept.order.len()), (KEPT_AT_MOST, KEPT_AT_MOST));
    }
}
