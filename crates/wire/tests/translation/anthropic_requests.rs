//! Canonical requests as Anthropic Messages: what is sent, what is lost, what is refused.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{
    CacheMark, ChatRequest, Effort, Encoded, Extra, ImageDetail, MediaSource, Message, Origin, OutputFormat,
    Part, Profile, ReasoningOption, Role, Thinking, Tool, ToolChoice, ToolKind,
};
use wire::{Dialect, Fault, Wire};

use super::messages_grammar;

const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn profile() -> Profile {
    Profile { max_output: Some(64_000), ..Profile::unknown("anthropic", "claude") }
}

fn budget_model() -> Profile {
    Profile {
        reasoning: vec![ReasoningOption::Toggle, ReasoningOption::Budget { min: None, max: None }],
        ..profile()
    }
}

fn adaptive_model() -> Profile {
    let levels = vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max];
    Profile { reasoning: vec![ReasoningOption::Toggle, ReasoningOption::Effort(levels)], ..profile() }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts, name: None, extra: Extra::default() }
}

fn says(role: Role, text: &str) -> Message {
    message(role, vec![Part::text(text)])
}

fn asks(messages: Vec<Message>) -> ChatRequest {
    ChatRequest { model: "m".into(), messages, ..ChatRequest::default() }
}

fn hello() -> ChatRequest {
    asks(vec![says(Role::User, "Hello")])
}

fn call(id: &str, name: &str, args: &str) -> Part {
    let (id, name, args) = (id.into(), name.into(), args.into());
    Part::ToolCall { id, name, args, signature: None, kind: ToolKind::Function }
}

fn result(call_id: &str, text: &str) -> Message {
    let parts = vec![Part::text(text)];
    let part = Part::ToolResult { call_id: call_id.into(), name: None, parts, is_error: false, cache: None };
    message(Role::Tool, vec![part])
}

fn tool(name: &str) -> Tool {
    Tool {
        name: name.into(),
        description: None,
        kind: ToolKind::Function,
        parameters: None,
        strict: None,
        cache: None,
        raw: None,
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

/// The body, its grammar checked, and the codes of the losses.
fn sent(request: &ChatRequest, profile: &Profile) -> (Value, Vec<String>) {
    let (body, losses, _) = encoded(request, profile);
    (body, losses)
}

fn encoded(request: &ChatRequest, profile: &Profile) -> (Value, Vec<String>, Encoded) {
    let encoded = AnthropicMessages.encode_request(request, profile).unwrap();
    let body = serde_json::from_slice(&encoded.body).unwrap();
    messages_grammar::check("request", &body);
    let losses = encoded.losses.iter().map(|loss| loss.code.to_string()).collect();
    (body, losses, encoded)
}

fn refused(request: &ChatRequest, profile: &Profile) -> (String, String) {
    let fault = AnthropicMessages.encode_request(request, profile).unwrap_err();
    (fault.code().to_owned(), fault.param().unwrap_or_default().to_owned())
}

#[test]
fn a_plain_question_is_sent_with_nothing_invented_but_the_limit() {
    let (body, losses) = sent(&hello(), &profile());
    let messages = json!([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]);
    assert_eq!(body, json!({"model": "claude", "max_tokens": 8192, "messages": messages}));
    assert!(losses.is_empty());
}

#[test]
fn the_limit_is_the_models_the_usual_one_or_the_clients() {
    let limit = |max_output, asked| {
        let request = ChatRequest { max_output: asked, ..hello() };
        sent(&request, &Profile { max_output, ..profile() }).0["max_tokens"].as_u64().unwrap()
    };
    assert_eq!(limit(None, None), 4096);
    assert_eq!(limit(Some(2000), None), 2000);
    assert_eq!(limit(Some(64_000), None), 8192);
    assert_eq!(limit(Some(64_000), Some(10)), 10);
}

#[test]
fn system_and_developer_prompts_go_to_their_own_place() {
    let request = asks(vec![
        says(Role::System, "Be brief."),
        says(Role::Developer, "Be kind."),
        says(Role::User, "Hello"),
        says(Role::System, "Now in French."),
    ]);
    let (body, losses) = sent(&request, &profile());
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}])
    );
    assert_eq!(body["messages"][0]["content"][1]["text"], "<system>Now in French.</system>");
    assert_eq!(losses, ["system_moved"]);

    let (body, losses) = sent(&request, &Profile { system_in_messages: true, ..profile() });
    assert_eq!(
        body["messages"][1],
        json!({"role": "system", "content": [{"type": "text", "text": "Now in French."}]})
    );
    assert!(losses.is_empty());
}

