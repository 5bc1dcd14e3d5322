//! `x-gateway-timeout-ms`: how long a client is willing to wait, for all attempts, pauses and bytes of a request together.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::{Value, json};
use store::Outcome;

use crate::support::{
    Bench, Builder, Gateway, Reply, Socket, TOKEN, block_on, chat_body, chat_message, connect, request,
};

const HEADER: &str = "x-gateway-timeout-ms";
const CHAT: &str = "/v1/chat/completions";

/// More failures than open a breaker.
const MANY: usize = 6;

fn ask(gateway: &Gateway, path: &str, limit: &str, body: &Value) -> Reply {
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", authorization.as_str()), (HEADER, limit)];
    request(gateway.address, "POST", path, &headers, body.to_string().as_bytes())
}

#[track_caller]
fn assert_no_breaker_has_counted(gateway: &Gateway) {
    assert_eq!(gateway.get("/v1/circuit-breaker/stats").json(), json!({"stats": {}}));
}

/// A short prompt in the form of each API, streamed.
fn streams(model: &str) -> [(&'static str, Value); 3] {
    let messages = json!([{"role": "user", "content": "Say something."}]);
    let anthropic = json!({"model": model, "max_tokens": 500, "messages": messages, "stream": true});
    let responses = json!({"model": model, "input": "Say something.", "stream": true});
    [(CHAT, chat_body(model, true)), ("/v1/messages", anthropic), ("/v1/responses", responses)]
}

#[test]
fn before_the_head_the_answer_is_504_and_the_provider_is_not_to_blame() {
    let Bench { provider, gateway } = Bench::new();
    for _ in 0..MANY {
        let began = Instant::now();
        let reply = ask(&gateway, CHAT, "150", &chat_body("oai/text+head-delay=900ms", false));
        let took = began.elapsed();
        assert_eq!((reply.status, reply.code()), (504, "time_limit".into()), "{}", reply.text());
        assert!(reply.text().contains("150 ms"), "{}", reply.text());
        assert_eq!(reply.header("x-should-retry"), Some("false"), "its time is over");
        assert!((150..800).contains(&took.as_millis()), "{took:?}");
    }
    assert!(block_on(provider.wait_closed(Duration::from_secs(1))).is_some(), "the upstream is let go too");
    assert_no_breaker_has_counted(&gateway);
    let row = &gateway.ledger(MANY)[0];
    assert_eq!((row.outcome, row.fault_code.as_deref()), (Outcome::ClientError, Some("time_limit")));
    let tried: Value = serde_json::from_str(row.attempts_detail.as_deref().unwrap()).unwrap();
    assert_eq!((&tried[0]["fault"], &tried[0]["billed"]), (&json!("time_limit"), &json!("maybe")), "{tried}");
    assert!((100..800).contains(&tried[0]["ms"].as_u64().unwrap()), "{tried}");
    assert!(provider.received().iter().all(|received| received.header(HEADER).is_none()));
    let other = json!({"model": "oai/text+head-delay=900ms", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]});
    assert_eq!(ask(&gateway, "/v1/messages", "50", &other).json()["error"]["type"], "timeout_error");
}

#[test]
fn in_mid_stream_the_answer_breaks_off_in_the_form_of_its_api() {
    let Bench { provider, gateway } = Bench::new();
    let mut asked = 0;
    for wire in ["oai", "ant"] {
        for _ in 0..2 {
            for (path, body) in streams(&format!("{wire}/text+delay=20ms+n=200")) {
                asked += 1;
                let began = Instant::now();
                let reply = ask(&gateway, path, "300", &body);
                assert_eq!(reply.status, 200, "{}", reply.text());
                assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
                let (text, events) = (reply.text(), reply.events());
                assert!(events.len() > 3, "{path}: some of it came: {text}");
                assert!(events.last().unwrap().to_string().contains("300 ms"), "{path}: {text}");
                for end in ["[DONE]", "message_stop", "response.completed"] {
                    assert!(!text.contains(end), "{path}: {end}: {text}");
                }
            }
        }
    }
    assert_no_breaker_has_counted(&gateway);
    assert!(block_on(provider.wait_closed(Duration::from_secs(1))).is_some());
    let row = &gateway.ledger(asked)[0];
    let end = (row.status, row.outcome, row.fault_code.as_deref());
    assert_eq!(end, (200, Outcome::ClientError, Some("time_limit")));
}

#[test]
fn a_pause_before_another_try_is_not_sat_out() {
    let Bench { provider, gateway } = Bench::new();
    // The first pause is 125 ms at least.
    let reply = ask(&gateway, CHAT, "100", &chat_body("oai/status-500", false));
    assert_eq!((reply.status, reply.code()), (504, "time_limit".into()), "{}", reply.text());
    assert_eq!((reply.header("x-gateway-attempts"), provider.received().len()), (Some("1"), 1));
    assert_eq!(
        reply.json()["attempts"][0]["fault"],
        "upstream_error",
        "what came of it is told all the same"
    );
}

