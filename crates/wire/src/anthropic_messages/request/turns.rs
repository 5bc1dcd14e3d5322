//! Turns: system prompts to their own place, results after their calls, neighbours of one role merged.

use std::collections::HashSet;

use super::super::shape::{Block, Role, Turn};
use super::{Draft, parts, text_block};
use crate::Fault;
use crate::chat::{self, Message, Part};

/// System prompt and turns.
pub(super) fn turns<'a>(draft: &mut Draft<'a>) -> Result<(Vec<Block<'a>>, Vec<Turn<'a>>), Fault> {
    let mut turns = Turns::default();
    let request = draft.request;
    for (place, message) in request.messages.iter().enumerate() {
        turns.add(message, place, draft)?;
    }
    turns.finish(draft)
}

#[derive(Default)]
struct Turns<'a> {
    system: Vec<Block<'a>>,
    turns: Vec<Turn<'a>>,
    /// A user has spoken, so a system prompt would be in mid conversation.
    begun: bool,
    /// Ids of the calls so far.
    calls: HashSet<&'a str>,
}

impl<'a> Turns<'a> {
    fn add(&mut self, message: &'a Message, place: usize, draft: &mut Draft<'a>) -> Result<(), Fault> {
        let at = format!("messages[{place}]");
        draft.report_message_fields(message, &at);
        self.check_results(message, &at)?;
        let blocks = parts::blocks(&message.parts, &at, draft)?;
        match message.role {
            chat::Role::System | chat::Role::Developer => self.add_system(blocks, &at, draft)?,
            chat::Role::User | chat::Role::Tool => {
                self.begun = true;
                self.push(Role::User, blocks);
            }
            chat::Role::Assistant => self.push(Role::Assistant, blocks),
        }
        Ok(())
    }

    /// A system prompt in mid conversation stays where it is: as a turn of its own where the model takes it, which is
    /// right after a turn of the user, else as a marked text of the user.
    /// Source: Anthropic's notes on Claude Opus 4.8 as quoted in simonw/llm-anthropic issue 73, read 2026-11-25; they ask
    /// for no beta header.
    fn add_system(&mut self, blocks: Vec<Block<'a>>, at: &str, draft: &mut Draft<'a>) -> Result<(), Fault> {
        if blocks.iter().any(|block| !matches!(block, Block::Text { .. })) {
            return Err(draft.unsupported("anything but text in a system prompt", at));
        }
        if !self.begun {
            self.system.extend(blocks);
        } else if draft.profile.system_in_messages
            && self.turns.last().is_some_and(|turn| turn.role != Role::Assistant)
        {
            self.push(Role::System, blocks);
        } else {
            draft.lose("system_moved", at);
            self.push(Role::User, blocks.into_iter().map(as_user_text).collect());
        }
        Ok(())
    }

    /// A result must answer a call that stands before it.
    fn check_results(&mut self, message: &'a Message, at: &str) -> Result<(), Fault> {
        for part in &message.parts {
            match part {
                Part::ToolCall { id, .. } => drop(self.calls.insert(id)),
                Part::ToolResult { call_id, .. } if !self.calls.contains(call_id.as_str()) => {
                    let why = format!("no call before this result has the id '{call_id}'");
                    return Err(Fault::malformed(at.to_owned(), why));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Appends to the last turn if it is of the same role. What has no blocks leaves no turn.
    fn push(&mut self, role: Role, blocks: Vec<Block<'a>>) {
        match self.turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.turns.push(Turn { role, content: blocks }),
        }
    }

    fn finish(mut self, draft: &mut Draft<'a>) -> Result<(Vec<Block<'a>>, Vec<Turn<'a>>), Fault> {
        let Some(first) = self.turns.first().map(|turn| turn.role) else {
            return Err(Fault::malformed("messages".to_owned(), "there is no user message with content"));
        };
        if first == Role::Assistant {
            draft.lose("user_added", "messages");
            self.turns.insert(0, Turn { role: Role::User, content: vec![text_block("Continue.")] });
        }
        self.turns.iter_mut().filter(|turn| turn.role == Role::User).for_each(results_first);
        Ok((self.system, self.turns))
    }
}

/// All results of a turn come before its other blocks.
fn results_first(turn: &mut Turn<'_>) {
    turn.content.sort_by_key(|block| !matches!(block, Block::ToolResult { .. }));
}

fn as_user_text(block: Block<'_>) -> Block<'_> {
    match block {
        Block::Text { text, cache_control } => {
            Block::Text { text: format!("<system>{text}</system>").into(), cache_control }
        }
        other => other,
    }
}

impl Draft<'_> {
    fn report_message_fields(&mut self, message: &Message, at: &str) {
        let named = message.name.is_some().then_some("name");
        let lost = message.extra.lost_in(crate::Dialect::AnthropicMessages);
        for field in named.into_iter().chain(lost) {
            self.losses.push(chat::Loss::at(format!("field:{field}"), format!("{at}.{field}")));
        }
    }
}