#[test]
fn turns_are_merged_emptied_and_begun_by_the_user() {
    let request = asks(vec![
        says(Role::Assistant, "Hi."),
        says(Role::User, " \n"),
        says(Role::Assistant, "Still there?"),
        says(Role::User, "a"),
        says(Role::User, "b"),
    ]);
    let (body, losses) = sent(&request, &profile());
    let text = |text: &str| json!({"type": "text", "text": text});
    let expected = json!([
        {"role": "user", "content": [text("Continue.")]},
        {"role": "assistant", "content": [text("Hi."), text("Still there?")]},
        {"role": "user", "content": [text("a"), text("b")]},
    ]);
    assert_eq!(body["messages"], expected);
    assert_eq!(losses, ["user_added"]);
    let system_only = asks(vec![says(Role::System, "x")]);
    assert_eq!(refused(&system_only, &profile()), ("invalid_request".into(), "messages".into()));
}

#[test]
fn results_stand_in_one_turn_before_everything_else() {
    let request = asks(vec![
        says(Role::User, "Both?"),
        message(
            Role::Assistant,
            vec![Part::text("Yes."), call("a", "f", "{\"z\":1,\"a\":2}"), call("b", "f", "")],
        ),
        result("a", "1"),
        says(Role::User, "By the way"),
        result("b", "2"),
    ]);
    let (body, losses) = sent(&ChatRequest { tools: vec![tool("f")], ..request }, &profile());
    let kinds: Vec<_> =
        body["messages"][2]["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "text"]);
    assert_eq!(body["messages"][1]["content"][1]["input"].to_string(), r#"{"z":1,"a":2}"#);
    assert_eq!(losses, ["tool_args_invalid"]);
}

#[test]
fn a_result_without_its_call_is_refused() {
    let request = asks(vec![says(Role::User, "x"), result("nobody", "1")]);
    assert_eq!(refused(&request, &profile()), ("invalid_request".into(), "messages[1]".into()));
}

#[test]
fn ids_that_do_not_fit_are_mapped_alike_everywhere() {
    let request = asks(vec![
        says(Role::User, "x"),
        message(Role::Assistant, vec![call("functions.f:0", "f", "{}")]),
        result("functions.f:0", "1"),
    ]);
    let (body, _) = sent(&request, &profile());
    assert_eq!(body["messages"][1]["content"][0]["id"], body["messages"][2]["content"][0]["tool_use_id"]);
}

#[test]
fn a_failed_tool_says_so_and_its_media_come_along() {
    let image = Part::Image {
        source: MediaSource::Url(format!("data:image/jpeg;base64,{PNG}")),
        detail: None,
        cache: None,
    };
    let result =
        Part::ToolResult { call_id: "a".into(), name: None, parts: vec![image], is_error: true, cache: None };
    let request = asks(vec![
        says(Role::User, "x"),
        message(Role::Assistant, vec![call("a", "f", "{}")]),
        message(Role::Tool, vec![result]),
    ]);
    let (body, _) = sent(&request, &profile());
    let result = &body["messages"][2]["content"][0];
    assert_eq!(result["is_error"], true);
    assert_eq!(
        result["content"][0]["source"],
        json!({"type": "base64", "media_type": "image/png", "data": PNG})
    );
}

#[test]
fn media_go_by_value_or_by_reference_and_sound_not_at_all() {
    let image = |source, detail| Part::Image { source, detail, cache: None };
    let file = |source| Part::File { source, name: Some("a.pdf".into()), cache: None };
    let base64 = |mime: &str, data: &str| MediaSource::Base64 { mime: mime.into(), data: data.into() };
    let request = asks(vec![message(
        Role::User,
        vec![
            image(MediaSource::Url("https://example.com/a.png".into()), Some(ImageDetail("high".into()))),
            file(base64("application/pdf", "JVBERi0xLjQK")),
            file(base64("text/plain", "aMOpbGxv")),
            file(MediaSource::Text("plain".into())),
        ],
    )]);
    let (body, losses) = sent(&request, &profile());
    let blocks = &body["messages"][0]["content"];
    assert_eq!(blocks[0]["source"], json!({"type": "url", "url": "https://example.com/a.png"}));
    assert_eq!(blocks[1]["source"]["media_type"], "application/pdf");
    assert_eq!(blocks[1]["title"], "a.pdf");
    assert_eq!(blocks[2]["source"], json!({"type": "text", "media_type": "text/plain", "data": "héllo"}));
    assert_eq!(blocks[3]["source"]["data"], "plain");
    assert_eq!(losses, ["field:detail"]);
    for part in [
        Part::Audio { data: "AAAA".into(), format: "wav".into() },
        image(MediaSource::FileId("file-1".into()), None),
        file(base64("application/zip", "UEsDBA==")),
    ] {
        let request = asks(vec![message(Role::User, vec![part])]);
        assert_eq!(refused(&request, &profile()), ("unsupported".into(), "messages[0].content[0]".into()));
    }
}

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

fn thinks(effort: Effort) -> Option<Thinking> {
    Some(Thinking { effort: Some(effort), ..Thinking::default() })
}

#[test]
fn effort_is_a_word_for_adaptive_models_and_a_budget_for_others() {
    let request = |effort| ChatRequest { thinking: thinks(effort), ..hello() };
    let (body, losses) = sent(&request(Effort::High), &adaptive_model());
    assert_eq!(body["thinking"], json!({"type": "adaptive", "display": "summarized"}));
    assert_eq!((&body["output_config"], &body["max_tokens"]), (&json!({"effort": "high"}), &json!(64_000)));
    assert!(losses.is_empty());

    let (body, losses) = sent(&request(Effort::Xhigh), &adaptive_model());
    assert_eq!((&body["output_config"]["effort"], losses), (&json!("high"), vec!["effort".into()]));

    let (body, losses) = sent(&request(Effort::Low), &budget_model());
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
    assert_eq!(losses, ["effort"]);

    for model in [adaptive_model(), budget_model()] {
        let (body, losses) = sent(&request(Effort::None), &model);
        assert_eq!((&body["thinking"], losses.len()), (&json!({"type": "disabled"}), 0));
    }
}

#[test]
fn the_limit_is_raised_above_the_budget_and_the_budget_lowered_below_the_limit() {
    let sizes = |asked, most| {
        let request = ChatRequest { thinking: thinks(Effort::High), max_output: asked, ..hello() };
        let body = sent(&request, &Profile { max_output: most, ..budget_model() }).0;
        (body["thinking"]["budget_tokens"].as_u64(), body["max_tokens"].as_u64().unwrap())
    };
    assert_eq!(sizes(Some(20_000), Some(64_000)), (Some(16_384), 20_000));
    assert_eq!(sizes(Some(500), Some(64_000)), (Some(16_384), 16_884));
    assert_eq!(sizes(Some(500), Some(8192)), (Some(8191), 8192));
    assert_eq!(sizes(None, None), (Some(16_384), 20_480));
    assert_eq!(sizes(Some(500), Some(900)), (None, 500));
}

#[test]
fn thinking_leaves_sampling_and_forced_tools_out() {
    let mut request = ChatRequest {
        thinking: thinks(Effort::Low),
        tools: vec![tool("f")],
        tool_choice: Some(ToolChoice::Any),
        ..hello()
    };
    request.sampling.temperature = Some(0.2);
    request.sampling.top_k = Some(5);
    request.sampling.top_p = Some(0.5);
    let (body, losses) = sent(&request, &adaptive_model());
    assert_eq!(body["tool_choice"], json!({"type": "auto"}));
    assert_eq!(losses, ["tool_choice", "sampling", "sampling", "sampling"]);
}

#[test]
fn signed_thoughts_go_home_and_others_are_dropped() {
    let thought = |dialect: Dialect, signature: Option<&str>| Part::Thinking {
        text: "hm".into(),
        signature: signature.map(str::to_owned),
        encrypted: None,
        id: None,
        origin: Some(Origin::from(dialect)),
    };
    let request = |thought| {
        let turn = message(Role::Assistant, vec![thought, call("a", "f", "{}")]);
        let messages = vec![says(Role::User, "x"), turn, result("a", "1")];
        ChatRequest { tools: vec![tool("f")], thinking: thinks(Effort::High), ..asks(messages) }
    };
    let (body, losses) = sent(&request(thought(Dialect::AnthropicMessages, Some("s"))), &adaptive_model());
    assert_eq!(
        body["messages"][1]["content"][0],
        json!({"type": "thinking", "thinking": "hm", "signature": "s"})
    );
    assert_eq!((&body["thinking"]["type"], losses.len()), (&json!("adaptive"), 0));

    for foreign in [thought(Dialect::AnthropicMessages, None), thought(Dialect::OpenAiChat, Some("s"))] {
        let (body, losses) = sent(&request(foreign), &adaptive_model());
        assert_eq!(body["messages"][1]["content"][0]["type"], "tool_use");
        assert_eq!(body["thinking"], json!({"type": "disabled"}));
        assert_eq!(losses, ["thinking_off", "thinking_dropped"]);
    }
}

fn schema() -> Option<OutputFormat> {
    let schema = raw(&json!({"type": "object", "properties": {"a": {"type": "object"}}}));
    Some(OutputFormat::JsonSchema { name: Some("n".into()), description: None, schema, strict: Some(true) })
}

#[test]
fn a_schema_is_asked_for_natively_or_by_a_forced_tool() {
    let request = ChatRequest { format: schema(), ..hello() };
    let (body, losses) = sent(&request, &profile());
    let format = &body["output_config"]["format"];
    assert_eq!(format["schema"]["properties"]["a"]["additionalProperties"], false);
    assert_eq!((format["type"].as_str(), losses.len()), (Some("json_schema"), 0));

    let mut old = profile();
    old.abilities.structured_output = false;
    let (body, _, encoded) = encoded(&request, &old);
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "json_response"}));
    assert_eq!(encoded.undo.json_tool.as_deref(), Some("json_response"));

    let with_tools = ChatRequest { format: schema(), tools: vec![tool("json_response")], ..hello() };
    let (body, _) = sent(&with_tools, &old);
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
    assert_eq!(body["tools"][1]["name"], "json_response_");
}

