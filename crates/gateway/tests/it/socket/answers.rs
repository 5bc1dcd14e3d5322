//! Requests and their answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::{Value, json};
use store::Outcome;

use crate::support::{Bench, Builder, Socket, TOKEN, block_on, both_wires, chat_message, eventually};

/// The bound of the fault model; the measured figure is far below.
const BOUND: Duration = Duration::from_secs(1);

fn text(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
}

fn with_id(mut message: Value, id: &str) -> Value {
    message["id"] = id.into();
    message
}

#[test]
fn a_request_of_llm_bridges_users_is_answered_in_their_form_with_one_end_marker() {
    let bench = Bench::new();
    for wire in ["oai", "ant"] {
        let mut socket = Socket::open(bench.gateway.address);
        // Not `"stream": true`: it always is.
        socket.say(&chat_message(&format!("{wire}/text")));
        let events = socket.hear_answer();
        assert_eq!(text(&events), fakeprov::TEXT, "{wire}");
        assert_eq!(events[0]["object"], "chat.completion.chunk");
        assert_eq!(events[0].get("request_id"), None, "nobody gave an id");
        socket.say(&json!({"type": "ping"}));
        assert_eq!(socket.hear_bare(), json!({"type": "pong"}), "nothing follows the end marker");
    }
    let rows = bench.gateway.ledger(2);
    assert!(rows.iter().all(|row| row.surface == "ws" && row.stream && row.outcome == Outcome::Completed));
    assert!(rows.iter().all(|row| row.key_name.as_deref() == Some("admin")), "{rows:?}");
}

#[test]
fn one_connection_carries_one_request_after_another() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    for _ in 0..3 {
        socket.say(&chat_message("oai/text"));
        assert_eq!(text(&socket.hear_answer()), fakeprov::TEXT);
    }
    bench.gateway.ledger(3);
}

#[test]
fn requests_without_an_id_that_come_at_once_are_answered_in_their_order() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    for model in ["oai/text+delay=20ms+n=5", "oai/json", "oai/text"] {
        socket.say(&chat_message(model));
    }
    let models: Vec<Value> = (0..3).map(|_| socket.hear_answer()[0]["model"].clone()).collect();
    assert_eq!(models, ["text+delay=20ms+n=5", "json", "text"]);
}

#[test]
fn requests_with_ids_are_answered_at_once_and_every_text_tells_whose_it_is() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    socket.say(&with_id(chat_message("oai/text+delay=40ms+n=20"), "slow"));
    socket.say(&with_id(chat_message("ant/text"), "quick"));
    let mut answers: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut ended = Vec::new();
    let mut last = String::new();
    while ended.len() < 2 {
        match socket.hear_event() {
            Some(event) => {
                last = event["request_id"].as_str().expect("every event has the id").to_owned();
                answers.entry(last.clone()).or_default().push(event);
            }
            // It carries no id, but comes right behind an event that says which request is done.
            None => {
                assert_eq!(answers[&last].last().unwrap()["done"], true);
                ended.push(last.clone());
            }
        }
    }
    assert_eq!(ended, ["quick", "slow"], "the slow one did not hold up the quick one");
    assert_eq!(text(&answers["quick"]), fakeprov::TEXT);
    let ids: Vec<_> = bench.gateway.ledger(2).into_iter().map(|row| row.client_request_id).collect();
    assert!(ids.contains(&Some("slow".into())) && ids.contains(&Some("quick".into())), "{ids:?}");
}

#[test]
fn an_id_that_is_in_use_and_more_requests_than_there_is_room_for_are_refused() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    let slow = || chat_message("oai/stall-head");
    for number in 0..32 {
        socket.say(&with_id(slow(), &number.to_string()));
    }
    socket.say(&with_id(slow(), "7"));
    let twice = socket.hear_bare();
    assert_eq!((&twice["error"]["code"], &twice["request_id"]), (&json!("duplicate_id"), &json!("7")));
    socket.say(&with_id(slow(), "one more"));
    assert_eq!(socket.hear_bare()["error"]["code"], "too_many_requests");
}

#[test]
fn cancelling_closes_the_upstream_at_once_and_the_connection_goes_on() {
    for wire in ["oai", "ant"] {
        let Bench { provider, gateway } = Bench::new();
        let mut socket = Socket::open(gateway.address);
        socket.say(&with_id(chat_message(&format!("{wire}/text+delay=50ms+n=200")), "a"));
        socket.hear_event();
        let left = Instant::now();
        socket.say(&json!({"type": "cancel", "id": "a"}));
        let closed = block_on(provider.wait_closed(BOUND)).expect("the upstream is closed");
        assert!(closed.at - left < BOUND, "{:?}", closed.at - left);
        let said = loop {
            let text = socket.hear();
            if !text.starts_with("data: ") {
                break text;
            }
        };
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said, json!({"type": "cancelled", "request_id": "a"}));
        socket.say(&chat_message("oai/text"));
        assert_eq!(text(&socket.hear_answer()), fakeprov::TEXT);
        let rows = gateway.ledger(2);
        assert_eq!(rows[1].outcome, Outcome::ClientGone, "{rows:?}");
        socket.say(&json!({"type": "cancel", "id": "a"}));
        assert_eq!(socket.hear_bare()["error"]["code"], "unknown_id");
    }
}

