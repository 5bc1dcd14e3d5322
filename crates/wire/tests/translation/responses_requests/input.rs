//! Bodies of clients, read.

use serde_json::json;
use wire::chat::{MediaSource, Part, Role, ToolChoice, ToolKind, custody};
use wire::dialect::Echo;
use wire::openai_responses::OpenAiResponses;
use wire::{Dialect, Head, RawObject, Surface, WireId};

use super::{decoded, of_input, refusal, translated};

#[test]
fn a_string_is_what_the_user_says_and_instructions_come_first() {
    let request = decoded(&json!({"model": "m", "input": "hi", "instructions": "be kind"})).unwrap();
    let said: Vec<_> = request.messages.iter().map(|turn| (turn.role, turn.parts.clone())).collect();
    let expected = [(Role::System, vec![Part::text("be kind")]), (Role::User, vec![Part::text("hi")])];
    assert_eq!(said, expected);
}

#[test]
fn what_the_model_did_between_two_questions_is_one_turn() {
    let request = decoded(&of_input(&json!([
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gA"},
        {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "commentary",
            "content": [{"type": "output_text", "text": "wait", "annotations": []}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"},
            {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"}]}
    ])));
    let messages = request.unwrap().messages;
    let roles: Vec<Role> = messages.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::Tool, Role::Tool]);
    let kinds = messages[1].parts.iter().map(|part| match part {
        Part::Thinking { text, encrypted, .. } => format!("{text} {}", encrypted.as_deref().unwrap_or("-")),
        Part::Text { text, .. } => text.clone(),
        Part::ToolCall { id, kind, args, .. } => format!("{id} {kind:?} {args}"),
        other => panic!("{other:?}"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["hm gA", "wait", "c1 Function {}", "c2 Custom *** Begin"]);
    assert_eq!(messages[1].extra.fields["phase"], "commentary");
    assert!(!messages[1].extra.fields.contains_key("status"));
    let Part::ToolResult { parts, .. } = &messages[3].parts[0] else { panic!() };
    assert!(
        matches!(&parts[1], Part::Image { source: MediaSource::Base64 { mime, .. }, .. } if mime == "image/png")
    );
}

#[test]
fn state_of_another_server_is_refused_and_so_is_nonsense() {
    for key in ["previous_response_id", "conversation", "prompt"] {
        let mut body = of_input(&json!("hi"));
        body[key] = json!("x_1");
        assert_eq!(refusal(&body).0, key);
    }
    let mut background = of_input(&json!("hi"));
    background["background"] = json!(true);
    assert_eq!(refusal(&background).0, "background");
    let cases = [
        (json!([{"type": "item_reference", "id": "msg_1"}]), "input.0"),
        (json!([{"role": "user", "content": [{"type": "input_text"}]}]), "input.0.content.0.text"),
        (json!([{"role": "user"}]), "input.0.content"),
        (json!([{"role": "user", "content": 7}]), "input.0.content"),
        (json!([{"type": "function_call_output", "call_id": "c", "output": "x"}]), "input.0.call_id"),
        (json!([{"type": "function_call", "call_id": "c", "arguments": "{}"}]), "input.0.name"),
    ];
    for (input, at) in cases {
        assert_eq!(refusal(&of_input(&input)).0, at, "{input}");
    }
}

#[test]
fn a_peek_checks_the_types_at_the_top_and_the_roles() {
    let peek = |body: &serde_json::Value| {
        let body = RawObject::parse(body.to_string().into()).unwrap();
        OpenAiResponses.peek(&Head::default(), &body)
    };
    let seen = peek(&json!({"model": "m", "input": "hi", "stream": true, "max_output_tokens": 9})).unwrap();
    assert_eq!((seen.model.as_deref(), seen.stream, seen.max_output), (Some("m"), true, Some(9)));
    assert!(peek(&json!({"model": "m", "previous_response_id": "resp_1"})).is_ok());
    let cases = [
        (json!({"model": "m"}), "input"),
        (json!({"model": "m", "input": []}), "input"),
        (json!({"model": "m", "input": {}}), "input"),
        (json!({"model": 1, "input": "x"}), "model"),
        (json!({"input": [{"role": "tool", "content": "x"}]}), "input.0.role"),
        (json!({"input": [{"content": "x"}]}), "input.0.role"),
        (json!({"input": [7]}), "input.0"),
        (json!({"input": "x", "max_output_tokens": 0}), "max_output_tokens"),
        (json!({"input": "x", "temperature": 3}), "temperature"),
        (json!({"input": "x", "store": "no"}), "store"),
    ];
    for (body, at) in cases {
        assert_eq!(peek(&body).unwrap_err().param(), Some(at), "{body}");
    }
}

#[test]
fn tools_of_a_namespace_are_flat_elsewhere_and_calls_get_their_two_names_back() {
    let tools = json!([
        {"type": "function", "name": "shell", "parameters": {"type": "object"}, "strict": false},
        {"type": "namespace", "name": "mcp__files__", "tools": [
            {"type": "function", "name": "read", "description": "Reads.", "parameters": {"type": "object"}}]},
        {"type": "web_search"}]);
    let body = json!({"model": "m", "tools": tools, "tool_choice": {"type": "function", "name": "shell"}, "input": [
        {"role": "user", "content": "go"},
        {"type": "function_call", "call_id": "c", "namespace": "mcp__files__", "name": "read", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "text"}]});
    let (sent, losses) = translated(&body, WireId::OpenAiChat);
    assert_eq!(sent["tools"][1]["function"]["name"], "mcp__files__read");
    assert_eq!(sent["messages"][1]["tool_calls"][0]["function"]["name"], "mcp__files__read");
    assert_eq!((sent["tools"].as_array().unwrap().len(), losses), (2, vec!["web_search".to_owned()]));

    let raw = RawObject::parse(body.to_string().into()).unwrap();
    let echo = Echo { request_fields: OpenAiResponses.echoed(&raw), ..Echo::default() };
    let call = Part::ToolCall {
        id: "c2".into(),
        name: "mcp__files__read".into(),
        args: "{}".into(),
        signature: None,
        kind: ToolKind::Function,
    };
    let choice = wire::chat::Choice { parts: vec![call], ..Default::default() };
    let response = wire::chat::ChatResponse { choices: vec![choice], ..Default::default() };
    let answer = OpenAiResponses.encode_response(&response, &echo, &mut Vec::new());
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let item = &answer["output"][0];
    assert_eq!((&item["namespace"], &item["name"]), (&json!("mcp__files__"), &json!("read")));
    assert_eq!(answer["tools"], tools);
}

#[test]
fn choices_among_tools_are_read_in_all_their_forms() {
    let allowed =
        json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]});
    let cases = [
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!("required"), ToolChoice::Any),
        (json!({"type": "function", "name": "f"}), ToolChoice::One("f".into())),
        (json!({"type": "custom", "name": "p"}), ToolChoice::One("p".into())),
        (json!({"type": "web_search"}), ToolChoice::One("web_search".into())),
        (allowed, ToolChoice::Some { names: vec!["f".into()], must: true }),
    ];
    for (given, expected) in cases {
        let mut body = of_input(&json!("hi"));
        body["tool_choice"] = given;
        assert_eq!(decoded(&body).unwrap().tool_choice, Some(expected));
    }
    let mut body = of_input(&json!("hi"));
    body["tool_choice"] = json!("perhaps");
    assert_eq!(refusal(&body).0, "tool_choice");
}

