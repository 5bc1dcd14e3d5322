//! Rows U13 to U15 and P17 of the fault model: whatever comes, memory and time stay within bounds.

use std::time::{Duration, Instant};

use fakeprov::FakeProv;

use crate::support::{Bench, Builder, Reply, block_on, both_wires, eventually, growth};

const MIB: u64 = 1 << 20;

/// Ten times what an answer takes that is cut at its limit.
const BOUND: Duration = Duration::from_secs(20);

/// The answer to a request, and by how much the gateway grew for it. Its memory is warm before: what is kept for the next
/// request is not what this one takes.
fn grown(bench: &Bench, model: &str, stream: bool) -> (Reply, u64) {
    let started = Instant::now();
    let mut reply = None;
    let grown = growth(bench.gateway.pid(), || {
        reply = Some(match stream {
            true => bench.gateway.chat_stream(model),
            false => bench.gateway.chat(model),
        });
    });
    assert!(started.elapsed() < BOUND, "{model} stream={stream}: {:?}", started.elapsed());
    (reply.unwrap(), grown)
}

fn warm() -> Bench {
    let bench = Bench::new();
    for wire in ["oai", "ant"] {
        bench.gateway.chat(&format!("{wire}/text"));
        bench.gateway.chat_stream(&format!("{wire}/text"));
    }
    bench
}

fn text(reply: &Reply, stream: bool) -> String {
    if !stream {
        return reply.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    }
    let events = reply.events();
    events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
}

#[test]
fn u13_a_giant_event_is_delivered_within_32_mib() {
    for wire in ["oai", "ant"] {
        for stream in [false, true] {
            let bench = warm();
            let (reply, grown) = grown(&bench, &format!("{wire}/giant-event"), stream);
            assert!(reply.complete && text(&reply, stream).len() > 4 << 20, "{wire} stream={stream}");
            assert!(grown <= 32 * MIB, "{wire} stream={stream}: {} kB", grown / 1024);
        }
    }
}

#[test]
fn u14_an_endless_answer_is_cut_within_48_mib_and_its_upstream_closed() {
    for wire in ["oai", "ant"] {
        for stream in [false, true] {
            let bench = warm();
            let (reply, grown) = grown(&bench, &format!("{wire}/endless-line"), stream);
            assert_eq!(reply.status, if stream { 200 } else { 502 }, "{wire} stream={stream}");
            let limit = if stream { 8 } else { 32 };
            assert!(reply.text().contains("upstream_bad_answer"), "{wire} stream={stream}");
            assert!(grown <= 48 * MIB, "{wire} stream={stream}: {} kB", grown / 1024);
            assert!(block_on(bench.provider.wait_closed(BOUND)).is_some(), "{wire} stream={stream}");
            // What the kernel holds on both sides comes on top.
            assert!(bench.provider.bytes_sent() < (limit + 16) * MIB, "{wire} stream={stream}");
        }
    }
}

#[test]
fn u15_what_is_packed_unasked_is_unpacked_and_a_bomb_is_not() {
    for wire in ["oai", "ant"] {
        let bench = warm();
        for coding in ["gzip", "deflate", "br"] {
            for stream in [false, true] {
                let reply = grown(&bench, &format!("{wire}/text+cut=7+{coding}"), stream).0;
                assert_eq!(text(&reply, stream), fakeprov::TEXT, "{wire} {coding} stream={stream}");
                let model = format!("{wire}/bomb+early+{coding}");
                let (reply, grown) = grown(&bench, &model, stream);
                assert_eq!((reply.status, reply.code().as_str()), (502, "upstream_bad_answer"), "{model}");
                assert!(grown <= 32 * MIB, "{model} stream={stream}: {} kB", grown / 1024);
            }
        }
    }
}

/// 50 places, and 60 who want one for good; those who come too late are told so, and memory does not grow with them.
#[test]
fn p17_when_all_places_are_taken_requests_are_refused_and_nothing_grows() {
    const PLACES: usize = 50;
    let provider = block_on(FakeProv::start());
    let yaml = format!(
        "server: {{max_in_flight: {PLACES}}}\n{}",
        both_wires(&provider).replace("idle: 1s", "idle: 60s")
    );
    let gateway = Builder::new(yaml).start();
    let stalled: Vec<_> = (0..PLACES).map(|_| gateway.open_stream("oai/stall")).collect();
    let grown = growth(gateway.pid(), || {
        for _ in 0..10 {
            let refused = gateway.chat("ant/bomb+gzip");
            assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"), "{}", refused.text());
            assert_eq!(refused.header("retry-after"), Some("1"));
        }
    });
    assert!(grown < 8 * MIB, "{} kB", grown / 1024);
    drop(stalled);
    eventually("there are places again", || gateway.chat("oai/text").status == 200);
}
