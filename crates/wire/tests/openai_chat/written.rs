//! Answers, written for clients.

use bytes::BytesMut;
use serde_json::{Value, json};
use wire::chat::{
    ChatResponse, Choice, Citation, Event, Loss, Origin, Part, PartId, PartKind, Piece, Stop, StopReason,
    ToolKind, Undo, Usage,
};
use wire::dialect::Echo;
use wire::openai_chat::OpenAiChat;
use wire::{Dialect, Fault, Surface, Wire};

use crate::{fixtures, naive, streamed};

fn echo() -> Echo {
    Echo {
        request_id: "req_1".into(),
        resolved_model: "resolved".into(),
        created: 7,
        include_usage: true,
        ..Echo::default()
    }
}

fn stream(events: &[Event], echo: Echo) -> (Vec<u8>, Vec<Loss>) {
    let mut writer = OpenAiChat.stream_writer(echo);
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.finish(&mut out);
    (out.to_vec(), writer.losses())
}

fn whole(response: &ChatResponse, echo: &Echo) -> (Value, Vec<Loss>) {
    let mut losses = Vec::new();
    let bytes = OpenAiChat.encode_response(response, echo, &mut losses);
    (serde_json::from_slice(&bytes).unwrap(), losses)
}

fn start() -> Event {
    Event::Start { id: Some("gen-1".into()), model: None, created: None }
}

fn part(id: u32, kind: PartKind, pieces: Vec<Piece>) -> Vec<Event> {
    let part = PartId(id);
    let mut events = vec![Event::Open { part, choice: 0, kind }];
    events.extend(pieces.into_iter().map(|piece| Event::Delta { part, piece }));
    events.push(Event::Close { part });
    events
}

fn stop(reason: StopReason) -> Event {
    Event::Stop { choice: 0, stop: reason.into() }
}

#[test]
fn recorded_streams_written_again_say_the_same() {
    for fixture in fixtures::streamed() {
        let bytes = fixture.stream().unwrap();
        let (events, _) = streamed::read([&bytes[..]]);
        let (again, _) = stream(&events, echo());
        assert!(again.ends_with(b"data: [DONE]\n\n"));
        let (first, second) = (naive::of_stream(&bytes), naive::of_stream(&again));
        for (index, choice) in &first.choices {
            let mut expected = naive::Choice { stop: choice.stop, ..naive::Choice::default() };
            expected.text.clone_from(&choice.text);
            expected.thoughts.clone_from(&choice.thoughts);
            expected.refusal.clone_from(&choice.refusal);
            // A call without arguments gets an empty object.
            expected.calls = choice
                .calls
                .iter()
                .map(|(index, (name, args))| {
                    (*index, (name.clone(), if args.is_empty() { "{}".to_owned() } else { args.clone() }))
                })
                .collect();
            assert_eq!(second.choices[index], expected, "{}", fixture.id);
        }
        assert_eq!((first.prompt, first.output), (second.prompt, second.output), "{}", fixture.id);
    }
}

#[test]
fn recorded_answers_written_again_say_the_same() {
    for fixture in fixtures::whole() {
        let response = OpenAiChat.decode_response(&fixture.body(), &Undo::default()).unwrap();
        let (again, _) = whole(&response, &echo());
        assert_eq!(naive::of_whole(&again), naive::of_whole(fixture.json()), "{}", fixture.id);
    }
}

#[test]
fn all_chunks_share_their_id_and_the_first_delta_states_the_role() {
    let mut events = vec![start()];
    events.extend(part(0, PartKind::Text, vec![Piece::Text("a".into()), Piece::Text("b".into())]));
    events.extend([
        stop(StopReason::End),
        Event::Usage(Usage { input: Some(1), output: Some(2), ..Usage::default() }),
    ]);
    let chunks = naive::datas(&stream(&events, echo()).0);
    assert!(chunks.iter().all(|chunk| chunk["id"] == "chatcmpl-gen-1"
        && chunk["model"] == "resolved"
        && chunk["created"] == 7));
    let deltas: Vec<&Value> = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]).collect();
    assert_eq!(*deltas[0], json!({"role": "assistant", "content": "a"}));
    assert_eq!(*deltas[1], json!({"content": "b"}));
    assert_eq!(*deltas[2], json!({}));
    assert_eq!(chunks[3]["choices"], json!([]));
    assert_eq!(chunks[3]["usage"]["total_tokens"], 3);
    let unasked = naive::datas(&stream(&events, Echo { include_usage: false, ..echo() }).0);
    assert_eq!(unasked.len(), 3);
}

