//! Who may open a socket, and who may ask on it.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Socket, TOKEN, block_on, both_wires, chat_message, request};

fn gateway() -> (FakeProv, Gateway) {
    let provider = block_on(FakeProv::start());
    let keys = r#"{"caller-key": "alice"}"#;
    let gateway = Builder::new(both_wires(&provider)).env("ACCESS_API_KEYS", keys).start();
    (provider, gateway)
}

fn message_with(key: Option<&str>) -> Value {
    let mut message = chat_message("oai/text");
    match key {
        Some(key) => message["api_key"] = key.into(),
        None => drop(message.as_object_mut().unwrap().remove("api_key")),
    }
    message
}

fn refusal(gateway: &Gateway, headers: &[(&str, &str)]) -> Option<u16> {
    Socket::open_with(gateway.address, "/v1/ws", headers).err()
}

#[test]
fn every_way_of_sending_a_key_opens_the_door() {
    let (_provider, gateway) = gateway();
    let bearer = format!("Bearer {TOKEN}");
    let (openai, ours) =
        (format!("realtime, openai-insecure-api-key.{TOKEN}"), format!("api-key.{TOKEN}, llm-gateway"));
    for (name, value, agreed) in [
        ("authorization", bearer.as_str(), None),
        ("x-api-key", "caller-key", None),
        ("sec-websocket-protocol", &openai, Some("realtime")),
        ("sec-websocket-protocol", &ours, Some("llm-gateway")),
    ] {
        let opened = Socket::open_with(gateway.address, "/v1/ws", &[(name, value)]);
        let (mut socket, head) = opened.unwrap_or_else(|status| panic!("{name}: {status}"));
        let protocol = head.get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
        assert_eq!(protocol, agreed, "the key itself is never sent back");
        socket.say(&message_with(None));
        assert!(socket.hear_answer().len() > 1, "{name}");
    }
    for key in ["caller-key", "Bearer caller-key", "bearer caller-key"] {
        let mut socket = Socket::open(gateway.address);
        socket.say(&message_with(Some(key)));
        assert!(socket.hear_answer().len() > 1, "{key}");
    }
    let rows = gateway.ledger(7);
    assert_eq!(rows.iter().filter(|row| row.key_name.as_deref() == Some("alice")).count(), 4);
}

#[test]
fn a_wrong_key_and_two_different_ones_are_refused() {
    let (provider, gateway) = gateway();
    let both = [("authorization", "Bearer caller-key"), ("x-api-key", TOKEN)];
    assert_eq!(refusal(&gateway, &[("authorization", "Bearer wrong")]), Some(401));
    assert_eq!(refusal(&gateway, &[("sec-websocket-protocol", "api-key.wrong")]), Some(401));
    assert_eq!(refusal(&gateway, &both), Some(401));
    let mut socket = Socket::open(gateway.address);
    socket.say(&message_with(Some("wrong")));
    assert_eq!(socket.hear_answer()[0]["error"]["code"], "invalid_api_key");
    socket.say(&message_with(None));
    assert_eq!(socket.hear_bare()["error"]["code"], "invalid_api_key");
    socket.say(&json!({"type": "auth", "api_key": "wrong"}));
    assert_eq!(socket.hear_bare()["error"]["code"], "invalid_api_key");
    socket.say(&json!({"type": "auth", "api_key": "caller-key"}));
    assert_eq!(socket.hear_bare()["type"], "authenticated");
    socket.say(&message_with(Some(TOKEN)));
    assert_eq!(socket.hear_answer()[0]["error"]["code"], "invalid_api_key", "another key than before");
    assert!(provider.received().is_empty());
}

#[test]
fn guessing_keys_costs_the_connection() {
    let (_provider, gateway) = gateway();
    let mut socket = Socket::open(gateway.address);
    for _ in 0..10 {
        socket.say(&json!({"type": "auth", "api_key": "guess"}));
    }
    assert_eq!(socket.hear_close(), Some(1008));
}

#[test]
fn who_guesses_on_one_socket_after_another_has_to_wait_and_who_has_a_key_never_does() {
    let (_provider, gateway) = gateway();
    let guess = json!({"type": "auth", "api_key": "guess"});
    for _ in 0..2 {
        let mut socket = Socket::open(gateway.address);
        (0..10).for_each(|_| socket.say(&guess));
        assert_eq!(socket.hear_close(), Some(1008));
    }
    let mut socket = Socket::open(gateway.address);
    socket.say(&guess);
    assert_eq!(socket.hear_close(), Some(1008), "one more guess is one too many");
    assert_eq!(refusal(&gateway, &[("authorization", "Bearer wrong")]), Some(429));
    let wrong = request(gateway.address, "GET", "/v1/models", &[("authorization", "Bearer wrong")], b"");
    assert_eq!(wrong.status, 429, "the same peer by another door");
    let mut socket = Socket::open(gateway.address);
    socket.say(&message_with(Some("caller-key")));
    assert!(socket.hear_answer().len() > 1);
}

#[test]
fn a_page_of_a_stranger_opens_a_socket_only_where_a_key_is_needed() {
    let (_provider, with_key) = gateway();
    let bare = Builder::bare().start();
    let stranger = [("origin", "https://page.example")];
    assert_eq!(refusal(&with_key, &stranger), None);
    assert_eq!(refusal(&bare, &stranger), Some(403));
    assert_eq!(refusal(&bare, &[("origin", "null")]), Some(403));
    let own = format!("http://{}", bare.address);
    assert_eq!(refusal(&bare, &[("origin", &own)]), None);
    assert_eq!(refusal(&bare, &[]), None);
}

#[test]
fn a_request_that_is_no_handshake_is_told_what_lives_here() {
    let (_provider, gateway) = gateway();
    let plain = request(gateway.address, "GET", "/v1/ws", &[], b"");
    assert_eq!((plain.status, plain.header("upgrade")), (426, Some("websocket")));
    assert!(plain.json()["error"]["message"].as_str().unwrap().contains("WebSocket"));
    assert_eq!(request(gateway.address, "POST", "/v1/ws", &[], b"{}").status, 405);
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "8")];
    assert_eq!(request(gateway.address, "GET", "/v1/ws", &upgrade, b"").status, 400);
}

#[test]
fn a_key_that_is_revoked_asks_nothing_more_on_a_socket_that_is_open() {
    let (_provider, gateway) = gateway();
    let made = gateway.post("/admin/v1/keys", &json!({"name": "socket"})).json();
    let bearer = format!("Bearer {}", made["key"].as_str().unwrap());
    let opened = Socket::open_with(gateway.address, "/v1/ws", &[("authorization", &bearer)]);
    let (mut socket, _) = opened.unwrap_or_else(|status| panic!("{status}"));
    socket.say(&message_with(None));
    assert!(socket.hear_answer().len() > 1);
    gateway.delete(&format!("/admin/v1/keys/{}", made["id"].as_str().unwrap()));
    socket.say(&message_with(None));
    assert_eq!(socket.hear_answer()[0]["error"]["code"], "invalid_api_key");
    socket.say(&message_with(Some("caller-key")));
    assert!(socket.hear_answer().len() > 1, "the connection lives, for who has a key");
}
