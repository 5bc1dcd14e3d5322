//! What answers say that other dialects say otherwise.

use serde_json::{Value, json};
use wire::chat::Event;
use wire::{SurfaceId, WireId};

use super::{codes, written};
use crate::{chat_grammar, messages_stream, recording, responses_grammar, streams};

/// The events of a stream of these chunks.
fn events(wire: WireId, chunks: &[Value]) -> Vec<Event> {
    let stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let outcome = streams::read_whole(wire.wire(), stream.as_bytes());
    outcome.end.unwrap();
    outcome.events
}

fn of_gemini(parts: &Value, finish: &str) -> Vec<Event> {
    let chunk = json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}],
        "responseId": "r", "modelVersion": "gemini"});
    events(WireId::Gemini, &[chunk])
}

#[test]
fn a_call_that_was_none_is_an_end_for_chat_and_messages_and_a_failure_for_responses() {
    for word in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"] {
        let events = of_gemini(&json!([{"text": "so far"}]), word);
        let (stream, losses) = written(SurfaceId::OpenAiChat, &events);
        let read = chat_grammar::check(word, stream.as_bytes(), true);
        assert_eq!(
            (read.choices[&0].finish.as_deref(), read.choices[&0].text.as_str()),
            (Some("stop"), "so far")
        );
        assert_eq!(codes(&losses), ["bad_call"]);
        let (stream, losses) = written(SurfaceId::AnthropicMessages, &events);
        let message = messages_stream::check(word, stream.as_bytes()).message;
        assert_eq!(
            (&message["stop_reason"], &message["content"][0]["text"]),
            (&json!("end_turn"), &json!("so far"))
        );
        assert_eq!(codes(&losses), ["bad_call"]);
        let (stream, _) = written(SurfaceId::OpenAiResponses, &events);
        let response = responses_grammar::check(word, stream.as_bytes()).response;
        assert_eq!(
            (&response["status"], &response["error"]["code"]),
            (&json!("failed"), &json!("server_error"))
        );
        let (stream, _) = written(SurfaceId::Gemini, &events);
        assert!(stream.contains(word), "{stream}");
    }
}

#[test]
fn the_signature_of_a_call_stands_before_it_for_clients_of_messages() {
    let parts = json!([{"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}]);
    let google = json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "delta": {"role": "assistant", "tool_calls": [
        {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"},
         "extra_content": {"google": {"thought_signature": "c2ln"}}}]}}]});
    for events in [of_gemini(&parts, "STOP"), events(WireId::OpenAiChat, &[google])] {
        let (stream, _) = written(SurfaceId::AnthropicMessages, &events);
        let content = messages_stream::check("signed call", stream.as_bytes()).message["content"].clone();
        assert_eq!(content[0]["type"], "thinking");
        assert!(content[0]["signature"].as_str().unwrap().starts_with("gg1:"), "{content}");
        assert_eq!((&content[1]["type"], content.as_array().unwrap().len()), (&json!("tool_use"), 2));
    }
}

/// The probabilities that stand beside each piece of text, in the order of the pieces.
fn beside_text(
    stream: &str,
    text: &str,
    is_told: impl Fn(&Value) -> bool,
    token: &str,
) -> Vec<(String, String)> {
    let read = |frame: &Value, at| frame.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let frames = recording::datas(stream.as_bytes());
    let told = frames.iter().filter(|frame| is_told(frame) && !read(frame, text).is_empty());
    told.map(|frame| (read(frame, text), read(frame, token))).collect()
}

#[test]
fn probabilities_stand_beside_the_text_that_they_are_of() {
    let chunk = |text: &str| {
        json!({"choices": [{"index": 0, "delta": {"content": text},
            "logprobs": {"content": [{"token": text, "logprob": -0.5, "bytes": null, "top_logprobs": []}]}}]})
    };
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let events = events(WireId::OpenAiChat, &[chunk("Hel"), chunk("lo"), end]);
    let expected = [("Hel".to_owned(), "Hel".to_owned()), ("lo".to_owned(), "lo".to_owned())];

    let (stream, _) = written(SurfaceId::OpenAiResponses, &events);
    let delta = "response.output_text.delta";
    let told = beside_text(&stream, "/delta", |frame| frame["type"] == delta, "/logprobs/0/token");
    assert_eq!(told, expected);
    let response = responses_grammar::check("logprobs", stream.as_bytes()).response;
    let all = response["output"][0]["content"][0]["logprobs"].as_array().unwrap();
    assert_eq!(all.iter().map(|one| one["token"].as_str().unwrap()).collect::<String>(), "Hello");

    let (stream, _) = written(SurfaceId::OpenAiChat, &events);
    let token = "/choices/0/logprobs/content/0/token";
    assert_eq!(beside_text(&stream, "/choices/0/delta/content", |_| true, token), expected);
}
