//! Names we make up: aliases of tools, ids of calls. All follow from their input alone, so that the same request always
//! yields the same bytes.

use std::collections::{HashMap, HashSet};

use crate::chat::{ChatRequest, Part};

/// Longest function name. Source: DIALECTS, section 4.1, names `[A-Za-z_][A-Za-z0-9_.:-]{0,63}`.
const MAX_NAME: usize = 64;

/// The client's name of each tool that has to go by another -> the alias: of the tools that it offers, and of those that
/// were called before and are offered no more.
pub(super) fn aliases(request: &ChatRequest) -> HashMap<String, String> {
    let called = request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::ToolCall { name, .. } => Some(name.as_str()),
        _ => None,
    });
    aliases_of(request.tools.iter().map(|tool| tool.name.as_str()).chain(called))
}

fn aliases_of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> HashMap<String, String> {
    let mut taken: HashSet<String> = names.clone().map(str::to_owned).collect();
    let mut aliases = HashMap::new();
    for name in names.filter(|name| !is_legal(name)) {
        if !aliases.contains_key(name) {
            aliases.insert(name.to_owned(), alias(name, &mut taken));
        }
    }
    aliases
}

fn is_legal(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(is_legal_byte)
}

fn is_legal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-')
}

fn alias(name: &str, taken: &mut HashSet<String>) -> String {
    let legal = |c: char| if c.is_ascii() && is_legal_byte(c as u8) { c } else { '_' };
    let mut readable: String = name.chars().map(legal).take(MAX_NAME - 10).collect();
    if !is_legal(&readable) {
        readable.insert(0, '_');
    }
    let tried = std::iter::once(readable.clone())
        .chain((0..).map(|round| format!("{readable}_{:08x}", hash(round, name.as_bytes()) as u32)));
    let mut free = tried.filter(|alias| is_legal(alias) && taken.insert(alias.clone()));
    free.next().expect("one of endlessly many aliases is free")
}

/// An id for a call that came without one: `call_` and 20 hexadecimal digits.
pub(super) fn call_id(answer: &str, candidate: u32, position: u32) -> String {
    let place = format!("{answer}/{candidate}/{position}");
    let (high, low) = (hash(1, place.as_bytes()), hash(2, place.as_bytes()));
    format!("call_{high:016x}{:04x}", low as u16)
}

/// FNV-1a; tells inputs apart, keeps no secret.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    bytes.iter().fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_tool_names_get_distinct_legal_aliases() {
        let long = "x".repeat(100);
        let names = ["a/b", "a_b", "a b", "a.b:c-d", &long, "", "7z", "a b"];
        let aliases = aliases_of(names.into_iter());
        assert_eq!(aliases.len(), 5);
        let mut all: HashSet<&str> = aliases.values().map(String::as_str).collect();
        assert!(all.iter().all(|alias| is_legal(alias)), "{all:?}");
        assert!(all.insert("a_b") && all.insert("a.b:c-d") && all.len() == 7);
    }

    #[test]
    fn made_up_call_ids_differ_by_place_and_stay_the_same() {
        let ids = [call_id("a", 0, 0), call_id("a", 0, 1), call_id("a", 1, 0), call_id("b", 0, 0)];
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 4);
        assert!(ids.iter().all(|id| id.len() == 25));
        assert_eq!(call_id("a", 0, 0), ids[0]);
    }
}
