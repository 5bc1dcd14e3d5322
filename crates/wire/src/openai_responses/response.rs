//! A whole answer, decoded.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::shape::{self, Answer, Head, ImageCall, TextOrList};
use super::stop::{self, Ending};
use super::{fault, request, usage};
use crate::chat::{ChatResponse, Choice, Leftover, MediaSource, Part, ToolKind, Undo, stop_text};
use crate::dialect::Dialect;
use crate::fault::Fault;

const THIS: Dialect = Dialect::OpenAiResponses;

/// What an answer has said in fields without a canonical name.
pub(super) fn leftover() -> Leftover {
    Leftover::new(THIS, &[shape::IDLE, request::ECHOED])
}

/// Reads a whole answer. One that failed, or is not finished, is a fault.
pub(super) fn decode(body: &[u8], undo: &Undo) -> Result<ChatResponse, Fault> {
    let answer: Answer<'_> =
        serde_json::from_slice(body).map_err(|error| fault::bad_answer(error.to_string()))?;
    let response = of_answer(answer, undo)?;
    Ok(if undo.stops.is_empty() { response } else { stop_text::cut_off(&response, &undo.stops) })
}

fn of_answer(answer: Answer<'_>, undo: &Undo) -> Result<ChatResponse, Fault> {
    check(&answer)?;
    let output = answer.output.as_ref().ok_or_else(|| fault::bad_answer("it has no output".to_owned()))?;
    let mut gathered = Gathered::default();
    for item in output {
        gathered.item(item, undo)?;
    }
    let logprobs = (!gathered.logprobs.is_empty()).then(|| logprobs(gathered.logprobs));
    let stop = stop::decode(incomplete(&answer), ending(&gathered.parts));
    let mut leftover = leftover();
    leftover.keep(answer.rest);
    Ok(ChatResponse {
        id: answer.id.filter(|id| !id.is_empty()),
        model: answer.model.filter(|model| !model.is_empty()),
        created: answer.created_at.and_then(seconds),
        choices: vec![Choice { index: 0, parts: gathered.parts, stop, logprobs }],
        usage: answer.usage.and_then(usage::decode),
        service_tier: answer.service_tier,
        extra: leftover.whole()?,
    })
}

/// What the answer says of its own end: a failure is a fault, and so is one that goes on elsewhere.
pub(super) fn check(answer: &Answer<'_>) -> Result<(), Fault> {
    if let Some(error) = answer.error.as_ref().filter(|error| !error.is_null()) {
        return Err(fault::in_band(error));
    }
    match answer.status.as_deref() {
        None | Some("completed" | "incomplete") => Ok(()),
        Some("failed") => Err(fault::in_band(&json!({"message": "the answer failed without a reason"}))),
        Some(status) => Err(fault::bad_answer(format!("its status is '{}'", crate::raw::brief(status)))),
    }
}

/// Why the answer is not complete.
pub(super) fn incomplete<'a>(answer: &'a Answer<'_>) -> Option<&'a str> {
    let reason = answer.incomplete_details.as_ref().and_then(|details| details.reason.as_deref());
    // Without details the output limit is the likeliest reason.
    reason.or((answer.status.as_deref() == Some("incomplete")).then_some("max_output_tokens"))
}

/// `created_at`, which some servers send as a fraction.
pub(super) fn seconds(created: f64) -> Option<u64> {
    (created >= 1.0).then_some(created as u64)
}

fn ending(parts: &[Part]) -> Ending {
    Ending {
        called: parts.iter().any(|part| matches!(part, Part::ToolCall { .. })),
        refused: parts.iter().any(|part| matches!(part, Part::Refusal { .. })),
    }
}

/// Token probabilities in the form that Chat has them in, which is the canonical one.
pub(super) fn logprobs(tokens: Vec<Value>) -> Value {
    json!({"content": tokens, "refusal": null})
}

/// Parts of the items of an answer, in order.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) parts: Vec<Part>,
    pub(super) logprobs: Vec<Value>,
}

impl Gathered {
    /// One more item. What says nothing (an empty text, a thought without words or seal) is left out.
    pub(super) fn item(&mut self, item: &RawValue, undo: &Undo) -> Result<(), Fault> {
        let head: Head = read(item)?;
        match head.kind.as_deref() {
            Some("message") => self.message(read(item)?)?,
            Some("reasoning") => self.parts.extend(request::thought(read(item)?)),
            Some("function_call") => self.parts.push(call(read(item)?, ToolKind::Function, undo)),
            Some("custom_tool_call") => self.parts.push(call(read(item)?, ToolKind::Custom, undo)),
            Some("image_generation_call") => self.parts.push(picture(item)?),
            _ => self.parts.push(server_tool(item)?),
        }
        Ok(())
    }

