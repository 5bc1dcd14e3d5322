//! `/v1/responses` over a WebSocket, as codex and copilot use it.

mod carried;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Outcome;

use crate::support::{Bench, Gateway, Socket, TOKEN, block_on, request};

const PATH: &str = "/v1/responses";

fn open(gateway: &Gateway) -> Socket {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("openai-beta", "responses_websockets=2026-02-06")];
    Socket::open_with(gateway.address, PATH, &headers).unwrap_or_else(|status| panic!("{status}")).0
}

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn turn(model: &str, previous: Option<&str>, input: Value) -> Value {
    let mut turn =
        json!({"type": "response.create", "model": model, "input": input, "store": false, "strict": true});
    if let Some(previous) = previous {
        turn["previous_response_id"] = previous.into();
    }
    turn
}

/// The events of a response up to its end.
fn hear_response(socket: &mut Socket) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let event = socket.hear_bare();
        let kind = event["type"].as_str().unwrap().to_owned();
        events.push(event);
        let last = ["response.completed", "response.incomplete", "response.failed", "error"];
        if last.contains(&&*kind) {
            return events;
        }
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn id_of(events: &[Value]) -> String {
    events.last().unwrap()["response"]["id"].as_str().unwrap_or_else(|| panic!("{events:?}")).to_owned()
}

/// Roles and texts of what the last request to the upstream brought.
fn asked(bench: &Bench) -> Vec<(String, String)> {
    let body = bench.provider.received().last().unwrap().json();
    let text = |content: &Value| match content {
        Value::String(text) => text.clone(),
        parts => parts[0]["text"].as_str().unwrap_or_default().to_owned(),
    };
    let messages = body["messages"].as_array().unwrap();
    messages.iter().map(|it| (it["role"].as_str().unwrap().to_owned(), text(&it["content"]))).collect()
}

fn owned(turns: &[(&str, &str)]) -> Vec<(String, String)> {
    turns.iter().map(|(role, text)| ((*role).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn a_warm_up_generates_nothing_and_the_next_turn_brings_only_what_is_new() {
    for wire in ["oai", "ant"] {
        let bench = Bench::new();
        let mut socket = open(&bench.gateway);
        let model = format!("{wire}/text");
        let mut warm_up = turn(&model, None, json!([user("First.")]));
        warm_up["generate"] = false.into();
        socket.say(&warm_up);
        let events = hear_response(&mut socket);
        assert_eq!(kinds(&events), ["response.created", "response.completed"]);
        assert_eq!(events[1]["response"]["output"], json!([]));
        assert!(bench.provider.received().is_empty(), "no upstream is asked");

        socket.say(&turn(&model, Some(&id_of(&events)), json!([user("Second.")])));
        let events = hear_response(&mut socket);
        assert_eq!(kinds(&events)[0], "response.created");
        assert_eq!(*kinds(&events).last().unwrap(), "response.completed", "{events:?}");
        let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        let text: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
        assert_eq!(text, fakeprov::TEXT);
        let asked = String::from_utf8(bench.provider.received()[0].body.to_vec()).unwrap();
        let place = |text: &str| asked.find(text).unwrap_or_else(|| panic!("no {text} in {asked}"));
        assert!(place("First.") < place("Second."), "{asked}");
        let row = &bench.gateway.ledger(1)[0];
        assert_eq!((&*row.surface, row.stream, row.outcome), ("openai_responses", true, Outcome::Completed));
    }
}

#[test]
fn turns_build_on_one_another_answers_included() {
    let bench = Bench::new();
    let mut socket = open(&bench.gateway);
    socket.say(&turn("oai/text", None, "One.".into()));
    let first = id_of(&hear_response(&mut socket));
    socket.say(&turn("oai/text", Some(&first), json!([user("Two.")])));
    let second = id_of(&hear_response(&mut socket));
    assert_ne!(first, second);
    socket.say(&turn("oai/text", Some(&second), json!([user("Three.")])));
    hear_response(&mut socket);
    let answer = fakeprov::TEXT;
    let all = [
        ("user", "One."),
        ("assistant", answer),
        ("user", "Two."),
        ("assistant", answer),
        ("user", "Three."),
    ];
    assert_eq!(asked(&bench), owned(&all));
    // Back to an earlier turn: what came after it is not part of it.
    socket.say(&turn("oai/text", Some(&first), json!([user("Other.")])));
    hear_response(&mut socket);
    assert_eq!(asked(&bench), owned(&[("user", "One."), ("assistant", answer), ("user", "Other.")]));
}

#[test]
fn a_call_and_its_result_come_together_again() {
    let bench = Bench::new();
    let mut socket = open(&bench.gateway);
    let tool =
        json!([{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}]);
    let mut first = turn("oai/tool", None, json!([user("Look.")]));
    first["tools"] = tool.clone();
    socket.say(&first);
    let events = hear_response(&mut socket);
    let output = events.last().unwrap()["response"]["output"].as_array().unwrap().clone();
    let call = output.iter().find(|item| item["type"] == "function_call").expect("a call");
    let result = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "Seen."});
    let mut second = turn("oai/text", Some(&id_of(&events)), json!([result]));
    second["tools"] = tool;
    socket.say(&second);
    let events = hear_response(&mut socket);
    assert_eq!(*kinds(&events).last().unwrap(), "response.completed", "{events:?}");
    let roles: Vec<_> = asked(&bench).into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["user", "assistant", "tool"]);
}

