//! Legacy completions: what is looked at, and what is changed.

use serde_json::{Value, json};
use wire::WireId;
use wire::chat::{Profile, StopReason};
use wire::complete::{peek, retarget};
use wire::frame::Frame;

use crate::{blamed, body, json, text};

#[test]
fn a_request_is_peeked_at_and_what_is_none_is_refused_by_name() {
    let asked = peek(&body(json!({"model": "m", "prompt": ["a"], "stream": true, "max_tokens": 5,
        "stream_options": {"include_usage": true}, "provider": "p", "project": "q"})))
    .unwrap();
    assert_eq!((asked.model.as_deref(), asked.provider.as_deref()), (Some("m"), Some("p")));
    assert!(asked.stream && asked.include_usage && asked.max_output == Some(5));
    let refused = |request: Value| blamed(peek(&body(request)));
    assert_eq!(refused(json!({"prompt": "a"})), "model");
    assert_eq!(refused(json!({"model": "m", "prompt": 5})), "prompt");
    assert_eq!(refused(json!({"model": "m", "prompt": "a", "stream": "yes"})), "stream");
}

#[test]
fn a_carried_request_changes_nothing_but_the_model_and_what_streams_report() {
    let profile = Profile::unknown("p", "target");
    let mut carried = text(r#"{ "prompt" : "caf\u00e9",  "model":"a/target", "max_tokens" : 5 }"#);
    retarget(&mut carried, &profile, false).unwrap();
    assert_eq!(carried.into_bytes(), r#"{ "prompt" : "caf\u00e9",  "model":"target", "max_tokens" : 5 }"#);
    let mut streamed = body(json!({"model": "target", "prompt": "a", "stream": true}));
    retarget(&mut streamed, &profile, true).unwrap();
    assert_eq!(json(streamed.into_bytes())["stream_options"], json!({"include_usage": true}));
}

#[test]
fn a_text_is_content_and_an_empty_one_is_not() {
    let glance = |choice: Value| {
        let data = json!({"choices": [choice]}).to_string();
        WireId::OpenAiChat.wire().glance(Frame { event: "", data: &data }).unwrap()
    };
    assert!(glance(json!({"text": "a", "index": 0, "finish_reason": null})).content);
    let last = glance(json!({"text": "", "index": 0, "finish_reason": "length"}));
    assert!(!last.content);
    assert_eq!(last.stop.map(|stop| stop.reason), Some(StopReason::Length));
}