    fn message(&mut self, message: shape::Message) -> Result<(), Fault> {
        let parts = match message.content {
            Some(TextOrList::List(parts)) => parts,
            Some(TextOrList::Text(text)) => {
                self.parts.extend(spoken(Part::text(text)));
                return Ok(());
            }
            None => Vec::new(),
        };
        for mut part in parts {
            self.logprobs.extend(part.logprobs.take().unwrap_or_default());
            let part =
                request::content_part(part, "content").map_err(|why| fault::bad_answer(why.to_string()))?;
            self.parts.extend(spoken(part));
        }
        Ok(())
    }
}

fn spoken(part: Part) -> Option<Part> {
    let silent = match &part {
        Part::Text { text, citations, .. } => text.is_empty() && citations.is_empty(),
        Part::Refusal { text } => text.is_empty(),
        _ => false,
    };
    (!silent).then_some(part)
}

/// A call to a tool of the client.
pub(super) fn call(call: shape::Call, kind: ToolKind, undo: &Undo) -> Part {
    let args = call.arguments.or(call.input).unwrap_or_default();
    let name = undo.tool_name(&call.name.unwrap_or_default());
    Part::ToolCall { id: call.call_id.unwrap_or_default(), name, args, signature: None, kind }
}

/// A picture made by the model. One that is no base64 (xAI links to it) stays as received.
fn picture(item: &RawValue) -> Result<Part, Fault> {
    let ImageCall { result, output_format } = read(item)?;
    match result.filter(|result| !result.is_empty() && !result.contains("://")) {
        Some(data) => {
            let mime = format!("image/{}", output_format.as_deref().unwrap_or("png"));
            Ok(Part::Image { source: MediaSource::Base64 { mime, data }, detail: None, cache: None })
        }
        None => server_tool(item),
    }
}

fn server_tool(item: &RawValue) -> Result<Part, Fault> {
    Ok(Part::ServerTool { raw: read(item)?, origin: THIS.into() })
}

/// Reads a piece of an answer.
pub(super) fn read<'a, T: serde::Deserialize<'a>>(text: &'a RawValue) -> Result<T, Fault> {
    serde_json::from_str(text.get()).map_err(|error| fault::bad_answer(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::StopReason;

    fn decoded(body: &Value) -> Result<ChatResponse, Fault> {
        decode(body.to_string().as_bytes(), &Undo::default())
    }

    #[test]
    fn an_answer_that_failed_or_is_not_finished_is_a_fault() {
        let failed =
            json!({"status": "failed", "output": [], "error": {"code": "server_error", "message": "boom"}});
        assert!(matches!(decoded(&failed), Err(Fault::Upstream(fault)) if fault.message == "boom"));
        let queued = json!({"status": "queued", "output": []});
        assert!(matches!(decoded(&queued), Err(Fault::BadAnswer { .. })));
        assert!(matches!(decoded(&json!({"status": "completed"})), Err(Fault::BadAnswer { .. })));
    }

    #[test]
    fn items_become_parts_and_silent_ones_are_left_out() {
        let output = json!([
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "", "annotations": []},
                {"type": "refusal", "refusal": "no"}]},
            {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "*** x"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"}]);
        let answer = decoded(&json!({"status": "completed", "output": output})).unwrap();
        let choice = &answer.choices[0];
        assert_eq!(choice.stop.reason, StopReason::ToolUse);
        assert_eq!(choice.parts.len(), 3, "{:?}", choice.parts);
        assert_eq!(choice.parts[0], Part::Refusal { text: "no".into() });
    }

    #[test]
    fn an_emulated_stop_text_cuts_a_whole_answer_off() {
        let body = json!({"status": "completed", "output": [{"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": "one END two"}]}]});
        let undo = Undo { stops: vec!["END".into()], ..Undo::default() };
        let answer = decode(body.to_string().as_bytes(), &undo).unwrap();
        assert_eq!(answer.choices[0].parts, [Part::text("one ")]);
        let stop = &answer.choices[0].stop;
        assert_eq!((stop.reason, stop.sequence.as_deref()), (StopReason::StopSequence, Some("END")));
    }
}
