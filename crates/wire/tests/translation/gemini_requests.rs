//! Requests read from clients of Gemini, and written for its servers: legal by an independent checker.

mod encoded;
mod read;

use bytes::Bytes;
use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{ChatRequest, Effort, Encoded, Profile, ReasoningOption};
use wire::gemini::Gemini;
use wire::openai_chat::OpenAiChat;
use wire::{Fault, Head, RawObject, Surface, Wire};

use super::fixtures::{self, Fixture};
use super::gemini_answers::DIALECT;
use super::gemini_grammar;

fn head() -> Head {
    Head { model: Some("gemini".into()), ..Head::default() }
}

fn object(body: &Value) -> RawObject {
    RawObject::parse(Bytes::from(body.to_string())).unwrap()
}

fn decoded(body: &Value) -> Result<ChatRequest, Fault> {
    Gemini.decode_request(&head(), &object(body))
}

fn of_chat(body: &Value) -> ChatRequest {
    OpenAiChat.decode_request(&Head::default(), &object(body)).unwrap()
}

/// A model that thinks by levels, as the newer ones do.
fn newer() -> Profile {
    let levels = vec![Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];
    Profile { reasoning: vec![ReasoningOption::Effort(levels)], ..older() }
}

fn older() -> Profile {
    Profile { reasoning: vec![ReasoningOption::Budget { min: None, max: None }], ..unknown() }
}

fn unknown() -> Profile {
    Profile::unknown("google", "gemini")
}

fn encoded(request: &ChatRequest, profile: &Profile) -> Result<(Value, Encoded), Fault> {
    let encoded = Gemini.encode_request(request, profile)?;
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let levels = profile.reasoning.iter().any(|option| matches!(option, ReasoningOption::Effort(_)));
    gemini_grammar::check_request("case", &body, levels);
    Ok((body, encoded))
}

fn codes(encoded: &Encoded) -> Vec<&str> {
    encoded.losses.iter().map(|loss| loss.code.as_ref()).collect()
}

/// One line: the losses of a translation, or why it is refused.
fn line(fixture: &Fixture, request: Result<ChatRequest, Fault>, profile: &Profile) -> String {
    let request = match request {
        Ok(request) => request,
        Err(fault) => {
            return format!("{} not read: {}: {fault}", fixture.id, fault.param().unwrap_or("-"));
        }
    };
    match encoded(&request, profile) {
        Ok((_, encoded)) => {
            let losses: Vec<_> =
                encoded.losses.iter().map(|loss| format!("{} at {}", loss.code, loss.at)).collect();
            format!("{} losses {losses:?}", fixture.id)
        }
        Err(fault) => format!("{} refused: {}: {fault}", fixture.id, fault.param().unwrap_or("-")),
    }
}

