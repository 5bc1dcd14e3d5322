//! What requests of other dialects become.

use serde_json::json;
use wire::chat::{Message, Part, Role, ToolKind};
use wire::dialect::Dialect;

use super::*;

fn ask(messages: Value) -> Value {
    json!({"model": "m", "messages": messages})
}

fn body_of(messages: Value, profile: &Profile) -> (Value, Vec<String>) {
    let (body, encoded) = encoded(&of_chat(&ask(messages)), profile).unwrap();
    (body, codes(&encoded).into_iter().map(str::to_owned).collect())
}

#[test]
fn system_prompts_go_to_their_own_place_or_are_marked_in_mid_conversation() {
    let (body, lost) = body_of(
        json!([{"role": "system", "content": "a"}, {"role": "developer", "content": "b"},
            {"role": "user", "content": "c"}, {"role": "system", "content": "d"}]),
        &older(),
    );
    assert_eq!(body["systemInstruction"], json!({"parts": [{"text": "a"}, {"text": "b"}]}));
    let parts = json!([{"text": "c"}, {"text": "<system>d</system>"}]);
    assert_eq!(body["contents"], json!([{"role": "user", "parts": parts}]));
    assert_eq!(lost, ["system_moved"]);
}

#[test]
fn a_conversation_that_begins_with_the_model_gets_a_users_turn() {
    let messages = json!([{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]);
    let (body, lost) = body_of(messages, &older());
    assert_eq!(body["contents"][0], json!({"role": "user", "parts": [{"text": "Continue."}]}));
    assert_eq!(lost, ["user_added"]);
}

#[test]
fn a_request_without_words_of_a_user_is_refused() {
    let message = |role, text: &str| Message {
        role,
        parts: vec![Part::text(text)],
        name: None,
        extra: Default::default(),
    };
    for messages in [vec![], vec![message(Role::System, "s")], vec![message(Role::User, "")]] {
        let request = ChatRequest { messages, ..ChatRequest::default() };
        assert!(matches!(encoded(&request, &older()), Err(Fault::Malformed { .. })));
    }
}

fn tool_turns() -> Value {
    let call = |id: &str, name: &str, args: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": args}});
    json!([{"role": "user", "content": "go"},
        {"role": "assistant", "content": null, "tool_calls": [call("a", "f", "{\"x\":1}"), call("b", "g", "")]},
        {"role": "tool", "tool_call_id": "b", "content": "text"},
        {"role": "tool", "tool_call_id": "a", "content": "{\"y\":2}"},
        {"role": "user", "content": "and?"}])
}

#[test]
fn results_stand_in_one_turn_in_the_order_of_their_calls() {
    let (body, _) = body_of(tool_turns(), &older());
    let parts = body["contents"][2]["parts"].as_array().unwrap();
    assert_eq!(parts[0]["functionResponse"], json!({"id": "a", "name": "f", "response": {"y": 2}}));
    assert_eq!(parts[1]["functionResponse"], json!({"id": "b", "name": "g", "response": {"result": "text"}}));
    assert_eq!(parts[2], json!({"text": "and?"}));
}

#[test]
fn calls_of_other_models_have_the_value_that_stands_for_a_signature_where_one_is_demanded() {
    for may_demand in [newer(), older()] {
        let (body, _) = body_of(tool_turns(), &may_demand);
        let parts = &body["contents"][1]["parts"];
        assert_eq!(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
        assert_eq!(parts[1].get("thoughtSignature"), None);
    }
    let by_budget = vec![ReasoningOption::Budget { min: None, max: None }];
    let (body, _) = body_of(tool_turns(), &Profile { reasoning: by_budget, ..older() });
    assert_eq!(body["contents"][1]["parts"][0].get("thoughtSignature"), None);
}

#[test]
fn signatures_go_back_to_what_they_signed() {
    let ours = |text: &str, signature: &str| Part::Thinking {
        text: text.into(),
        signature: Some(signature.into()),
        encrypted: None,
        id: None,
        origin: Some(Dialect::Gemini.into()),
    };
    let call = |id: &str| Part::ToolCall {
        id: id.into(),
        name: "f".into(),
        args: "{}".into(),
        signature: None,
        kind: ToolKind::Function,
    };
    let message = |role, parts| Message { role, parts, name: None, extra: Default::default() };
    let parts = vec![
        ours("hm", "S1"),
        Part::text("a"),
        ours("", "S2"),
        Part::text("b"),
        ours("", "S3"),
        call("c"),
        call("d"),
    ];
    let messages = vec![message(Role::User, vec![Part::text("?")]), message(Role::Assistant, parts)];
    let request = ChatRequest { messages, ..ChatRequest::default() };
    let (body, encoded) = encoded(&request, &newer()).unwrap();
    let expected = json!([
        {"thought": true, "text": "hm", "thoughtSignature": "S1"},
        {"text": "a", "thoughtSignature": "S2"},
        {"text": "b"},
        {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "S3"},
        {"functionCall": {"id": "d", "name": "f", "args": {}}}]);
    assert_eq!(body["contents"][1]["parts"], expected);
    assert!(encoded.losses.is_empty());
}

#[test]
fn thoughts_of_other_families_are_dropped_and_never_shown() {
    let thought = Part::Thinking {
        text: "secret".into(),
        signature: Some("x".into()),
        encrypted: None,
        id: None,
        origin: Some(Dialect::AnthropicMessages.into()),
    };
    let message = |role, parts| Message { role, parts, name: None, extra: Default::default() };
    let messages = vec![
        message(Role::User, vec![Part::text("?")]),
        message(Role::Assistant, vec![thought, Part::text("a")]),
    ];
    let (body, encoded) = encoded(&ChatRequest { messages, ..ChatRequest::default() }, &newer()).unwrap();
    assert!(!body.to_string().contains("secret"));
    assert_eq!(codes(&encoded), ["thinking_dropped"]);
}

#[test]
fn images_stand_inside_or_are_linked() {
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url, "detail": "low"}});
    let content = json!([image("data:image/png;base64,iVBORw0KGgo="), image("https://x.example/a.webp?b=c")]);
    let (body, lost) = body_of(json!([{"role": "user", "content": content}]), &older());
    let parts = &body["contents"][0]["parts"];
    assert_eq!(parts[0], json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}));
    assert_eq!(
        parts[1],
        json!({"fileData": {"mimeType": "image/webp", "fileUri": "https://x.example/a.webp?b=c"}})
    );
    assert_eq!(body["generationConfig"]["mediaResolution"], "MEDIA_RESOLUTION_LOW");
    assert_eq!(lost, ["image_url"]);
}