#[test]
fn json_mode_is_a_sentence_in_the_system_prompt() {
    let (body, losses) = sent(&ChatRequest { format: Some(OutputFormat::JsonObject), ..hello() }, &profile());
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON"));
    assert_eq!(losses, ["json_mode"]);
}

#[test]
fn what_has_no_place_is_reported_or_refused() {
    let mut request = ChatRequest {
        end_user: Some("jane@example.com".into()),
        service_tier: Some("flex".into()),
        metadata: Some(json!({"a": "b"})),
        extra: Extra::new(Dialect::OpenAiChat, json!({"store": true}).as_object().unwrap().clone()),
        stop: vec!["\n".into(), "END".into()],
        ..hello()
    };
    request.sampling.temperature = Some(1.7);
    request.sampling.seed = Some(1);
    request.sampling.frequency_penalty = Some(0.0);
    request.sampling.presence_penalty = Some(0.5);
    let (body, losses) = sent(&request, &profile());
    assert_eq!((&body["temperature"], &body["stop_sequences"]), (&json!(1.0), &json!(["END"])));
    assert!(!body.to_string().contains("jane"));
    let expected = [
        "clamp",
        "stop",
        "field:presence_penalty",
        "field:seed",
        "field:metadata",
        "field:store",
        "field:service_tier",
    ];
    assert_eq!(losses, expected);

    let mut several = hello();
    several.sampling.n = Some(2);
    assert_eq!(refused(&several, &profile()), ("unsupported".into(), "n".into()));
    let mut logprobs = hello();
    logprobs.sampling.logprobs = Some(true);
    assert_eq!(refused(&logprobs, &profile()), ("unsupported".into(), "logprobs".into()));
}

