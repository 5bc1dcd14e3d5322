//! What carried frames and answers say, without decoding them.
//!
//! One pass of the scanner checks the syntax and notes the few values that matter; only those are parsed.

use serde_json::value::RawValue;

use super::{fault, stop, usage};
use crate::chat::Stop;
use crate::dialect::{Glance, GlanceWhole};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::raw::RawObject;
use crate::raw::scan::{ScanError, Scanner};

/// Deepest nesting in an answer.
const ROOM: u32 = 120;

/// Values noted in one pass; slices of the frame.
#[derive(Debug, Default)]
struct Noted<'a> {
    model: Option<&'a [u8]>,
    usage: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    finish_reason: Option<&'a [u8]>,
    block_reason: Option<&'a [u8]>,
    candidates: usize,
    content: bool,
    called: bool,
}

/// What a carried frame says. A frame without candidates may say that the prompt is refused; nothing is usage alone.
pub(super) fn frame(frame: Frame<'_>) -> Result<Glance, Fault> {
    let data = frame.data.trim();
    if data.is_empty() {
        return Ok(Glance::default());
    }
    let noted = Noted::of(data.as_bytes()).map_err(unreadable)?;
    noted.fail()?;
    let stop = noted.stop();
    Ok(Glance {
        content: noted.content,
        usage: noted.usage.and_then(usage::decode),
        model: if noted.content && stop.is_none() { None } else { text(noted.model) },
        stop,
        ..Glance::default()
    })
}

/// What a carried whole answer says.
pub(super) fn whole(body: &RawObject) -> Result<GlanceWhole, Fault> {
    let mut noted = Noted::default();
    for (key, text) in body.members() {
        noted.member(key, &mut Scanner::again(text)).map_err(unreadable)?;
    }
    noted.fail()?;
    if noted.candidates == 0 && noted.block_reason.is_none() {
        return Err(fault::bad_answer("it has no candidates"));
    }
    Ok(GlanceWhole {
        usage: noted.usage.and_then(usage::decode),
        model: text(noted.model),
        stop: noted.stop(),
        kept_as: None,
    })
}

impl<'a> Noted<'a> {
    fn of(text: &'a [u8]) -> Result<Self, ScanError> {
        let mut noted = Self::default();
        let mut scanner = Scanner::new(text);
        match scanner.peek() {
            // A list of chunks, or of one error.
            Some(b'[') => scanner.each_element(|scanner| noted.chunk(scanner))?,
            _ => noted.chunk(&mut scanner)?,
        }
        scanner.end()?;
        Ok(noted)
    }

    fn chunk(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        scanner.each_member(|scanner, key| self.member(key.text, scanner))
    }

    fn member(&mut self, key: &[u8], scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        match (key, scanner.peek()) {
            (b"candidates", Some(b'[')) => {
                let mut place = 0;
                return scanner.each_element(|scanner| {
                    place += 1;
                    self.candidates += 1;
                    self.candidate(place == 1, scanner)
                });
            }
            (b"promptFeedback", Some(b'{')) => return self.feedback(scanner),
            _ => {}
        }
        let value = some(scanner.value(ROOM)?);
        match key {
            b"modelVersion" => self.model = value,
            b"usageMetadata" => self.usage = value,
            b"error" => self.error = value,
            _ => {}
        }
        Ok(())
    }

    fn feedback(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        scanner.each_member(|scanner, key| {
            let value = some(scanner.value(ROOM)?);
            if key.text == b"blockReason" {
                self.block_reason = value;
            }
            Ok(())
        })
    }

    fn candidate(&mut self, first: bool, scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        scanner.each_member(|scanner, key| {
            if key.text == b"content" && scanner.peek() == Some(b'{') {
                return scanner.each_member(|scanner, key| match (key.text, scanner.peek()) {
                    (b"parts", Some(b'[')) => scanner.each_element(|scanner| self.part(scanner)),
                    _ => scanner.value(ROOM).map(drop),
                });
            }
            let value = some(scanner.value(ROOM)?);
            if key.text == b"finishReason" && first {
                self.finish_reason = value;
            }
            Ok(())
        })
    }

    /// A part without text, or with an empty one, may still hold a signature; that is no content yet.
    fn part(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        scanner.each_member(|scanner, key| {
            let value = scanner.value(ROOM)?;
            let says = !matches!(value, b"null" | b"\"\"");
            self.content |= says && !matches!(key.text, b"thought" | b"thoughtSignature");
            self.called |= says && key.text == b"functionCall";
            Ok(())
        })
    }

    fn fail(&self) -> Result<(), Fault> {
        match self.error {
            Some(error) => Err(fault::inside(&String::from_utf8_lossy(error))),
            None => Ok(()),
        }
    }

    fn stop(&self) -> Option<Stop> {
        if let Some(finish) = self.finish_reason {
            return Some(stop::decode(&word(finish)?, None, self.called));
        }
        let reason = self.block_reason.filter(|_| self.candidates == 0)?;
        Some(stop::blocked(word(reason)?, None))
    }
}

fn word(value: &[u8]) -> Option<String> {
    serde_json::from_slice::<&RawValue>(value).ok().map(stop::word)
}

/// A value that is not null.
fn some(value: &[u8]) -> Option<&[u8]> {
    (value != b"null").then_some(value)
}

fn text(value: Option<&[u8]>) -> Option<String> {
    serde_json::from_slice(value?).ok().filter(|text: &String| !text.is_empty())
}

fn unreadable(error: ScanError) -> Fault {
    fault::bad_answer(format!("invalid JSON at byte {}: expected {}", error.at, error.what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::StopReason;

    fn glance(data: &str) -> Result<Glance, Fault> {
        frame(Frame { event: "", data })
    }

    #[test]
    fn content_stop_usage_and_model_are_seen() {
        let plain =
            glance(r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"modelVersion":"m"}"#).unwrap();
        assert_eq!(plain, Glance { content: true, ..Glance::default() });
        let last = glance(
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"x"}]},
            "finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3},"modelVersion":"m"}"#,
        )
        .unwrap();
        assert_eq!(last.stop.unwrap().reason, StopReason::ToolUse);
        assert_eq!((last.usage.unwrap().input, last.model.as_deref()), (Some(3), Some("m")));
        let sealed = glance(r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"x"}]}}]}"#);
        assert!(!sealed.unwrap().content);
    }

    #[test]
    fn a_refused_prompt_is_an_end_of_its_own() {
        let refused = glance(r#"{"promptFeedback":{"blockReason":"MODEL_ARMOR"}}"#).unwrap();
        assert_eq!(refused.stop.unwrap().reason, StopReason::Filter);
    }

    #[test]
    fn errors_and_junk_are_not_forwarded() {
        let error = r#"{"error":{"code":500,"message":"x","status":"INTERNAL"}}"#;
        assert!(matches!(glance(error), Err(Fault::Upstream(_))));
        assert!(matches!(glance(&format!("[{error}]")), Err(Fault::Upstream(_))));
        for junk in ["{", "[DONE]", "{}x", r#"{"candidates":[{"content":{"parts":[{"text":"a}]}}]}"#] {
            assert!(matches!(glance(junk), Err(Fault::BadAnswer { .. })), "{junk}");
        }
    }
}