#[test]
fn a_refused_request_gets_its_error_and_the_end_marker_and_the_connection_lives() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    for (model, code) in
        [("oai/status-429", "rate_limit_exceeded"), ("nobody", "model_not_found"), ("ant/status-400", "")]
    {
        socket.say(&with_id(chat_message(model), "q"));
        let events = socket.hear_answer();
        let error = &events[0]["error"];
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{events:?}");
        assert!(error["type"].is_string() && events[0]["request_id"] == "q", "{events:?}");
        assert!(code.is_empty() || error["code"].as_str().is_some_and(|said| !said.is_empty()), "{events:?}");
    }
    let mut message = chat_message("oai/text");
    message["payload"]["messages"] = json!([]);
    socket.say(&message);
    assert_eq!(socket.hear_answer()[0]["error"]["param"], "messages");
    socket.say(&chat_message("oai/text"));
    assert_eq!(text(&socket.hear_answer()), fakeprov::TEXT);
    bench.gateway.ledger(5);
}

#[test]
fn a_stream_that_breaks_ends_in_an_error_and_then_the_end_marker() {
    let bench = Bench::new();
    for model in ["oai/truncate", "ant/truncate", "oai/error-mid"] {
        let mut socket = Socket::open(bench.gateway.address);
        socket.say(&chat_message(model));
        let events = socket.hear_answer();
        assert!(events.last().unwrap()["error"]["message"].is_string(), "{model}: {events:?}");
        assert!(events.iter().all(|event| event["choices"][0]["finish_reason"].is_null()), "{events:?}");
    }
    assert!(bench.gateway.ledger(3).iter().all(|row| row.outcome == Outcome::UpstreamError));
}

#[test]
fn the_project_comes_from_the_payload_else_the_message_else_the_handshake() {
    let bench = Bench::new();
    let address = bench.gateway.address;
    let (mut socket, _) = Socket::open_with(address, "/v1/ws", &[("x-project", "handshake")]).unwrap();
    let plain = chat_message("oai/text");
    let mut in_message = plain.clone();
    in_message["project"] = "message".into();
    let mut in_payload = in_message.clone();
    in_payload["payload"]["project"] = "payload".into();
    for message in [plain, in_message, in_payload] {
        socket.say(&message);
        socket.hear_answer();
    }
    let projects: Vec<_> = bench.gateway.ledger(3).into_iter().map(|row| row.project.to_string()).collect();
    assert_eq!(projects, ["payload", "message", "handshake"]);
    let sent = bench.provider.received();
    assert!(sent.iter().all(|received| !String::from_utf8_lossy(&received.body).contains("project")));
}

#[test]
fn c01_a_client_that_leaves_takes_all_its_upstreams_along() {
    for polite in [true, false] {
        let Bench { provider, gateway } = Bench::new();
        let mut socket = Socket::open(gateway.address);
        socket.say(&with_id(chat_message("oai/text+delay=50ms+n=200"), "a"));
        socket.say(&with_id(chat_message("ant/text+head-delay=900ms"), "b"));
        socket.hear_event();
        assert!(block_on(provider.wait_received(2, BOUND * 5)));
        let left = Instant::now();
        if polite {
            socket.0.close(None).unwrap();
        } else {
            drop(socket);
        }
        for _ in 0..2 {
            let closed = block_on(provider.wait_closed(BOUND)).expect("the upstream is closed");
            assert!(closed.at - left < BOUND, "{:?}", closed.at - left);
        }
        assert!(gateway.ledger(2).iter().all(|row| row.outcome == Outcome::ClientGone));
    }
}

#[test]
fn a_draining_gateway_finishes_what_runs_and_says_goodbye() {
    let provider = block_on(FakeProv::start());
    let mut gateway = Builder::new(both_wires(&provider)).start();
    let mut idle = Socket::open(gateway.address);
    let mut busy = Socket::open(gateway.address);
    busy.say(&chat_message("oai/text+delay=30ms+n=20"));
    busy.hear_event();
    gateway.signal("-TERM");
    assert_eq!(idle.hear_close(), Some(1001));
    assert!(text(&busy.hear_answer()).len() > 1, "the answer is finished");
    assert_eq!(busy.hear_close(), Some(1001));
    assert!(gateway.wait().success());
    assert_eq!(gateway.rows()[0].outcome, Outcome::Completed);
}

#[test]
fn the_key_may_come_once_for_all() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    socket.say(&json!({"type": "auth", "api_key": format!("Bearer {TOKEN}"), "id": 1}));
    assert_eq!(socket.hear_bare(), json!({"type": "authenticated", "request_id": 1}));
    let mut message = chat_message("oai/text");
    message.as_object_mut().unwrap().remove("api_key");
    socket.say(&message);
    assert_eq!(text(&socket.hear_answer()), fakeprov::TEXT);
    eventually("its row", || bench.gateway.rows().len() == 1);
}
