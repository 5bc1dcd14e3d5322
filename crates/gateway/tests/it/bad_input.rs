//! What bad input gets: a 4xx in the caller's dialect that names the field. Rows C04 to C06.

use std::io::{BufReader, Write};
use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Bench, Builder, Reply, TOKEN, block_on, both_wires, connect, request};

fn send(bench: &Bench, body: &[u8]) -> Reply {
    let token = format!("Bearer {TOKEN}");
    request(bench.gateway.address, "POST", "/v1/chat/completions", &[("authorization", &token)], body)
}

/// The error object of a refusal, which comes in an instant.
#[track_caller]
fn refused(bench: &Bench, body: &[u8], status: u16) -> Value {
    let started = Instant::now();
    let reply = send(bench, body);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(reply.status, status, "{}", reply.text());
    let error = reply.json()["error"].clone();
    assert!(error["message"].as_str().is_some_and(|message| message.len() > 5), "{error}");
    error
}

#[test]
fn malformed_bodies_are_the_clients_fault() {
    let bench = Bench::new();
    let bodies: [&[u8]; 13] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"42",
        b"\"text\"",
        b"{\"model\":\"oai/text\",}",
        b"{\"model\":\"oai/text\"} trailing",
        b"{\"model\":\"\xff\xfe\"}",
        b"{\"model\":\"a\x00b\"}",
        b"{'model':'x'}",
        b"{\"model\":\"oai/text\",\"messages\":\"hi\"}",
        b"\xef\xbb\xbf{",
    ];
    for body in bodies {
        let error = refused(&bench, body, 400);
        assert_eq!(error["type"], "invalid_request_error", "{error}");
    }
    assert!(bench.provider.received().is_empty());
}

/// They would stand in the ledger, in the log and in headers of the answer.
#[test]
fn names_have_a_bound() {
    let bench = Bench::new();
    let name = "n".repeat(513);
    for (path, field, mut body) in [
        ("/v1/chat/completions", "model", json!({"model": format!("oai/{name}")})),
        ("/v1/chat/completions", "project", json!({"model": "oai/text", "project": name})),
        ("/v1/generate", "provider", json!({"provider": name})),
    ] {
        body["prompt"] = "Hi".into();
        body["messages"] = json!([{"role": "user", "content": "Hi"}]);
        let reply = bench.gateway.post(path, &body);
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains(&format!("'{field}' is longer than 512 bytes")), "{}", reply.text());
        assert!(reply.text().len() < 200, "{}", reply.text());
    }
    assert!(bench.provider.received().is_empty());
    let rows = bench.gateway.ledger(3);
    assert!(rows.iter().all(|row| row.model_asked.is_none() && row.project.len() < 100), "{rows:?}");
}

