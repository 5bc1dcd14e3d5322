//! Whole answers, read.

use wire::chat::{Part, Undo};
use wire::openai_chat::OpenAiChat;
use wire::{Fault, Wire};

use crate::{fixtures, naive};

#[test]
fn recorded_answers_say_what_the_recording_says() {
    for fixture in fixtures::whole() {
        let response = OpenAiChat.decode_response(&fixture.body(), &Undo::default()).unwrap();
        assert_eq!(naive::of_response(&response), naive::of_whole(fixture.json()), "{}", fixture.id);
    }
}

#[test]
fn odd_usage_is_absent_and_flagged() {
    let body = br#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":-5,"completion_tokens":"many","total_tokens":1e308}}"#;
    let usage = OpenAiChat.decode_response(body, &Undo::default()).unwrap().usage.unwrap();
    assert!(usage.odd && usage.prompt().is_none() && usage.output.is_none());
}

#[test]
fn an_answer_that_is_none_is_refused() {
    for body in [&b""[..], b"<html>", b"[]", b"{}", br#"{"choices":[]}"#, br#"{"choices":[{"message":5}]}"#] {
        let answer = OpenAiChat.decode_response(body, &Undo::default());
        assert!(matches!(answer, Err(Fault::BadAnswer { .. })), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn signed_thoughts_keep_their_signature_and_origin() {
    let body = br#"{"choices":[{"message":{"content":"x","reasoning":"hm","reasoning_details":[
        {"type":"reasoning.text","text":"hm","signature":"sig","format":"anthropic-claude-v1"}]}}]}"#;
    let response = OpenAiChat.decode_response(body, &Undo::default()).unwrap();
    let Part::Thinking { text, signature, origin, .. } = &response.choices[0].parts[0] else { panic!() };
    assert_eq!((text.as_str(), signature.as_deref()), ("hm", Some("sig")));
    assert_eq!(origin.as_ref().unwrap().dialect, wire::Dialect::AnthropicMessages);
    assert_eq!(response.choices[0].parts.len(), 2);
}

#[test]
fn tool_names_go_back_to_what_the_client_calls_them() {
    let body = br#"{"choices":[{"message":{"tool_calls":[{"id":"1","function":{"name":"a_b","arguments":"{}"}}]}}]}"#;
    let undo = Undo { tool_names: [("a_b".to_owned(), "a.b".to_owned())].into(), ..Undo::default() };
    let response = OpenAiChat.decode_response(body, &undo).unwrap();
    assert!(matches!(&response.choices[0].parts[0], Part::ToolCall { name, .. } if name == "a.b"));
}
