//! What was said on one connection, by the response that said it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use wire::RawObject;

/// Items of a conversation, each a JSON object. A turn shares those of the turn it builds on.
pub(super) type Items = Vec<Arc<str>>;

/// Responses that are remembered. Clients build on the last one, and on a warm-up some turns back.
const TURNS: usize = 16;

/// Kinds of items whose ids only name them where they are stored, and may be left out.
const NAMELESS: [&str; 3] = ["message", "function_call", "custom_tool_call"];

/// The turns of a connection, oldest first.
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

/// An item of an answer, as it is sent back in the next turn. The server that made it may not have stored it, and another
/// may answer next: no id that would have to be looked up, and no thought that cannot be read without one.
pub(super) fn sent_back(item: &str) -> Option<Arc<str>> {
    let mut object = RawObject::parse(Bytes::copy_from_slice(item.as_bytes())).ok()?;
    let kind: String = object.get("type").ok()??;
    if kind == "reasoning" && object.raw("encrypted_content").is_none_or(|content| content == "null") {
        return None;
    }
    if NAMELESS.contains(&kind.as_str()) {
        object.remove("id");
    }
    Some(String::from_utf8(object.into_bytes().into()).ok()?.into())
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

    #[test]
    fn items_are_sent_back_without_what_only_their_server_can_look_up() {
        let back = |item: &str| sent_back(item).map(|item| item.to_string());
        let call = r#"{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;
        assert_eq!(
            back(call).as_deref(),
            Some(r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#)
        );
        assert_eq!(back(r#"{"type":"reasoning","id":"rs_1","summary":[]}"#), None);
        assert_eq!(back(r#"{"type":"reasoning","id":"rs_1","encrypted_content":null}"#), None);
        let thought = r#"{"type":"reasoning","id":"rs_1","encrypted_content":"abc"}"#;
        assert_eq!(back(thought).as_deref(), Some(thought));
        let search = r#"{"type":"web_search_call","id":"ws_1"}"#;
        assert_eq!(back(search).as_deref(), Some(search));
    }
}
