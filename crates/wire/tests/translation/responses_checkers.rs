//! The checkers of Responses, checked: what is spoilt must be noticed.

use std::panic::catch_unwind;

use serde_json::json;

use super::{responses_grammar, responses_input_grammar};

/// A legal stream of Responses in pieces, to be spoilt: a text and a call.
fn responses() -> Vec<String> {
    use wire::chat::{Choice, Part, ToolKind};
    let (id, name, args) = ("c".into(), "f".into(), "{}".into());
    let call = Part::ToolCall { id, name, args, signature: None, kind: ToolKind::Function };
    let choice = Choice { parts: vec![Part::text("hi"), call], ..Choice::default() };
    let response = wire::chat::ChatResponse { choices: vec![choice], ..Default::default() };
    let mut writer = wire::SurfaceId::OpenAiResponses.surface().stream_writer(wire::dialect::Echo::default());
    let mut bytes = bytes::BytesMut::new();
    wire::chat::unfold(&response).iter().for_each(|event| writer.write(event, &mut bytes));
    writer.finish(&mut bytes);
    let text = std::str::from_utf8(&bytes).unwrap();
    text.split_inclusive("\n\n").map(str::to_owned).collect()
}

fn responses_accepts(stream: &[String]) -> bool {
    // Each piece gets the number of its place, so that it is not the number that is noticed.
    let renumbered = stream.iter().enumerate().map(|(place, event)| {
        let (head, rest) = event.split_once("\"sequence_number\":").unwrap();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
        format!("{head}\"sequence_number\":{place}{}", &rest[digits..])
    });
    let stream: String = renumbered.collect();
    catch_unwind(|| drop(responses_grammar::check("case", stream.as_bytes()))).is_ok()
}

#[test]
fn a_stream_of_responses_that_lacks_or_repeats_any_event_is_noticed() {
    let legal = responses();
    assert!(responses_accepts(&legal));
    for place in 0..legal.len() {
        let kind = legal[place].lines().next().unwrap();
        // Clients take a text from its part or its item, whose own `done` may be missing.
        let optional = kind == "event: response.output_text.done";
        let mut lacking = legal.clone();
        lacking.remove(place);
        assert_eq!(responses_accepts(&lacking), optional, "without {kind}");
        let mut repeated = legal.clone();
        repeated.insert(place, legal[place].clone());
        let idle = optional || kind == "event: response.function_call_arguments.done";
        assert_eq!(responses_accepts(&repeated), idle, "{kind} twice");
    }
}

#[test]
fn a_stream_of_responses_with_a_spoilt_event_is_noticed() {
    let legal = responses();
    let spoilt = [
        (0, "\"status\":\"in_progress\"", "\"status\":\"completed\""),
        (0, "\"tools\":[]", "\"tool\":[]"),
        (2, "\"output_index\":0", "\"output_index\":1"),
        (4, "\"item_id\":\"msg", "\"item_id\":\"nsg"),
        (4, "\"delta\":\"hi\"", "\"delta\":\"ho\""),
        (7, "\"text\":\"hi\"", "\"text\":\"ho\""),
        (9, "\"delta\":\"{}\"", "\"delta\":\"{ }\""),
        (12, "\"name\":\"f\"", "\"name\":\"g\""),
        (12, "event: response.completed", "event: response.incomplete"),
    ];
    for (place, from, to) in spoilt {
        let mut stream = legal.clone();
        stream[place] = stream[place].replace(from, to);
        assert_ne!(stream, legal, "nothing was spoilt: {from} in {}", legal[place]);
        assert!(!responses_accepts(&stream), "event {place} with {to}");
    }
}

#[test]
fn a_spoilt_request_of_responses_is_noticed() {
    let legal = json!({"model": "m", "store": false, "tools": [{"type": "function", "name": "f", "parameters": {},
        "strict": false}], "input": [{"type": "message", "role": "user", "content": "x"},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "y"}]}]});
    responses_input_grammar::check("case", &legal);
    for (pointer, value) in [
        ("/store", json!(true)),
        ("/tools/0/strict", json!(null)),
        ("/tools/0/name", json!("a.b")),
        ("/input/0/role", json!("tool")),
        ("/input/1/call_id", json!("")),
        ("/input/2/call_id", json!("b")),
        ("/input/2/type", json!("custom_tool_call_output")),
        ("/input/2/output/0/type", json!("output_text")),
    ] {
        let mut spoilt = legal.clone();
        *spoilt.pointer_mut(pointer).unwrap() = value;
        let noticed = catch_unwind(|| responses_input_grammar::check("case", &spoilt)).is_err();
        assert!(noticed, "{pointer}");
    }
}
