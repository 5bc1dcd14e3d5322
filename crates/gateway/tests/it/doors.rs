//! Who comes in: keys by every way, `Host`, `Origin`.

use std::io::{BufReader, Write};
use std::time::Duration;

use fakeprov::FakeProv;

use crate::support::{
    Builder, Gateway, TOKEN, block_on, both_wires, chat_body, connect, read_reply, request,
};

fn post(gateway: &Gateway, headers: &[(&str, &str)], path: &str) -> crate::support::Reply {
    let body = chat_body("oai/text", false).to_string();
    request(gateway.address, "POST", path, headers, body.as_bytes())
}

fn gateway() -> (FakeProv, Gateway) {
    let provider = block_on(FakeProv::start());
    let keys = r#"{"caller-key": "alice"}"#;
    let gateway = Builder::new(both_wires(&provider)).env("ACCESS_API_KEYS", keys).start();
    (provider, gateway)
}

#[test]
fn every_way_of_sending_a_key_opens_the_door_and_a_wrong_one_does_not() {
    let (_provider, gateway) = gateway();
    let bearer = format!("Bearer {TOKEN}");
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("x-api-key", TOKEN),
        ("x-goog-api-key", TOKEN),
        ("api-key", TOKEN),
        ("x-api-key", "caller-key"),
    ] {
        assert_eq!(post(&gateway, &[(name, value)], "/v1/chat/completions").status, 200, "{name}");
    }
    for headers in [
        vec![],
        vec![("authorization", "Bearer wrong")],
        vec![("x-api-key", "caller-kez")],
        vec![("x-api-key", TOKEN), ("authorization", "Bearer caller-key")],
    ] {
        let reply = post(&gateway, &headers, "/v1/chat/completions");
        assert_eq!((reply.status, reply.code().as_str()), (401, "invalid_api_key"), "{headers:?}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
}

/// Clients send head and body apart, and keep the connection of a refused request.
#[test]
fn a_connection_whose_request_was_refused_serves_the_next() {
    let (_provider, gateway) = gateway();
    let body = chat_body("oai/text", false).to_string();
    let mut reader = BufReader::new(connect(gateway.address));
    for (key, status) in [("wrong", 401), (TOKEN, 200)] {
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        reader.get_mut().write_all(head.as_bytes()).unwrap();
        // So that the head is read before the body is there.
        std::thread::sleep(Duration::from_millis(20));
        reader.get_mut().write_all(body.as_bytes()).unwrap();
        let reply = read_reply(&mut reader, false);
        assert_eq!((reply.status, reply.header("connection")), (status, None));
    }
}

/// Other answers that come before the body is read: the connection serves the next request, or is said to end.
#[test]
fn a_connection_whose_body_was_not_read_serves_the_next_or_ends() {
    let (_provider, gateway) = gateway();
    let body = chat_body("oai/text", false).to_string();
    for (line, status) in [
        ("POST /v1/nothing HTTP/1.1\r\nhost: localhost", 404),
        ("POST /v1/chat/completions HTTP/1.1\r\nhost: elsewhere.example", 421),
        ("DELETE /v1/chat/completions HTTP/1.1\r\nhost: localhost", 405),
        ("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain", 415),
    ] {
        let mut reader = BufReader::new(connect(gateway.address));
        let head =
            format!("{line}\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\r\n", body.len());
        reader.get_mut().write_all(head.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        reader.get_mut().write_all(body.as_bytes()).unwrap();
        let reply = read_reply(&mut reader, false);
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        if reply.header("connection") == Some("close") {
            continue;
        }
        reader.get_mut().write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert_eq!(read_reply(&mut reader, false).status, 200, "{line}");
    }
}

/// Every line of the table of routes, as it is.
#[test]
fn every_route_that_is_not_public_needs_a_key() {
    let (_provider, gateway) = gateway();
    let mut public = Vec::new();
    for (path, method, needs_key) in gateway::router::routes() {
        let path = path.replace('*', "1");
        let reply = request(gateway.address, method, &path, &[], b"");
        let expected = match (path.as_str(), needs_key) {
            // The socket's key may come in a message; without a handshake there is no socket.
            ("/v1/ws", _) => 426,
            (_, true) => 401,
            (_, false) => 200,
        };
        assert_eq!(reply.status, expected, "{method} {path}");
        if !needs_key && method == "GET" {
            public.push(path);
        }
    }
    assert_eq!(public, ["/health", "/livez", "/readyz", "/ready", "/"]);
    assert_eq!(request(gateway.address, "GET", "/v1/credentials", &[], b"").json()["error"], "Unauthorized");
}

#[test]
fn an_access_key_may_call_models_and_nothing_else() {
    let (_provider, gateway) = gateway();
    let with_key = |method: &str, path: &str| {
        request(gateway.address, method, path, &[("x-api-key", "caller-key")], b"")
    };
    assert_eq!(with_key("GET", "/v1/models").status, 200);
    for (method, path) in [("GET", "/v1/credentials"), ("DELETE", "/v1/credentials/1")] {
        assert_eq!(with_key(method, path).status, 403, "{method} {path}");
    }
    assert_eq!(post(&gateway, &[("x-api-key", "caller-key")], "/v1/chat/completions").status, 200);
    assert_eq!(gateway.ledger(1)[0].key_name.as_deref(), Some("alice"));
}

#[test]
fn sixteen_spellings_of_a_path_give_no_answer_without_a_key() {
    let (_provider, gateway) = gateway();
    for path in [
        "/v1/credentials/",
        "//v1/credentials",
        "/v1//credentials",
        "/./v1/credentials",
        "/v1/./credentials",
        "/v1/x/../credentials",
        "/V1/credentials",
        "/v1/CREDENTIALS",
        "/v1/credentials%00",
        "/v1%2fcredentials",
        "/v1/credentials%2f",
        "/health/../v1/credentials",
        "/v1/credentials;a=b",
        "/v1/credentials?x=1",
        "/%76%31/credentials",
        "/v1/credentials#",
    ] {
        for name in ["credentials", "files", "models", "usage"] {
            let path = path.replace("credentials", name).replace("CREDENTIALS", &name.to_uppercase());
            let reply = request(gateway.address, "GET", &path, &[], b"");
            assert!(reply.status >= 400, "{path}: {}", reply.status);
        }
    }
}

#[test]
fn a_name_that_is_not_ours_is_misdirected_and_health_says_only_that_it_lives() {
    use std::io::{BufReader, Write};
    let (_provider, gateway) = gateway();
    let ask = |version: &str, path: &str, host: &str| {
        let mut socket = crate::support::connect(gateway.address);
        let head = format!(
            "GET {path} HTTP/{version}\r\n{host}authorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        crate::support::read_reply(&mut BufReader::new(socket), false)
    };
    let status = |path: &str, host: &str| ask("1.1", path, host).status;
    assert_eq!(status("/v1/models", "host: evil.example\r\n"), 421);
    assert_eq!(status("/v1/models", "host: localhost:1\r\n"), 200);
    assert_eq!(status("/v1/models", "host: localhost\r\nhost: localhost\r\n"), 400);
    assert_eq!(status("/v1/models", ""), 400);
    assert_eq!(status("http://localhost/v1/models", "host: localhost\r\n"), 400);
    assert_eq!(ask("1.1", "/health", "host: evil.example\r\n").json(), serde_json::json!({"status": "ok"}));
    // Health checks of balancers speak HTTP/1.0, and name no host.
    assert_eq!(ask("1.0", "/health", "").status, 200);
    assert_eq!(ask("1.0", "/health", "host: a\r\nhost: a\r\n").status, 400);
}

#[test]
fn what_is_not_there_is_told_in_few_words_and_as_its_neighbours_tell_it() {
    let (_provider, gateway) = gateway();
    let reply = gateway.get(&format!("/{}", "a".repeat(10_000)));
    assert_eq!(reply.status, 404);
    assert!(reply.text().len() < 400, "{}", reply.text());
    let reply = gateway.get("/admin/v1/nothing");
    assert_eq!((reply.status, reply.header("content-type")), (404, Some("application/problem+json")));
}

#[test]
fn pages_of_strangers_may_ask_only_where_a_key_is_needed() {
    let (_provider, with_key) = gateway();
    let bare = Builder::bare().start();
    let origin = [("origin", "https://page.example")];
    let allowed = |gateway: &Gateway, method: &str| {
        let reply = request(gateway.address, method, "/v1/models", &origin, b"");
        (reply.status, reply.header("access-control-allow-origin").map(str::to_owned))
    };
    assert_eq!(allowed(&with_key, "OPTIONS"), (204, Some("*".to_owned())));
    assert_eq!(allowed(&bare, "OPTIONS"), (204, None));
    assert_eq!(allowed(&bare, "GET").1, None);
    let preflight = request(with_key.address, "OPTIONS", "/v1/models", &origin, b"");
    assert_eq!(preflight.header("access-control-max-age"), Some("86400"));
    let headers = preflight.header("access-control-allow-headers").unwrap();
    assert!(headers.contains("Authorization") && headers.contains("X-Project") && headers.ends_with(", *"));
    let preflight = request(with_key.address, "OPTIONS", "/admin/v1/keys/1", &origin, b"");
    assert_eq!(preflight.header("allow"), Some("GET, HEAD, PATCH, DELETE"));
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("PATCH"));
}

#[test]
fn what_would_be_unsafe_is_not_started() {
    let serve =
        |builder: Builder, host: &str| builder.arg("serve").arg("-p").arg("0").arg("--host").arg(host).run();
    let open = serve(Builder::bare(), "0.0.0.0");
    assert_eq!(open.code, Some(78), "{open:?}");
    let short = Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", "short").arg("serve").run();
    assert_eq!(short.code, Some(78), "{short:?}");
    assert!(short.err.contains("32") && short.err.trim().lines().count() == 1, "{short:?}");
    let production = Builder::bare().env("NODE_ENV", "production").arg("serve").run();
    assert_eq!(production.code, Some(78), "{production:?}");
}
