//! Names we make up: aliases of tools, ids, pseudonyms of users. All follow from their input alone, so that the
//! same request always yields the same bytes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::chat::Tool;

/// Longest function name. Source: OpenAI API reference, function names `[A-Za-z0-9_-]{1,64}`.
const MAX_NAME: usize = 64;

/// Longest id of a call. Source: DIALECTS, section 4.3.
const MAX_CALL_ID: usize = 64;

/// The client's name of each tool that has to go by another -> the alias.
pub(crate) fn aliases(tools: &[Tool]) -> HashMap<String, String> {
    let mut taken: HashSet<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let illegal = tools.iter().filter(|tool| !is_legal(&tool.name));
    illegal.map(|tool| (tool.name.clone(), alias(&tool.name, &mut taken))).collect()
}

fn is_legal(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_legal_byte)
}

fn is_legal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn alias(name: &str, taken: &mut HashSet<String>) -> String {
    let readable: String = name
        .chars()
        .map(|c| if c.is_ascii() && is_legal_byte(c as u8) { c } else { '_' })
        .take(MAX_NAME - 9)
        .collect();
    let tried = std::iter::once(readable.clone())
        .chain((0..).map(|round| format!("{readable}_{:08x}", hash(round, name.as_bytes()) as u32)));
    let mut free = tried.filter(|alias| is_legal(alias) && taken.insert(alias.clone()));
    free.next().expect("one of endlessly many aliases is free")
}

/// An id for a call that came without one: `call_` and 20 hexadecimal digits.
pub(crate) fn call_id(answer: &str, choice: u32, position: usize) -> String {
    let place = format!("{answer}/{choice}/{position}");
    let (high, low) = (hash(1, place.as_bytes()), hash(2, place.as_bytes()));
    format!("call_{high:016x}{:04x}", low as u16)
}

/// The id of an item of an answer that has none: `prefix` and a fingerprint.
pub(crate) fn item_id(prefix: &str, answer_id: &str, place: u64) -> String {
    let (id, place) = (answer_id.as_bytes(), place.to_le_bytes());
    let (high, low) = (hash(hash(1, id), &place), hash(hash(2, id), &place));
    format!("{prefix}_{high:016x}{low:016x}")
}

/// The id of a call as it goes upstream: one that is too long goes as its fingerprint, wherever it stands.
pub(crate) fn fitting_call_id(id: &str) -> Cow<'_, str> {
    if (1..=MAX_CALL_ID).contains(&id.len()) {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("call_{:016x}{:04x}", hash(1, id.as_bytes()), hash(2, id.as_bytes()) as u16))
}

/// An end user's id as it goes upstream: what looks like a mail address goes as a pseudonym.
pub(crate) fn pseudonym(user: &str) -> String {
    if !user.contains('@') {
        return user.to_owned();
    }
    format!("user_{:016x}{:016x}", hash(1, user.as_bytes()), hash(2, user.as_bytes()))
}

/// FNV-1a; tells inputs apart, keeps no secret.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    bytes.iter().fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Tool {
        let kind = crate::chat::ToolKind::Function;
        Tool {
            name: name.to_owned(),
            description: None,
            kind,
            parameters: None,
            strict: None,
            cache: None,
            raw: None,
        }
    }

    #[test]
    fn illegal_tool_names_get_distinct_legal_aliases() {
        let long = "x".repeat(100);
        let tools = [tool("a.b"), tool("a_b"), tool("a:b"), tool("fine"), tool(&long), tool("")];
        let aliases = aliases(&tools);
        assert_eq!(aliases.len(), 4);
        let mut all: HashSet<&str> = aliases.values().map(String::as_str).collect();
        assert!(all.iter().all(|alias| is_legal(alias)));
        assert!(all.insert("a_b") && all.insert("fine") && all.len() == 6);
    }

    #[test]
    fn made_up_call_ids_differ_by_place_and_stay_the_same() {
        let ids = [call_id("a", 0, 0), call_id("a", 0, 1), call_id("a", 1, 0), call_id("b", 0, 0)];
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 4);
        assert!(ids.iter().all(|id| id.len() == 25));
        assert_eq!(call_id("a", 0, 0), ids[0]);
    }

    #[test]
    fn mail_addresses_do_not_go_upstream() {
        assert_eq!(pseudonym("u-17"), "u-17");
        assert!(!pseudonym("ann@example.org").contains("ann"));
    }
}
