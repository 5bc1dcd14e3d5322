//! Why an answer ended: `status` and `incomplete_details`, read and written.

use crate::chat::{Loss, Stop, StopReason};

/// Reasons of `incomplete_details`. Source: OpenAI API reference, responses.
const INCOMPLETE: &[(&str, StopReason)] =
    &[("max_output_tokens", StopReason::Length), ("content_filter", StopReason::Filter)];

/// What else is known of an answer when it ends.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ending {
    /// It called a tool of the client.
    pub(super) called: bool,
    /// It declined in words.
    pub(super) refused: bool,
}

/// Why an answer that has not failed ended; `incomplete` is the reason where it is not complete.
pub(super) fn decode(incomplete: Option<&str>, ending: Ending) -> Stop {
    let known = incomplete.map(|word| INCOMPLETE.iter().find(|(known, _)| *known == word));
    match known {
        Some(Some((_, reason))) => (*reason).into(),
        // `max_tool_calls` and whatever comes: the answer was cut short.
        Some(None) => Stop { native: incomplete.map(str::to_owned), ..StopReason::Length.into() },
        None if ending.called => StopReason::ToolUse.into(),
        None if ending.refused => StopReason::Refusal.into(),
        None => StopReason::End.into(),
    }
}

/// How an answer that stopped for a reason stands in this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Completed,
    Incomplete(&'static str),
    Failed,
}

impl Status {
    pub(super) fn of(reason: StopReason) -> Self {
        match reason {
            StopReason::Length | StopReason::Context => Status::Incomplete("max_output_tokens"),
            StopReason::Filter => Status::Incomplete("content_filter"),
            StopReason::BadCall | StopReason::Error => Status::Failed,
            _ => Status::Completed,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Status::Completed => "completed",
            Status::Incomplete(_) => "incomplete",
            Status::Failed => "failed",
        }
    }
}

/// What the status does not say.
pub(super) fn loss(reason: StopReason) -> Option<Loss> {
    let code = match reason {
        StopReason::Pause => "pause_turn",
        StopReason::StopSequence => "stop_sequence",
        _ => return None,
    };
    Some(Loss::at(code, "status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_decides_unless_the_answer_was_cut_short() {
        let called = Ending { called: true, refused: false };
        assert_eq!(decode(None, called).reason, StopReason::ToolUse);
        assert_eq!(decode(Some("max_output_tokens"), called).reason, StopReason::Length);
        assert_eq!(decode(Some("content_filter"), called).reason, StopReason::Filter);
        let unknown = decode(Some("max_tool_calls"), called);
        assert_eq!((unknown.reason, unknown.native.as_deref()), (StopReason::Length, Some("max_tool_calls")));
        let refused = Ending { called: false, refused: true };
        assert_eq!(decode(None, refused).reason, StopReason::Refusal);
    }
}