#[test]
fn there_are_never_more_than_four_cache_marks() {
    let marked =
        |text: &str| Part::Text { text: text.into(), citations: vec![], cache: Some(CacheMark::default()) };
    let marks = |count: usize| {
        let parts = (0..count).map(|place| marked(&place.to_string())).collect();
        ChatRequest { cache_key: Some("k".into()), ..asks(vec![message(Role::User, parts)]) }
    };
    let (body, losses) = sent(&marks(3), &profile());
    assert_eq!((&body["cache_control"], losses.len()), (&json!({"type": "ephemeral"}), 0));
    let (body, losses) = sent(&marks(6), &profile());
    assert_eq!((body.get("cache_control"), losses), (None, vec!["cache".into(), "cache".to_owned()]));
    assert!(body["messages"][0]["content"][1].get("cache_control").is_none());
    assert!(body["messages"][0]["content"][2].get("cache_control").is_some());
}

#[test]
fn a_model_without_images_lets_another_target_try() {
    let mut blind = profile();
    blind.abilities.image = false;
    let image = Part::Image {
        source: MediaSource::Url("https://example.com/a.png".into()),
        detail: None,
        cache: None,
    };
    let fault =
        AnthropicMessages.encode_request(&asks(vec![message(Role::User, vec![image])]), &blind).unwrap_err();
    assert!(matches!(fault, Fault::Unsupported { .. }));
}