#[test]
fn wrong_fields_are_named() {
    let bench = Bench::new();
    let message = r#"[{"role":"user","content":"Hi"}]"#;
    let rows = [
        (format!(r#"{{"model":7,"messages":{message}}}"#), "model"),
        (format!(r#"{{"model":"oai/text","stream":"yes","messages":{message}}}"#), "stream"),
        (format!(r#"{{"model":"oai/text","temperature":3,"messages":{message}}}"#), "temperature"),
        (format!(r#"{{"model":"oai/text","max_tokens":0,"messages":{message}}}"#), "max_tokens"),
        (r#"{"model":"oai/text"}"#.to_owned(), "messages"),
        (r#"{"model":"oai/text","messages":[]}"#.to_owned(), "messages"),
        (r#"{"model":"oai/text","messages":[{"role":"system","content":"x"}]}"#.to_owned(), "messages"),
        (
            r#"{"model":"oai/text","messages":[{"role":"wizard","content":"x"}]}"#.to_owned(),
            "messages.0.role",
        ),
    ];
    for (body, param) in rows {
        let error = refused(&bench, body.as_bytes(), 400);
        assert_eq!(error["param"], param, "{error}");
    }
}

#[test]
fn a_key_that_occurs_twice_is_refused_however_it_is_spelled() {
    let bench = Bench::new();
    for twice in [r#""model":"x""#, r#""mod\u0065l":"x""#] {
        let body = format!(r#"{{"model":"oai/text",{twice},"messages":[{{"role":"user","content":"Hi"}}]}}"#);
        let error = refused(&bench, body.as_bytes(), 400);
        assert!(error["message"].as_str().unwrap().contains("model"), "{error}");
    }
}

#[test]
fn nesting_of_100_000_levels_is_refused_in_an_instant() {
    let bench = Bench::new();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep =
            format!(r#"{{"model":"oai/text","x":{}1{}}}"#, open.repeat(100_000), close.repeat(100_000));
        refused(&bench, deep.as_bytes(), 400);
    }
    assert_eq!(bench.gateway.get("/health").status, 200);
}

#[test]
fn an_unknown_model_gets_the_nearest_names() {
    let bench = Bench::new();
    let body = json!({"model": "oai-text", "messages": [{"role": "user", "content": "Hi"}]});
    let error = refused(&bench, body.to_string().as_bytes(), 404);
    assert_eq!((&error["code"], &error["param"]), (&json!("model_not_found"), &json!("model")));
    assert!(error["message"].as_str().unwrap().contains("oai/text"), "{error}");
}

#[test]
fn an_unknown_provider_is_named_with_the_known_ones() {
    let bench = Bench::new();
    let body = json!({"provider": "nobody", "messages": [{"role": "user", "content": "Hi"}]});
    let error = refused(&bench, body.to_string().as_bytes(), 400);
    assert_eq!(error["param"], "provider", "{error}");
    assert!(error["message"].as_str().unwrap().contains("oai"), "{error}");
}

#[test]
fn generate_names_the_field_in_its_own_form() {
    let bench = Bench::new();
    for (body, field) in [
        (json!({}), "prompt"),
        (json!({"prompt": ""}), "prompt"),
        (json!({"prompt": 1}), "prompt"),
        (json!({"prompt": "x", "maxTokens": 0}), "maxTokens"),
        (json!({"prompt": "x", "maxTokens": "9"}), "maxTokens"),
        (json!({"prompt": "x".repeat(102_401)}), "prompt"),
    ] {
        let reply = bench.gateway.post("/v1/generate", &body);
        let error = reply.json();
        assert_eq!(reply.status, 400, "{error}");
        assert_eq!((&error["code"], &error["field"]), (&json!("VALIDATION_ERROR"), &json!(field)), "{error}");
        assert!(error["error"].is_string(), "{error}");
    }
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let bench = Bench::new();
    let mut socket = connect(bench.gateway.address);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: \
         application/json\r\ncontent-length: 99999999\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    let reply = crate::support::read_reply(&mut BufReader::new(socket), false);
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert_eq!((reply.code(), reply.header("connection")), ("request_too_large".into(), Some("close")));
}

#[test]
fn a_chunked_body_over_the_limit_is_refused_while_it_is_read() {
    let bench = Bench::new();
    let mut socket = connect(bench.gateway.address);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: \
         application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    let chunk = [b"100000\r\n".as_slice(), &[b' '; 0x10_0000], b"\r\n"].concat();
    let sent = (0..64).take_while(|_| socket.write_all(&chunk).is_ok()).count();
    assert!(sent < 64, "all of 64 MiB was taken");
    // The answer may be lost in the reset that follows; the ledger has it.
    drop(socket);
    let row = &bench.gateway.ledger(1)[0];
    assert_eq!((row.status, row.fault_code.as_deref()), (413, Some("request_too_large")));
    assert_eq!(bench.gateway.get("/health").status, 200);
}

#[test]
fn what_is_not_plain_json_is_refused() {
    let bench = Bench::new();
    let token = format!("Bearer {TOKEN}");
    let send = |name: &str, value: &str| {
        let headers = [("authorization", token.as_str()), (name, value)];
        request(bench.gateway.address, "POST", "/v1/chat/completions", &headers, b"{}").status
    };
    assert_eq!(send("content-type", "text/plain"), 415);
    assert_eq!(send("content-type", "application/x-www-form-urlencoded"), 415);
    assert_eq!(send("content-encoding", "gzip"), 415);
}

#[test]
fn wrong_paths_and_methods_say_so() {
    let bench = Bench::new();
    assert_eq!(bench.gateway.get("/v1/nothing").status, 404);
    let reply = bench.gateway.get("/v1/chat/completions");
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
}

#[test]
fn the_longest_prompt_is_the_operators_to_say() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(format!("{}server: {{max_prompt: 5}}\n", both_wires(&provider))).start();
    let ask = |prompt: &str| gateway.post("/v1/generate", &json!({"prompt": prompt, "model": "oai/text"}));
    assert_eq!(ask("ééééé").status, 200);
    let refused = ask("ééééé!");
    assert_eq!((refused.status, &refused.json()["field"]), (400, &json!("prompt")), "{}", refused.text());
    assert!(refused.text().contains("6 characters; at most 5"), "{}", refused.text());
}
