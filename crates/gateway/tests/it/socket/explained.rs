//! `x-gateway-explain` in the handshake: every message is told what would come of it, and nothing is sent.

use serde_json::{Value, json};

use crate::support::{Bench, Socket, TOKEN};

const EXPLAIN: (&str, &str) = ("x-gateway-explain", "true");

fn open(bench: &Bench, path: &str) -> Socket {
    let bearer = format!("Bearer {TOKEN}");
    Socket::open_with(bench.gateway.address, path, &[("authorization", &bearer), EXPLAIN]).unwrap().0
}

#[track_caller]
fn assert_tells(event: &Value, provider: &str, sent_as: &str) {
    assert_eq!(event["type"], "explanation", "{event}");
    let target = &event["explanation"]["targets"][0];
    assert_eq!((&target["provider"], &target["sentAs"]), (&json!(provider), &json!(sent_as)), "{event}");
    assert_eq!(target["body"]["model"], sent_as, "what would go upstream: {event}");
}

#[test]
fn a_chat_message_is_explained_and_ends_like_an_answer() {
    let bench = Bench::new();
    let mut socket = open(&bench, "/v1/ws");
    for model in ["oai/text", "ant/text"] {
        let payload = json!({"model": model, "messages": [{"role": "user", "content": "Hi."}]});
        socket.say(&json!({"type": "chat", "id": model, "payload": payload}));
        let events = socket.hear_answer();
        assert_eq!(events.len(), 2, "{events:?}");
        assert_tells(&events[0], &model[..3], "text");
        assert_eq!((&events[0]["request_id"], &events[1]["done"]), (&json!(model), &json!(true)));
    }
    let unknown = json!({"model": "nobody-has-this", "messages": [{"role": "user", "content": "Hi."}]});
    socket.say(&json!({"type": "chat", "payload": unknown}));
    assert_eq!(socket.hear_answer()[0]["error"]["code"], "model_not_found");
    assert!(bench.provider.received().is_empty());
}

#[test]
fn a_turn_of_the_responses_api_is_explained_and_is_no_part_of_the_conversation() {
    let bench = Bench::new();
    let mut socket = open(&bench, "/v1/responses");
    for model in ["oai/text", "ant/text"] {
        socket.say(&json!({"type": "response.create", "model": model, "input": "Hi.", "store": false}));
        assert_tells(&socket.hear_bare(), &model[..3], "text");
    }
    socket
        .say(&json!({"type": "response.create", "model": "nobody-has-this", "input": "Hi.", "store": false}));
    assert_eq!(socket.hear_bare()["error"]["code"], "model_not_found");
    assert!(bench.provider.received().is_empty());
}
