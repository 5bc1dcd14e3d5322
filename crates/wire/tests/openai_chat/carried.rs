//! Carried frames and answers, glanced at; and carried requests, edited.

use bytes::Bytes;
use serde_json::Value;
use wire::chat::{MaxTokensField, Profile, StopReason};
use wire::dialect::{Echo, Glance};
use wire::frame::{Frame, SseSplitter};
use wire::openai_chat::OpenAiChat;
use wire::{Fault, RawObject, Surface, Wire};

use crate::{fixtures, naive};

fn glance(data: &str) -> Result<Glance, Fault> {
    OpenAiChat.glance(Frame { event: "", data })
}

fn object(text: &str) -> RawObject {
    RawObject::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

#[test]
fn glances_at_recorded_streams_see_usage_stop_and_end() {
    for fixture in fixtures::streamed() {
        let bytes = fixture.stream().unwrap();
        let expected = naive::of_stream(&bytes);
        let mut splitter = SseSplitter::new(1 << 20);
        splitter.push(&bytes);
        let (mut content, mut usage, mut stop) = (false, None, None);
        while let Some(event) = splitter.next().unwrap() {
            let seen = OpenAiChat.glance(event.frame()).unwrap();
            assert!(!seen.usage_only || !seen.content, "{}", fixture.id);
            content |= seen.content;
            usage = seen.usage.or(usage);
            stop = stop.or(seen.stop);
        }
        let usage = usage.unwrap_or_default();
        assert_eq!((usage.prompt(), usage.output), (expected.prompt, expected.output), "{}", fixture.id);
        assert!(content && stop.is_some(), "{}", fixture.id);
    }
}

#[test]
fn glances_at_recorded_answers_see_usage_model_and_stop() {
    for fixture in fixtures::whole() {
        let body = RawObject::parse(fixture.body().into()).unwrap();
        let seen = OpenAiChat.glance_whole(&body).unwrap();
        let expected = naive::of_whole(fixture.json());
        let usage = seen.usage.unwrap_or_default();
        assert_eq!((usage.prompt(), usage.output), (expected.prompt, expected.output), "{}", fixture.id);
        assert_eq!(seen.model, expected.model, "{}", fixture.id);
        let stop = expected.choices[&0].stop.filter(|stop| *stop != StopReason::Refusal);
        assert!(stop.is_none() || seen.stop.map(|stop| stop.reason) == stop, "{}", fixture.id);
    }
}

#[test]
fn opening_frames_are_no_content() {
    for data in [
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":null,"tool_calls":[]}}]}"#,
        r#"{"choices":[],"prompt_filter_results":[{"content":"x"}]}"#,
        r#"{"choices":[{"delta":{"channel":"analysis"}}]}"#,
        "",
    ] {
        assert!(!glance(data).unwrap().content, "{data}");
    }
    for data in [
        r#"{"choices":[{"delta":{"content":"x"}}]}"#,
        r#"{"choices":[{"delta":{"role":"assistant", "content" : "\""}}]}"#,
        r#"{"choices":[{"delta":{"reasoning_content":"x"}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#,
        r#"{"choices":[{"delta":{"refusal":"no"}}]}"#,
    ] {
        assert!(glance(data).unwrap().content, "{data}");
    }
}

#[test]
fn usage_end_and_stop_are_told_apart() {
    let usage =
        glance(r#"{"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#).unwrap();
    assert!(usage.usage_only && usage.model.as_deref() == Some("m"));
    assert_eq!(usage.usage.unwrap().total(), Some(3));
    let both =
        glance(r#"{"choices":[{"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":1}}"#).unwrap();
    assert!(!both.usage_only && both.stop.unwrap().reason == StopReason::Length);
    assert!(glance(r#"{"choices":[],"usage":null}"#).unwrap().usage.is_none());
    assert!(glance("[DONE]").unwrap().end);
}

#[test]
fn broken_frames_and_errors_are_not_forwarded() {
    for data in ["{", "[]", "hello", r#"{"choices":[{"delta":{"content":"x}]}"#, "{} {}"] {
        assert!(matches!(glance(data), Err(Fault::BadAnswer { .. })), "{data}");
    }
    for data in [r#"{"error":{"message":"no"}}"#, r#"{"choices":[{"error":{"message":"no"},"delta":{}}]}"#] {
        assert!(matches!(glance(data), Err(Fault::Upstream(_))), "{data}");
    }
    let named = OpenAiChat.glance(Frame { event: "error", data: r#"{"message":"no"}"# });
    assert!(matches!(named, Err(Fault::Upstream(fault)) if fault.message == "no"));
    assert!(matches!(OpenAiChat.glance_whole(&object(r#"{"error":"no"}"#)), Err(Fault::Upstream(_))));
    assert!(matches!(OpenAiChat.glance_whole(&object("{}")), Err(Fault::BadAnswer { .. })));
}

fn retargeted(text: &str, stream: bool, change: impl FnOnce(&mut Profile)) -> String {
    let mut body = object(text);
    let mut profile = Profile::unknown("p", "target");
    change(&mut profile);
    OpenAiChat.retarget(&mut body, &profile, stream).unwrap();
    String::from_utf8(body.into_bytes().to_vec()).unwrap()
}

#[test]
fn a_carried_request_changes_only_where_it_must() {
    let text = r#"{ "model" :"alias","max_tokens": 5,  "stream":true, "x":[1.0 ]}"#;
    assert_eq!(
        retargeted(text, true, |_| ()),
        r#"{ "model" :"target","max_tokens": 5,  "stream":true, "x":[1.0 ],"stream_options":{"include_usage":true}}"#
    );
    assert_eq!(
        retargeted(text, false, |profile| profile.max_tokens_field = MaxTokensField::MaxCompletionTokens),
        r#"{ "model" :"target","max_completion_tokens": 5,  "stream":true, "x":[1.0 ]}"#
    );
    let asked = r#"{"model":"target","stream_options":{"a":1}}"#;
    assert_eq!(
        retargeted(asked, true, |_| ()),
        r#"{"model":"target","stream_options":{"a":1,"include_usage":true}}"#
    );
    assert_eq!(retargeted(asked, true, |profile| profile.stream_options = false), r#"{"model":"target"}"#);
}

#[test]
fn only_the_gateways_own_fields_are_stripped() {
    let stripped = |text: &str| {
        let mut body = object(text);
        OpenAiChat.strip(&mut body);
        String::from_utf8(body.into_bytes().to_vec()).unwrap()
    };
    assert_eq!(stripped(r#"{"project":"p","model":"m","strict":true,"provider":"x"}"#), r#"{"model":"m"}"#);
    let routed = r#"{"model":"m","provider":{"order":["x"]}}"#;
    assert_eq!(stripped(routed), routed);
}

#[test]
fn routing_is_told_in_a_carried_answer() {
    let echo = Echo {
        requested_model: Some("alias".into()),
        resolved_provider: "p".into(),
        resolved_model: "m".into(),
        annotate: true,
        ..Echo::default()
    };
    let mut answer = object(r#"{"id": 1 }"#);
    OpenAiChat.annotate(&mut answer, &echo, None);
    let told: Value = serde_json::from_slice(&answer.into_bytes()).unwrap();
    let expected = serde_json::json!({"id": 1, "x_gateway": {"requestedProvider": null, "requestedModel": "alias",
        "resolvedProvider": "p", "resolvedModel": "m", "fallbackUsed": false, "tokensUsed": null}});
    assert_eq!(told, expected);
}
