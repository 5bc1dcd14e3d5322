//! Fields of the top level.

use serde_json::{Value, json};
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{CacheMark, Effort, OutputFormat, Part, ToolChoice, ToolKind};
use wire::count::ANTHROPIC_MESSAGES as COUNTING;
use wire::dialect::{Peek, Thoughts};
use wire::{Fault, Head, RawObject, Surface, Wire, WireId};

use super::{asking, decoded, object, translated};

#[test]
fn a_peek_sees_what_planning_needs() {
    let body = asking(json!({"stream": true, "project": "p", "strict": true, "provider": "openai"}));
    let peek = AnthropicMessages.peek(&Head::default(), &object(&body)).unwrap();
    let expected = Peek {
        model: Some("m".into()),
        provider: Some("openai".into()),
        project: Some("p".into()),
        strict: true,
        stream: true,
        include_usage: true,
        max_output: Some(9),
        previous: None,
        keeps: false,
    };
    assert_eq!(peek, expected);
}

#[test]
fn the_gateways_own_fields_do_not_go_upstream() {
    let mut body = object(&asking(json!({"project": "p", "strict": true, "provider": "openai"})));
    AnthropicMessages.strip(&mut body);
    assert_eq!(body.into_bytes(), asking(json!({})).to_string());
    assert_eq!(
        decoded(&asking(json!({"project": "p", "strict": true, "provider": "x"}))).extra.fields.len(),
        0
    );
}

#[test]
fn sampling_limits_and_labels_have_their_canonical_names() {
    let request =
        decoded(&asking(json!({"temperature": 0.5, "top_p": 0.9, "top_k": 5, "stop_sequences": ["a"],
        "metadata": {"user_id": "u", "team": "t"}, "service_tier": "auto", "stream": true})));
    let sampling = (request.sampling.temperature, request.sampling.top_p, request.sampling.top_k);
    assert_eq!(sampling, (Some(0.5), Some(0.9), Some(5)));
    assert_eq!((request.stop, request.max_output, request.stream), (vec!["a".to_owned()], Some(9), true));
    assert_eq!((request.end_user.as_deref(), request.metadata), (Some("u"), Some(json!({"team": "t"}))));
    assert_eq!(request.service_tier.as_deref(), Some("auto"));
}

#[test]
fn unknown_fields_survive_for_their_own_dialect_and_are_lost_in_others() {
    let more = json!({"context_management": {"edits": []}, "container": "c", "speed": "fast",
        "output_config": {"effort": "low", "task_budget": {"total": 5}}});
    let body = asking(more.clone());
    let (to_same, losses) = translated(&body, WireId::AnthropicMessages);
    for name in ["context_management", "container", "speed"] {
        assert_eq!(to_same[name], more[name], "{name}");
    }
    assert_eq!(losses, Vec::<String>::new());
    let (_, losses) = translated(&body, WireId::OpenAiChat);
    for name in ["context_management", "container", "speed", "output_config"] {
        assert!(losses.contains(&format!("field:{name}")), "{name}: {losses:?}");
    }
}

#[test]
fn thinking_is_asked_for_in_four_ways() {
    let thinking = |fields: Value| {
        let thinking = decoded(&asking(fields)).thinking?;
        Some((thinking.effort, thinking.budget, thinking.show))
    };
    for (fields, expected) in [
        (json!({}), None),
        (json!({"thinking": {"type": "disabled"}}), Some((Some(Effort::None), None, Some(false)))),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}), Some((None, Some(2000), None))),
        (json!({"thinking": {"type": "adaptive"}}), Some((None, None, None))),
        (
            json!({"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "xhigh"}}),
            Some((Some(Effort::Xhigh), None, Some(false))),
        ),
        (
            json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "max"}}),
            Some((Some(Effort::Max), None, Some(true))),
        ),
        (json!({"output_config": {"effort": "low"}}), Some((Some(Effort::Low), None, Some(false)))),
    ] {
        assert_eq!(thinking(fields.clone()), expected, "{fields}");
    }
}

#[test]
fn thoughts_are_for_those_who_asked_for_thinking() {
    let wanted = |fields: Value| AnthropicMessages.thoughts(&object(&asking(fields)));
    assert_eq!(wanted(json!({})), Thoughts::Hidden);
    assert_eq!(wanted(json!({"thinking": {"type": "disabled"}})), Thoughts::Hidden);
    assert_eq!(wanted(json!({"thinking": {"type": "adaptive"}})), Thoughts::Shown);
    assert_eq!(wanted(json!({"thinking": {"type": "enabled", "budget_tokens": 1024}})), Thoughts::Shown);
    assert_eq!(wanted(json!({"thinking": {"type": "adaptive", "display": "omitted"}})), Thoughts::Sealed);
}

#[test]
fn a_schema_is_given_in_the_newer_and_in_the_older_place() {
    for place in [
        json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}),
        json!({"output_format": {"type": "json_schema", "schema": {"type": "object"}}}),
    ] {
        let Some(OutputFormat::JsonSchema { schema, name: None, .. }) =
            decoded(&asking(place.clone())).format
        else {
            panic!("{place}");
        };
        assert_eq!(schema.get(), r#"{"type":"object"}"#);
        let (body, losses) = translated(&asking(place), WireId::OpenAiChat);
        assert_eq!(body["response_format"]["json_schema"]["name"], "response");
        assert_eq!(losses, Vec::<String>::new());
    }
}

