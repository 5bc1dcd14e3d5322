//! Canonical requests as Responses.

use serde_json::{Value, json};
use wire::chat::{
    ChatRequest, Effort, Extra, MediaSource, Message, OutputFormat, Part, Profile, ReasoningOption, Role,
    Sampling, Thinking, Tool, ToolChoice, ToolKind,
};
use wire::openai_chat::OpenAiChat;
use wire::{Dialect, Head, RawObject, Surface, WireId};

use super::encode;
use crate::{fixtures, responses_input_grammar as grammar, responses_recording};

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None, extra: Extra::default() }
}

fn asks(messages: Vec<Message>) -> ChatRequest {
    ChatRequest { model: "m".into(), messages, ..ChatRequest::default() }
}

fn hello() -> ChatRequest {
    asks(vec![message(Role::User, vec![Part::text("Hello")])])
}

fn profile() -> Profile {
    Profile::unknown("openai", "gpt")
}

fn sent(request: &ChatRequest, profile: &Profile) -> (Value, Vec<String>) {
    let encoded = encode(request, WireId::OpenAiResponses, profile);
    let body = serde_json::from_slice(&encoded.body).unwrap();
    grammar::check("request", &body);
    (body, encoded.losses.iter().map(|loss| loss.code.to_string()).collect())
}

fn call(id: &str, kind: ToolKind) -> Part {
    Part::ToolCall { id: id.into(), name: "f".into(), args: "{}".into(), signature: None, kind }
}

fn result(call_id: &str, parts: Vec<Part>, is_error: bool) -> Message {
    let part = Part::ToolResult { call_id: call_id.into(), name: None, parts, is_error, cache: None };
    message(Role::Tool, vec![part])
}

#[test]
fn a_system_prompt_at_the_beginning_is_instructions_and_nothing_is_stored() {
    let mut request = hello();
    request.messages.insert(0, message(Role::System, vec![Part::text("be kind")]));
    request.messages.push(message(Role::System, vec![Part::text("later")]));
    let (body, losses) = sent(&request, &profile());
    assert_eq!((&body["instructions"], &body["store"]), (&json!("be kind"), &json!(false)));
    assert_eq!(body["input"][1], json!({"type": "message", "role": "system", "content": "later"}));
    assert_eq!(losses, Vec::<String>::new());
}

#[test]
fn results_follow_all_calls_and_texts_precede_them() {
    let request = asks(vec![
        message(Role::User, vec![Part::text("go")]),
        message(
            Role::Assistant,
            vec![call("a", ToolKind::Function), Part::text("and"), call("b", ToolKind::Custom)],
        ),
        result("a", vec![Part::text("1")], true),
        result("b", vec![Part::text("2"), Part::text("3")], false),
    ]);
    let (body, losses) = sent(&request, &profile());
    let kinds: Vec<&str> =
        body["input"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    let outputs = ["function_call_output", "custom_tool_call_output"];
    assert_eq!(kinds[..4], ["message", "message", "function_call", "custom_tool_call"]);
    assert_eq!((&kinds[4..], body["input"][4]["output"].as_str()), (&outputs[..], Some("1")));
    assert_eq!(losses, ["block_order", "is_error"]);
}

#[test]
fn thoughts_of_this_family_are_replayed_and_all_others_dropped() {
    let thought = |encrypted: Option<&str>, id: &str, dialect: Dialect| Part::Thinking {
        text: "hm".into(),
        signature: None,
        encrypted: encrypted.map(str::to_owned),
        id: Some(id.into()),
        origin: Some(dialect.into()),
    };
    let request = asks(vec![
        message(Role::User, vec![Part::text("go")]),
        message(
            Role::Assistant,
            vec![
                thought(Some("gA"), "rs_1", Dialect::OpenAiResponses),
                thought(None, "rs_2", Dialect::OpenAiResponses),
                thought(None, "0a1b", Dialect::OpenAiResponses),
                thought(Some("gA"), "x", Dialect::OpenAiChat),
                Part::text("so"),
            ],
        ),
        message(Role::User, vec![Part::text("on")]),
    ]);
    let (body, losses) = sent(&request, &profile());
    let sealed = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gA",
        "summary": [{"type": "summary_text", "text": "hm"}]});
    let plain = json!({"type": "reasoning", "id": "0a1b", "summary": [],
        "content": [{"type": "reasoning_text", "text": "hm"}]});
    assert_eq!((&body["input"][1], &body["input"][2]), (&sealed, &plain));
    assert_eq!(losses, ["thinking_dropped", "thinking_dropped"]);
}

#[test]
fn media_has_its_form_here_and_ids_of_another_account_are_refused() {
    let base64 = |mime: &str| MediaSource::Base64 { mime: mime.into(), data: "AAAA".into() };
    let image = |source| Part::Image { source, detail: None, cache: None };
    let file = |source| Part::File { source, name: None, cache: None };
    let parts = vec![
        image(base64("image/png")),
        file(base64("application/pdf")),
        file(MediaSource::Url("https://example.com/a.pdf".into())),
        Part::Audio { data: "AAAA".into(), format: "wav".into() },
    ];
    let (body, losses) = sent(&asks(vec![message(Role::User, parts)]), &profile());
    let content = &body["input"][0]["content"];
    assert_eq!(content[0]["image_url"], "data:image/png;base64,AAAA");
    assert_eq!(
        content[1],
        json!({"type": "input_file", "filename": "document.pdf",
        "file_data": "data:application/pdf;base64,AAAA"})
    );
    assert_eq!(content[2]["file_url"], "https://example.com/a.pdf");
    assert_eq!(losses, Vec::<String>::new());
    for part in [
        image(MediaSource::FileId { of: Dialect::OpenAiChat, id: "f".into() }),
        file(MediaSource::FileId { of: Dialect::OpenAiChat, id: "f".into() }),
    ] {
        let request = asks(vec![message(Role::User, vec![part])]);
        let fault = WireId::OpenAiResponses.wire().encode_request(&request, &profile()).unwrap_err();
        assert_eq!((fault.code(), fault.param()), ("unsupported", Some("messages[0].content[0]")));
    }
}

