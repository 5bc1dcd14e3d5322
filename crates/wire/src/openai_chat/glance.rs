//! What carried frames and answers say, without decoding them.
//!
//! One pass of the scanner checks the syntax and notes the few values that matter; only those are parsed.

use super::read::DONE;
use super::stop::Ending;
use super::{fault, stop, usage};
use crate::chat::{Stop, Usage};
use crate::dialect::{Glance, GlanceWhole};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::raw::RawObject;
use crate::raw::scan::{ScanError, Scanner};

/// Deepest nesting in an answer.
const ROOM: u32 = 120;

/// Fields of a delta that hold something of the answer. Others (the role, a channel, padding) do not.
const CONTENT: &[&[u8]] = &[
    b"content",
    b"reasoning_content",
    b"reasoning",
    b"reasoning_details",
    b"tool_calls",
    b"function_call",
    b"refusal",
    b"audio",
    b"images",
    b"annotations",
];

/// Values noted in one pass; slices of the frame.
#[derive(Debug, Default)]
struct Noted<'a> {
    model: Option<&'a [u8]>,
    usage: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    finish_reason: Option<&'a [u8]>,
    native_finish_reason: Option<&'a [u8]>,
    choices: usize,
    content: bool,
    called: bool,
    /// It declined in words.
    refused: bool,
}

/// What a carried frame says.
pub(super) fn frame(frame: Frame<'_>) -> Result<Glance, Fault> {
    let data = frame.data.trim();
    if data == DONE {
        return Ok(Glance { end: true, ..Glance::default() });
    }
    if data.is_empty() {
        return Ok(Glance::default());
    }
    let noted = Noted::of(data.as_bytes()).map_err(unreadable)?;
    noted.fail(frame.event == "error", data)?;
    Ok(Glance {
        content: noted.content,
        usage_only: noted.choices == 0 && noted.usage.is_some(),
        usage: noted.usage(),
        stop: noted.stop(),
        end: false,
        model: if noted.content && noted.stop().is_none() { None } else { noted.model() },
        sequence: None,
        kept_as: None,
    })
}

/// What a carried whole answer says.
pub(super) fn whole(body: &RawObject) -> Result<GlanceWhole, Fault> {
    let mut noted = Noted::default();
    for (key, text) in body.members() {
        match key {
            b"choices" | b"x_groq" => {
                noted.member(key, &mut Scanner::again(text)).map_err(unreadable)?;
            }
            _ => noted.value(key, text),
        }
    }
    noted.fail(false, "")?;
    if noted.choices == 0 {
        return Err(fault::bad_answer("it has no choices".to_owned()));
    }
    Ok(GlanceWhole { usage: noted.usage(), model: noted.model(), stop: noted.stop(), kept_as: None })
}

impl<'a> Noted<'a> {
    fn of(text: &'a [u8]) -> Result<Self, ScanError> {
        let mut noted = Self::default();
        let mut scanner = Scanner::new(text);
        scanner.each_member(|scanner, key| noted.member(key.text, scanner))?;
        scanner.end()?;
        Ok(noted)
    }

    fn member(&mut self, key: &[u8], scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        match key {
            b"choices" if scanner.peek() == Some(b'[') => {
                let mut place = 0;
                return scanner.each_element(|scanner| {
                    place += 1;
                    self.choices += 1;
                    self.choice(place == 1, scanner)
                });
            }
            b"x_groq" if scanner.peek() == Some(b'{') => return self.groq(scanner),
            _ => {}
        }
        self.value(key, scanner.value(ROOM)?);
        Ok(())
    }

    fn value(&mut self, key: &[u8], value: &'a [u8]) {
        let value = some(value);
        match key {
            b"model" => self.model = value,
            b"usage" => self.usage = value.or(self.usage),
            b"error" => self.error = value,
            _ => {}
        }
    }

    fn groq(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        scanner.each_member(|scanner, key| {
            let value = some(scanner.value(ROOM)?);
            if key.text == b"usage" {
                self.usage = self.usage.or(value);
            }
            Ok(())
        })
    }

    fn choice(&mut self, first: bool, scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        scanner.each_member(|scanner, key| {
            if matches!(key.text, b"delta" | b"message") && scanner.peek() == Some(b'{') {
                return self.delta(scanner);
            }
            let value = some(scanner.value(ROOM)?);
            match key.text {
                // The text of a legacy completion.
                b"text" => self.content |= !matches!(value, None | Some(b"\"\"")),
                b"finish_reason" if first => self.finish_reason = value,
                b"native_finish_reason" if first => self.native_finish_reason = value,
                b"error" => self.error = self.error.or(value),
                _ => {}
            }
            Ok(())
        })
    }

    fn delta(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        scanner.each_member(|scanner, key| {
            let value = scanner.value(ROOM)?;
            let says = !matches!(value, b"null" | b"\"\"" | b"[]" | b"{}");
            self.content |= says && CONTENT.contains(&key.text);
            self.called |= says && matches!(key.text, b"tool_calls" | b"function_call");
            self.refused |= says && key.text == b"refusal";
            Ok(())
        })
    }

    /// An error of the upstream, in whatever place.
    fn fail(&self, event: bool, data: &str) -> Result<(), Fault> {
        let error = self.error.or(event.then_some(data.as_bytes()));
        match error {
            Some(error) => Err(fault::in_band(&serde_json::from_slice(error).unwrap_or_default())),
            None => Ok(()),
        }
    }

    fn usage(&self) -> Option<Usage> {
        usage::decode_text(self.usage?)
    }

    fn model(&self) -> Option<String> {
        text(self.model).filter(|model| !model.is_empty())
    }

    fn stop(&self) -> Option<Stop> {
        let word = text(self.finish_reason).filter(|word| !word.is_empty())?;
        let native = text(self.native_finish_reason);
        let ending = Ending { native: native.as_deref(), called: self.called, refused: self.refused };
        Some(stop::decode(Some(&word), ending))
    }
}

/// A value that is not null.
fn some(value: &[u8]) -> Option<&[u8]> {
    (value != b"null").then_some(value)
}

fn text(value: Option<&[u8]>) -> Option<String> {
    serde_json::from_slice(value?).ok()
}

fn unreadable(error: ScanError) -> Fault {
    fault::bad_answer(format!("invalid JSON at byte {}: expected {}", error.at, error.what))
}
