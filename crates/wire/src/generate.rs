//! `POST /v1/generate`: one prompt in, one text out; the gateway's own form. Never carried, never streamed.

use bytes::{BufMut, Bytes, BytesMut};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::chat::{ChatRequest, ChatResponse, Event, Extra, Fold, Loss, Message, Part, Role, Usage};
use crate::dialect::{Echo, Head, Peek, SoFar, StreamWriter, Surface};
use crate::fault::Fault;
use crate::json_writer::ObjectWriter;
use crate::raw::RawObject;

/// Most characters (code points) of a prompt, unless the operator says otherwise.
pub const MAX_PROMPT: usize = 102_400;

/// Output limit, in tokens, when the client sets none.
pub const DEFAULT_MAX_TOKENS: u64 = 4096;

/// The surface.
#[derive(Debug, Clone, Copy)]
pub struct Generate;

impl Surface for Generate {
    fn peek(&self, head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        check_prompt(body.get("prompt")?, head.longest_prompt.unwrap_or(MAX_PROMPT))?;
        body.get::<String>("system")?;
        Ok(Peek {
            model: named(body, "model")?,
            provider: named(body, "provider")?,
            project: body.get("project")?,
            strict: body.get("strict")?.unwrap_or(false),
            stream: false,
            include_usage: false,
            max_output: Some(max_tokens(body)?),
            previous: None,
            keeps: false,
        })
    }

    fn decode_request(&self, head: &Head, body: &RawObject) -> Result<ChatRequest, Fault> {
        let peek = self.peek(head, body)?;
        let prompt: String = body.get("prompt")?.unwrap_or_default();
        let system: Option<String> = body.get("system")?;
        let system = system.filter(|system| !system.is_empty()).map(|system| turn(Role::System, system));
        Ok(ChatRequest {
            model: peek.model.unwrap_or_default(),
            messages: system.into_iter().chain([turn(Role::User, prompt)]).collect(),
            max_output: peek.max_output,
            ..ChatRequest::default()
        })
    }

    fn strip(&self, _: &mut RawObject) {}

    fn encode_response(&self, response: &ChatResponse, echo: &Echo, _: &mut Vec<Loss>) -> Bytes {
        answer(response, echo)
    }

    fn annotate(&self, _: &mut RawObject, _: &Echo, _: Option<&Usage>) {}

    fn stream_writer(&self, echo: Echo) -> Box<dyn StreamWriter> {
        Box::new(Gather { echo, fold: Fold::new() })
    }

    fn encode_fault(&self, fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
        (fault.status(), refusal(fault, request_id))
    }

    fn fail_stream(&self, fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut) {
        out.put(refusal(fault, so_far.request_id));
    }
}

fn check_prompt(prompt: Option<String>, most: usize) -> Result<(), Fault> {
    let refusal = |why: String| Err(Fault::malformed("prompt".to_owned(), why));
    match prompt.map(|prompt| prompt.chars().count()) {
        None => refusal("'prompt' is missing".to_owned()),
        Some(0) => refusal("'prompt' must not be empty".to_owned()),
        Some(length) if length > most => {
            refusal(format!("'prompt' has {length} characters; at most {most} are allowed"))
        }
        Some(_) => Ok(()),
    }
}

/// A name; an empty one is none.
fn named(body: &RawObject, key: &str) -> Result<Option<String>, Fault> {
    Ok(body.get::<String>(key)?.filter(|name| !name.is_empty()))
}

fn max_tokens(body: &RawObject) -> Result<u64, Fault> {
    match body.get("maxTokens")? {
        Some(0) => Err(Fault::malformed("maxTokens".to_owned(), "'maxTokens' must be at least 1")),
        tokens => Ok(tokens.unwrap_or(DEFAULT_MAX_TOKENS)),
    }
}

fn turn(role: Role, text: String) -> Message {
    Message { role, parts: vec![Part::text(text)], name: None, extra: Extra::default() }
}

fn answer(response: &ChatResponse, echo: &Echo) -> Bytes {
    let usage = response.usage.unwrap_or_default();
    let mut out = ObjectWriter::new();
    out.put("text", &text(response));
    out.put("provider", &echo.resolved_provider);
    out.put("model", response.model.as_deref().unwrap_or(&echo.resolved_model));
    out.put("tokensUsed", &usage.total());
    out.put("requestedProvider", &echo.requested_provider);
    out.put("requestedModel", &echo.requested_model);
    out.put("resolvedProvider", &echo.resolved_provider);
    out.put("resolvedModel", &echo.resolved_model);
    out.put("fallbackUsed", &echo.fallback_used);
    out.put("latencyMs", &echo.latency_ms);
    out.put("inputTokens", &usage.prompt());
    out.put("outputTokens", &usage.output);
    out.put("costUsd", &echo.cost_nanos.map(Dollars));
    out.finish()
}

/// The visible text of the first choice.
fn text(response: &ChatResponse) -> String {
    let parts = response.choices.first().map_or(&[][..], |choice| &choice.parts);
    parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text, .. } | Part::Refusal { text } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Nanodollars, written as dollars. A double is exact enough to print: it holds 15 digits.
struct Dollars(i64);

impl Serialize for Dollars {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e9)
    }
}

