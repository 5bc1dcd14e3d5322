//! What carried frames and answers say, without decoding them.
//!
//! One pass of the scanner checks the syntax and notes the few values that matter; only those are parsed.

use super::read::DONE;
use super::stop::{self, Ending};
use super::{fault, usage};
use crate::chat::{Stop, Usage};
use crate::dialect::{Glance, GlanceWhole};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::raw::RawObject;
use crate::raw::scan::{ScanError, Scanner};

/// Deepest nesting in an answer.
const ROOM: u32 = 120;

/// Items that are empty when they begin; all others say something at once (a name, a search).
const EMPTY_AT_FIRST: &[&[u8]] = &[b"\"message\"", b"\"reasoning\""];

/// Values of an event noted in one pass; slices of the frame.
#[derive(Debug, Default)]
struct Event<'a> {
    kind: &'a [u8],
    sequence: Option<&'a [u8]>,
    item_kind: &'a [u8],
    response: Answer<'a>,
}

/// Values of an answer, or of the `response` of an event.
#[derive(Debug, Default)]
struct Answer<'a> {
    id: Option<&'a [u8]>,
    model: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    usage: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    incomplete_details: Option<&'a [u8]>,
    output: bool,
    called: bool,
}

/// What a carried frame says.
pub(super) fn frame(frame: Frame<'_>) -> Result<Glance, Fault> {
    let data = frame.data.trim();
    if data.is_empty() || data == DONE {
        return Ok(Glance::default());
    }
    let event = Event::of(data.as_bytes()).map_err(unreadable)?;
    let kind = unquoted(event.kind);
    let glance = Glance { sequence: number(event.sequence), ..Glance::default() };
    Ok(match kind {
        b"error" => return Err(fault::of_event(data)),
        b"response.failed" | b"response.cancelled" => return Err(event.response.failure()),
        b"response.completed" | b"response.incomplete" => {
            event.response.fail()?;
            let (usage, stop) = (event.response.usage(), event.response.stop());
            Glance { end: true, usage, stop, model: event.response.model(), ..glance }
        }
        b"response.created" | b"response.in_progress" | b"response.queued" => {
            Glance { model: event.response.model(), kept_as: event.response.id(), ..glance }
        }
        b"response.output_item.added" => {
            Glance { content: !EMPTY_AT_FIRST.contains(&event.item_kind), ..glance }
        }
        kind => Glance { content: kind.ends_with(b".delta") || kind.ends_with(b".done"), ..glance },
    })
}

/// What a carried whole answer says.
pub(super) fn whole(body: &RawObject) -> Result<GlanceWhole, Fault> {
    let mut answer = Answer::default();
    for (key, text) in body.members() {
        answer.member(key, &mut Scanner::again(text)).map_err(unreadable)?;
    }
    answer.fail()?;
    if !answer.output {
        return Err(fault::bad_answer("it has no output".to_owned()));
    }
    let (usage, model, stop) = (answer.usage(), answer.model(), answer.stop());
    Ok(GlanceWhole { usage, model, stop, kept_as: answer.id() })
}

impl<'a> Event<'a> {
    fn of(text: &'a [u8]) -> Result<Self, ScanError> {
        let mut event = Self::default();
        let mut scanner = Scanner::new(text);
        scanner.each_member(|scanner, key| event.member(key.text, scanner))?;
        scanner.end()?;
        Ok(event)
    }

    fn member(&mut self, key: &[u8], scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        match key {
            b"response" if scanner.peek() == Some(b'{') => {
                scanner.each_member(|scanner, key| self.response.member(key.text, scanner))
            }
            b"item" if scanner.peek() == Some(b'{') => {
                self.item_kind = kind_of(scanner)?;
                Ok(())
            }
            _ => {
                let value = scanner.value(ROOM)?;
                match key {
                    b"type" => self.kind = value,
                    b"sequence_number" => self.sequence = Some(value),
                    _ => {}
                }
                Ok(())
            }
        }
    }
}

/// Takes an item and yields its type, with quotes.
fn kind_of<'a>(scanner: &mut Scanner<'a>) -> Result<&'a [u8], ScanError> {
    let mut kind: &[u8] = b"";
    scanner.each_member(|scanner, key| {
        let value = scanner.value(ROOM)?;
        if key.text == b"type" {
            kind = value;
        }
        Ok::<(), ScanError>(())
    })?;
    Ok(kind)
}

