//! What was said on one connection, by the response that said it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::items::Items;

/// Responses that are remembered. Clients build on the last one, and on a warm-up some turns back.
const TURNS: usize = 16;

/// The turns of a connection, oldest first. A turn shares items with the turn it builds on.
pub(super) struct History {
    turns: VecDeque<(String, Items)>,
    /// Bytes of all items, at most.
    limit: usize,
}

impl History {
    pub(super) fn new(limit: usize) -> Self {
        Self { turns: VecDeque::new(), limit }
    }

    /// All that was said up to and with a response.
    pub(super) fn items(&self, response: &str) -> Option<&Items> {
        self.turns.iter().find(|(id, _)| id == response).map(|(_, items)| items)
    }

    /// Remembers a response, and forgets the oldest ones for it. One that is too large by itself is forgotten at once:
    /// the client is told when it builds on it, and sends everything again.
    pub(super) fn remember(&mut self, response: &str, items: Items) {
        self.turns.retain(|(id, _)| id != response);
        self.turns.push_back((response.to_owned(), items));
        while self.turns.len() > TURNS || self.bytes() > self.limit {
            self.turns.pop_front();
        }
    }

    /// Bytes of all items, shared ones counted once.
    fn bytes(&self) -> usize {
        let mut seen = HashSet::new();
        let items = self.turns.iter().flat_map(|(_, items)| items);
        items.filter(|item| seen.insert(Arc::as_ptr(item).addr())).map(|item| item.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(size: usize) -> Arc<str> {
        "x".repeat(size).into()
    }

    #[test]
    fn old_turns_are_forgotten_by_number_and_by_size() {
        let mut history = History::new(100);
        let shared = item(60);
        for turn in 0..=TURNS {
            history.remember(&turn.to_string(), vec![shared.clone()]);
        }
        assert!(history.items("0").is_none() && history.items("1").is_some());
        history.remember("more", vec![shared.clone(), item(40)]);
        assert!(history.items("16").is_some(), "what is shared counts once");
        history.remember("another", vec![item(80)]);
        assert!(history.items("more").is_none() && history.items("another").is_some());
        history.remember("giant", vec![item(101)]);
        assert!(history.items("giant").is_none() && history.turns.is_empty());
    }
}
