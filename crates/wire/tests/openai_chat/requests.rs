//! Requests, decoded and encoded.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::chat::{
    CacheMark, ChatRequest, Effort, Encoded, MaxTokensField, MediaSource, OutputFormat, Part, Profile,
    ReasoningOption, Role, ToolChoice, ToolKind,
};
use wire::openai_chat::OpenAiChat;
use wire::{Dialect, Fault, Head, RawObject, Surface, Wire};

use crate::fixtures;

fn object(body: &Value) -> RawObject {
    RawObject::parse(Bytes::from(body.to_string())).unwrap()
}

/// A request with one question, and these fields.
fn asking(fields: Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn decoded(body: &Value) -> ChatRequest {
    OpenAiChat.decode_request(&Head::default(), &object(body)).unwrap()
}

/// The place that is blamed, by peek and decode alike where peek sees it.
fn blamed(body: &Value) -> String {
    match OpenAiChat.decode_request(&Head::default(), &object(body)) {
        Err(Fault::Malformed { at: Some(at), .. }) => at,
        other => panic!("{body}: {other:?}"),
    }
}

fn encoded(request: &ChatRequest, change: impl FnOnce(&mut Profile)) -> (Value, Encoded) {
    let mut profile = Profile::unknown("p", "target");
    change(&mut profile);
    let encoded = OpenAiChat.encode_request(request, &profile).unwrap();
    (serde_json::from_slice(&encoded.body).unwrap(), encoded)
}

fn codes(encoded: &Encoded) -> Vec<&str> {
    encoded.losses.iter().map(|loss| &*loss.code).collect()
}

#[test]
fn bad_requests_are_refused_at_their_place_by_peek_already() {
    let cases = [
        (json!({"model": "m"}), "messages"),
        (asking(json!({"messages": []})), "messages"),
        (asking(json!({"messages": "hi"})), "messages"),
        (asking(json!({"messages": [{"role": "system", "content": "x"}]})), "messages"),
        (asking(json!({"messages": ["x"]})), "messages.0"),
        (asking(json!({"messages": [{"content": "x"}]})), "messages.0.role"),
        (
            asking(json!({"messages": [{"role": "user", "content": "x"}, {"role": "robot"}]})),
            "messages.1.role",
        ),
        (asking(json!({"model": 5})), "model"),
        (asking(json!({"temperature": 2.1})), "temperature"),
        (asking(json!({"temperature": "hot"})), "temperature"),
        (asking(json!({"stream": "yes"})), "stream"),
        (asking(json!({"max_tokens": 0})), "max_tokens"),
        (asking(json!({"max_tokens": 1.5})), "max_tokens"),
        (asking(json!({"max_completion_tokens": -1})), "max_completion_tokens"),
        (asking(json!({"stream_options": {"include_usage": 1}})), "stream_options.include_usage"),
        (asking(json!({"n": 0})), "n"),
        (asking(json!({"provider": 5})), "provider"),
        (asking(json!({"project": []})), "project"),
    ];
    for (body, place) in cases {
        assert_eq!(blamed(&body), place);
        assert!(OpenAiChat.peek(&Head::default(), &object(&body)).is_err(), "{body}");
    }
}

#[test]
fn what_is_deeper_is_refused_when_decoded() {
    let with = |content: Value| asking(json!({"messages": [{"role": "user", "content": content}]}));
    let cases = [
        (with(json!(5)), "messages.0.content"),
        (with(json!(null)), "messages.0.content"),
        (with(json!([{"text": "x"}])), "messages.0.content.0.type"),
        (with(json!([{"type": "text"}])), "messages.0.content.0.text"),
        (with(json!([{"type": "text", "text": 1}])), "messages.0.content.0.text"),
        (with(json!([{"type": "image_url", "image_url": {"url": 1}}])), "messages.0.content.0.image_url.url"),
        (asking(json!({"tools": [{"type": "function", "function": {"name": 1}}]})), "tools.0.function.name"),
        (asking(json!({"tool_choice": "perhaps"})), "tool_choice"),
        (asking(json!({"stop": [1]})), "stop.0"),
        (asking(json!({"reasoning_effort": "much"})), "reasoning_effort"),
        (asking(json!({"response_format": {"type": "json_schema"}})), "response_format.json_schema.schema"),
    ];
    for (body, place) in cases {
        assert_eq!(blamed(&body), place);
    }
    let orphan = asking(json!({"messages": [
        {"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "nobody", "content": "y"}]}));
    assert_eq!(blamed(&orphan), "messages.1.tool_call_id");
}

#[test]
fn peek_reads_what_routing_needs() {
    let body = asking(json!({"provider": "p", "project": "q", "strict": true, "stream": true,
        "stream_options": {"include_usage": true}, "max_tokens": 5, "max_completion_tokens": 7}));
    let peek = OpenAiChat.peek(&Head::default(), &object(&body)).unwrap();
    assert_eq!(
        (peek.model.as_deref(), peek.provider.as_deref(), peek.project.as_deref()),
        (Some("m"), Some("p"), Some("q"))
    );
    assert!(peek.strict && peek.stream && peek.include_usage);
    assert_eq!(peek.max_output, Some(7));
    let routed =
        OpenAiChat.peek(&Head::default(), &object(&asking(json!({"provider": {"order": []}})))).unwrap();
    assert_eq!(routed.provider, None);
}

#[test]
fn a_whole_conversation_is_decoded() {
    let body = asking(json!({"messages": [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "name": "ann", "content": [
            {"type": "text", "text": "look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgoA", "detail": "low"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "video", "video": 1}]},
        {"role": "assistant", "content": null, "reasoning_content": "hm", "prefix": true, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]}]}));
    let request = decoded(&body);
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::Developer, Role::User, Role::Assistant, Role::Tool, Role::Tool]);
    let [text, image, file, audio, foreign] = &request.messages[1].parts[..] else { panic!() };
    assert!(matches!(text, Part::Text { cache: Some(CacheMark { ttl: Some(ttl) }), .. } if ttl == "1h"));
    assert!(
        matches!(image, Part::Image { source: MediaSource::Base64 { mime, .. }, .. } if mime == "image/png")
    );
    assert!(matches!(file, Part::File { name: Some(name), .. } if name == "a.pdf"));
    assert!(matches!(audio, Part::Audio { format, .. } if format == "wav"));
    assert!(matches!(foreign, Part::Foreign { raw, .. } if *raw == json!({"type": "video", "video": 1})));
    let assistant = &request.messages[2];
    assert_eq!(assistant.extra.of(Dialect::OpenAiChat).unwrap()["prefix"], true);
    assert!(matches!(&assistant.parts[0], Part::Thinking { text, .. } if text == "hm"));
    assert!(
        matches!(&assistant.parts[2], Part::ToolCall { kind: ToolKind::Custom, args, .. } if args == "free")
    );
    assert!(matches!(&request.messages[4].parts[0], Part::ToolResult { call_id, .. } if call_id == "c2"));
}

#[test]
fn the_older_functions_become_tools() {
    let request = decoded(&asking(json!({"functions": [{"name": "f", "parameters": {"type": "object"}}],
        "function_call": {"name": "f"}, "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "done"}]})));
    assert!(request.legacy_functions);
    assert_eq!(request.tool_choice, Some(ToolChoice::One("f".into())));
    let Part::ToolCall { id, .. } = &request.messages[1].parts[0] else { panic!() };
    assert!(matches!(&request.messages[2].parts[0], Part::ToolResult { call_id, .. } if call_id == id));
}

#[test]
fn schemas_keep_their_text() {
    let text = r#"{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function",
        "function":{"name":"f","parameters":{"b": 1.0,  "a":12345678901234567890123}}}],
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"z":1e2}}}}"#;
    let request =
        OpenAiChat.decode_request(&Head::default(), &RawObject::parse(Bytes::from(text)).unwrap()).unwrap();
    let kept = request.tools[0].parameters.as_ref().unwrap().get();
    assert_eq!(kept, r#"{"b": 1.0,  "a":12345678901234567890123}"#);
    let Some(OutputFormat::JsonSchema { schema, .. }) = &request.format else { panic!() };
    assert_eq!(schema.get(), r#"{"z":1e2}"#);
    let encoded = OpenAiChat.encode_request(&request, &Profile::unknown("p", "m")).unwrap();
    let body = String::from_utf8(encoded.body.to_vec()).unwrap();
    assert!(body.contains(kept) && body.contains(r#"{"z":1e2}"#));
}

#[test]
fn unknown_fields_survive_and_the_gateways_do_not() {
    let request = decoded(&asking(json!({"project": "p", "strict": true, "provider": "x", "store": false,
        "web_search_options": {"a": 1}, "response_format": {"type": "grammar"}, "nothing": null})));
    let extra = request.extra.of(Dialect::OpenAiChat).unwrap();
    assert_eq!(extra.keys().collect::<Vec<_>>(), ["store", "response_format"]);
    let (body, _) = encoded(&request, |_| ());
    assert_eq!(body["web_search_options"], json!({"a": 1}));
    assert_eq!(body["response_format"], json!({"type": "grammar"}));
    let routed = decoded(&asking(json!({"provider": {"order": ["x"]}})));
    assert!(routed.extra.of(Dialect::OpenAiChat).unwrap().contains_key("provider"));
}

/// The recorded request after decoding and encoding: the same in all that is not put more simply.
#[test]
fn recorded_requests_come_back_as_they_were() {
    let plain = |value: &Value| {
        value.as_str().map_or_else(|| value.clone(), |text| json!([{"type": "text", "text": text}]))
    };
    for fixture in fixtures::all().iter().filter(|fixture| fixture.request["messages"].is_array()) {
        let request = decoded(&fixture.request);
        let (body, _) = encoded(&request, |profile| profile.developer_role = true);
        for (sent, given) in
            body["messages"].as_array().unwrap().iter().zip(fixture.request["messages"].as_array().unwrap())
        {
            assert_eq!(sent["role"], given["role"], "{}", fixture.id);
            let media = given["content"].to_string().contains("image_url") && given["role"] == "tool";
            let marked = given["content"].to_string().contains("cache_control");
            let thoughts = given["content"].to_string().contains("\"thinking\"");
            let empty = given["content"] == json!([]);
            if !media && !marked && !thoughts && !empty {
                assert_eq!(plain(&sent["content"]), plain(&given["content"]), "{}", fixture.id);
            }
            for (sent, given) in sent["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
                .zip(given["tool_calls"].as_array().into_iter().flatten())
            {
                assert_eq!(
                    (&sent["id"], &sent["function"]),
                    (&given["id"], &given["function"]),
                    "{}",
                    fixture.id
                );
            }
        }
        if fixture.request["functions"].is_array() {
            // Their form is not the one we write.
            continue;
        }
        for name in ["tool_choice", "temperature", "top_p", "stop", "seed", "response_format", "n"] {
            let given = match (name, &fixture.request[name]) {
                ("stop", text @ Value::String(_)) => json!([text]),
                // Mistral's word.
                ("tool_choice", Value::String(word)) if word == "any" => json!("required"),
                // The default, said in words.
                ("response_format", given) if given["type"] == "text" => Value::Null,
                (_, given) => given.clone(),
            };
            assert_eq!(body[name], given, "{} {name}", fixture.id);
        }
        let (sent, given) = (&body["tools"], &fixture.request["tools"]);
        for (sent, given) in pairs(sent, given) {
            assert_eq!(sent["function"], given["function"], "{}", fixture.id);
        }
    }
}

/// The elements of two lists of one length.
fn pairs<'a>(left: &'a Value, right: &'a Value) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    let list = |value: &'a Value| value.as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(list(left).len(), list(right).len());
    list(left).iter().zip(list(right))
}

#[test]
fn a_profile_decides_how_things_are_said() {
    let request = decoded(&asking(json!({"max_tokens": 9, "temperature": 1.0, "top_k": 4, "stream": true,
        "reasoning_effort": "xhigh", "stop": ["a", "b", "c", "d", "e"],
        "messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": "y"}]})));
    let (body, told) = encoded(&request, |profile| {
        profile.max_tokens_field = MaxTokensField::MaxCompletionTokens;
        profile.abilities.temperature = false;
        profile.open_sampling = false;
        profile.stream_options = false;
        profile.reasoning = vec![ReasoningOption::Effort(vec![Effort::Low, Effort::High])];
    });
    assert_eq!(body["max_completion_tokens"], 9);
    assert_eq!(body["messages"][0]["role"], "system");
    assert_eq!(body["reasoning_effort"], "high");
    assert_eq!(body["stop"], json!(["a", "b", "c", "d"]));
    for absent in ["max_tokens", "temperature", "top_k", "stream_options"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    assert_eq!(codes(&told), ["stop", "effort", "field:temperature", "field:top_k"]);
    let (body, told) = encoded(&request, |profile| profile.developer_role = true);
    assert_eq!(body["messages"][0]["role"], "developer");
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    assert_eq!(codes(&told), ["stop"]);
}

#[test]
fn pictures_of_tool_results_follow_as_a_users_turn() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let image = json!({"type": "image_url", "image_url": {"url": "https://a/b.png"}});
    let request = decoded(&asking(json!({"messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": null, "tool_calls": [call("c1"), call("c2")]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "see "}, image]},
        {"role": "tool", "tool_call_id": "c2", "content": "ok"}]})));
    let (body, told) = encoded(&request, |_| ());
    let turns = body["messages"].as_array().unwrap();
    assert_eq!(turns[2]["content"], "see [image 1 of call c1]");
    assert_eq!(turns[3]["content"], "ok");
    assert_eq!(turns[4], json!({"role": "user", "content": [image]}));
    assert_eq!(codes(&told), ["tool_media"]);
}

