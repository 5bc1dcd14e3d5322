//! The language of model names. A name is words joined by `+`: a kind of answer, a fault, or a setting.
//! A first word that is none of these is an ordinary model and answers `text`; later unknown words are refused.

use std::time::Duration;

use crate::coding::Coding;
use crate::faults::Fault;

/// What kind of answer is given. Whatever the kind, tool results are quoted, a forced tool is called and a demanded
/// JSON format is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A sentence with characters of one to four bytes.
    #[default]
    Text,
    /// The last user text, back.
    Echo,
    /// A call of the first tool.
    Tool,
    /// A call of every tool, at least two calls.
    ToolsParallel,
    /// The call that the last user text orders by `CALL name {arguments}`, where that tool is on offer.
    Obey,
    /// A JSON object.
    Json,
    /// How many images came, and of which type.
    ImageEcho,
    /// The model declines, in words.
    Refusal,
    /// The prompt is refused before the model sees it.
    PromptBlock,
    /// A recorded exchange, by id.
    Replay(String),
}

const KINDS: &[(&str, Kind)] = &[
    ("text", Kind::Text),
    ("echo", Kind::Echo),
    ("tool", Kind::Tool),
    ("tools-parallel", Kind::ToolsParallel),
    ("obey", Kind::Obey),
    ("json", Kind::Json),
    ("image-echo", Kind::ImageEcho),
    ("refusal", Kind::Refusal),
    ("prompt-block", Kind::PromptBlock),
];

/// Why the answer ends, when not for the usual reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    Tool,
    Length,
    Filter,
    Sequence,
    Pause,
}

const STOPS: &[(&str, Stop)] = &[
    ("length", Stop::Length),
    ("filter", Stop::Filter),
    ("stop-sequence", Stop::Sequence),
    ("pause", Stop::Pause),
];

/// Where the bytes of the body are cut into writes (and chunks).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cut {
    #[default]
    None,
    /// So many bytes each.
    Every(usize),
    /// Inside every character of more than one byte.
    Utf8,
}

impl Cut {
    /// Length of the next piece of a text that is not empty.
    pub(crate) fn next(self, rest: &[u8]) -> usize {
        match self {
            Self::None => rest.len(),
            Self::Every(count) => count.clamp(1, rest.len()),
            Self::Utf8 => rest.iter().position(|byte| *byte >= 0xC0).map_or(rest.len(), |at| at + 1),
        }
    }
}

/// The line end of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Eol {
    #[default]
    Lf,
    CrLf,
    Cr,
}

const EOLS: &[(&str, Eol)] = &[("lf", Eol::Lf), ("crlf", Eol::CrLf), ("cr", Eol::Cr)];

/// How events are spelled; all of it legal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spelling {
    pub(crate) eol: Eol,
    pub(crate) bom: bool,
    pub(crate) comments: bool,
    pub(crate) nospace: bool,
    pub(crate) multiline: bool,
}

/// The orders a model name gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) kind: Kind,
    /// Thoughts come before the answer, signed where the wire signs, and must come back so (`thinking`).
    pub(crate) thinking: bool,
    pub(crate) fault: Option<Fault>,
    /// The fault is shown only to the first so many requests for this name (`times=1`).
    pub(crate) times: Option<u64>,
    /// The fault of a stream comes before its first content rather than in its middle (`early`).
    pub(crate) early: bool,
    /// Errors in the midst of an answer repeat the key that the request came with (`tattle`).
    pub(crate) tattle: bool,
    /// That key, once the request is there.
    pub(crate) told_key: Option<String>,
    pub(crate) stop: Option<Stop>,
    pub(crate) cut: Cut,
    pub(crate) tick: Option<Duration>,
    /// Pause before each event (`delay=20ms`).
    pub(crate) delay: Option<Duration>,
    /// Pause before the head (`head-delay=1s`).
    pub(crate) head_delay: Option<Duration>,
    /// Number of text pieces (`n=64`).
    pub(crate) pieces: Option<usize>,
    /// Bytes of each text piece, or of a giant (`size=1000`).
    pub(crate) size: Option<usize>,
    pub(crate) nousage: bool,
    pub(crate) nodone: bool,
    /// All events in one write (`bunch`).
    pub(crate) bunch: bool,
    /// How the body is packed (`gzip`, `deflate`, `br`).
    pub(crate) coding: Option<Coding>,
    /// A stream without chunked framing, ended by closing the connection (`eof`).
    pub(crate) until_close: bool,
    /// Newer models' manners are accepted: runs of one role, system turns in the middle, unknown fields (`lenient`).
    pub(crate) lenient: bool,
    /// Gemini and Ollama give their calls ids (`call-ids`).
    pub(crate) call_ids: bool,
    /// Chat wants the thoughts of the tool loop under way back, and no others (`deepseek`).
    pub(crate) deepseek: bool,
    pub(crate) spelling: Spelling,
}