#[test]
fn thoughts_of_another_family_return_to_it_from_their_wrapper() {
    let (signature, origin) = (Some("sig".to_owned()), Some(Dialect::AnthropicMessages.into()));
    let thought = Part::Thinking { text: String::new(), signature, encrypted: None, id: None, origin };
    let wrapped = custody::wrap(Dialect::AnthropicMessages, &thought).unwrap();
    let body = of_input(&json!([
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": wrapped,
            "summary": [{"type": "summary_text", "text": "shown"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"}]));
    let (sent, losses) = translated(&body, WireId::AnthropicMessages);
    let block = &sent["messages"][1]["content"][0];
    assert_eq!(block, &json!({"type": "thinking", "thinking": "shown", "signature": "sig"}));
    assert_eq!(losses, Vec::<String>::new());
    // To its own family it would be nonsense.
    let (sent, losses) = translated(&body, WireId::OpenAiResponses);
    assert!(sent["input"].as_array().unwrap().iter().all(|item| item["type"] != "reasoning"));
    assert_eq!(losses, ["thinking_dropped"]);
}

#[test]
fn the_signature_of_a_call_comes_back_on_its_call() {
    let call = Part::ToolCall {
        id: "c".into(),
        name: "f".into(),
        args: "{}".into(),
        signature: Some("sig".into()),
        kind: ToolKind::Function,
    };
    let choice = wire::chat::Choice { parts: vec![call.clone()], ..Default::default() };
    let response = wire::chat::ChatResponse { choices: vec![choice], ..Default::default() };
    let answer = OpenAiResponses.encode_response(&response, &Echo::default(), &mut Vec::new());
    let mut input = serde_json::from_slice::<serde_json::Value>(&answer).unwrap()["output"].clone();
    assert_eq!(input[1]["type"], "reasoning");
    let result = json!({"type": "function_call_output", "call_id": "c", "output": "x"});
    input.as_array_mut().unwrap().push(result);
    let request = decoded(&of_input(&input)).unwrap();
    assert_eq!(request.messages[0].parts, [call]);
}

#[test]
fn fields_without_a_name_elsewhere_are_losses_and_defaults_are_not() {
    let body = json!({"model": "m", "input": "hi", "store": true, "include": ["reasoning.encrypted_content"],
        "truncation": "disabled", "stream_options": {"include_obfuscation": false}, "background": false,
        "previous_response_id": null});
    assert_eq!(translated(&body, WireId::OpenAiChat).1, Vec::<String>::new());
    let body = json!({"model": "m", "input": "hi", "truncation": "auto", "max_tool_calls": 3,
        "include": ["web_search_call.action.sources"], "metadata": {"a": "b"}});
    let losses = translated(&body, WireId::OpenAiChat).1;
    for code in ["field:truncation", "field:max_tool_calls", "field:include", "field:metadata"] {
        assert!(losses.iter().any(|loss| loss == code), "{code} in {losses:?}");
    }
}

#[test]
fn thinking_format_and_sampling_have_their_names_elsewhere() {
    let body = json!({"model": "m", "input": "hi", "temperature": 0.5, "max_output_tokens": 99, "top_logprobs": 2,
        "reasoning": {"effort": "high", "summary": "auto"}, "parallel_tool_calls": false, "user": "u",
        "prompt_cache_key": "k", "service_tier": "flex",
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "dog", "schema": {"type": "object"}}},
        "tools": [{"type": "function", "name": "f", "parameters": {}}]});
    let (sent, losses) = translated(&body, WireId::OpenAiChat);
    assert_eq!(losses, Vec::<String>::new());
    let expected = [
        ("/reasoning_effort", json!("high")),
        ("/response_format/json_schema/name", json!("dog")),
        ("/verbosity", json!("low")),
        ("/max_tokens", json!(99)),
        ("/logprobs", json!(true)),
        ("/top_logprobs", json!(2)),
        ("/parallel_tool_calls", json!(false)),
        ("/user", json!("u")),
        ("/prompt_cache_key", json!("k")),
        ("/service_tier", json!("flex")),
    ];
    for (pointer, value) in expected {
        assert_eq!(sent.pointer(pointer), Some(&value), "{pointer}");
    }
}
