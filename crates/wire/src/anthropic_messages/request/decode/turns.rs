//! The system prompt and the turns.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::super::super::shape::asked::{CacheControl, Turn};
use super::THIS;
use super::blocks::{self, mark};
use crate::chat::{CacheMark, Extra, Message, Part, Role, custody};
use crate::raw::decode_at;
use crate::{Fault, RawObject};

/// All turns, the system prompt first. Roles have been checked.
pub(super) fn decode(body: &RawObject) -> Result<Vec<Message>, Fault> {
    let mut turns = Turns::default();
    if let Some(system) = body.get("system")? {
        let parts = blocks::content(system, "system")?;
        turns.push(Role::System, parts, Extra::default());
    }
    for (place, turn) in body.get::<Vec<Turn<'_>>>("messages")?.unwrap_or_default().into_iter().enumerate() {
        turns.add(turn, &format!("messages.{place}"))?;
    }
    if let Some(automatic) = body.get::<CacheControl>("cache_control")? {
        turns.mark_last(&mark(automatic));
    }
    Ok(turns.messages)
}

#[derive(Default)]
struct Turns {
    messages: Vec<Message>,
    /// Ids of the calls so far, which results may answer.
    calls: HashSet<String>,
}

impl Turns {
    fn add(&mut self, turn: Turn<'_>, at: &str) -> Result<(), Fault> {
        let missing = || Fault::malformed(format!("{at}.content"), format!("'{at}.content' is missing"));
        let mut parts = blocks::content(turn.content.ok_or_else(missing)?, &format!("{at}.content"))?;
        let mut extra = Extra::new(THIS, turn.rest);
        blocks::note_wishes(turn.content, &mut extra);
        self.check_results(&parts, at)?;
        match &*turn.role {
            "assistant" => {
                custody::reunite(&mut parts);
                self.calls.extend(parts.iter().filter_map(|part| match part {
                    Part::ToolCall { id, .. } => Some(id.clone()),
                    _ => None,
                }));
                self.push(Role::Assistant, parts, extra);
            }
            "system" => self.push(Role::System, parts, extra),
            _ => self.add_user(parts, extra),
        }
        Ok(())
    }

    /// A turn of the user holds results as well; here those are turns of their own, in the order of the blocks.
    fn add_user(&mut self, parts: Vec<Part>, mut extra: Extra) {
        let is_result = |part: &Part| matches!(part, Part::ToolResult { .. });
        let mut rest = parts;
        loop {
            let results = rest.first().is_some_and(is_result);
            let end = rest.iter().position(|part| is_result(part) != results).unwrap_or(rest.len());
            let later = rest.split_off(end);
            let role = if results { Role::Tool } else { Role::User };
            self.push(role, rest, std::mem::take(&mut extra));
            if later.is_empty() {
                return;
            }
            rest = later;
        }
    }

    fn push(&mut self, role: Role, parts: Vec<Part>, extra: Extra) {
        self.messages.push(Message { role, parts, name: None, extra });
    }

    /// A result must answer a call of an earlier turn.
    fn check_results(&self, parts: &[Part], at: &str) -> Result<(), Fault> {
        for (place, part) in parts.iter().enumerate() {
            if let Part::ToolResult { call_id, .. } = part
                && !self.calls.contains(call_id)
            {
                let at = format!("{at}.content.{place}.tool_use_id");
                let why = format!("'{at}': no tool_use block before it has the id '{call_id}'");
                return Err(Fault::malformed(at, why));
            }
        }
        Ok(())
    }

    /// A mark at the top level stands for one on the last block that can have one.
    /// Source: Anthropic's page on prompt caching, read 2026-11-25.
    fn mark_last(&mut self, automatic: &CacheMark) {
        let parts = self.messages.iter_mut().rev().flat_map(|message| message.parts.iter_mut().rev());
        let mut marks = parts.filter_map(|part| match part {
            Part::Text { cache, .. }
            | Part::Image { cache, .. }
            | Part::File { cache, .. }
            | Part::ToolResult { cache, .. } => Some(cache),
            _ => None,
        });
        if let Some(last) = marks.next() {
            last.get_or_insert_with(|| automatic.clone());
        }
    }
}

/// One text, or a list of blocks.
pub(super) enum Content<'a> {
    Text(String),
    Blocks(Vec<&'a RawValue>),
}

impl<'a> Content<'a> {
    pub(super) fn read(text: &'a RawValue, at: &str) -> Result<Self, Fault> {
        match text.get().as_bytes().first() {
            Some(b'"') => Ok(Content::Text(decode_at(at, text.get())?)),
            Some(b'[') => Ok(Content::Blocks(decode_at(at, text.get())?)),
            _ => {
                let why = format!("'{at}' must be a string or an array of content blocks");
                Err(Fault::malformed(at.to_owned(), why))
            }
        }
    }
}
