//! Turns encoded: system prompts to their own place, results in the order of their calls, neighbours of one role merged.

use std::collections::HashMap;

use super::{Draft, config, parts};
use crate::chat::{Loss, Message, Part, Role};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::gemini::shape::out::{self, Content};

const USER: &str = "user";
const MODEL: &str = "model";

/// A system prompt, which has no role.
#[derive(serde::Serialize)]
pub(super) struct System<'a> {
    parts: Vec<out::Part<'a>>,
}

#[derive(Default)]
struct Turns<'a> {
    system: Vec<out::Part<'a>>,
    contents: Vec<Content<'a>>,
    /// A user has spoken, so a system prompt would be in mid conversation.
    begun: bool,
    /// Names and places of the calls so far, by their ids.
    calls: HashMap<&'a str, (usize, &'a str)>,
}

/// System prompt and turns.
pub(super) fn encode<'a>(draft: &mut Draft<'a>) -> Result<(Option<System<'a>>, Vec<Content<'a>>), Fault> {
    let mut turns = Turns::default();
    let request = draft.request;
    for (place, message) in request.messages.iter().enumerate() {
        turns.add(message, &format!("messages[{place}]"), draft)?;
    }
    turns.finish(draft)
}

impl<'a> Turns<'a> {
    fn add(&mut self, message: &'a Message, at: &str, draft: &mut Draft<'a>) -> Result<(), Fault> {
        report_fields(message, at, draft);
        self.note_calls(message);
        let name_of = |id: &str| self.calls.get(id).map(|(_, name)| *name);
        let parts = parts::encode(message, at, &name_of, draft)?;
        match message.role {
            Role::System | Role::Developer => self.add_system(message, parts, at, draft)?,
            Role::User | Role::Tool => {
                self.begun = true;
                self.push(USER, parts);
            }
            Role::Assistant => self.push(MODEL, parts),
        }
        Ok(())
    }

    fn note_calls(&mut self, message: &'a Message) {
        for part in &message.parts {
            if let Part::ToolCall { id, name, .. } = part {
                let place = self.calls.len();
                self.calls.insert(id, (place, name));
            }
        }
    }

    /// A system prompt in mid conversation becomes a marked text of the user, at its place.
    fn add_system(
        &mut self,
        message: &'a Message,
        parts: Vec<out::Part<'a>>,
        at: &str,
        draft: &mut Draft<'a>,
    ) -> Result<(), Fault> {
        let text = |part: &'a Part| match part {
            Part::Text { text, .. } => Some(text.as_str()),
            _ => None,
        };
        let texts: Option<Vec<&str>> = message.parts.iter().map(text).collect();
        let texts = texts.ok_or_else(|| draft.unsupported("anything but text in a system prompt", at))?;
        if !self.begun {
            self.system.extend(parts);
            return Ok(());
        }
        draft.lose("system_moved", at);
        let marked = texts.iter().filter(|text| !text.is_empty());
        self.push(USER, marked.map(|text| out::Part::text(format!("<system>{text}</system>"))).collect());
        Ok(())
    }

    /// Appends to the last turn if it is of the same role. What has no parts leaves no turn.
    fn push(&mut self, role: &'static str, parts: Vec<out::Part<'a>>) {
        match self.contents.last_mut() {
            _ if parts.is_empty() => {}
            Some(last) if last.role == role => last.parts.extend(parts),
            _ => self.contents.push(Content { role, parts }),
        }
    }

    fn finish(mut self, draft: &mut Draft<'a>) -> Result<(Option<System<'a>>, Vec<Content<'a>>), Fault> {
        let Some(first) = self.contents.first().map(|turn| turn.role) else {
            return Err(Fault::malformed("messages".to_owned(), "there is no user message with content"));
        };
        if first == MODEL {
            draft.lose("user_added", "messages");
            self.contents.insert(0, Content { role: USER, parts: vec![out::Part::text("Continue.")] });
        }
        let calls = &self.calls;
        for turn in self.contents.iter_mut().filter(|turn| turn.role == USER) {
            turn.parts.sort_by_key(|part| place(part, calls));
        }
        self.system.extend(config::instruction(draft).map(out::Part::text));
        let system = (!self.system.is_empty()).then_some(System { parts: self.system });
        Ok((system, self.contents))
    }
}

/// Results come first, in the order of their calls; all else stays in its order.
fn place(part: &out::Part<'_>, calls: &HashMap<&str, (usize, &str)>) -> usize {
    match part {
        out::Part::Made(made) => {
            let id = made.function_response.as_ref().map(|result| result.id);
            id.and_then(|id| calls.get(id)).map_or(usize::MAX, |(place, _)| *place)
        }
        out::Part::Raw(_) => usize::MAX,
    }
}

fn report_fields(message: &Message, at: &str, draft: &mut Draft<'_>) {
    let named = message.name.is_some().then_some("name");
    let lost = message.extra.lost_in(Dialect::Gemini);
    for field in named.into_iter().chain(lost) {
        draft.losses.push(Loss::at(format!("field:{field}"), format!("{at}.{field}")));
    }
}
