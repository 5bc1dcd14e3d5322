//! A table of faults: the first target fails in every way there is, the second is healthy. Before the first byte the
//! request falls over; after it the answer ends in an error; what the client did wrong falls over never.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, block_on};

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The second target answers, and the answer says so.
    Over,
    /// An error within a stream that had begun.
    Broken,
    /// An error of the client's, from the first target.
    Refused,
    /// The first target answers.
    Served,
}

use End::{Broken, Over, Refused, Served};

/// The fault, how a whole answer ends, and how a streamed one does.
const TABLE: [(&str, End, End); 26] = [
    ("status-500", Over, Over),
    ("status-502", Over, Over),
    ("status-503", Over, Over),
    ("status-529", Over, Over),
    ("status-401", Over, Over),
    ("status-403", Over, Over),
    ("status-404", Over, Over),
    ("status-400", Refused, Refused),
    ("status-413", Refused, Refused),
    ("429-after-7s", Over, Over),
    ("429-date", Over, Over),
    ("429-absurd", Over, Over),
    ("redirect-307", Over, Over),
    ("html", Over, Over),
    ("empty", Over, Over),
    ("bad-status-line", Over, Over),
    ("many-headers", Over, Over),
    ("close-early", Over, Over),
    ("stall-head", Over, Over),
    ("drip-head", Over, Over),
    ("stall+delay=20ms", Over, Broken),
    ("truncate+delay=20ms", Over, Broken),
    ("reset+delay=20ms", Over, Broken),
    ("text+head-delay=300ms", Served, Served),
    ("close-reuse", Served, Served),
    ("odd-usage", Served, Served),
];

/// Both wires: the first target's answer is carried from the one, and translated from the other.
const WIRES: [&str; 2] = ["openai_chat", "anthropic_messages"];

/// A target that fails as its model's name says, and a healthy one.
fn gateway(provider: &FakeProv, wire: &str) -> Gateway {
    let base_url = if wire == "openai_chat" { provider.url() } else { provider.origin() };
    Builder::new(format!(
        "providers:\n  first:\n    wire: {wire}\n    base_url: {base_url}\n    api_key: k\n    timeouts: {{connect: 1s, head: \
         1s, idle: 1s}}\n    models: {{first: {{}}}}\n  second:\n    base_url: {}\n    api_key: k\n    models: {{text: {{}}}}\n",
        provider.url()
    ))
    .start()
}

fn ask(gateway: &Gateway, fault: &str, stream: bool) -> Reply {
    let message = json!({"role": "user", "content": "Say something."});
    let body = json!({"model": format!("first/{fault}"), "messages": [message], "stream": stream});
    gateway.post("/v1/chat/completions", &body)
}

fn end(reply: &Reply, stream: bool) -> End {
    let by = reply.header("x-gateway-provider");
    let broke = stream && reply.status == 200 && !reply.events().contains(&Value::from("[DONE]"));
    match (reply.status, by, broke) {
        (200, Some("first"), true) => Broken,
        (200, Some("first"), false) => Served,
        (200, Some("second"), false) => Over,
        (400..500, Some("first"), _) => Refused,
        other => panic!("{other:?}: {}", reply.text()),
    }
}

#[test]
fn every_fault_falls_over_before_the_first_byte_and_breaks_off_after_it() {
    let provider = block_on(FakeProv::start());
    for wire in WIRES {
        for (fault, whole, streamed) in TABLE {
            for (stream, expected) in [(false, whole), (true, streamed)] {
                // One for each: what one fault leaves behind must not decide over the next.
                let gateway = gateway(&provider, wire);
                let reply = ask(&gateway, fault, stream);
                assert_eq!(end(&reply, stream), expected, "{wire} {fault} stream={stream}: {}", reply.text());
                if expected == Over {
                    assert_eq!(reply.header("x-gateway-attempts"), Some("2"), "{wire} {fault}");
                }
                if expected == Over && !stream {
                    assert_eq!(reply.json()["x_gateway"]["fallbackUsed"], true, "{wire} {fault}");
                }
            }
        }
    }
}

#[test]
fn an_open_breaker_is_stepped_over_at_once_and_can_be_seen_and_closed() {
    let provider = block_on(FakeProv::start());
    let gateway = gateway(&provider, "openai_chat");
    for _ in 0..5 {
        assert_eq!(end(&ask(&gateway, "status-500", false), false), Over);
    }
    let reply = ask(&gateway, "status-500", false);
    assert_eq!((end(&reply, false), reply.header("x-gateway-attempts")), (Over, Some("1")));
    assert_eq!(reply.json()["x_gateway"]["fallbackUsed"], true);
    let stats = gateway.get("/v1/circuit-breaker/stats").json();
    assert_eq!(stats["stats"]["first"]["models"]["status-500"]["state"], "open", "{stats}");
    assert_eq!(ask(&gateway, "text", false).header("x-gateway-provider"), Some("first"), "another model");

    let closed = gateway.post("/v1/admin/reset-circuit-breaker/first", &json!({}));
    assert_eq!(closed.status, 200, "{}", closed.text());
    assert_eq!(ask(&gateway, "status-500", false).header("x-gateway-attempts"), Some("2"));
    assert_eq!(gateway.get("/v1/circuit-breaker/config").json()["failureThreshold"], 5);
}

#[test]
fn a_key_that_has_used_up_its_quota_is_not_asked_again_before_its_time() {
    let provider = block_on(FakeProv::start());
    let gateway = gateway(&provider, "openai_chat");
    let strict = || {
        let message = json!({"role": "user", "content": "Hi."});
        gateway.post(
            "/v1/chat/completions",
            &json!({"model": "first/429-after-60s", "messages": [message], "strict": true}),
        )
    };
    assert_eq!(strict().status, 429);
    let asked = provider.received().len();
    let again = strict();
    let wait: u64 = again.header("retry-after").unwrap().parse().unwrap();
    assert!(again.status == 429 && (30..=60).contains(&wait), "{}", again.text());
    assert_eq!(provider.received().len(), asked, "nothing was sent");
}
