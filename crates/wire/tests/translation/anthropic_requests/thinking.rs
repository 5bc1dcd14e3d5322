//! Thinking, and what it forbids.

use super::*;

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
