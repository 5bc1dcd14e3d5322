//! What a stream has told so far: enough to know whether its end is a clean one.

use wire::chat::{Event, Stop, Usage};
use wire::dialect::Glance;

/// What was seen of a stream, carried or translated.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Content has been seen: from here on no other target may be tried.
    pub(super) content: bool,
    /// A choice has stopped.
    pub(super) stopped: bool,
    /// How the first of them did.
    pub(super) stop: Option<Stop>,
    /// The end marker has been seen.
    pub(super) ended: bool,
    /// The last word on tokens, field by field.
    pub(super) usage: Option<Usage>,
    /// The model that the upstream names.
    pub(super) model: Option<String>,
    /// One more than the highest number of an event, in dialects that count them.
    pub(super) next_sequence: u64,
    /// Elements that were written, to clients that get a JSON array.
    pub(super) elements: u64,
}

impl Tally {
    pub(super) fn glance(&mut self, glance: Glance) {
        self.content |= glance.content;
        self.stopped |= glance.stop.is_some();
        if self.stop.is_none() {
            self.stop = glance.stop;
        }
        self.ended |= glance.end;
        if let Some(sequence) = glance.sequence {
            self.next_sequence = sequence.saturating_add(1);
        }
        if let Some(usage) = glance.usage {
            self.count(&usage);
        }
        if self.model.is_none() {
            self.model = glance.model;
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Delta { .. } => self.content = true,
            Event::Stop { stop, .. } => {
                self.stopped = true;
                self.stop.get_or_insert_with(|| stop.clone());
            }
            Event::Usage(usage) => self.count(usage),
            Event::Start { model: Some(model), .. } if self.model.is_none() => {
                self.model = Some(model.clone())
            }
            // A part that is whole at its opening has no delta.
            Event::Open { kind, .. } => self.content |= is_whole(kind),
            _ => {}
        }
    }

    fn count(&mut self, usage: &Usage) {
        self.usage.get_or_insert_default().update(usage);
    }
}

fn is_whole(kind: &wire::chat::PartKind) -> bool {
    use wire::chat::PartKind::{Media, RedactedThinking, ServerTool, ToolCall};
    matches!(kind, Media { .. } | RedactedThinking { .. } | ServerTool { .. } | ToolCall { .. })
}
