//! Turns and their blocks.

use serde_json::{Value, json};
use wire::WireId;
use wire::chat::{CacheMark, MediaSource, Message, Part, Role};

use super::{asking, decoded, saying, translated};

fn user(content: Value) -> Vec<Message> {
    decoded(&saying(json!([{"role": "user", "content": content}]))).messages
}

fn roles(messages: &[Message]) -> Vec<Role> {
    messages.iter().map(|message| message.role).collect()
}

/// A call and the turns that answer it.
fn answered(answer: Value) -> Value {
    saying(json!([{"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"k": 1}}]},
        {"role": "user", "content": answer}]))
}

#[test]
fn the_system_prompt_comes_first_and_others_stay_in_their_place() {
    let body =
        asking(json!({"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "b"}], "messages": [{"role": "user", "content": "hi"},
        {"role": "system", "content": "be brief"}, {"role": "assistant", "content": "ok"}]}));
    let messages = decoded(&body).messages;
    assert_eq!(roles(&messages), [Role::System, Role::User, Role::System, Role::Assistant]);
    let first = Part::Text { text: "a".into(), citations: vec![], cache: Some(CacheMark::default()) };
    assert_eq!(messages[0].parts, [first, Part::text("b")]);
    let (chat, losses) = translated(&body, WireId::OpenAiChat);
    assert_eq!(chat["messages"][2], json!({"role": "system", "content": "be brief"}));
    assert_eq!(losses, ["prefill"]);
}

#[test]
fn results_are_turns_of_their_own_in_their_order() {
    let messages = decoded(&answered(json!([
        {"type": "tool_result", "tool_use_id": "a", "content": "72", "is_error": true},
        {"type": "text", "text": "so?"}])))
    .messages;
    assert_eq!(roles(&messages), [Role::User, Role::Assistant, Role::Tool, Role::User]);
    let result = Part::ToolResult {
        call_id: "a".into(),
        name: None,
        parts: vec![Part::text("72")],
        is_error: true,
        cache: None,
    };
    assert_eq!(messages[2].parts, [result]);
    let Part::ToolCall { args, .. } = &messages[1].parts[0] else { panic!("no call") };
    assert_eq!(args, r#"{"k":1}"#);
}

#[test]
fn a_result_may_hold_pictures_documents_or_nothing() {
    let picture = json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}});
    let result = json!({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "see"}, picture]});
    let (chat, losses) = translated(&answered(json!([result])), WireId::OpenAiChat);
    assert_eq!(chat["messages"][2]["content"], "see[image 1 of call a]");
    assert_eq!(chat["messages"][3]["content"][0]["image_url"]["url"], "https://example.com/a.png");
    assert_eq!(losses, ["tool_media"]);
    let empty = decoded(&answered(json!([{"type": "tool_result", "tool_use_id": "a"}])));
    assert!(matches!(&empty.messages[2].parts[..], [Part::ToolResult { parts, .. }] if parts.is_empty()));
}

#[test]
fn every_source_of_a_picture_or_a_document_is_understood() {
    let block = |kind: &str, source: Value| json!({"type": kind, "source": source});
    let data = |mime: &str| MediaSource::Base64 { mime: mime.into(), data: "AAAA".into() };
    for (block, expected) in [
        (
            block("image", json!({"type": "base64", "media_type": "image/png", "data": "AAAA"})),
            data("image/png"),
        ),
        (
            block("image", json!({"type": "url", "url": "https://e.x/a"})),
            MediaSource::Url("https://e.x/a".into()),
        ),
        (
            block("image", json!({"type": "file", "file_id": "f"})),
            MediaSource::FileId { of: wire::Dialect::AnthropicMessages, id: "f".into() },
        ),
        (block("document", json!({"type": "base64", "data": "AAAA"})), data("application/pdf")),
        (
            block("document", json!({"type": "url", "url": "https://e.x/a"})),
            MediaSource::Url("https://e.x/a".into()),
        ),
        (
            block("document", json!({"type": "file", "file_id": "f"})),
            MediaSource::FileId { of: wire::Dialect::AnthropicMessages, id: "f".into() },
        ),
        (
            block("document", json!({"type": "text", "media_type": "text/plain", "data": "words"})),
            MediaSource::Text("words".into()),
        ),
        (
            block(
                "document",
                json!({"type": "content", "content": [{"type": "text", "text": "wo"}, {"type": "text", "text": "rds"}]}),
            ),
            MediaSource::Text("words".into()),
        ),
    ] {
        let parts = &user(json!([block.clone()]))[0].parts;
        let (Part::Image { source, .. } | Part::File { source, .. }) = &parts[0] else { panic!("{block}") };
        assert_eq!(source, &expected, "{block}");
    }
}