#[test]
fn calls_carry_their_index_on_every_piece_and_name_and_id_once() {
    let kind = |id: &str| PartKind::ToolCall { id: id.into(), name: "f".into(), kind: ToolKind::Function };
    let mut events = vec![start()];
    events.extend(part(
        0,
        kind("c1"),
        vec![Piece::ToolInput("{\"a\"".into()), Piece::ToolInput(":1}".into())],
    ));
    events.extend(part(1, kind("c2"), vec![]));
    events.push(stop(StopReason::ToolUse));
    let chunks = naive::datas(&stream(&events, echo()).0);
    let pieces: Vec<&Value> =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].get(0)).collect();
    let first = |index: u32, id: &str| json!({"index": index, "id": id, "type": "function", "function": {"name": "f", "arguments": ""}});
    let next = |index: u32, args: &str| json!({"index": index, "function": {"arguments": args}});
    let expected = [first(0, "c1"), next(0, "{\"a\""), next(0, ":1}"), first(1, "c2"), next(1, "{}")];
    assert!(pieces.into_iter().eq(&expected));
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn clients_of_the_older_functions_get_their_shape() {
    let kind = PartKind::ToolCall { id: "c".into(), name: "f".into(), kind: ToolKind::Function };
    let mut events = vec![start()];
    events.extend(part(0, kind, vec![Piece::ToolInput("{}".into())]));
    events.push(stop(StopReason::ToolUse));
    let legacy = Echo { legacy_functions: true, ..echo() };
    let chunks = naive::datas(&stream(&events, legacy.clone()).0);
    assert_eq!(chunks[0]["choices"][0]["delta"]["function_call"], json!({"name": "f", "arguments": ""}));
    assert_eq!(chunks[1]["choices"][0]["delta"]["function_call"], json!({"arguments": "{}"}));
    assert_eq!(chunks[2]["choices"][0]["finish_reason"], "function_call");
    let call = Part::ToolCall {
        id: "c".into(),
        name: "f".into(),
        args: "{}".into(),
        signature: None,
        kind: ToolKind::Function,
    };
    let choice = Choice { parts: vec![call], stop: StopReason::ToolUse.into(), ..Choice::default() };
    let (answer, _) = whole(&ChatResponse { choices: vec![choice], ..ChatResponse::default() }, &legacy);
    assert_eq!(answer["choices"][0]["message"]["function_call"], json!({"name": "f", "arguments": "{}"}));
    assert_eq!(answer["choices"][0]["finish_reason"], "function_call");
}

#[test]
fn every_piece_of_a_call_has_a_function_its_signature_included() {
    let kind = PartKind::ToolCall { id: "c".into(), name: "f".into(), kind: ToolKind::Function };
    let mut events = vec![start()];
    events.extend(part(0, kind, vec![Piece::ToolInput("{}".into()), Piece::Signature("s".into())]));
    events.push(stop(StopReason::ToolUse));
    let chunks = naive::datas(&stream(&events, echo()).0);
    let calls: Vec<&Value> =
        chunks.iter().filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0")).collect();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call["function"]["arguments"].is_string()), "{calls:?}");
    assert_eq!(calls[2]["extra_content"], json!({"google": {"thought_signature": "s"}}));
}

