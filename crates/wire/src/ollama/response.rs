//! Whole answers: a stream of one line.

use super::read::{Reader, stop};
use super::shape::Line;
use crate::chat::{ChatResponse, Fold, Undo};
use crate::dialect::{Glance, GlanceWhole, StreamReader};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::openai::fault;
use crate::raw::RawObject;

/// Reads a whole answer. One that is not done is none.
pub(super) fn decode(body: &[u8], undo: &Undo) -> Result<ChatResponse, Fault> {
    let data = str::from_utf8(body).map_err(|_| fault::bad_answer("the answer is not UTF-8".to_owned()))?;
    let mut reader = Reader::new(undo);
    let mut events = Vec::new();
    reader.read(Frame { event: "", data }, &mut events)?;
    reader.finish(&mut events).map_err(|fault| match fault {
        Fault::Cut { why, .. } => fault::bad_answer(why),
        other => other,
    })?;
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    Ok(fold.finish())
}

/// What a line says.
pub(super) fn glance(data: &str) -> Result<Glance, Fault> {
    let line = Line::read(data)?;
    let done = line.done == Some(true);
    let usage = line.usage();
    let message = line.message.unwrap_or_default();
    let called = message.tool_calls.is_some_and(|calls| !calls.is_empty());
    let says = |text: Option<String>| text.is_some_and(|text| !text.is_empty());
    Ok(Glance {
        content: called || says(message.content) || says(message.thinking),
        usage,
        stop: done.then(|| stop(line.done_reason.as_deref(), called)),
        end: done,
        model: line.model,
        ..Glance::default()
    })
}

/// What a whole answer says.
pub(super) fn glance_whole(body: &RawObject) -> Result<GlanceWhole, Fault> {
    let bytes = body.clone().into_bytes();
    let seen = glance(&String::from_utf8_lossy(&bytes))?;
    Ok(GlanceWhole { usage: seen.usage, model: seen.model, stop: seen.stop, kept_as: None })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chat::{Part, StopReason, ToolKind};

    fn decoded(body: &Value, undo: &Undo) -> Result<ChatResponse, Fault> {
        decode(body.to_string().as_bytes(), undo)
    }

    fn answer(message: Value, reason: &str) -> Value {
        json!({"model": "m", "created_at": "2026-01-01T00:00:00.3Z", "message": message, "done_reason": reason,
            "done": true, "total_duration": 6_037_504_209_u64, "eval_count": 7})
    }

    #[test]
    fn thoughts_text_calls_and_counts_are_read_and_an_absent_count_is_no_zero() {
        let call = json!({"function": {"name": "f", "arguments": {"b": 1, "a": 2.50}}});
        let message =
            json!({"role": "assistant", "thinking": "hm", "content": "so", "tool_calls": [call, call]});
        let response = decoded(&answer(message, "stop"), &Undo::default()).unwrap();
        let usage = response.usage.unwrap();
        assert_eq!((usage.input, usage.output, response.model.as_deref()), (None, Some(7), Some("m")));
        let choice = &response.choices[0];
        assert_eq!(choice.stop.reason, StopReason::ToolUse);
        let [
            Part::Thinking { text, origin: None, .. },
            said,
            Part::ToolCall { id, args, .. },
            Part::ToolCall { id: other, .. },
        ] = &choice.parts[..]
        else {
            panic!("{:?}", choice.parts)
        };
        assert_eq!((text.as_str(), said), ("hm", &Part::text("so")));
        assert_eq!(args, r#"{"b":1,"a":2.5}"#);
        assert_ne!(id, other);
    }

    #[test]
    fn a_custom_tool_gets_its_free_text_back() {
        let undo = Undo { custom_tools: vec!["f".into()], ..Undo::default() };
        let call = json!({"id": "c1", "function": {"name": "f", "arguments": {"input": "ls -l"}}});
        let response = decoded(&answer(json!({"content": "", "tool_calls": [call]}), "stop"), &undo).unwrap();
        let Part::ToolCall { id, args, kind, .. } = &response.choices[0].parts[0] else { panic!("no call") };
        assert_eq!((id.as_str(), args.as_str(), *kind), ("c1", "ls -l", ToolKind::Custom));
    }

    #[test]
    fn the_reason_is_told_in_our_words_and_an_odd_one_in_its_own() {
        for (word, reason, native) in [
            ("stop", StopReason::End, None),
            ("length", StopReason::Length, None),
            ("unload", StopReason::End, Some("unload")),
        ] {
            let response = decoded(&answer(json!({"content": "so"}), word), &Undo::default()).unwrap();
            let stop = &response.choices[0].stop;
            assert_eq!((stop.reason, stop.native.as_deref()), (reason, native));
        }
    }

    #[test]
    fn an_error_inside_http_200_and_what_is_no_answer_are_faults() {
        let error = decoded(&json!({"error": "model 'x' not found"}), &Undo::default());
        assert!(matches!(error, Err(Fault::Upstream(_))), "{error:?}");
        for body in ["", "{}", "[]", "<html>", r#"{"message":{"content":"half"},"done":false}"#] {
            let fault = decode(body.as_bytes(), &Undo::default());
            assert!(matches!(fault, Err(Fault::BadAnswer { .. })), "{body}: {fault:?}");
        }
    }
}
