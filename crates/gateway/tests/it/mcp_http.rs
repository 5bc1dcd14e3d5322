//! The tools at `/mcp`.

use std::net::SocketAddr;
use std::time::Duration;

use fakeprov::FakeProv;
use serde_json::{Value, json};
use store::Outcome;

use crate::support::{
    Bench, Builder, Gateway, Reply, TOKEN, block_on, both_wires, call, initialize, message, request,
};

const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");

fn post(address: SocketAddr, key: &str, more: &[(&str, &str)], message: &Value) -> Reply {
    let bearer = format!("Bearer {key}");
    let headers: Vec<(&str, &str)> =
        [("authorization", bearer.as_str()), ACCEPT].iter().chain(more).copied().collect();
    request(address, "POST", "/mcp", &headers, message.to_string().as_bytes())
}

fn tool(gateway: &Gateway, name: &str, arguments: Value) -> Value {
    let reply = post(gateway.address, TOKEN, &[], &call(1, name, arguments));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["result"].clone()
}

#[test]
fn a_call_needs_no_session_and_answers_in_json() {
    let Bench { gateway, provider: _provider } = Bench::new();
    let result = tool(&gateway, "llm_generate", json!({ "prompt": "x", "model": "ant/text" }));
    assert_eq!(result["structuredContent"]["resolvedProvider"], "ant", "{result}");
    assert_eq!(
        (gateway.ledger(1)[0].surface.as_ref(), gateway.rows()[0].key_name.as_deref()),
        ("generate", Some("admin"))
    );
}

#[test]
fn every_way_in_is_guarded() {
    let Bench { gateway, provider } = Bench::new();
    let generate = call(1, "llm_generate", json!({ "prompt": "x", "model": "oai/text" }));
    assert_eq!(post(gateway.address, "wrong", &[], &generate).status, 401);
    let body = generate.to_string();
    assert_eq!(request(gateway.address, "POST", "/mcp", &[ACCEPT], body.as_bytes()).status, 401);
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        assert_eq!(post(gateway.address, TOKEN, &[("origin", origin)], &generate).status, 403, "{origin}");
    }
    for method in ["GET", "DELETE", "PUT"] {
        let bearer = format!("Bearer {TOKEN}");
        let reply = request(gateway.address, method, "/mcp", &[("authorization", &bearer), ACCEPT], b"");
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method}");
    }
    assert!(provider.received().is_empty());
}

#[test]
fn a_foreign_page_is_turned_away_also_where_no_key_is_needed() {
    let gateway = Builder::bare().start();
    let list = message(1, "tools/list", json!({}));
    assert_eq!(post(gateway.address, "any", &[("origin", "https://evil.example")], &list).status, 403);
    let own = format!("http://{}", gateway.address);
    assert_eq!(post(gateway.address, "any", &[("origin", &own)], &list).status, 200);
}

#[test]
fn an_access_key_sees_and_uses_no_tool_of_the_vault() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(both_wires(&provider)).env("ACCESS_API_KEYS", "caller-key").start();
    let listed = post(gateway.address, "caller-key", &[], &message(1, "tools/list", json!({}))).json();
    let names: Vec<&Value> =
        listed["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["llm_generate", "llm_models"]);
    for (name, arguments) in [
        ("vault_list", json!({})),
        ("vault_store", json!({ "provider": "openai", "apiKey": "sk-0123456789" })),
        ("vault_delete", json!({ "id": 1 })),
        ("vault_list_files", json!({})),
        ("vault_store_file", json!({ "provider": "claude", "fileName": "a", "content": "x" })),
        ("vault_delete_file", json!({ "id": 1 })),
    ] {
        let result =
            post(gateway.address, "caller-key", &[], &call(2, name, arguments)).json()["result"].clone();
        assert_eq!(result["isError"], true, "{name}: {result}");
        assert!(result["content"][0]["text"].as_str().unwrap().contains("token"), "{result}");
    }
    assert_eq!(gateway.get("/v1/credentials").json()["credentials"], json!([]));
    let generated = call(3, "llm_generate", json!({ "prompt": "x", "model": "oai/text" }));
    assert_eq!(post(gateway.address, "caller-key", &[], &generated).json()["result"]["isError"], false);
}

