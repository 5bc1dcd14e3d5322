//! Rows U01 to U12 and U16 to U20 of the fault model: whatever breaks upstream, the caller gets one clear answer.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::Value;

use crate::support::{Bench, Builder, Reply, block_on};

/// Both wires, so that everything holds for carried and for translated answers.
const WIRES: [&str; 2] = ["oai", "ant"];

/// An error before the first byte: a status, a JSON body, nothing of the upstream's page.
#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text());
    assert!(!reply.text().contains("<html"), "{}", reply.text());
}

/// An error in a stream that had begun: an error event, no end marker, no finish reason.
#[track_caller]
fn broken_off(reply: &Reply, code: &str) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let events = reply.events();
    let last = events.last().unwrap();
    assert_eq!(last["error"]["code"], code, "{events:?}");
    assert!(!events.contains(&Value::from("[DONE]")), "{events:?}");
    assert!(events.iter().all(|event| event["choices"][0]["finish_reason"].is_null()), "{events:?}");
    let text: String =
        events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
    assert!(!text.is_empty() && fakeprov::TEXT.starts_with(&text), "partial text is kept: {text:?}");
}

fn config(base_url: &str) -> String {
    format!(
        "providers: {{up: {{base_url: '{base_url}', api_key: k, timeouts: {{connect: 1s, head: 1s, idle: 1s}}, models: {{m: {{}}}}}}}}"
    )
}

#[test]
fn u01_connect_refused() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = Builder::new(config(&format!("http://{free}/v1"))).start();
    for stream in [false, true] {
        let started = Instant::now();
        let reply = if stream { gateway.chat_stream("up/m") } else { gateway.chat("up/m") };
        refused(&reply, 502, "upstream_unreachable");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert!(reply.text().contains("up"), "{}", reply.text());
    }
}

#[test]
fn u02_connect_timeout() {
    // A listener whose queue is full drops further attempts.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let fill = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300));
    let held: Vec<_> = std::iter::from_fn(|| fill().ok()).take(16).collect();
    let gateway = Builder::new(config(&format!("http://{address}/v1"))).start();
    let started = Instant::now();
    refused(&gateway.chat("up/m"), 504, "upstream_timeout");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    drop(held);
}

#[test]
fn u03_tls_failure() {
    let plain = block_on(FakeProv::start());
    let gateway = Builder::new(config(&plain.url().replace("http:", "https:"))).start();
    refused(&gateway.chat("up/m"), 502, "upstream_unreachable");
    assert_eq!(plain.connections(), 1, "TLS failures are not tried again");
}

#[test]
fn u04_a_slow_first_byte_within_the_bound_succeeds() {
    let bench = Bench::new();
    for wire in WIRES {
        assert_eq!(bench.gateway.chat(&format!("{wire}/text+head-delay=400ms")).status, 200);
        assert_eq!(bench.gateway.chat_stream(&format!("{wire}/text+head-delay=400ms")).status, 200);
    }
}

#[test]
fn u05_no_head_and_a_dripping_head_meet_a_total_bound() {
    let bench = Bench::new();
    for fault in ["stall-head", "drip-head"] {
        let started = Instant::now();
        refused(&bench.gateway.chat(&format!("oai/{fault}")), 504, "upstream_timeout");
        assert!(started.elapsed() < Duration::from_secs(15), "{fault}: {:?}", started.elapsed());
    }
}

#[test]
fn u06_a_slow_drip_that_is_never_idle_completes() {
    let bench = Bench::new();
    for wire in WIRES {
        let reply = bench.gateway.chat_stream(&format!("{wire}/slow-drip+delay=100ms+n=25"));
        assert!(reply.complete, "{reply:?}");
        assert_eq!(reply.events().last().unwrap(), "[DONE]");
    }
}

#[test]
fn u07_silence_in_mid_stream_ends_in_an_error_and_closes_the_upstream() {
    let bench = Bench::new();
    for wire in WIRES {
        broken_off(&bench.gateway.chat_stream(&format!("{wire}/stall+delay=20ms")), "upstream_timeout");
    }
    assert!(block_on(bench.provider.wait_closed(Duration::from_secs(5))).is_some());
    assert!(bench.gateway.ledger(2).iter().all(|row| row.outcome == store::Outcome::UpstreamError));
}

#[test]
fn u08_a_cut_is_never_a_clean_end() {
    let bench = Bench::new();
    for wire in WIRES {
        for fault in ["truncate", "reset", "nofinish", "truncate+eof"] {
            broken_off(&bench.gateway.chat_stream(&format!("{wire}/{fault}+delay=20ms")), "upstream_cut");
        }
    }
    assert!(bench.gateway.ledger(8).iter().all(|row| row.outcome == store::Outcome::UpstreamError));
}

#[test]
fn u09_a_missing_end_marker_after_a_finish_reason_is_added() {
    let bench = Bench::new();
    let reply = bench.gateway.chat_stream("oai/text+nodone");
    assert_eq!(reply.events().last().unwrap(), "[DONE]");
    assert_eq!(bench.gateway.ledger(1)[0].outcome, store::Outcome::Completed);
}

#[test]
fn u10_an_error_event_is_mapped_and_scrubbed() {
    let bench = Bench::new();
    for wire in WIRES {
        let reply = bench.gateway.chat_stream(&format!("{wire}/error-mid+tattle"));
        assert!(!reply.text().contains(&format!("key-of-{wire}")), "{}", reply.text());
        let events = reply.events();
        assert!(events.last().unwrap()["error"]["message"].is_string(), "{events:?}");
        assert!(!events.contains(&Value::from("[DONE]")), "{events:?}");
    }
}