#[test]
fn a_clients_tools_are_functions_and_anthropics_are_built_in() {
    let request = decoded(&asking(json!({"tools": [
        {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true,
            "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "custom", "name": "g", "input_schema": {"type": "object"}, "defer_loading": true},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]})));
    let kinds: Vec<_> = request.tools.iter().map(|tool| (tool.name.as_str(), tool.kind)).collect();
    let expected = [("f", ToolKind::Function), ("g", ToolKind::Function), ("web_search", ToolKind::BuiltIn)];
    assert_eq!(kinds, expected);
    assert_eq!(request.tools[0].cache, Some(CacheMark { ttl: Some("1h".into()) }));
    assert_eq!((request.tools[0].strict, request.tools[0].raw.is_none()), (Some(true), true));
    assert!(request.tools[1].raw.is_some(), "it says more than a canonical tool holds");
}

#[test]
fn tools_and_servers_of_this_dialect_go_back_as_they_came() {
    let tools = json!([{"type": "custom", "name": "g", "input_schema": {"type": "object"}, "defer_loading": true},
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}]);
    let servers = json!([{"type": "url", "name": "s", "url": "https://example.com/mcp"}]);
    let body = asking(json!({"tools": tools, "mcp_servers": servers}));
    let (same, _) = translated(&body, WireId::AnthropicMessages);
    assert_eq!((&same["tools"], &same["mcp_servers"]), (&tools, &servers));
}

#[test]
fn what_only_anthropic_can_run_is_refused_elsewhere() {
    for field in [
        json!({"tools": [{"type": "code_execution_20260120", "name": "code_execution"}]}),
        json!({"mcp_servers": [{"type": "url", "name": "s", "url": "https://example.com/mcp"}]}),
    ] {
        let profile = wire::chat::Profile::unknown("p", "m");
        let request = decoded(&asking(field.clone()));
        let refusal = WireId::OpenAiChat.wire().encode_request(&request, &profile);
        assert!(matches!(refusal, Err(Fault::Unsupported { .. })), "{field}: {refusal:?}");
    }
}

#[test]
fn each_choice_of_a_tool_is_understood() {
    for (given, expected) in [
        (json!({"type": "auto"}), ToolChoice::Auto),
        (json!({"type": "any"}), ToolChoice::Any),
        (json!({"type": "none"}), ToolChoice::None),
        (json!({"type": "tool", "name": "f"}), ToolChoice::One("f".into())),
    ] {
        let request = decoded(&asking(json!({"tool_choice": given})));
        assert_eq!((request.tool_choice, request.parallel_tool_calls), (Some(expected), None));
    }
    let one = decoded(&asking(json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}})));
    assert_eq!(one.parallel_tool_calls, Some(false));
}

#[test]
fn automatic_caching_marks_the_last_block() {
    let request = decoded(&asking(json!({"cache_control": {"type": "ephemeral"}, "system": "s"})));
    let marked = |part: &Part| matches!(part, Part::Text { cache: Some(_), .. });
    let marks: Vec<bool> = request.messages.iter().map(|message| marked(&message.parts[0])).collect();
    assert_eq!(marks, [false, true]);
}

#[test]
fn a_count_is_asked_for_without_what_concerns_the_answer() {
    let body =
        asking(json!({"system": "s", "temperature": 0.5, "stream": true, "metadata": {"user_id": "u"},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}]}));
    let mut body = body;
    body.as_object_mut().unwrap().remove("max_tokens");
    let request = COUNTING.decode_request(&AnthropicMessages, &Head::default(), &object(&body)).unwrap();
    let profile = wire::chat::Profile::unknown("anthropic", "claude");
    let (sent, _) = COUNTING.encode_request(&AnthropicMessages, &request, &profile).unwrap();
    let sent: Value = serde_json::from_slice(&sent.into_bytes()).unwrap();
    let keys: Vec<&String> = sent.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["model", "system", "messages", "tools"]);
    assert!(AnthropicMessages.headers().iter().any(|(name, _)| name == "anthropic-version"));
}

#[test]
fn recorded_counts_are_read_and_written() {
    for fixture in
        crate::fixtures::all("anthropic.count_tokens").iter().filter(|fixture| fixture.status == 200)
    {
        let asked = object(&fixture.request);
        COUNTING.decode_request(&AnthropicMessages, &Head::default(), &asked).unwrap();
        let tokens = COUNTING.decode_response(&object(fixture.json())).unwrap();
        assert_eq!(Some(tokens), fixture.json()["input_tokens"].as_u64(), "{}", fixture.id);
        assert_eq!(COUNTING.encode_response(tokens, false), fixture.json().to_string());
    }
    for odd in [&b""[..], b"[]"] {
        assert!(RawObject::parse(bytes::Bytes::from_static(odd)).is_err());
    }
    for odd in [json!({}), json!({"input_tokens": -1})] {
        let end = COUNTING.decode_response(&object(&odd));
        assert!(matches!(end, Err(Fault::BadAnswer { .. })), "{end:?}");
    }
}