#[test]
fn a_response_that_the_connection_does_not_know_is_refused_by_code_and_the_connection_lives() {
    let bench = Bench::new();
    let mut socket = open(&bench.gateway);
    socket.say(&turn("oai/text", Some("resp_of_another_connection"), json!([user("Hi.")])));
    let event = socket.hear_bare();
    assert_eq!((&event["type"], &event["status"]), (&json!("error"), &json!(400)));
    assert_eq!(event["error"]["code"], "previous_response_not_found");
    socket.say(&turn("oai/text", None, json!([user("Hi.")])));
    assert_eq!(*kinds(&hear_response(&mut socket)).last().unwrap(), "response.completed");
}

#[test]
fn refusals_are_error_events_with_a_status_and_the_connection_lives() {
    let bench = Bench::new();
    let mut socket = open(&bench.gateway);
    for (message, status) in [
        (turn("oai/status-429", None, json!([user("Hi.")])).to_string(), 429),
        (turn("nobody", None, json!([user("Hi.")])).to_string(), 404),
        (turn("oai/text", None, 7.into()).to_string(), 400),
        (json!({"type": "response.dance"}).to_string(), 400),
        ("[]".to_owned(), 400),
        ("{".to_owned(), 400),
    ] {
        socket.say_text(&message);
        let event = socket.hear_bare();
        assert_eq!(
            (&event["type"], &event["status"]),
            (&json!("error"), &json!(status)),
            "{message}: {event}"
        );
        assert!(event["message"].as_str().is_some_and(|text| !text.is_empty()), "{event}");
        assert_eq!(event["message"], event["error"]["message"]);
    }
    socket.say(&turn("oai/text", None, json!([user("Hi.")])));
    assert_eq!(*kinds(&hear_response(&mut socket)).last().unwrap(), "response.completed");
}

#[test]
fn a_response_that_breaks_never_completes() {
    let bench = Bench::new();
    for model in ["oai/truncate", "ant/truncate"] {
        let mut socket = open(&bench.gateway);
        socket.say(&turn(model, None, json!([user("Hi.")])));
        let events = hear_response(&mut socket);
        let last = *kinds(&events).last().unwrap();
        assert!(["response.failed", "error"].contains(&last), "{events:?}");
    }
}

#[test]
fn turns_that_come_at_once_are_answered_one_after_another() {
    let bench = Bench::new();
    let mut socket = open(&bench.gateway);
    socket.say(&turn("oai/text+delay=20ms+n=10", None, json!([user("Hi.")])));
    socket.say(&turn("oai/text", None, json!([user("Hi.")])));
    let (first, second) = (hear_response(&mut socket), hear_response(&mut socket));
    assert_eq!(first.last().unwrap()["response"]["model"], "text+delay=20ms+n=10");
    assert_eq!(second.last().unwrap()["response"]["model"], "text");
}

#[test]
fn a_turn_may_be_as_large_as_a_request() {
    let bench = Bench::new();
    let mut socket = open(&bench.gateway);
    socket.say(&turn("oai/text", None, json!([user(&"x".repeat(3 << 20))])));
    assert_eq!(*kinds(&hear_response(&mut socket)).last().unwrap(), "response.completed");
}

#[test]
fn a_client_that_leaves_takes_the_upstream_along() {
    let Bench { provider, gateway } = Bench::new();
    let mut socket = open(&gateway);
    socket.say(&turn("oai/text+delay=50ms+n=200", None, json!([user("Hi.")])));
    socket.hear_bare();
    let left = Instant::now();
    drop(socket);
    let closed = block_on(provider.wait_closed(Duration::from_secs(1))).expect("the upstream is closed");
    assert!(closed.at - left < Duration::from_secs(1), "{:?}", closed.at - left);
    assert_eq!(gateway.ledger(1)[0].outcome, Outcome::ClientGone);
}

#[test]
fn the_door_asks_for_a_key_and_a_plain_get_is_told_to_upgrade() {
    let bench = Bench::new();
    let address = bench.gateway.address;
    assert_eq!(Socket::open_with(address, PATH, &[]).err(), Some(401));
    assert_eq!(Socket::open_with(address, PATH, &[("authorization", "Bearer wrong")]).err(), Some(401));
    let bearer = format!("Bearer {TOKEN}");
    let plain = request(address, "GET", PATH, &[("authorization", &bearer)], b"");
    assert_eq!(
        (plain.status, plain.header("upgrade")),
        (426, Some("websocket")),
        "codex then goes on over HTTP"
    );
}