#[test]
fn u11_what_is_not_json_or_not_utf8_is_not_forwarded() {
    let bench = Bench::new();
    for wire in WIRES {
        for fault in ["bad-json", "bad-utf8"] {
            let reply = bench.gateway.chat_stream(&format!("{wire}/{fault}+delay=20ms"));
            broken_off(&reply, "upstream_bad_answer");
        }
    }
}

#[test]
fn u12_every_legal_spelling_of_an_event_gives_the_exact_text() {
    let bench = Bench::new();
    for spelling in [
        "crlf",
        "cr",
        "bom",
        "comments",
        "nospace",
        "multiline",
        "cut=1",
        "cut=utf8",
        "cut=3+crlf",
        "cut=1+cr+multiline+bom",
    ] {
        for wire in WIRES {
            let reply = bench.gateway.chat_stream(&format!("{wire}/text+{spelling}"));
            let events = reply.events();
            let content: String =
                events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
            assert_eq!(content, fakeprov::TEXT, "{wire} {spelling}");
        }
    }
}

#[test]
fn u16_too_many_requests_says_when_to_come_back() {
    let bench = Bench::new();
    for wire in WIRES {
        let reply = bench.gateway.chat(&format!("{wire}/429-after-7s"));
        assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")), "{}", reply.text());
        let reply = bench.gateway.chat(&format!("{wire}/429-date"));
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!(reply.status == 429 && wait <= 3, "{reply:?}");
        let started = Instant::now();
        let reply = bench.gateway.chat(&format!("{wire}/429-absurd"));
        assert_eq!((reply.status, reply.header("retry-after")), (429, None), "{}", reply.text());
        assert!(started.elapsed() < Duration::from_secs(4), "held for {:?}", started.elapsed());
    }
}

#[test]
fn u17_failures_of_the_provider_are_tried_at_most_three_times() {
    let bench = Bench::new();
    for (status, expected) in [(500, 502), (502, 502), (503, 503), (529, 503)] {
        let before = bench.provider.received().len();
        let started = Instant::now();
        let reply = bench.gateway.chat(&format!("oai/status-{status}"));
        assert_eq!(reply.status, expected, "{status}: {}", reply.text());
        assert_eq!(reply.header("x-should-retry"), Some("false"));
        let tries = bench.provider.received().len() - before;
        assert!((1..=3).contains(&tries), "{status}: {tries} tries");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }
}

#[test]
fn u18_refusals_are_mapped_and_tried_once() {
    let bench = Bench::new();
    for wire in WIRES {
        for (status, expected) in [(400, 400), (401, 502), (403, 502), (404, 404), (413, 413), (422, 422)] {
            let before = bench.provider.received().len();
            let reply = bench.gateway.chat(&format!("{wire}/status-{status}"));
            // Messages has no 422: it is a bad request there.
            let expected = if (wire, status) == ("ant", 422) { 400 } else { expected };
            assert_eq!(reply.status, expected, "{wire} {status}: {}", reply.text());
            assert_eq!(bench.provider.received().len() - before, 1, "{wire} {status}");
            if expected == 502 {
                assert_eq!(reply.code(), "upstream_auth");
                assert_eq!(reply.header("x-should-retry"), Some("false"));
            }
        }
    }
}

#[test]
fn u19_a_redirect_is_not_followed() {
    let bench = Bench::new();
    for status in [301, 302, 303, 307, 308] {
        refused(&bench.gateway.chat(&format!("oai/redirect-{status}")), 502, "upstream_bad_answer");
    }
    assert!(bench.provider.received().iter().all(|received| !received.path.contains("_sink")));
}

#[test]
fn u20_what_is_no_answer_at_all() {
    let bench = Bench::new();
    for fault in ["html", "empty", "bad-status-line", "many-headers"] {
        for wire in WIRES {
            for stream in [false, true] {
                let model = format!("{wire}/{fault}");
                let reply =
                    if stream { bench.gateway.chat_stream(&model) } else { bench.gateway.chat(&model) };
                assert_eq!(reply.status, 502, "{model} stream={stream}: {}", reply.text());
                assert!(reply.json()["error"]["message"].is_string(), "{model}");
            }
        }
    }
    for wire in WIRES {
        refused(&bench.gateway.chat(&format!("{wire}/short-body")), 502, "upstream_cut");
    }
}

#[test]
fn u21_a_kept_connection_that_went_stale_is_replaced() {
    let bench = Bench::new();
    for call in 0..12 {
        assert_eq!(bench.gateway.chat("oai/close-idle").status, 200, "call {call}");
        std::thread::sleep(Duration::from_millis(60));
    }
    for call in 0..12 {
        assert_eq!(bench.gateway.chat("oai/close-reuse").status, 200, "call {call}");
    }
}

#[test]
fn u22_odd_usage_is_absent_and_flagged() {
    let bench = Bench::new();
    for wire in WIRES {
        assert_eq!(bench.gateway.chat(&format!("{wire}/odd-usage")).status, 200);
    }
    assert!(bench.gateway.ledger(2).iter().all(|row| row.usage_odd), "{:?}", bench.gateway.rows());
}
