//! Native Ollama: recorded answers, and requests of other formats as its servers want them.

use serde_json::{Value, json};
use wire::chat::{Abilities, ChatResponse, Encoded, Event, Fold, Part, Profile, StopReason, Undo};
use wire::frame::JsonLinesSplitter;
use wire::{Fault, Head, RawObject, SurfaceId, WireId};

use super::fixtures::{self, Fixture};

/// Largest line, in bytes.
const LIMIT: usize = 1 << 20;

fn folded(bytes: &[u8], step: usize) -> (Vec<Event>, Result<(), Fault>) {
    let mut splitter = JsonLinesSplitter::new(LIMIT);
    let mut reader = WireId::Ollama.wire().stream_reader(&Undo::default());
    let mut events = Vec::new();
    for chunk in bytes.chunks(step) {
        splitter.push(chunk);
        while let Some(frame) = splitter.next().unwrap() {
            reader.read(frame, &mut events).unwrap();
        }
    }
    if let Some(frame) = splitter.finish().unwrap()
        && let Err(fault) = reader.read(frame, &mut events)
    {
        return (events, Err(fault));
    }
    let end = reader.finish(&mut events);
    (events, end)
}

fn response(events: &[Event]) -> ChatResponse {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn text(response: &ChatResponse) -> String {
    let parts = response.choices[0].parts.iter();
    parts
        .filter_map(|part| if let Part::Text { text, .. } = part { Some(text.as_str()) } else { None })
        .collect()
}

/// What the lines of a recording say, read naively: text, prompt and output.
fn said(lines: &[Value]) -> (String, Option<u64>, Option<u64>) {
    let text = lines.iter().filter_map(|line| line["message"]["content"].as_str()).collect();
    let last = lines.last().unwrap();
    (text, last["prompt_eval_count"].as_u64(), last["eval_count"].as_u64())
}

fn lines(fixture: &Fixture) -> Vec<Value> {
    fixture.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn recorded_streams_say_what_their_lines_say_however_they_are_cut() {
    for fixture in fixtures::streamed("ollama.chat") {
        let bytes = fixture.lines().concat().into_bytes();
        let (events, end) = folded(&bytes, bytes.len());
        end.unwrap();
        let answer = response(&events);
        let usage = answer.usage.unwrap();
        assert_eq!((text(&answer), usage.input, usage.output), said(&lines(&fixture)), "{}", fixture.id);
        assert_eq!(answer.choices[0].stop.reason, StopReason::End);
        for step in [1, 2, 3, 7, 64] {
            assert_eq!(folded(&bytes, step).0, events, "{} in steps of {step}", fixture.id);
        }
    }
}

#[test]
fn a_recorded_stream_that_is_cut_anywhere_never_ends_well() {
    for fixture in fixtures::streamed("ollama.chat") {
        let lines = fixture.lines();
        for count in 0..lines.len() {
            let (events, end) = folded(lines[..count].concat().as_bytes(), LIMIT);
            assert!(matches!(end, Err(Fault::Cut { .. })), "{count} lines of {}", fixture.id);
            assert!(!events.iter().any(|event| matches!(event, Event::Stop { .. })));
        }
        let half = &lines.concat()[..lines.concat().len() - 4];
        assert!(folded(half.as_bytes(), LIMIT).1.is_err());
    }
}

#[test]
fn recorded_whole_answers_say_what_their_one_line_says() {
    for fixture in fixtures::whole("ollama.chat") {
        let answer = WireId::Ollama.wire().decode_response(&fixture.body(), &Undo::default()).unwrap();
        let usage = answer.usage.unwrap_or_default();
        let line = std::slice::from_ref(fixture.json());
        assert_eq!((text(&answer), usage.input, usage.output), said(line), "{}", fixture.id);
        assert_eq!(answer.model.as_deref(), line[0]["model"].as_str());
    }
}

fn encoded(surface: SurfaceId, body: &Value, profile: &Profile) -> Result<Encoded, Fault> {
    let body = RawObject::parse(body.to_string().into()).unwrap();
    let request = surface.surface().decode_request(&Head::default(), &body)?;
    WireId::Ollama.wire().encode_request(&request, profile)
}

fn from_chat(body: &Value) -> (Value, Vec<String>) {
    let encoded = encoded(SurfaceId::OpenAiChat, body, &Profile::unknown("ollama", "m")).unwrap();
    let losses = encoded.losses.iter().map(|loss| loss.code.to_string()).collect();
    (serde_json::from_slice(&encoded.body).unwrap(), losses)
}

#[test]
fn limits_sampling_and_form_go_where_this_format_has_them() {
    let (body, losses) = from_chat(
        &json!({"model": "x", "messages": [{"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hi"}], "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": "END",
        "reasoning_effort": "high", "response_format": {"type": "json_schema", "json_schema": {"name": "n",
        "schema": {"type": "object"}}}}),
    );
    let expected = json!({"model": "m", "messages": [{"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"}], "format": {"type": "object"}, "think": "high", "stream": false,
        "options": {"num_predict": 9, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END"]}});
    assert_eq!((body, losses), (expected, vec![]));
}

#[test]
fn a_tool_round_trip_has_arguments_as_an_object_and_results_with_the_name_of_their_tool() {
    let call = json!({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"b\": 1, \"a\": 2}"}});
    let broken = json!({"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{\"b\":"}});
    let (body, losses) = from_chat(&json!({"model": "x", "messages": [{"role": "user", "content": "Go"},
        {"role": "assistant", "content": null, "tool_calls": [call, broken]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"}, {"role": "tool", "tool_call_id": "c2", "content": "two"}],
        "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"}));
    let calls = json!([{"id": "c1", "function": {"name": "f", "arguments": {"b": 1, "a": 2}}},
        {"id": "c2", "function": {"name": "g", "arguments": {}}}]);
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "", "tool_calls": calls}));
    let result = |name: &str, id: &str, content: &str| json!({"role": "tool", "content": content, "tool_name": name, "tool_call_id": id});
    assert_eq!(body["messages"][2], result("f", "c1", "one"));
    assert_eq!(body["messages"][3], result("g", "c2", "two"));
    assert_eq!(body["tools"][0]["function"]["parameters"], json!({"type": "object", "properties": {}}));
    assert_eq!(losses, ["tool_choice", "tool_args_invalid"]);
}

#[test]
fn pictures_are_bare_base64_and_one_that_stands_elsewhere_is_named_and_not_fetched() {
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let parts = [
        json!({"type": "text", "text": "Look"}),
        image("data:image/png;base64,iVBORw0KGgo="),
        image("https://a.example/b.png"),
    ];
    let (body, losses) = from_chat(&json!({"model": "x", "messages": [{"role": "user", "content": parts}]}));
    let expected = json!({"role": "user", "content": "Look\n\n[image at https://a.example/b.png]", "images": ["iVBORw0KGgo="]});
    assert_eq!((&body["messages"][0], losses), (&expected, vec!["image_url".to_owned()]));
    let blind = Profile {
        abilities: Abilities { image: false, ..Abilities::default() },
        ..Profile::unknown("ollama", "m")
    };
    let asked = json!({"model": "x", "messages": [{"role": "user", "content": parts}]});
    assert!(matches!(encoded(SurfaceId::OpenAiChat, &asked, &blind), Err(Fault::Unsupported { .. })));
}

#[test]
fn pictures_of_a_tool_follow_its_results_as_a_turn_of_the_user() {
    let picture = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
    let body = json!({"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "Go"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [picture]}]}]});
    let encoded = encoded(SurfaceId::AnthropicMessages, &body, &Profile::unknown("ollama", "m")).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(body["messages"][2]["content"], "[image 1 of call c1]");
    assert_eq!(body["messages"][3], json!({"role": "user", "content": "", "images": ["iVBORw0KGgo="]}));
    assert!(encoded.losses.iter().any(|loss| loss.code == "tool_media"));
}

#[test]
fn sealed_thoughts_of_another_family_do_not_come_here_and_plain_ones_do() {
    let thinking = json!({"type": "thinking", "thinking": "hm", "signature": "c2VhbA=="});
    let body = json!({"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "Go"},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": "so"}]}, {"role": "user", "content": "On"}]});
    let encoded = encoded(SurfaceId::AnthropicMessages, &body, &Profile::unknown("ollama", "m")).unwrap();
    let written: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(written["messages"][1], json!({"role": "assistant", "content": "so"}));
    assert!(encoded.losses.iter().any(|loss| loss.code == "thinking_dropped"));
    let (body, losses) = from_chat(&json!({"model": "x", "messages": [{"role": "user", "content": "Go"},
        {"role": "assistant", "content": "so", "reasoning_content": "hm"}, {"role": "user", "content": "On"}]}));
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "so", "thinking": "hm"}));
    assert_eq!(losses, Vec::<String>::new());
}

