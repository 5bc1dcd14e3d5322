//! Limits, forms, and the fields that have no place here.

use super::*;

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
