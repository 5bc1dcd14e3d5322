//! What an assistant turn holds beyond what plain clients keep: taken out of an answer, and put back into the history.
//!
//! A plain chat client sends back the text of an answer and its calls; thoughts, their seals and the signatures of calls
//! are lost with it, and some providers refuse to go on without them. Where these are kept in the meantime, for whom and
//! for how long, is not decided here.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::{Part, Role, custody};
use crate::chat::Message;
use crate::dialect::Dialect;

/// The unseen parts of one turn, each with its place: how many visible parts stand before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen(Vec<(usize, String)>);

/// What a turn is recognised by: its text, and the ids of its calls. `None`: it shows nothing.
pub fn face(parts: &[Part]) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut shows = false;
    for part in parts {
        if let Part::Text { text, .. } = part {
            // One after the other without a seam: plain clients get all text in one piece.
            hasher.write(text.as_bytes());
            shows |= !text.is_empty();
        }
    }
    for part in parts {
        if let Part::ToolCall { id, .. } = part {
            id.hash(&mut hasher);
            shows = true;
        }
    }
    shows.then(|| hasher.finish())
}

impl Unseen {
    /// The unseen parts of an answer. `None`: there are none.
    pub fn of(parts: &[Part]) -> Option<Self> {
        let mut places = Places::default();
        let mut unseen = Vec::new();
        for part in parts {
            if let Some(dialect) = family(part)
                && let Some(wrapped) = custody::wrap(dialect, part)
            {
                unseen.push((places.passed, wrapped));
            }
            places.pass(part);
        }
        (!unseen.is_empty()).then_some(Self(unseen))
    }

    /// Puts them back where they stood.
    pub fn restore(&self, parts: &mut Vec<Part>) {
        let mut places = Places::default();
        let mut restored = Vec::with_capacity(parts.len() + self.0.len());
        let mut unseen =
            self.0.iter().filter_map(|(at, text)| Some((*at, custody::unwrap(text)?))).peekable();
        for part in parts.drain(..) {
            while let Some((_, thought)) = unseen.next_if(|(at, _)| *at <= places.passed) {
                restored.push(thought);
            }
            places.pass(&part);
            restored.push(part);
        }
        restored.extend(unseen.map(|(_, thought)| thought));
        *parts = restored;
        custody::reunite(parts);
    }
}

/// Whether the client has kept thoughts or signatures of this turn itself.
pub fn is_whole(message: &Message) -> bool {
    message.role != Role::Assistant || message.parts.iter().any(|part| family(part).is_some())
}

/// Who made an unseen part; `None`: it is visible.
fn family(part: &Part) -> Option<Dialect> {
    match part {
        Part::Thinking { origin, .. } | Part::RedactedThinking { origin, .. } => {
            origin.as_ref().map(|origin| origin.dialect)
        }
        Part::ToolCall { signature: Some(_), .. } => Some(Dialect::Gemini),
        _ => None,
    }
}

/// Counts visible parts as plain clients have them: all text is one part.
#[derive(Debug, Default)]
struct Places {
    passed: usize,
    text: bool,
}

impl Places {
    fn pass(&mut self, part: &Part) {
        match part {
            Part::Text { text, .. } if !text.is_empty() && !self.text => {
                self.text = true;
                self.passed += 1;
            }
            Part::ToolCall { .. } => self.passed += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ToolKind;

    fn thought(text: &str, dialect: Dialect) -> Part {
        Part::Thinking {
            text: text.into(),
            signature: Some(format!("seal of {text}")),
            encrypted: None,
            id: None,
            origin: Some(dialect.into()),
        }
    }

    fn call(id: &str, signature: Option<&str>) -> Part {
        Part::ToolCall {
            id: id.into(),
            name: "look".into(),
            args: "{}".into(),
            signature: signature.map(str::to_owned),
            kind: ToolKind::Function,
        }
    }

    /// What a plain client keeps.
    fn plain(parts: &[Part]) -> Vec<Part> {
        let texts = parts.iter().filter_map(|part| match part {
            Part::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let text: String = texts.collect();
        let calls = parts.iter().filter_map(|part| match part {
            Part::ToolCall { id, .. } => Some(call(id, None)),
            _ => None,
        });
        (!text.is_empty()).then(|| Part::text(text)).into_iter().chain(calls).collect()
    }

    #[test]
    fn thoughts_and_signatures_return_to_their_places() {
        let messages = Dialect::AnthropicMessages;
        for turn in [
            vec![thought("a", messages), Part::text("so"), call("1", None)],
            vec![thought("a", messages), call("1", None), thought("b", messages), call("2", None)],
            vec![Part::text("first"), thought("a", messages), call("1", None)],
            vec![thought("a", Dialect::Gemini), call("1", Some("s1")), call("2", None)],
            vec![Part::text("so"), thought("a", messages)],
        ] {
            let mut kept = plain(&turn);
            assert_eq!(face(&kept), face(&turn));
            Unseen::of(&turn).unwrap().restore(&mut kept);
            assert_eq!(kept, turn);
        }
    }

    #[test]
    fn a_turn_without_anything_unseen_is_not_remembered() {
        assert_eq!(Unseen::of(&[Part::text("so"), call("1", None)]), None);
        assert_eq!(face(&[Part::text("")]), None);
    }

    #[test]
    fn texts_and_calls_tell_turns_apart() {
        let faces = [
            face(&[Part::text("a")]),
            face(&[Part::text("b")]),
            face(&[Part::text("a"), call("1", None)]),
            face(&[Part::text("a"), call("2", None)]),
        ];
        let different: std::collections::HashSet<_> = faces.iter().collect();
        assert_eq!(different.len(), faces.len());
    }
}