/// The codes in capitals, and the bare `Unauthorized`, are those of mcp-llm-bridge, whose users test for them.
fn refusal(fault: &Fault, request_id: &str) -> Bytes {
    let error = fault.client_message(request_id);
    let body = match fault {
        Fault::Malformed { at, .. } => json!({"error": error, "code": "VALIDATION_ERROR", "field": at}),
        Fault::NotFound { .. } => json!({"error": error, "code": "NOT_FOUND"}),
        Fault::TooLarge { .. } => json!({"error": error, "code": "PAYLOAD_TOO_LARGE"}),
        Fault::Unauthenticated { .. } => {
            json!({"error": "Unauthorized", "message": error, "code": fault.code()})
        }
        _ => json!({"error": error, "code": fault.code()}),
    };
    body.to_string().into()
}

/// Gathers a stream and writes it as one answer at its end.
struct Gather {
    echo: Echo,
    fold: Fold,
}

impl StreamWriter for Gather {
    fn write(&mut self, event: &Event, _: &mut BytesMut) {
        self.fold.push(event);
    }

    fn finish(&mut self, out: &mut BytesMut) {
        out.put(answer(&std::mem::take(&mut self.fold).finish(), &self.echo));
    }

    fn fail(&mut self, fault: &Fault, out: &mut BytesMut) {
        out.put(refusal(fault, &self.echo.request_id));
    }

    fn losses(&mut self) -> Vec<Loss> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::chat::{Choice, PartId, PartKind, Piece, StopReason};

    fn body(json: Value) -> RawObject {
        RawObject::parse(json.to_string().into()).unwrap()
    }

    fn field(json: Value) -> Option<String> {
        match Generate.peek(&Head::default(), &body(json)) {
            Err(Fault::Malformed { at, .. }) => at,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_bad_field_is_refused_by_name() {
        assert_eq!(field(json!({})).as_deref(), Some("prompt"));
        assert_eq!(field(json!({"prompt": ""})).as_deref(), Some("prompt"));
        assert_eq!(field(json!({"prompt": 5})).as_deref(), Some("prompt"));
        assert_eq!(field(json!({"prompt": "é".repeat(MAX_PROMPT + 1)})).as_deref(), Some("prompt"));
        for wrong in [json!(0), json!(-1), json!("9"), json!(1.5)] {
            assert_eq!(field(json!({"prompt": "x", "maxTokens": wrong})).as_deref(), Some("maxTokens"));
        }
        for key in ["system", "provider", "model", "project", "strict"] {
            assert_eq!(field(json!({"prompt": "x", key: 5})).as_deref(), Some(key));
        }
        assert!(
            Generate
                .peek(&Head::default(), &body(json!({"prompt": "é".repeat(MAX_PROMPT), "stream": "?"})))
                .is_ok()
        );
        let peek = |most: usize, prompt: &str| {
            let head = Head { longest_prompt: Some(most), ..Head::default() };
            Generate.peek(&head, &body(json!({ "prompt": prompt })))
        };
        assert!(peek(3, "ééé").is_ok() && peek(3, "éééé").is_err());
        assert!(peek(MAX_PROMPT + 1, &"x".repeat(MAX_PROMPT + 1)).is_ok());
    }

    #[test]
    fn prompt_and_system_become_turns() {
        let request = Generate
            .decode_request(&Head::default(), &body(json!({"prompt": "hi", "system": "be brief"})))
            .unwrap();
        assert_eq!(request.messages, [turn(Role::System, "be brief".into()), turn(Role::User, "hi".into())]);
        assert_eq!(request.max_output, Some(4096));
    }

    #[test]
    fn an_answer_states_every_field() {
        let usage = Usage { input: Some(3), output: Some(2), ..Usage::default() };
        let choice = Choice { parts: vec![Part::text("a"), Part::text("b")], ..Choice::default() };
        let response = ChatResponse { choices: vec![choice], usage: Some(usage), ..ChatResponse::default() };
        let echo = Echo {
            resolved_provider: "p".into(),
            resolved_model: "m".into(),
            cost_nanos: Some(1_500_000),
            ..Echo::default()
        };
        let written: Value = serde_json::from_slice(&answer(&response, &echo)).unwrap();
        let expected = json!({"text": "ab", "provider": "p", "model": "m", "tokensUsed": 5, "requestedProvider": null,
            "requestedModel": null, "resolvedProvider": "p", "resolvedModel": "m", "fallbackUsed": false,
            "latencyMs": null, "inputTokens": 3, "outputTokens": 2, "costUsd": 0.0015});
        assert_eq!(written, expected);
    }

    #[test]
    fn a_stream_is_gathered_into_one_answer() {
        let mut writer = Generate.stream_writer(Echo::default());
        let part = PartId(0);
        let mut out = BytesMut::new();
        for event in [
            Event::Open { part, choice: 0, kind: PartKind::Text },
            Event::Delta { part, piece: Piece::Text("whole".into()) },
            Event::Close { part },
            Event::Stop { choice: 0, stop: StopReason::End.into() },
        ] {
            writer.write(&event, &mut out);
        }
        assert!(out.is_empty());
        writer.finish(&mut out);
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap()["text"], "whole");
    }

    #[test]
    fn faults_state_code_and_field() {
        let told =
            |fault: &Fault| serde_json::from_slice::<Value>(&Generate.encode_fault(fault, "r").1).unwrap();
        let invalid = told(&Fault::malformed("prompt".to_owned(), "no"));
        assert_eq!(invalid, json!({"error": "no", "code": "VALIDATION_ERROR", "field": "prompt"}));
        assert_eq!(told(&Fault::Draining)["code"], "overloaded");
    }
}
