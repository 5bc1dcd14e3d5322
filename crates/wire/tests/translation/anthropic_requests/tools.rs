//! Tools and the choice among them.

use super::*;

#[test]
fn tools_have_a_schema_and_a_legal_name() {
    let parameters = json!({"properties": {"b": {}, "a": {}}});
    let tools = vec![
        Tool { parameters: Some(raw(&parameters)), strict: Some(true), ..tool("weather.get today") },
        Tool { description: Some("d".into()), ..tool("bare") },
    ];
    let (body, losses, encoded) = encoded(&ChatRequest { tools, ..hello() }, &profile());
    let alias = body["tools"][0]["name"].as_str().unwrap();
    assert_eq!(encoded.undo.tool_name(alias), "weather.get today");
    assert_eq!(
        body["tools"][0]["input_schema"].to_string(),
        r#"{"type":"object","properties":{"b":{},"a":{}}}"#
    );
    assert_eq!(body["tools"][0]["strict"], true);
    let bare =
        json!({"name": "bare", "description": "d", "input_schema": {"type": "object", "properties": {}}});
    assert_eq!(body["tools"][1], bare);
    assert!(losses.is_empty());
}

#[test]
fn a_free_text_tool_becomes_a_function_of_one_string() {
    let tools = vec![Tool { kind: ToolKind::Custom, ..tool("shell") }];
    let history = Part::ToolCall {
        id: "a".into(),
        name: "shell".into(),
        args: "ls \"x\"".into(),
        signature: None,
        kind: ToolKind::Custom,
    };
    let messages = vec![says(Role::User, "x"), message(Role::Assistant, vec![history]), result("a", "ok")];
    let (body, losses, encoded) = encoded(&ChatRequest { tools, ..asks(messages) }, &profile());
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({"input": "ls \"x\""}));
    assert_eq!(encoded.undo.custom_tools, ["shell"]);
    assert_eq!(losses, ["custom_tool"]);
}

#[test]
fn built_in_tools_of_others_do_not_cross() {
    let foreign = Some((Dialect::OpenAiChat, json!({"type": "code_interpreter"})));
    let tools = vec![Tool { kind: ToolKind::BuiltIn, raw: foreign, ..tool("code_interpreter") }];
    assert_eq!(
        refused(&ChatRequest { tools, ..hello() }, &profile()),
        ("unsupported".into(), "tools[0]".into())
    );
}

#[test]
fn the_choice_of_tools_is_said_in_this_dialects_words() {
    let choice = |choice, parallel| {
        let tools = vec![tool("f"), tool("g")];
        let request = ChatRequest { tools, tool_choice: choice, parallel_tool_calls: parallel, ..hello() };
        let body = sent(&request, &profile()).0;
        (body["tool_choice"].clone(), body["tools"].as_array().unwrap().len())
    };
    assert_eq!(choice(None, None), (Value::Null, 2));
    assert_eq!(choice(Some(ToolChoice::Any), None), (json!({"type": "any"}), 2));
    assert_eq!(choice(Some(ToolChoice::None), Some(false)), (json!({"type": "none"}), 2));
    assert_eq!(choice(Some(ToolChoice::One("g".into())), None), (json!({"type": "tool", "name": "g"}), 2));
    assert_eq!(choice(None, Some(false)), (json!({"type": "auto", "disable_parallel_tool_use": true}), 2));
    let some = ToolChoice::Some { names: vec!["g".into()], must: true };
    assert_eq!(choice(Some(some), None), (json!({"type": "any"}), 1));
}
