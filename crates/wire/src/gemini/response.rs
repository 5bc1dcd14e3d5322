//! Whole answers.

mod encode;

use bytes::Bytes;

pub(super) use self::encode::{call, is_plain};
use super::fault;
use super::read::Reader;
use super::shape::Chunk;
use crate::chat::{ChatResponse, Fold, Loss, Undo};
use crate::dialect::Echo;
use crate::fault::Fault;

/// Reads a whole answer, which is a stream of one chunk; some servers answer with the list that a stream is.
pub(super) fn decode(body: &[u8], undo: &Undo) -> Result<ChatResponse, Fault> {
    let body = std::str::from_utf8(body).map_err(|_| fault::bad_answer("the answer is not UTF-8"))?;
    let chunks: Vec<Chunk<'_>> = match body.trim_start().starts_with('[') {
        true => fault::parse(body)?,
        false => vec![fault::parse(body)?],
    };
    let mut reader = Reader::new(undo);
    let mut events = Vec::new();
    for chunk in chunks {
        reader.chunk(chunk, &mut events)?;
    }
    reader.end(&mut events).map_err(|fault| match fault {
        Fault::Cut { why, .. } => fault::bad_answer(why),
        other => other,
    })?;
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    Ok(fold.finish())
}

/// A whole answer in this format.
pub(super) fn encode(response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
    encode::encode(response, echo, losses)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{Part, StopReason};

    fn decoded(body: serde_json::Value) -> Result<ChatResponse, Fault> {
        decode(body.to_string().as_bytes(), &Undo::default())
    }

    #[test]
    fn a_refused_prompt_is_an_empty_answer_and_no_error() {
        let response = decoded(json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 8}}))
        .unwrap();
        let choice = &response.choices[0];
        assert!(choice.parts.is_empty());
        assert_eq!(choice.stop.reason, StopReason::Filter);
        assert_eq!(choice.stop.native.as_deref(), Some("PROHIBITED_CONTENT"));
        assert_eq!(response.usage.unwrap().input, Some(8));
    }

    #[test]
    fn an_answer_that_failed_before_it_said_anything_is_a_fault() {
        let failed = |parts: serde_json::Value| json!({"candidates": [{"content": {"parts": parts}, "finishReason": "MALFORMED_FUNCTION_CALL"}]});
        assert!(matches!(decoded(failed(json!([]))), Err(Fault::Upstream(_))));
        let kept = decoded(failed(json!([{"text": "so far"}]))).unwrap();
        assert_eq!(kept.choices[0].parts, [Part::text("so far")]);
        assert_eq!(kept.choices[0].stop.reason, StopReason::BadCall);
    }

    #[test]
    fn calls_without_ids_get_one_and_decide_why_the_answer_ended() {
        let call = json!({"functionCall": {"name": "f", "args": {"b": 1, "a": 2}}});
        let body = json!({"candidates": [{"content": {"parts": [call, call]}, "finishReason": "STOP"}],
            "responseId": "r"});
        let choice = decoded(body).unwrap().choices.remove(0);
        assert_eq!(choice.stop.reason, StopReason::ToolUse);
        let [Part::ToolCall { id, args, .. }, Part::ToolCall { id: other, .. }] = &choice.parts[..] else {
            panic!("not two calls");
        };
        assert_eq!((args.as_str(), id.len()), (r#"{"b":1,"a":2}"#, 25));
        assert_ne!(id, other);
    }

    #[test]
    fn an_error_inside_http_200_is_a_fault() {
        let body = json!({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}});
        assert!(matches!(decoded(body.clone()), Err(Fault::Upstream(_))));
        assert!(matches!(decoded(json!([body])), Err(Fault::Upstream(_))));
    }

    #[test]
    fn what_is_not_an_answer_is_said_to_be_none() {
        for body in ["", "{}", "[]", "null", r#"{"candidates":[{"content":{"parts":[3]}}]}"#, "<html>"] {
            let fault = decode(body.as_bytes(), &Undo::default());
            assert!(matches!(fault, Err(Fault::BadAnswer { .. })), "{body}");
        }
    }
}