#[test]
fn a_call_is_cancelled_by_a_notification_of_the_same_session() {
    let Bench { gateway, provider } = Bench::new();
    let session = post(gateway.address, TOKEN, &[], &initialize(0));
    let session = session.header("mcp-session-id").expect("a session id").to_owned();
    let generate = call(7, "llm_generate", json!({ "prompt": "x", "model": "oai/text+head-delay=900ms" }));
    let address = gateway.address;
    let own = session.clone();
    let calling = std::thread::spawn(move || post(address, TOKEN, &[("mcp-session-id", &own)], &generate));
    assert!(block_on(provider.wait_received(1, Duration::from_secs(5))));
    let params = json!({ "requestId": 7 });
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
    assert_eq!(post(address, TOKEN, &[("mcp-session-id", &session)], &cancel).status, 202);
    assert!(block_on(provider.wait_closed(Duration::from_secs(1))).is_some());
    calling.join().unwrap();
    assert_eq!(gateway.ledger(1)[0].outcome, Outcome::ClientGone);
}

#[test]
fn progress_turns_the_answer_into_a_stream_of_events() {
    let Bench { gateway, provider: _provider } = Bench::new();
    let mut asking = call(1, "llm_generate", json!({ "prompt": "x", "model": "oai/text+head-delay=500ms" }));
    asking["params"]["_meta"] = json!({ "progressToken": 1 });
    let reply = post(gateway.address, TOKEN, &[], &asking);
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
    let events = reply.events();
    assert_eq!(events.first().unwrap()["method"], "notifications/progress", "{events:?}");
    assert_eq!(events.last().unwrap()["result"]["isError"], false, "{events:?}");
}

#[test]
fn a_project_of_the_header_is_taken_unless_an_argument_says_otherwise() {
    let Bench { gateway, provider: _provider } = Bench::new();
    let ask = |arguments: Value| {
        let message = call(1, "llm_generate", arguments);
        assert_eq!(post(gateway.address, TOKEN, &[("x-project", "blue")], &message).status, 200);
    };
    ask(json!({ "prompt": "x", "model": "oai/text" }));
    ask(json!({ "prompt": "x", "model": "oai/text", "project": "red" }));
    let rows = gateway.ledger(2);
    assert_eq!((rows[1].project.as_ref(), rows[0].project.as_ref()), ("blue", "red"));
}

#[test]
fn a_key_of_a_project_cannot_leave_it_by_way_of_the_tools() {
    let provider = block_on(FakeProv::start());
    let keys = r#"{"bound-key": {"name": "ci", "project": "blue", "models": ["oai/*"]}}"#;
    let gateway = Builder::new(both_wires(&provider)).env("ACCESS_API_KEYS", keys).start();
    let said = |arguments: Value| {
        let reply = post(gateway.address, "bound-key", &[], &call(1, "llm_generate", arguments));
        reply.json()["result"]["isError"].clone()
    };
    assert_eq!(said(json!({ "prompt": "x", "model": "oai/text" })), false);
    assert_eq!(said(json!({ "prompt": "x", "model": "oai/text", "project": "red" })), true);
    assert_eq!(said(json!({ "prompt": "x", "model": "ant/text", "strict": true })), true);
    let red = post(gateway.address, "bound-key", &[], &call(1, "llm_models", json!({ "project": "red" })));
    assert_eq!(red.json()["result"]["isError"], true);
    let projects: Vec<String> = gateway.ledger(3).iter().map(|row| row.project.to_string()).collect();
    assert!(!projects.contains(&"red".to_owned()), "{projects:?}");
}

#[test]
fn what_is_no_message_is_refused_in_the_protocols_form() {
    let Bench { gateway, provider: _provider } = Bench::new();
    for (body, code) in [("", -32700), ("{", -32700), ("[]", -32600), ("{\"jsonrpc\":\"2.0\"}", -32600)] {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ACCEPT];
        let reply = request(gateway.address, "POST", "/mcp", &headers, body.as_bytes());
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
        assert_eq!(reply.json()["error"]["code"], code, "{body}: {}", reply.text());
    }
    let unknown = post(gateway.address, TOKEN, &[], &message(1, "no/such/method", json!({})));
    assert_eq!(unknown.json()["error"]["code"], -32601);
}
