//! Why an answer ended: `finish_reason` read and written.

use crate::chat::{Loss, Stop, StopReason};

/// Words of this dialect's servers, each with its canonical reason.
/// Together: `eos`; Mistral: `model_length`; OpenRouter: `error`.
const WORDS: &[(&str, StopReason)] = &[
    ("stop", StopReason::End),
    ("length", StopReason::Length),
    ("tool_calls", StopReason::ToolUse),
    ("content_filter", StopReason::Filter),
    ("error", StopReason::Error),
    ("function_call", StopReason::ToolUse),
    ("eos", StopReason::End),
    ("model_length", StopReason::Length),
];

/// What else is known of an answer when it ends.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ending<'a> {
    /// `native_finish_reason`.
    pub(super) native: Option<&'a str>,
    /// It called a tool of the client.
    pub(super) called: bool,
    /// It declined in words.
    pub(super) refused: bool,
}

/// Reads `finish_reason`.
pub(super) fn decode(word: Option<&str>, ending: Ending<'_>) -> Stop {
    let known = word.and_then(|word| WORDS.iter().find(|(known, _)| *known == word));
    let stated = known.map_or(StopReason::End, |(_, reason)| *reason);
    let reason = match stated {
        StopReason::Length | StopReason::Filter | StopReason::Error => stated,
        _ if ending.called => StopReason::ToolUse,
        StopReason::End if ending.refused => StopReason::Refusal,
        other => other,
    };
    let native = ending.native.or(word).filter(|native| *native != self::word(reason));
    Stop { native: native.map(str::to_owned), ..reason.into() }
}

/// The word for a reason.
pub(super) fn word(reason: StopReason) -> &'static str {
    match reason {
        StopReason::End
        | StopReason::StopSequence
        | StopReason::Refusal
        | StopReason::Pause
        | StopReason::BadCall => "stop",
        StopReason::Length | StopReason::Context => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Filter => "content_filter",
        StopReason::Error => "error",
    }
}

/// What the word does not say.
pub(super) fn loss(reason: StopReason, choice: u32) -> Option<Loss> {
    let code = match reason {
        StopReason::Pause => "pause_turn",
        StopReason::StopSequence => "stop_sequence",
        StopReason::BadCall => "bad_call",
        _ => return None,
    };
    Some(Loss::at(code, format!("choices[{choice}].finish_reason")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(word: &str, called: bool, refused: bool) -> StopReason {
        decode(Some(word), Ending { called, refused, native: None }).reason
    }

    #[test]
    fn a_call_decides_but_for_length_and_filter() {
        assert_eq!(reason("stop", true, false), StopReason::ToolUse);
        assert_eq!(reason("eos", true, false), StopReason::ToolUse);
        assert_eq!(reason("length", true, false), StopReason::Length);
        assert_eq!(reason("content_filter", true, false), StopReason::Filter);
        assert_eq!(reason("stop", false, true), StopReason::Refusal);
    }

    #[test]
    fn words_of_other_servers_are_known_and_kept() {
        let stop = decode(Some("model_length"), Ending::default());
        assert_eq!((stop.reason, stop.native.as_deref()), (StopReason::Length, Some("model_length")));
        assert_eq!(decode(Some("stop"), Ending::default()).native, None);
        assert_eq!(reason("eos", false, false), StopReason::End);
        assert_eq!(reason("who knows", false, false), StopReason::End);
    }

    #[test]
    fn the_word_we_write_is_read_as_what_it_stands_for() {
        for (stated, expected) in [
            (StopReason::End, StopReason::End),
            (StopReason::Length, StopReason::Length),
            (StopReason::Filter, StopReason::Filter),
        ] {
            assert_eq!(decode(Some(word(stated)), Ending::default()).reason, expected);
        }
    }
}
