//! Why an answer ended: `finishReason` and `promptFeedback.blockReason`.

use serde_json::value::RawValue;

use crate::chat::{Loss, Stop, StopReason};

/// Words of `finishReason`, each with its canonical reason.
/// Source: DIALECTS, section 6, and Google's reference, `FinishReason`.
const WORDS: &[(&str, StopReason)] = &[
    ("STOP", StopReason::End),
    ("MAX_TOKENS", StopReason::Length),
    ("SAFETY", StopReason::Filter),
    ("RECITATION", StopReason::Filter),
    ("BLOCKLIST", StopReason::Filter),
    ("PROHIBITED_CONTENT", StopReason::Filter),
    ("SPII", StopReason::Filter),
    ("IMAGE_SAFETY", StopReason::Filter),
    ("IMAGE_PROHIBITED_CONTENT", StopReason::Filter),
    ("IMAGE_RECITATION", StopReason::Filter),
    ("MODEL_ARMOR", StopReason::Filter),
    ("LANGUAGE", StopReason::Filter),
    ("OTHER", StopReason::Error),
    ("IMAGE_OTHER", StopReason::Error),
    ("NO_IMAGE", StopReason::Error),
    ("MALFORMED_FUNCTION_CALL", StopReason::BadCall),
    ("MALFORMED_RESPONSE", StopReason::Error),
    ("UNEXPECTED_TOOL_CALL", StopReason::BadCall),
    ("TOO_MANY_TOOL_CALLS", StopReason::Error),
    ("MISSING_THOUGHT_SIGNATURE", StopReason::Error),
    ("FINISH_REASON_UNSPECIFIED", StopReason::Error),
];

/// The numbers that mean the same on every server of this dialect.
/// Source: the proto files of Gemini API and Vertex AI, `FinishReason`, which differ from 6 on.
const NUMBERED: &[&str] =
    &["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];

/// The word of a reason that is sent as a word or as a number.
pub(super) fn word(raw: &RawValue) -> String {
    let number = raw.get().parse::<usize>().ok();
    match number {
        Some(number) => NUMBERED.get(number).map_or_else(|| number.to_string(), |word| (*word).to_owned()),
        None => serde_json::from_str(raw.get()).unwrap_or_default(),
    }
}

/// Reads `finishReason`. A call decides whatever the word says, but for the words that say that the answer is not whole:
/// `STOP` is what this dialect says of calls.
pub(super) fn decode(word: &str, message: Option<String>, called: bool) -> Stop {
    let known = WORDS.iter().find(|(known, _)| *known == word);
    let stated = known.map_or(StopReason::End, |(_, reason)| *reason);
    let reason = match stated {
        StopReason::Length | StopReason::Filter => stated,
        _ if called => StopReason::ToolUse,
        other => other,
    };
    let native = (self::word_of(reason) != word).then(|| word.to_owned());
    let explained = matches!(reason, StopReason::Filter | StopReason::BadCall | StopReason::Error);
    let explanation = message.filter(|_| explained);
    Stop { native, explanation, ..reason.into() }
}

/// A prompt that was refused before any answer.
pub(super) fn blocked(reason: String, message: Option<String>) -> Stop {
    Stop { native: Some(reason), explanation: message, ..StopReason::Filter.into() }
}

/// The word for a reason.
pub(super) fn word_of(reason: StopReason) -> &'static str {
    match reason {
        StopReason::End | StopReason::ToolUse | StopReason::StopSequence | StopReason::Pause => "STOP",
        StopReason::Length | StopReason::Context => "MAX_TOKENS",
        StopReason::Refusal | StopReason::Filter => "SAFETY",
        StopReason::BadCall => "MALFORMED_FUNCTION_CALL",
        StopReason::Error => "OTHER",
    }
}

/// The word to write: the upstream's own where it is one of this dialect.
pub(super) fn encode(stop: &Stop) -> &str {
    let own = stop.native.as_deref().filter(|native| WORDS.iter().any(|(word, _)| word == native));
    own.unwrap_or_else(|| word_of(stop.reason))
}

/// What the word does not say.
pub(super) fn loss(reason: StopReason, choice: u32) -> Option<Loss> {
    let code = match reason {
        StopReason::Pause => "pause_turn",
        StopReason::StopSequence => "stop_sequence",
        StopReason::Refusal => "refusal",
        _ => return None,
    };
    Some(Loss::at(code, format!("candidates[{choice}].finishReason")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_decides_but_for_length_and_filter() {
        for (word, called, reason) in [
            ("STOP", false, StopReason::End),
            ("STOP", true, StopReason::ToolUse),
            ("UNEXPECTED_TOOL_CALL", true, StopReason::ToolUse),
            ("MALFORMED_FUNCTION_CALL", false, StopReason::BadCall),
            ("UNEXPECTED_TOOL_CALL", false, StopReason::BadCall),
            ("MAX_TOKENS", true, StopReason::Length),
            ("MODEL_ARMOR", true, StopReason::Filter),
            ("A_WORD_OF_TOMORROW", false, StopReason::End),
        ] {
            assert_eq!(decode(word, None, called).reason, reason, "{word}");
        }
    }

    #[test]
    fn words_without_an_equal_are_kept_and_written_again() {
        for word in ["RECITATION", "UNEXPECTED_TOOL_CALL", "SPII"] {
            let stop = decode(word, None, false);
            assert_eq!((stop.native.as_deref(), encode(&stop)), (Some(word), word));
        }
        assert_eq!(decode("STOP", None, true).native, None);
        assert_eq!(encode(&Stop { native: Some("stop".into()), ..StopReason::End.into() }), "STOP");
    }

    #[test]
    fn numbers_are_read_as_the_words_that_they_stand_for() {
        let read = |text: &str| word(serde_json::from_str(text).unwrap());
        assert_eq!(
            (read("1").as_str(), read("\"SPII\"").as_str(), read("77").as_str()),
            ("STOP", "SPII", "77")
        );
    }
}