#[test]
fn fields_are_named_as_here_or_said_to_be_lost() {
    let mut asked = ask(json!([{"role": "user", "content": "a", "name": "n"}]));
    let fields = json!({"temperature": 1.5, "top_p": 0.5, "max_tokens": 9, "stop": ["a", "b", "c", "d"], "seed": 3, "n": 2,
        "frequency_penalty": 0.1, "logprobs": true, "top_logprobs": 4, "logit_bias": {"1": 2}, "user": "u",
        "verbosity": "low", "parallel_tool_calls": false, "service_tier": "flex", "reasoning_effort": "low"});
    asked.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    asked["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    let (body, encoded) = encoded(&of_chat(&asked), &newer()).unwrap();
    let expected = json!({"temperature": 1.5, "topP": 0.5, "frequencyPenalty": 0.1, "seed": 3, "responseLogprobs": true,
        "logprobs": 4, "candidateCount": 2, "maxOutputTokens": 9, "stopSequences": ["a", "b", "c", "d"],
        "thinkingConfig": {"thinkingLevel": "low", "includeThoughts": true}});
    assert_eq!(body["generationConfig"], expected);
    let mut lost = codes(&encoded);
    lost.sort_unstable();
    let expected = [
        "field:logit_bias",
        "field:name",
        "field:service_tier",
        "field:user",
        "field:verbosity",
        "parallel_tool_calls",
    ];
    assert_eq!(lost, expected);
}

#[test]
fn choices_are_modes_of_calling() {
    let tool =
        |name: &str, strict: bool| json!({"type": "function", "function": {"name": name, "strict": strict}});
    let config = |choice: Value, strict: bool| {
        let mut asked = ask(json!([{"role": "user", "content": "a"}]));
        asked["tools"] = json!([tool("f", strict), tool("g h", false)]);
        asked["tool_choice"] = choice;
        let (body, encoded) = encoded(&of_chat(&asked), &older()).unwrap();
        assert_eq!(encoded.undo.tool_names.get("g_h").map(String::as_str), Some("g h"));
        body["toolConfig"]["functionCallingConfig"].clone()
    };
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    assert_eq!(config(json!("auto"), false), json!({"mode": "AUTO"}));
    assert_eq!(config(json!("auto"), true), json!({"mode": "VALIDATED"}));
    assert_eq!(config(Value::Null, false), Value::Null);
    assert_eq!(config(json!("none"), false), json!({"mode": "NONE"}));
    assert_eq!(config(json!("required"), false), json!({"mode": "ANY"}));
    assert_eq!(config(named("g h"), false), json!({"mode": "ANY", "allowedFunctionNames": ["g_h"]}));
    let some = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named("f")]}});
    assert_eq!(config(some, false), json!({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}));
}