#[test]
fn a_search_result_is_a_document_with_its_source_in_its_name() {
    let parts = &user(json!([{"type": "search_result", "source": "https://e.x", "title": "T",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]))[0]
        .parts;
    let source = MediaSource::Text("a\nb".into());
    assert_eq!(*parts, [Part::File { source, name: Some("T (https://e.x)".into()), cache: None }]);
}

#[test]
fn what_is_wished_of_a_document_is_lost_and_said_so() {
    let document = json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"},
        "title": "T", "context": "c", "citations": {"enabled": true}});
    let (_, losses) =
        translated(&saying(json!([{"role": "user", "content": [document]}])), WireId::OpenAiChat);
    assert_eq!(losses, ["field:citations", "field:context"]);
}

#[test]
fn steps_of_the_provider_and_blocks_of_tomorrow_go_back_as_they_came() {
    let steps = json!([{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "of_tomorrow", "x": 1}, {"type": "text", "text": "so"}]);
    let body = saying(json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": steps},
        {"role": "user", "content": [{"type": "container_upload", "file_id": "f"}, {"type": "text", "text": "go"}]}]));
    let (same, losses) = translated(&body, WireId::AnthropicMessages);
    assert_eq!((&same["messages"], losses), (&body_turns(&body), vec![]));
    let (_, losses) = translated(&body, WireId::OpenAiChat);
    assert_eq!(losses, ["server_tool", "server_tool", "server_tool", "foreign"]);
}

#[test]
fn a_name_that_means_something_else_in_another_kind_of_block_is_read_as_that_kind_has_it() {
    let steps = json!([{"type": "of_tomorrow", "text": 5, "id": {}, "content": "x", "is_error": "no"},
        {"type": "text", "text": "so", "name": 7, "input": null, "is_error": []}]);
    let messages = decoded(&saying(json!([{"role": "user", "content": "hi"},
        {"role": "assistant", "content": steps}])))
    .messages;
    let [Part::ServerTool { raw, .. }, Part::Text { text, .. }] = messages[1].parts.as_slice() else {
        panic!("{:?}", messages[1].parts)
    };
    assert_eq!((raw, text.as_str()), (&steps[0], "so"));
    let call = json!([{"type": "tool_use", "id": "a", "name": "f", "input": null, "text": 5}]);
    let messages =
        decoded(&saying(json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": call}])));
    assert!(matches!(&messages.messages[1].parts[0], Part::ToolCall { args, .. } if args == "null"));
}

/// The turns of a body, texts as blocks.
fn body_turns(body: &Value) -> Value {
    let mut turns = body["messages"].clone();
    for turn in turns.as_array_mut().unwrap() {
        if let Some(text) = turn["content"].as_str() {
            turn["content"] = json!([{"type": "text", "text": text}]);
        }
    }
    turns
}

/// What Claude Code sends: fields of the day, marks everywhere, no tools, a system prompt in mid conversation, 80 kB.
#[test]
fn a_turn_of_claude_code_is_carried_over_to_other_dialects() {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let long = "All work and no play. ".repeat(4_000);
    let body = json!({
        "model": "claude-opus-5", "max_tokens": 32000, "stream": true, "tools": [],
        "metadata": {"user_id": "{\"device_id\":\"d\",\"session_id\":\"s\"}"},
        "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "system": [{"type": "text", "text": "x-anthropic-billing-header: v"},
            {"type": "text", "text": long, "cache_control": mark}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "<system-reminder>r</system-reminder>"},
                {"type": "text", "text": "hi", "cache_control": mark}]},
            {"role": "system", "content": [{"type": "text", "text": "The date has changed.", "cache_control": mark}]}]
    });
    assert!(body.to_string().len() > 80_000);
    let (chat, losses) = translated(&body, WireId::OpenAiChat);
    assert_eq!(losses, ["field:context_management"]);
    assert!(chat.get("tools").is_none() && chat.get("tool_choice").is_none());
    assert_eq!(chat["reasoning_effort"], "high");
    let roles: Vec<&Value> = chat["messages"].as_array().unwrap().iter().map(|turn| &turn["role"]).collect();
    assert_eq!(roles, ["system", "user", "system"]);
    let (same, losses) = translated(&body, WireId::AnthropicMessages);
    assert_eq!(losses, ["system_moved"]);
    crate::messages_grammar::check("claude code", &same);
}
