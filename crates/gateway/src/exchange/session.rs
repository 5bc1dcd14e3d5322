//! Which conversation a request belongs to, as far as that can be told without a session of ours: what clients say of it,
//! else how it begins, which stays the same while it goes on.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::RawObject;

/// Headers that name a conversation: ours, then that of a coding agent.
/// Source: the program text of Claude Code 2.1.197 (npm), read 2026-11-25.
const HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-gateway-session"), HeaderName::from_static("x-claude-code-session-id")];

/// Instructions that stand beside the turns, and the turns, by the names that the dialects have for them.
const INSTRUCTIONS: [&str; 4] = ["system", "instructions", "system_instruction", "systemInstruction"];
const TURNS: [&str; 4] = ["messages", "input", "contents", "prompt"];

/// What a header calls the conversation.
pub(super) fn in_header(headers: &HeaderMap) -> Option<String> {
    let name = HEADERS.iter().find_map(|name| headers.get(name)?.to_str().ok())?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// The conversation of a request, as a number that says nothing; two owners never share one.
pub(super) fn session(named: Option<&str>, body: &RawObject, owner: (Option<&str>, &str)) -> u64 {
    let mut hasher = DefaultHasher::new();
    owner.hash(&mut hasher);
    match named.map(str::to_owned).or_else(|| in_body(body)) {
        Some(name) => name.hash(&mut hasher),
        None => beginning(body, &mut hasher),
    }
    hasher.finish()
}

/// OpenAI's `prompt_cache_key` and `user`; Anthropic's `metadata.user_id`, in which Claude Code puts its session.
fn in_body(body: &RawObject) -> Option<String> {
    #[derive(Deserialize)]
    struct Metadata {
        user_id: Option<String>,
    }
    let field = |name: &str| body.get::<String>(name).ok().flatten();
    let user = || body.get::<Metadata>("metadata").ok().flatten()?.user_id;
    let name = field("prompt_cache_key").or_else(user).or_else(|| field("user"));
    name.filter(|name| !name.is_empty())
}

/// Instructions, and the turns up to the first of the user's.
fn beginning(body: &RawObject, hasher: &mut DefaultHasher) {
    #[derive(Deserialize)]
    struct Turn {
        role: Option<String>,
    }
    for name in INSTRUCTIONS {
        body.raw(name).hash(hasher);
    }
    for name in TURNS {
        let Ok(Some(turns)) = body.get::<Vec<&RawValue>>(name) else {
            // A text alone is the first turn; a conversation that goes on by its provider's memory has a key.
            body.raw(name).hash(hasher);
            continue;
        };
        for turn in turns {
            turn.get().hash(hasher);
            let role = serde_json::from_str::<Turn>(turn.get()).ok().and_then(|turn| turn.role);
            if !matches!(role.as_deref(), Some("system" | "developer")) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn of(body: serde_json::Value) -> u64 {
        session(None, &RawObject::parse(Bytes::from(body.to_string())).unwrap(), (None, "p"))
    }

    #[test]
    fn a_conversation_stays_the_same_while_it_goes_on() {
        let turn = |role: &str, text: &str| json!({ "role": role, "content": text });
        let begun = [turn("system", "Be brief."), turn("user", "Hello")];
        let further = [begun.as_slice(), &[turn("assistant", "Hi"), turn("user", "And now?")]].concat();
        assert_eq!(of(json!({ "messages": begun })), of(json!({ "messages": further, "stream": true })));
        let other = [turn("system", "Be brief."), turn("user", "Good day")];
        assert_ne!(of(json!({ "messages": begun })), of(json!({ "messages": other })));
        let contents = json!([{ "parts": [{ "text": "Hello" }] }]);
        assert_ne!(of(json!({ "contents": contents })), of(json!({ "contents": [] })));
    }

    #[test]
    fn what_the_client_says_of_it_wins_over_how_it_begins() {
        let named = |text: &str| {
            of(json!({ "prompt_cache_key": "c1", "messages": [{ "role": "user", "content": text }] }))
        };
        assert_eq!(named("one"), named("two"));
        let users = |id: &str| of(json!({ "metadata": { "user_id": id }, "messages": [] }));
        assert_ne!(users("a"), users("b"));
        assert_ne!(users("a"), of(json!({ "messages": [] })));
    }

    #[test]
    fn two_owners_share_no_conversation() {
        let body = RawObject::parse(Bytes::from_static(b"{\"user\":\"u\"}")).unwrap();
        let of = |key, project| session(None, &body, (key, project));
        assert_ne!(of(Some("a"), "p"), of(Some("b"), "p"));
        assert_ne!(of(Some("a"), "p"), of(Some("a"), "q"));
    }
}
