//! Whole answers.

mod encode;

use serde_json::value::RawValue;

pub(super) use self::encode::{details, encode};
use super::answer::{CallForm, citation, compact, free_text, origin};
use super::shape::{self, Answer, AnswerBlock};
use super::{fault, stop, usage};
use crate::Fault;
use crate::chat::{ChatResponse, Choice, Leftover, Part, Undo};
use crate::dialect::Dialect;

/// What an answer has said in fields without a canonical name.
pub(super) fn leftover() -> Leftover {
    Leftover::new(Dialect::AnthropicMessages, &[shape::IDLE])
}

/// The answer in canonical form.
pub(super) fn decode(body: &[u8], undo: &Undo) -> Result<ChatResponse, Fault> {
    let body = std::str::from_utf8(body).map_err(|_| fault::bad_answer("the answer is not UTF-8"))?;
    if is_error(body) {
        return Err(fault::inside(body));
    }
    let answer: Answer<'_> = fault::parse(body)?;
    let blocks = answer.content.ok_or_else(|| fault::bad_answer("an answer without content"))?;
    let parts = blocks
        .into_iter()
        .map(|raw| part(raw, answer.model.as_deref(), undo))
        .collect::<Result<Vec<_>, _>>()?;
    let called = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let reason = answer.stop_reason.as_deref().unwrap_or("end_turn");
    let explanation = answer.stop_details.and_then(|details| details.explanation);
    let stop = stop::stop(reason, answer.stop_sequence, explanation, called);
    let tally = usage::read(answer.usage);
    let mut leftover = leftover();
    leftover.keep(answer.rest);
    Ok(ChatResponse {
        id: answer.id,
        model: answer.model,
        created: None,
        choices: vec![Choice { index: 0, parts, stop, logprobs: None }],
        usage: tally.as_ref().map(usage::Tally::usage),
        service_tier: tally.and_then(|tally| tally.service_tier),
        extra: leftover.whole()?,
    })
}

/// Whether a body says of itself that it is an error.
fn is_error(body: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type", borrow)]
        kind: Option<std::borrow::Cow<'a, str>>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    serde_json::from_str::<Kind<'_>>(body)
        .is_ok_and(|body| body.kind.as_deref() == Some("error") || body.error.is_some())
}

fn part(raw: &RawValue, model: Option<&str>, undo: &Undo) -> Result<Part, Fault> {
    let block: AnswerBlock<'_> = fault::parse(raw.get())?;
    Ok(match &*block.kind {
        "text" => text(block.text.unwrap_or_default(), block.citations.unwrap_or_default()),
        "thinking" => Part::Thinking {
            text: block.thinking.unwrap_or_default(),
            signature: block.signature.filter(|signature| !signature.is_empty()),
            encrypted: None,
            id: None,
            origin: Some(origin(model)),
        },
        "redacted_thinking" => {
            Part::RedactedThinking { data: block.data.unwrap_or_default(), origin: Some(origin(model)) }
        }
        "tool_use" => call(block, undo),
        // Tools that the provider runs, and whatever comes tomorrow.
        _ => Part::ServerTool { raw: fault::parse(raw.get())?, origin: origin(model) },
    })
}

fn text(text: String, citations: Vec<serde_json::Value>) -> Part {
    let length = text.chars().count() as u64;
    let citations = citations.into_iter().map(|raw| citation(raw, length)).collect();
    Part::Text { text, citations, cache: None }
}

fn call(block: AnswerBlock<'_>, undo: &Undo) -> Part {
    let name = block.name.unwrap_or_default();
    let args = block.input.map_or_else(|| "{}".to_owned(), |input| compact(input.get()));
    let form = CallForm::of(&name, undo);
    let args = match form {
        CallForm::Text => return Part::text(args),
        CallForm::Custom => free_text(&args),
        CallForm::Function => args,
    };
    let id = block.id.unwrap_or_default();
    Part::ToolCall { id, name: undo.tool_name(&name), args, signature: None, kind: form.tool_kind() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{StopReason, ToolKind};

    fn answer(content: serde_json::Value) -> Vec<u8> {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 2}})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn a_forced_json_tool_is_the_text_of_the_answer() {
        let undo = Undo { json_tool: Some("json_response".into()), ..Undo::default() };
        let body =
            answer(json!([{"type": "tool_use", "id": "t", "name": "json_response", "input": {"a": 1}}]));
        let choice = decode(&body, &undo).unwrap().choices.remove(0);
        assert_eq!(choice.parts, [Part::text(r#"{"a":1}"#)]);
        assert_eq!(choice.stop.reason, StopReason::End);
    }

    #[test]
    fn aliases_and_free_text_are_undone() {
        let undo = Undo {
            tool_names: [("run_shell_1".to_owned(), "run.shell".to_owned())].into(),
            custom_tools: vec!["run.shell".into()],
            ..Undo::default()
        };
        let body =
            answer(json!([{"type": "tool_use", "id": "t", "name": "run_shell_1", "input": {"input": "ls"}}]));
        let part = decode(&body, &undo).unwrap().choices.remove(0).parts.remove(0);
        let expected = Part::ToolCall {
            id: "t".into(),
            name: "run.shell".into(),
            args: "ls".into(),
            signature: None,
            kind: ToolKind::Custom,
        };
        assert_eq!(part, expected);
    }

    #[test]
    fn an_error_inside_http_200_is_a_fault() {
        let body = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert!(matches!(decode(body, &Undo::default()), Err(Fault::Upstream(_))));
    }

    #[test]
    fn what_is_not_an_answer_is_said_to_be_none() {
        for body in ["", "{}", "[]", "null", r#"{"content":[{"type":3}]}"#, "<html>"] {
            assert!(
                matches!(decode(body.as_bytes(), &Undo::default()), Err(Fault::BadAnswer { .. })),
                "{body}"
            );
        }
    }
}