impl Script {
    /// Reads a model name; the offending word when it is none of the language.
    pub(crate) fn parse(model: &str) -> Result<Self, String> {
        let mut script = Self::default();
        for (place, word) in model.split('+').enumerate() {
            match script.word(word) {
                Some(()) => {}
                None if place == 0 => return Ok(Self::default()),
                None => return Err(word.to_owned()),
            }
        }
        Ok(script)
    }

    /// Obeys one word; `None` when it has no meaning.
    fn word(&mut self, word: &str) -> Option<()> {
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == word) {
            self.kind = kind.clone();
        } else if let Some(id) = word.strip_prefix("replay:") {
            self.kind = Kind::Replay(id.to_owned());
        } else if let Some(fault) = Fault::parse(word) {
            self.fault = Some(fault);
        } else if let Some(coding) = Coding::parse(word) {
            self.coding = Some(coding);
        } else if let Some((_, eol)) = EOLS.iter().find(|(name, _)| *name == word) {
            self.spelling.eol = *eol;
        } else if let Some((name, value)) = word.split_once('=') {
            self.setting(name, value)?;
        } else {
            *self.switch(word)? = true;
        }
        Some(())
    }

    fn setting(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "cut" if value == "utf8" => self.cut = Cut::Utf8,
            "cut" => self.cut = Cut::Every(value.parse().ok()?),
            "tick" => self.tick = Some(duration(value)?),
            "delay" => self.delay = Some(duration(value)?),
            "head-delay" => self.head_delay = Some(duration(value)?),
            "n" => self.pieces = Some(value.parse().ok()?),
            "size" => self.size = Some(value.parse().ok()?),
            "times" => self.times = Some(value.parse().ok()?),
            "finish" => self.stop = Some(STOPS.iter().find(|(word, _)| *word == value)?.1),
            _ => return None,
        }
        Some(())
    }

    fn switch(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "thinking" => &mut self.thinking,
            "early" => &mut self.early,
            "tattle" => &mut self.tattle,
            "nousage" => &mut self.nousage,
            "nodone" => &mut self.nodone,
            "bunch" => &mut self.bunch,
            "eof" => &mut self.until_close,
            "lenient" => &mut self.lenient,
            "call-ids" => &mut self.call_ids,
            "deepseek" => &mut self.deepseek,
            "bom" => &mut self.spelling.bom,
            "comments" => &mut self.spelling.comments,
            "nospace" => &mut self.spelling.nospace,
            "multiline" => &mut self.spelling.multiline,
            _ => return None,
        })
    }
}

/// `20ms` or `2s`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_name_are_obeyed_in_any_order() {
        let script = Script::parse("tool+cut=1+delay=20ms+crlf+truncate+times=2").unwrap();
        assert_eq!(script.kind, Kind::Tool);
        assert_eq!(script.cut, Cut::Every(1));
        assert_eq!(script.delay, Some(Duration::from_millis(20)));
        assert_eq!(script.spelling.eol, Eol::CrLf);
        assert_eq!(script.fault, Some(Fault::Truncate));
        assert_eq!(script.times, Some(2));
    }

    #[test]
    fn an_ordinary_model_answers_text_but_a_misspelt_setting_is_refused() {
        assert_eq!(Script::parse("gpt-4o-mini").unwrap().kind, Kind::Text);
        assert_eq!(Script::parse("text+ctu=1").unwrap_err(), "ctu=1");
        assert_eq!(Script::parse("text+delay=20").unwrap_err(), "delay=20");
    }

    #[test]
    fn a_cut_falls_after_the_first_byte_of_each_long_character() {
        let text = "a\u{e9}b\u{1f980}".as_bytes();
        let first = Cut::Utf8.next(text);
        assert_eq!(first, 2);
        assert_eq!(Cut::Utf8.next(&text[first..]), 3);
        assert_eq!(Cut::Utf8.next(&text[first + 3..]), 3);
    }
}