#[test]
fn what_cannot_be_said_at_all_is_refused() {
    let user = |content: Value| json!([{"role": "user", "content": content}]);
    let sound = json!([{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]);
    for (field, value) in [("n", json!(2)), ("logprobs", json!(true)), ("messages", user(sound))] {
        let mut body = json!({"model": "x", "messages": user("Hi".into())});
        body[field] = value;
        let refused = encoded(SurfaceId::OpenAiChat, &body, &Profile::unknown("ollama", "m"));
        assert!(matches!(refused, Err(Fault::Unsupported { .. })), "{field}: {refused:?}");
    }
}

#[test]
fn recorded_requests_of_every_dialect_are_encoded_or_refused_and_fit_the_types() {
    let dialects = [
        ("openai.chat", SurfaceId::OpenAiChat),
        ("anthropic.messages", SurfaceId::AnthropicMessages),
        ("openai.responses", SurfaceId::OpenAiResponses),
    ];
    let mut written = 0;
    for (dialect, surface) in dialects {
        for fixture in fixtures::all(dialect).iter().filter(|fixture| fixture.request.is_object()) {
            let Ok(encoded) = encoded(surface, &fixture.request, &Profile::unknown("ollama", "m")) else {
                continue;
            };
            let body: Value = serde_json::from_slice(&encoded.body).unwrap();
            check(&body).unwrap_or_else(|| panic!("{}: {body:#}", fixture.id));
            written += 1;
        }
    }
    assert!(written > 50, "only {written}");
}

/// The types of `api/types.go`; `None`: one does not fit.
fn check(body: &Value) -> Option<()> {
    let fits = |holds: bool| holds.then_some(());
    fits(body["stream"].is_boolean() && body["model"].is_string())?;
    for message in body["messages"].as_array()? {
        fits(["system", "user", "assistant", "tool"].contains(&message["role"].as_str()?))?;
        message["content"].as_str()?;
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            call["function"]["arguments"].as_object()?;
        }
        for image in message["images"].as_array().into_iter().flatten() {
            fits(!image.as_str()?.contains(':'))?;
        }
        fits(message["role"] != "tool" || message["tool_name"].is_string())?;
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        tool["function"]["parameters"].as_object()?;
    }
    Some(())
}
