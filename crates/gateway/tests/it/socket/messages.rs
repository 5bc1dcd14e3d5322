//! Messages that are no requests.

use serde_json::json;

use crate::support::{Bench, Socket, TOKEN, chat_message};

#[test]
fn what_is_no_request_gets_a_bare_error_and_the_connection_lives() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    let no_payload = json!({"type": "chat", "api_key": TOKEN}).to_string();
    let payload_list = json!({"type": "chat", "api_key": TOKEN, "payload": []}).to_string();
    let no_key = json!({"type": "chat", "payload": {}}).to_string();
    for text in [
        "",
        "{",
        "[]",
        "null",
        "\"chat\"",
        "{}",
        r#"{"type":"dance"}"#,
        r#"{"type":7}"#,
        r#"{"type":"auth"}"#,
        r#"{"type":"cancel","id":"nobody"}"#,
        r#"{"type":"ping","id":{}}"#,
        &no_payload,
        &payload_list,
        &no_key,
    ] {
        socket.say_text(text);
        let said = socket.hear_bare();
        let error = &said["error"];
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 5), "{text}: {said}");
        assert!(error["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{text}: {said}");
    }
    socket.say(&json!({"type": "chat", "id": "mine"}));
    assert_eq!(socket.hear_bare()["request_id"], "mine");
    socket.say(&chat_message("oai/text"));
    assert!(socket.hear_answer().len() > 1);
    assert_eq!(bench.gateway.ledger(1).len(), 1, "only the request has a row");
}

#[test]
fn a_ping_is_answered_with_its_id_also_while_an_answer_is_under_way() {
    let bench = Bench::new();
    let mut socket = Socket::open(bench.gateway.address);
    socket.say(&chat_message("oai/text+delay=100ms+n=20"));
    socket.hear_event();
    socket.say(&json!({"type": "ping", "id": 7}));
    let mut between = 0;
    let pong = loop {
        let text = socket.hear();
        if !text.starts_with("data: ") {
            break text;
        }
        between += 1;
    };
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&pong).unwrap(),
        json!({"type": "pong", "request_id": 7})
    );
    assert!(between < 5, "the pong came {between} chunks late");
}