#[test]
fn schemas_are_cut_for_older_targets_only() {
    let mut asked = ask(json!([{"role": "user", "content": "a"}]));
    let schema = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "additionalProperties": false});
    asked["tools"] = json!([{"type": "function", "function": {"name": "f", "parameters": schema}},
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}}]);
    asked["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "r", "schema": schema}});
    let (body, encoded_plain) = encoded(&of_chat(&asked), &older()).unwrap();
    assert_eq!(body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"], schema);
    assert_eq!(body["generationConfig"]["responseJsonSchema"], schema);
    assert!(encoded_plain.losses.is_empty());
    let profile = Profile { open_api_schemas: true, ..older() };
    let (body, encoded_cut) = encoded(&of_chat(&asked), &profile).unwrap();
    let cut = json!({"type": "object", "properties": {"a": {"type": "string", "nullable": true}}});
    assert_eq!(body["tools"][0]["functionDeclarations"][0]["parameters"], cut);
    assert_eq!(body["tools"][0]["functionDeclarations"][1].get("parameters"), None);
    assert_eq!(body["generationConfig"]["responseSchema"], cut);
    assert_eq!(codes(&encoded_cut), ["schema", "schema"]);
}

#[test]
fn media_of_results_stand_inside_for_newer_models_and_after_all_results_for_older_ones() {
    let image = Part::Image {
        source: wire::chat::MediaSource::Base64 { mime: "image/png".into(), data: "iVBORw0KGgo=".into() },
        detail: None,
        cache: None,
    };
    let mut request = of_chat(&ask(tool_turns()));
    let Part::ToolResult { parts, .. } = &mut request.messages[2].parts[0] else { panic!("not a result") };
    parts.push(image);
    let (body, _) = encoded(&request, &newer()).unwrap();
    let inside = &body["contents"][2]["parts"][1]["functionResponse"]["parts"][0];
    assert_eq!(inside["inlineData"]["mimeType"], "image/png");
    let (body, encoded) = encoded(&request, &older()).unwrap();
    let parts = body["contents"][2]["parts"].as_array().unwrap();
    assert!(parts[0].get("functionResponse").is_some() && parts[1].get("functionResponse").is_some());
    assert!(parts[2].get("inlineData").is_some());
    assert!(codes(&encoded).contains(&"tool_media"));
}

#[test]
fn what_only_another_account_or_provider_has_is_refused() {
    let file = json!([{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]);
    assert!(matches!(encoded(&of_chat(&ask(file)), &older()), Err(Fault::Unsupported { .. })));
    let mut asked = ask(json!([{"role": "user", "content": "a"}]));
    asked["tools"] = json!([{"type": "computer_use"}]);
    assert!(matches!(encoded(&of_chat(&asked), &older()), Err(Fault::Unsupported { .. })));
    let mut asked = ask(json!([{"role": "user", "content": "a"}]));
    asked["modalities"] = json!(["text", "audio"]);
    assert!(matches!(encoded(&of_chat(&asked), &older()), Err(Fault::Unsupported { .. })));
}

#[test]
fn web_search_crosses_and_stands_beside_functions_where_the_model_takes_both() {
    let mut request = of_chat(&ask(json!([{"role": "user", "content": "a"}])));
    let tool = |name: &str, kind| wire::chat::Tool {
        name: name.into(),
        description: None,
        kind,
        parameters: None,
        strict: None,
        cache: None,
        raw: None,
    };
    request.tools = vec![tool("web_search_preview", ToolKind::BuiltIn)];
    let (body, alone) = encoded(&request, &older()).unwrap();
    assert_eq!((&body["tools"], codes(&alone)), (&json!([{"googleSearch": {}}]), vec!["web_search"]));
    request.tools.push(tool("f", ToolKind::Function));
    let (body, _) = encoded(&request, &newer()).unwrap();
    assert_eq!(body["tools"][1]["functionDeclarations"][0]["name"], "f");
    assert_eq!(body["toolConfig"]["includeServerSideToolInvocations"], true);
    assert!(matches!(encoded(&request, &older()), Err(Fault::Unsupported { .. })));
}

#[test]
fn free_text_tools_are_wrapped_and_unwrapped() {
    let mut asked = ask(json!([{"role": "user", "content": "a"}]));
    asked["tools"] = json!([{"type": "custom", "custom": {"name": "sh", "description": "runs"}}]);
    let (body, encoded) = encoded(&of_chat(&asked), &older()).unwrap();
    let declared = &body["tools"][0]["functionDeclarations"][0];
    assert_eq!(declared["parameters"]["required"], json!(["input"]));
    let answer = json!({"candidates": [{"finishReason": "STOP", "content": {"parts": [
        {"functionCall": {"name": "sh", "args": {"input": "ls\n"}}}]}}]});
    let response = Gemini.decode_response(answer.to_string().as_bytes(), &encoded.undo).unwrap();
    let Part::ToolCall { args, kind, .. } = &response.choices[0].parts[0] else { panic!("not a call") };
    assert_eq!((args.as_str(), *kind), ("ls\n", ToolKind::Custom));
}
