//! Why an answer ended.

use crate::chat::{Loss, Stop, StopReason};

/// `stop_reason` in canonical words. `called`: the answer holds a call to a tool of the client.
///
/// A refusal by Claude is the work of a safety system, whatever text came before it, hence `Filter`.
/// Source: Anthropic's page "Stop reasons and fallback", read 2026-11-25; DIALECTS, section 6.
pub(super) fn stop(
    reason: &str,
    sequence: Option<String>,
    explanation: Option<String>,
    called: bool,
) -> Stop {
    let (canonical, native) = match reason {
        "end_turn" => (StopReason::End, None),
        "max_tokens" => (StopReason::Length, None),
        "stop_sequence" => (StopReason::StopSequence, None),
        "tool_use" if called => (StopReason::ToolUse, None),
        // The forced tool of structured output, or a tool that the provider ran.
        "tool_use" => (StopReason::End, None),
        "pause_turn" => (StopReason::Pause, None),
        "model_context_window_exceeded" => (StopReason::Context, None),
        "refusal" => (StopReason::Filter, Some("refusal")),
        unknown => (StopReason::End, Some(unknown)),
    };
    let wins = matches!(canonical, StopReason::Length | StopReason::Context | StopReason::Filter);
    let reason = if called && !wins { StopReason::ToolUse } else { canonical };
    let sequence = sequence.filter(|_| reason == StopReason::StopSequence);
    Stop { reason, native: native.map(str::to_owned), sequence, explanation }
}

/// The word for a reason, and the stop text that matched. Which one it was is not always known, and then the turn just
/// ended.
/// Source: DIALECTS, section 6.
pub(super) fn word(stop: &Stop) -> (&'static str, Option<&str>) {
    match (stop.reason, stop.sequence.as_deref()) {
        (StopReason::StopSequence, Some(sequence)) => ("stop_sequence", Some(sequence)),
        (StopReason::End | StopReason::StopSequence | StopReason::BadCall | StopReason::Error, _) => {
            ("end_turn", None)
        }
        (StopReason::Length, _) => ("max_tokens", None),
        (StopReason::Context, _) => ("model_context_window_exceeded", None),
        (StopReason::ToolUse, _) => ("tool_use", None),
        (StopReason::Refusal | StopReason::Filter, _) => ("refusal", None),
        (StopReason::Pause, _) => ("pause_turn", None),
    }
}

/// What the word does not say.
pub(super) fn loss(reason: StopReason) -> Option<Loss> {
    let code = match reason {
        StopReason::BadCall => "bad_call",
        // Here a refusal is the work of a safety system.
        StopReason::Refusal => "refusal",
        StopReason::Error => "finish_error",
        _ => return None,
    };
    Some(Loss::at(code, "stop_reason"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_reason() {
        for (word, called, reason) in [
            ("end_turn", false, StopReason::End),
            ("end_turn", true, StopReason::ToolUse),
            ("tool_use", true, StopReason::ToolUse),
            ("tool_use", false, StopReason::End),
            ("max_tokens", true, StopReason::Length),
            ("model_context_window_exceeded", true, StopReason::Context),
            ("stop_sequence", false, StopReason::StopSequence),
            ("pause_turn", false, StopReason::Pause),
            ("refusal", true, StopReason::Filter),
            ("a_word_of_tomorrow", false, StopReason::End),
        ] {
            assert_eq!(stop(word, None, None, called).reason, reason, "{word}");
        }
    }

    #[test]
    fn words_without_an_equal_are_kept() {
        assert_eq!(stop("refusal", None, None, false).native.as_deref(), Some("refusal"));
        assert_eq!(
            stop("a_word_of_tomorrow", None, None, false).native.as_deref(),
            Some("a_word_of_tomorrow")
        );
        assert_eq!(stop("end_turn", None, None, false).native, None);
    }
}