#[test]
fn what_cannot_be_said_here_is_a_loss_or_refused() {
    let mut request = hello();
    request.stop = vec!["END".into()];
    request.max_output = Some(5);
    request.sampling = Sampling { seed: Some(1), frequency_penalty: Some(1.0), ..Sampling::default() };
    request.metadata = Some(json!({"a": "b"}));
    let encoded = encode(&request, WireId::OpenAiResponses, &profile());
    let losses: Vec<&str> = encoded.losses.iter().map(|loss| loss.code.as_ref()).collect();
    assert_eq!(losses, ["clamp", "stop_emulated", "field:frequency_penalty", "field:seed", "field:metadata"]);
    assert_eq!(encoded.undo.stops, ["END"]);
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!((&body["max_output_tokens"], body.get("stop")), (&json!(16), None));
    request.sampling.n = Some(2);
    let fault = WireId::OpenAiResponses.wire().encode_request(&request, &profile()).unwrap_err();
    assert_eq!((fault.code(), fault.param()), ("unsupported", Some("n")));
}

#[test]
fn thoughts_are_asked_for_sealed_where_the_model_thinks() {
    let mut request = hello();
    request.thinking = Some(Thinking { effort: Some(Effort::Max), budget: None, show: Some(true) });
    let levels =
        Profile { reasoning: vec![ReasoningOption::Effort(vec![Effort::Low, Effort::High])], ..profile() };
    let (body, losses) = sent(&request, &levels);
    assert_eq!(body["reasoning"], json!({"effort": "high", "summary": "auto"}));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(losses, ["effort"]);
    let (body, _) = sent(&hello(), &profile());
    assert_eq!((body.get("include"), body.get("reasoning")), (None, None));
}

#[test]
fn tools_are_flat_and_lenient_and_only_web_search_crosses() {
    let tool = |name: &str, kind, raw| Tool {
        name: name.into(),
        description: None,
        kind,
        parameters: None,
        strict: None,
        cache: None,
        raw,
    };
    let searches =
        Some((Dialect::AnthropicMessages, json!({"type": "web_search_20250305", "name": "web_search"})));
    let mut request = hello();
    request.tools = vec![
        tool("a.b", ToolKind::Function, None),
        tool("p", ToolKind::Custom, None),
        tool("web_search", ToolKind::BuiltIn, searches),
    ];
    request.tool_choice = Some(ToolChoice::One("a.b".into()));
    let (body, losses) = sent(&request, &profile());
    let alias = body["tools"][0]["name"].as_str().unwrap();
    assert_eq!(
        body["tools"][0],
        json!({"type": "function", "name": alias, "strict": false,
        "parameters": {"type": "object", "properties": {}}})
    );
    assert_eq!(body["tools"][2], json!({"type": "web_search"}));
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": alias}));
    assert_eq!(losses, ["web_search"]);
    request.tools = vec![tool("computer", ToolKind::BuiltIn, Some((Dialect::AnthropicMessages, json!({}))))];
    let fault = WireId::OpenAiResponses.wire().encode_request(&request, &profile()).unwrap_err();
    assert_eq!(fault.param(), Some("tools.0"));
}

#[test]
fn a_form_goes_as_text_format_and_in_words_where_the_model_has_no_schemas() {
    let mut request = hello();
    let schema = serde_json::value::to_raw_value(&json!({"type": "object"})).unwrap();
    request.format =
        Some(OutputFormat::JsonSchema { name: None, description: None, schema, strict: Some(true) });
    let (body, _) = sent(&request, &profile());
    let expected =
        json!({"type": "json_schema", "name": "response", "schema": {"type": "object"}, "strict": true});
    assert_eq!(body["text"]["format"], expected);
    let mut plain = profile();
    plain.abilities.structured_output = false;
    let (body, losses) = sent(&request, &plain);
    assert_eq!(body["text"]["format"], json!({"type": "json_object"}));
    assert!(body["input"][0]["content"].as_str().unwrap().contains(r#"{"type":"object"}"#));
    assert_eq!(losses, ["json_schema"]);
}

#[test]
fn recorded_requests_of_openai_chat_become_legal_ones() {
    let mut lines = Vec::new();
    for fixture in fixtures::all("openai.chat") {
        let Some(body) = fixture.request.as_object() else { continue };
        let body = RawObject::parse(serde_json::to_vec(body).unwrap().into()).unwrap();
        let id = responses_recording::named(&fixture.id);
        let Ok(request) = OpenAiChat.decode_request(&Head::default(), &body) else { continue };
        lines.push(match WireId::OpenAiResponses.wire().encode_request(&request, &profile()) {
            Ok(encoded) => {
                grammar::check(&fixture.id, &serde_json::from_slice(&encoded.body).unwrap());
                let losses: Vec<_> =
                    encoded.losses.iter().map(|loss| format!("{} at {}", loss.code, loss.at)).collect();
                format!("{id} losses {losses:?}")
            }
            Err(fault) => format!("{id} refused: {}: {fault}", fault.param().unwrap_or("-")),
        });
    }
    insta::assert_snapshot!(lines.join("\n"));
}