#[test]
fn thoughts_go_back_within_the_running_turn_only() {
    let turn = |text: &str| json!({"role": "assistant", "content": text, "reasoning_content": text});
    let request = decoded(&asking(json!({"messages": [
        {"role": "user", "content": "a"}, turn("old"), {"role": "user", "content": "b"}, turn("new"),
        {"role": "assistant", "content": "", "reasoning_details": [
            {"type": "reasoning.text", "text": "t", "signature": "s", "format": "anthropic-claude-v1"}]}]})));
    let (body, told) = encoded(&request, |_| ());
    assert!(body["messages"][1].get("reasoning_content").is_none());
    assert_eq!(body["messages"][3]["reasoning_content"], "new");
    assert_eq!(codes(&told), ["thinking_dropped", "prefill"]);
}

#[test]
fn names_of_tools_that_are_illegal_here_go_by_an_alias() {
    let request = decoded(&asking(json!({"tools": [{"type": "function", "function": {"name": "a.b"}}],
        "tool_choice": {"type": "function", "function": {"name": "a.b"}}})));
    let (body, told) = encoded(&request, |_| ());
    assert_eq!(body["tools"][0]["function"]["name"], "a_b");
    assert_eq!(body["tool_choice"]["function"]["name"], "a_b");
    assert_eq!(told.undo.tool_name("a_b"), "a.b");
}

#[test]
fn what_a_model_cannot_take_is_refused_for_that_target() {
    let picture = json!([{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]);
    let request = decoded(&asking(json!({"messages": [{"role": "user", "content": picture}]})));
    let mut profile = Profile::unknown("p", "blind");
    profile.abilities.image = false;
    let Err(Fault::Unsupported { what, by, .. }) = OpenAiChat.encode_request(&request, &profile) else {
        panic!()
    };
    assert_eq!((what.as_str(), by.as_str()), ("image input", "blind"));
}