#[test]
fn the_limit_is_for_the_whole_request_and_not_for_each_target() {
    let provider = block_on(FakeProv::start());
    let url = provider.url();
    let one = |id: &str| format!("  {id}:\n    base_url: {url}\n    api_key: key-of-{id}\n");
    let route = |name: &str, first: &str| {
        format!("  {name}:\n    models: [{name}]\n    targets: [a/{first}, b/text+head-delay=400ms]\n")
    };
    let routes = format!(
        "{}{}{}    hedge: 50ms\n",
        route("silent", "stall-head"),
        route("failing", "status-500+head-delay=200ms"),
        route("hedged", "stall-head")
    );
    let gateway = Builder::new(format!("providers:\n{}{}routes:\n{routes}", one("a"), one("b"))).start();
    for (model, limit, attempts) in [("silent", "200", 1), ("failing", "400", 2), ("hedged", "300", 2)] {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "Hi."}]});
        let before = provider.received().len();
        let reply = ask(&gateway, CHAT, limit, &body);
        assert_eq!((reply.status, reply.code()), (504, "time_limit".into()), "{model}: {}", reply.text());
        assert_eq!(provider.received().len() - before, attempts, "{model}: {}", reply.text());
        assert_eq!(reply.header("x-gateway-attempts"), Some(attempts.to_string().as_str()), "{model}");
    }
    let patient = json!({"model": "failing", "messages": [{"role": "user", "content": "Hi."}]});
    assert_eq!(ask(&gateway, CHAT, "5000", &patient).header("x-gateway-provider"), Some("b"));
}

#[test]
fn a_deadline_of_the_provider_that_is_earlier_still_holds_and_is_its_own_fault() {
    let Bench { provider: _provider, gateway } = Bench::new();
    let reply = ask(&gateway, CHAT, "8000", &chat_body("oai/stall-head", false));
    assert_eq!((reply.status, reply.code()), (504, "upstream_timeout".into()), "{}", reply.text());
    let row = &gateway.ledger(1)[0];
    assert_eq!((row.outcome, row.fault_code.as_deref()), (Outcome::UpstreamError, Some("upstream_timeout")));
}

#[test]
fn a_limit_that_cannot_be_read_is_refused_by_the_name_of_the_header() {
    let Bench { provider, gateway } = Bench::new();
    for wrong in ["0", "-1", "2s", "1.5", "86400001", "soon", "5, 6"] {
        for (path, body) in streams("oai/text") {
            let reply = ask(&gateway, path, wrong, &body);
            assert_eq!(reply.status, 400, "{wrong}: {}", reply.text());
            assert!(reply.text().contains(HEADER), "{wrong}: {}", reply.text());
        }
    }
    let authorization = format!("Bearer {TOKEN}");
    let twice = [("authorization", authorization.as_str()), (HEADER, "5000"), (HEADER, "6000")];
    let body = chat_body("oai/text", false).to_string();
    let reply = request(gateway.address, "POST", CHAT, &twice, body.as_bytes());
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(HEADER)), "{}", reply.text());
    assert!(provider.received().is_empty());
    assert_eq!(ask(&gateway, CHAT, "86400000", &chat_body("oai/text", false)).status, 200);
}

#[test]
fn the_limit_of_a_handshake_is_that_of_every_message() {
    let Bench { provider: _provider, gateway } = Bench::new();
    let wrong = Socket::open_with(gateway.address, "/v1/ws", &[(HEADER, "soon")]);
    assert_eq!(wrong.err(), Some(400));
    let (mut socket, _) = Socket::open_with(gateway.address, "/v1/ws", &[(HEADER, "400")]).unwrap();
    for _ in 0..2 {
        socket.say(&chat_message("oai/text+delay=20ms+n=200"));
        let answer = socket.hear_answer();
        assert!(answer.len() > 2, "{answer:?}");
        assert!(answer.last().unwrap().to_string().contains("time_limit"), "{answer:?}");
        socket.say(&chat_message("oai/text"));
        let quick = socket.hear_answer();
        assert!(!quick.iter().any(|event| event.to_string().contains("time_limit")), "{quick:?}");
    }
    assert_no_breaker_has_counted(&gateway);
}

#[test]
fn a_body_that_takes_longer_than_the_limit_to_arrive_is_not_waited_for() {
    let Bench { provider, gateway } = Bench::new();
    let body = chat_body("oai/text", false).to_string();
    let (begin, end) = body.split_at(20);
    let began = Instant::now();
    let mut socket = connect(gateway.address);
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\n{HEADER}: 200\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{begin}",
        gateway.address,
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("time_limit"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(provider.received().is_empty());
    let row = &gateway.ledger(1)[0];
    assert_eq!((row.outcome, row.fault_code.as_deref()), (Outcome::ClientError, Some("time_limit")));

    let mut socket = connect(gateway.address);
    let patient = head.replace(&format!("{HEADER}: 200"), &format!("{HEADER}: 20000\r\nconnection: close"));
    socket.write_all(patient.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    socket.write_all(end.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
