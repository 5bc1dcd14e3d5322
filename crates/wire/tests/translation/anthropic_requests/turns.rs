//! Turns, their parts and their media.

use super::*;

#[test]
fn a_plain_question_is_sent_with_nothing_invented_but_the_limit() {
    let (body, losses) = sent(&hello(), &profile());
    let messages = json!([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]);
    assert_eq!(body, json!({"model": "claude", "max_tokens": 8192, "messages": messages}));
    assert!(losses.is_empty());
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
        image(MediaSource::FileId { of: Dialect::OpenAiChat, id: "file-1".into() }, None),
        file(base64("application/zip", "UEsDBA==")),
    ] {
        let request = asks(vec![message(Role::User, vec![part])]);
        assert_eq!(refused(&request, &profile()), ("unsupported".into(), "messages[0].content[0]".into()));
    }
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