impl<'a> Answer<'a> {
    fn member(&mut self, key: &[u8], scanner: &mut Scanner<'a>) -> Result<(), ScanError> {
        if key == b"output" && scanner.peek() == Some(b'[') {
            self.output = true;
            return scanner.each_element(|scanner| {
                if scanner.peek() != Some(b'{') {
                    return scanner.value(ROOM).map(drop);
                }
                let kind = kind_of(scanner)?;
                self.called |= matches!(kind, b"\"function_call\"" | b"\"custom_tool_call\"");
                Ok(())
            });
        }
        let value = scanner.value(ROOM)?;
        let value = (value != b"null").then_some(value);
        match key {
            b"id" => self.id = value,
            b"model" => self.model = value,
            b"status" => self.status = value,
            b"usage" => self.usage = value,
            b"error" => self.error = value,
            b"incomplete_details" => self.incomplete_details = value,
            _ => {}
        }
        Ok(())
    }

    /// An answer that failed.
    fn fail(&self) -> Result<(), Fault> {
        let failed = self.error.is_some() || self.status == Some(b"\"failed\"");
        if failed { Err(self.failure()) } else { Ok(()) }
    }

    fn failure(&self) -> Fault {
        fault::in_band(&self.error.and_then(|error| serde_json::from_slice(error).ok()).unwrap_or_default())
    }

    fn usage(&self) -> Option<Usage> {
        usage::decode_text(self.usage?)
    }

    fn model(&self) -> Option<String> {
        serde_json::from_slice(self.model?).ok().filter(|model: &String| !model.is_empty())
    }

    fn id(&self) -> Option<String> {
        serde_json::from_slice(self.id?).ok()
    }

    /// `None`: the answer is not finished.
    fn stop(&self) -> Option<Stop> {
        let incomplete = match self.status.map(unquoted) {
            None | Some(b"completed") => None,
            Some(b"incomplete") => Some(self.reason().unwrap_or_else(|| "max_output_tokens".to_owned())),
            Some(_) => return None,
        };
        Some(stop::decode(incomplete.as_deref(), Ending { called: self.called, refused: false }))
    }

    fn reason(&self) -> Option<String> {
        let details: super::shape::IncompleteDetails =
            serde_json::from_slice(self.incomplete_details?).ok()?;
        details.reason
    }
}

/// The text of a string without its quotes; words of this format have no escapes.
fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or_default()
}

fn number(text: Option<&[u8]>) -> Option<u64> {
    serde_json::from_slice(text?).ok()
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
    fn content_is_what_says_something() {
        let cases = [
            (r#"{"type":"response.created","response":{"model":"m"},"sequence_number":0}"#, false),
            (r#"{"type":"response.output_item.added","item":{"type":"message"}}"#, false),
            (r#"{"type":"response.output_item.added","item":{"name":"f","type":"function_call"}}"#, true),
            (r#"{"type":"response.output_text.delta","delta":"a"}"#, true),
            (r#"{"type":"response.web_search_call.searching"}"#, false),
            ("[DONE]", false),
        ];
        for (data, content) in cases {
            assert_eq!(glance(data).unwrap().content, content, "{data}");
        }
    }

    #[test]
    fn the_end_tells_usage_and_stop() {
        let data = r#"{"type":"response.completed","sequence_number":7,"response":{"status":"completed","model":"m",
            "output":[{"type":"function_call","name":"f"}],"usage":{"input_tokens":1,"output_tokens":2}}}"#;
        let glance = glance(data).unwrap();
        assert_eq!((glance.end, glance.sequence, glance.model.as_deref()), (true, Some(7), Some("m")));
        assert_eq!(glance.stop.unwrap().reason, StopReason::ToolUse);
        assert_eq!(glance.usage.unwrap().total(), Some(3));
    }

    #[test]
    fn the_id_that_later_requests_name_is_seen_as_soon_as_it_is_said() {
        let begun =
            r#"{"type":"response.created","response":{"id":"resp_1","model":"m"},"sequence_number":0}"#;
        assert_eq!(glance(begun).unwrap().kept_as.as_deref(), Some("resp_1"));
        let delta = r#"{"type":"response.output_text.delta","item_id":"msg_1","delta":"a"}"#;
        assert_eq!(glance(delta).unwrap().kept_as, None);
        let body = RawObject::parse(r#"{"id":"resp_1","status":"completed","output":[]}"#.into()).unwrap();
        assert_eq!(whole(&body).unwrap().kept_as.as_deref(), Some("resp_1"));
    }

    #[test]
    fn failures_and_junk_are_not_forwarded() {
        let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"x","message":"no"}}}"#;
        assert!(matches!(glance(failed), Err(Fault::Upstream(fault)) if fault.message == "no"));
        let error = r#"{"type":"error","error":{"code":"insufficient_quota","message":"no money"}}"#;
        assert!(matches!(glance(error), Err(Fault::Upstream(_))));
        assert!(matches!(glance("{\"type\":"), Err(Fault::BadAnswer { .. })));
    }
}