#[test]
fn a_signed_thought_can_be_sent_back_by_the_client() {
    let origin = Some(Origin::from(Dialect::AnthropicMessages));
    let mut events = vec![start()];
    let pieces = vec![Piece::Text("h".into()), Piece::Text("m".into()), Piece::Signature("s".into())];
    events.extend(part(0, PartKind::Thinking { id: None, origin }, pieces));
    events.extend(part(1, PartKind::RedactedThinking { data: "d".into(), origin: None }, vec![]));
    events.push(stop(StopReason::End));
    let (bytes, losses) = stream(&events, echo());
    let chunks = naive::datas(&bytes);
    assert_eq!(chunks[0]["choices"][0]["delta"]["reasoning_content"], "h");
    let detail = &chunks[2]["choices"][0]["delta"]["reasoning_details"][0];
    let expected =
        json!({"type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic-claude-v1"});
    assert_eq!(*detail, expected);
    assert_eq!(losses[0].code, "thinking_dropped");
}

#[test]
fn citations_count_in_code_points_of_the_joined_text() {
    let cited = Citation { url: Some("https://a".into()), title: None, span: Some((1, 2)), raw: None };
    let text = |text: &str, citations| Part::Text { text: text.into(), citations, cache: None };
    let parts = vec![text("\u{e9}\u{1f600}", vec![]), text("abc", vec![cited.clone()])];
    let choice = Choice { parts, ..Choice::default() };
    let (answer, _) = whole(&ChatResponse { choices: vec![choice], ..ChatResponse::default() }, &echo());
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "\u{e9}\u{1f600}abc");
    let expected = json!({"type": "url_citation", "url_citation": {"url": "https://a", "title": "", "start_index": 3, "end_index": 4}});
    assert_eq!(message["annotations"][0], expected);
    let mut events = vec![start()];
    events.extend(part(0, PartKind::Text, vec![Piece::Text("\u{e9}\u{1f600}".into())]));
    events.extend(part(1, PartKind::Text, vec![Piece::Text("abc".into()), Piece::Citation(cited)]));
    events.push(stop(StopReason::End));
    let chunks = naive::datas(&stream(&events, echo()).0);
    assert_eq!(chunks[2]["choices"][0]["delta"]["annotations"][0], expected);
}

#[test]
fn an_answer_that_was_cut_off_says_why() {
    let stop = Stop { explanation: Some("unsafe".into()), ..StopReason::Filter.into() };
    let choice = Choice { stop: stop.clone(), ..Choice::default() };
    let (answer, _) = whole(&ChatResponse { choices: vec![choice], ..ChatResponse::default() }, &echo());
    assert_eq!(
        answer["choices"][0]["message"],
        json!({"role": "assistant", "content": "", "refusal": "unsafe"})
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "content_filter");
    let chunks = naive::datas(&stream(&[start(), Event::Stop { choice: 0, stop }], echo()).0);
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "refusal": "unsafe"}));
    assert_eq!(chunks[1]["choices"][0]["finish_reason"], "content_filter");
}

#[test]
fn a_whole_answer_states_its_routing_and_absent_usage_stays_absent() {
    let echo = Echo { annotate: true, resolved_provider: "p".into(), ..echo() };
    let choice = Choice { parts: vec![Part::text("x")], ..Choice::default() };
    let (answer, _) = whole(&ChatResponse { choices: vec![choice], ..ChatResponse::default() }, &echo);
    assert_eq!(answer["id"], "chatcmpl-req_1");
    assert!(answer.get("usage").is_none());
    assert_eq!(answer["x_gateway"]["resolvedProvider"], "p");
    assert_eq!(answer["x_gateway"]["tokensUsed"], Value::Null);
}

#[test]
fn a_stream_that_fails_ends_in_an_error_and_no_end_marker() {
    let mut writer = OpenAiChat.stream_writer(echo());
    let mut out = BytesMut::new();
    writer.write(&start(), &mut out);
    writer.fail(&Fault::Cut { provider: "p".into(), why: "gone".into() }, &mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    assert!(text.ends_with("\n\n") && !text.contains("[DONE]"));
    let error: Value = serde_json::from_str(text.trim().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(
        (&error["error"]["type"], &error["error"]["code"]),
        (&json!("server_error"), &json!("upstream_cut"))
    );
}