#[test]
fn openai_chat_to_gemini() {
    let read = |fixture: &Fixture| OpenAiChat.decode_request(&Head::default(), &object(&fixture.request));
    let fixtures = fixtures::all("openai.chat").into_iter().filter(|fixture| fixture.request.is_object());
    let lines: Vec<_> = fixtures.map(|fixture| line(&fixture, read(&fixture), &newer())).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn anthropic_messages_to_gemini() {
    let read =
        |fixture: &Fixture| AnthropicMessages.decode_request(&Head::default(), &object(&fixture.request));
    let fixtures =
        fixtures::all("anthropic.messages").into_iter().filter(|fixture| fixture.request.is_object());
    let lines: Vec<_> = fixtures.map(|fixture| line(&fixture, read(&fixture), &newer())).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// What a client of Messages sends back of a recorded answer of Gemini carries all signatures to where they came from.
#[test]
fn signatures_survive_a_client_of_messages() {
    let seals = |parts: &Value| -> Vec<String> {
        let parts = parts.as_array().into_iter().flatten();
        let opaque = |part: &&Value| {
            part.get("executableCode").is_none()
                && part.get("toolCall").is_none()
                && part.get("toolResponse").is_none()
        };
        parts.filter(opaque).filter_map(|part| Some(part["thoughtSignature"].as_str()?.to_owned())).collect()
    };
    let mut sealed = 0;
    for fixture in fixtures::whole(DIALECT).filter(|fixture| fixture.json()["candidates"].is_array()) {
        let response = Gemini.decode_response(&fixture.body(), &Default::default()).unwrap();
        let answer = AnthropicMessages.encode_response(&response, &Default::default(), &mut Vec::new());
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        if answer["content"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let body = json!({"model": "m", "max_tokens": 9, "thinking": {"type": "adaptive"}, "messages": [
            {"role": "user", "content": "?"}, {"role": "assistant", "content": answer["content"]}]});
        let request = AnthropicMessages.decode_request(&Head::default(), &object(&body)).unwrap();
        let (again, _) = encoded(&request, &newer()).unwrap();
        let recorded = seals(&fixture.json()["candidates"][0]["content"]["parts"]);
        sealed += recorded.len();
        assert_eq!(seals(&again["contents"][1]["parts"]), recorded, "{}", fixture.id);
    }
    assert!(sealed > 5, "{sealed}");
}

#[test]
fn gemini_to_gemini() {
    let lines: Vec<_> = fixtures::all(DIALECT)
        .iter()
        .map(|fixture| line(fixture, decoded(&fixture.request), &newer()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// What another dialect's server is sent of a request of this one.
fn lines_of(wire: &dyn Wire) -> String {
    let line = |fixture: Fixture| {
        let request = match decoded(&fixture.request) {
            Ok(request) => request,
            Err(fault) => return format!("{} not read: {fault}", fixture.id),
        };
        match wire.encode_request(&request, &Profile::unknown("p", "m")) {
            Ok(encoded) => format!("{} losses {:?}", fixture.id, codes(&encoded)),
            Err(fault) => format!("{} refused: {fault}", fixture.id),
        }
    };
    fixtures::all(DIALECT).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn gemini_to_openai_chat() {
    insta::assert_snapshot!(lines_of(&OpenAiChat));
}

#[test]
fn gemini_to_anthropic_messages() {
    insta::assert_snapshot!(lines_of(&AnthropicMessages));
}

/// The text of all parts of all turns.
fn texts(body: &Value) -> String {
    let turns = body["contents"].as_array().into_iter().flatten();
    let parts = turns.flat_map(|turn| turn["parts"].as_array().into_iter().flatten());
    parts.filter_map(|part| part["text"].as_str()).collect()
}

#[test]
fn a_recorded_request_written_again_says_the_same() {
    for fixture in fixtures::all(DIALECT) {
        let Ok(request) = decoded(&fixture.request) else { continue };
        let (body, encoded) = encoded(&request, &older()).unwrap();
        let lost = codes(&encoded);
        assert!(
            lost.iter().all(|code| *code == "image_url" || *code == "tool_media"),
            "{}: {lost:?}",
            fixture.id
        );
        assert_eq!(texts(&body), texts(&fixture.request), "{}", fixture.id);
        let signatures = |text: String| {
            let body: Value = serde_json::from_str(&text).unwrap();
            let turns = body["contents"].as_array().unwrap().clone();
            let parts =
                turns.into_iter().flat_map(|turn| turn["parts"].as_array().cloned().unwrap_or_default());
            let of_part = |part: Value| {
                let names = ["thoughtSignature", "thought_signature"];
                let signature = names.iter().find_map(|name| part[name].as_str()).map(str::to_owned);
                // The value that stands for a signature, in base64 and in plain.
                signature.filter(|text| !text.starts_with("c2tpcF90") && !text.starts_with("skip_thought"))
            };
            parts.filter_map(of_part).collect::<Vec<_>>()
        };
        assert_eq!(signatures(body.to_string()), signatures(fixture.request.to_string()), "{}", fixture.id);
    }
}

#[test]
fn what_is_read_again_of_a_written_request_is_the_same() {
    for fixture in fixtures::all(DIALECT) {
        let Ok(request) = decoded(&fixture.request) else { continue };
        let (body, _) = encoded(&request, &newer()).unwrap();
        let again = decoded(&body).unwrap();
        assert_eq!(again.sampling, request.sampling, "{}", fixture.id);
        assert_eq!((again.max_output, again.stop), (request.max_output, request.stop), "{}", fixture.id);
        assert_eq!(again.extra, request.extra, "{}", fixture.id);
        assert_eq!(again.tools.len(), request.tools.len(), "{}", fixture.id);
        assert_eq!(again.format.is_some(), request.format.is_some(), "{}", fixture.id);
    }
}

#[test]
fn both_spellings_of_names_mean_the_same() {
    let camel = json!({"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]}],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "generationConfig": {"maxOutputTokens": 5, "stopSequences": ["x"], "thinkingConfig": {"thinkingBudget": 7}},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}});
    let snake = json!({"contents": [{"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGgo"}}]}],
        "system_instruction": {"parts": [{"text": "s"}]},
        "generation_config": {"max_output_tokens": 5, "stop_sequences": ["x"], "thinking_config": {"thinking_budget": 7}},
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}}});
    let (camel, snake) = (decoded(&camel).unwrap(), decoded(&snake).unwrap());
    assert_eq!(camel.messages, snake.messages);
    assert_eq!((camel.max_output, &camel.stop, &camel.thinking), (Some(5), &snake.stop, &snake.thinking));
    assert_eq!((camel.tools.len(), &camel.tool_choice), (1, &snake.tool_choice));
    assert_eq!(camel.extra, snake.extra);
}
