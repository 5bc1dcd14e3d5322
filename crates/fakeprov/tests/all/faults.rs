//! What goes wrong on demand.

use std::time::{Duration, Instant};

use fakeprov::{Absent, FakeProv};

use crate::client::{CHAT, Client, MESSAGES, ask, hello};

#[tokio::test]
async fn each_status_comes_with_the_error_of_its_wire() {
    let provider = FakeProv::start().await;
    for status in [400, 401, 402, 403, 404, 413, 422, 429, 500, 502, 503, 529] {
        let model = format!("status-{status}");
        let chat = ask(&provider, CHAT, &hello(&model, true));
        assert_eq!(chat.status, status);
        assert!(chat.json()["error"]["message"].is_string());
        let messages = ask(&provider, MESSAGES, &hello(&model, false));
        assert_eq!((messages.status, &messages.json()["type"]), (status, &"error".into()));
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_in_seconds_as_a_date_or_absurdly() {
    let provider = FakeProv::start().await;
    let head = |model: &str| ask(&provider, CHAT, &hello(model, false)).head;
    assert!(head("429-after-2s").contains("retry-after: 2\r\n"));
    assert!(head("429-date").contains(" GMT\r\n"));
    assert!(head("429-absurd").contains("retry-after: 99999999999999999999\r\n"));
    assert!(!head("status-429").contains("retry-after"));
}

#[tokio::test]
async fn a_stream_breaks_off_inside_an_event_in_order_or_by_reset() {
    let provider = FakeProv::start().await;
    let truncated = ask(&provider, CHAT, &hello("truncate", true));
    assert!(!truncated.complete);
    assert!(!truncated.text().ends_with('\n'));
    let quiet = ask(&provider, CHAT, &hello("truncate+eof", true));
    assert!(!quiet.text().contains("finish_reason\":\"stop\"") && !quiet.text().ends_with('\n'));
    let mut client = Client::to(&provider);
    client.send(CHAT, &hello("reset", true));
    assert_eq!(client.read_error(), Some(std::io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_stream_may_end_well_without_its_last_words() {
    let provider = FakeProv::start().await;
    let nofinish = ask(&provider, MESSAGES, &hello("nofinish", true));
    assert!(nofinish.complete && !nofinish.text().contains("message_delta"));
    let nodone = ask(&provider, CHAT, &hello("nodone", true));
    assert!(nodone.complete && nodone.text().contains("\"finish_reason\":\"stop\""));
    assert!(!nodone.text().contains("[DONE]"));
}

#[tokio::test]
async fn an_error_in_the_middle_ends_the_stream() {
    let provider = FakeProv::start().await;
    let chat = ask(&provider, CHAT, &hello("error-mid", true)).events();
    assert_eq!(chat.last().unwrap()["error"]["message"], "Overloaded");
    assert!(ask(&provider, MESSAGES, &hello("error-mid", true)).text().contains("event: error\ndata: "));
}

#[tokio::test]
async fn a_fault_may_come_before_the_first_content() {
    let provider = FakeProv::start().await;
    let early = ask(&provider, CHAT, &hello("truncate+early", true));
    assert!(!early.complete && early.joined("/choices/0/delta/content").is_empty());
    let early = ask(&provider, MESSAGES, &hello("error-mid+early", true)).text();
    assert!(
        early.contains("message_start") && early.contains("event: error") && !early.contains("text_delta")
    );
}

#[tokio::test]
async fn an_error_may_tell_the_key() {
    let provider = FakeProv::start().await;
    let error = ask(&provider, CHAT, &hello("error-mid+tattle", true)).text();
    assert!(error.contains("Overloaded (right has to wait)"), "{error}");
}

#[tokio::test]
async fn packed_bodies_are_packed_and_a_bomb_is_small() {
    let provider = FakeProv::start().await;
    for coding in ["gzip", "deflate", "br"] {
        for stream in [false, true] {
            let packed = ask(&provider, CHAT, &hello(&format!("text+{coding}"), stream));
            assert!(packed.complete && packed.head.contains(&format!("content-encoding: {coding}\r\n")));
            assert!(!packed.body.is_empty() && String::from_utf8(packed.body).is_err());
        }
        let bomb = ask(&provider, CHAT, &hello(&format!("bomb+{coding}"), false));
        assert!(bomb.complete && bomb.body.len() < 1 << 20, "{} bytes", bomb.body.len());
    }
}

#[tokio::test]
async fn nobody_is_at_home_where_a_port_is_closed_or_its_queue_is_full() {
    let connect = |absent: &Absent| {
        let url = absent.url();
        let address = url.trim_start_matches("http://").trim_end_matches("/v1").parse().unwrap();
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).unwrap_err().kind()
    };
    assert_eq!(connect(&Absent::closed().unwrap()), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(connect(&Absent::full().unwrap()), std::io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn bad_events_are_bad_in_the_way_they_say() {
    let provider = FakeProv::start().await;
    let json = ask(&provider, CHAT, &hello("bad-json", true)).text();
    let broken = json.lines().filter_map(|line| line.strip_prefix("data: {"));
    assert_eq!(
        broken
            .filter(|data| serde_json::from_str::<serde_json::Value>(&format!("{{{data}")).is_err())
            .count(),
        1
    );
    assert!(String::from_utf8(ask(&provider, CHAT, &hello("bad-utf8", true)).body).is_err());
    assert!(String::from_utf8(ask(&provider, CHAT, &hello("bad-utf8", false)).body).is_err());
    let giant = ask(&provider, MESSAGES, &hello("giant-event", true));
    assert!(giant.joined("/delta/text").len() > 4 * 1024 * 1024);
    let endless = ask(&provider, CHAT, &hello("endless-line+size=3000000", true));
    assert!(endless.body.ends_with(&[b'x'; 3_000_000]));
}

#[tokio::test]
async fn a_firehose_is_a_long_good_stream_that_waits_for_its_reader() {
    let provider = FakeProv::start().await;
    let long = ask(&provider, CHAT, &hello("firehose+size=1000000", true));
    assert!(long.complete && long.events().len() > 2000);
    let mut client = Client::to(&provider);
    client.send(CHAT, &hello("firehose", true));
    assert!(client.read());
    assert!(provider.wait_closed(Duration::from_millis(200)).await.is_none());
    assert!(provider.bytes_sent() < 64 << 20, "nobody reads, so little is sent");
}

#[tokio::test]
async fn heads_and_bodies_that_are_not_what_they_say() {
    let provider = FakeProv::start().await;
    assert!(!ask(&provider, CHAT, &hello("short-body", false)).complete);
    assert!(ask(&provider, CHAT, &hello("html", true)).text().starts_with("<html>"));
    assert!(ask(&provider, CHAT, &hello("empty", false)).body.is_empty());
    assert_eq!(ask(&provider, CHAT, &hello("many-headers", false)).head.lines().count(), 20_005);
    let moved = ask(&provider, CHAT, &hello("redirect-307", false));
    assert_eq!(moved.status, 307);
    assert!(moved.head.contains(&format!("location: {}/_sink\r\n", provider.origin())));
    let mut client = Client::to(&provider);
    client.raw(
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 27\r\n\r\n{\"model\":\"bad-status-line\"}",
    );
    assert!(client.read() && !client.read(), "one line, then the end");
}

#[tokio::test]
async fn a_silent_stream_notices_that_its_reader_left() {
    let provider = FakeProv::start().await;
    let mut client = Client::to(&provider);
    client.send(CHAT, &hello("stall", true));
    assert!(provider.wait_received(1, Duration::from_secs(5)).await);
    assert!(client.read());
    assert!(provider.wait_closed(Duration::from_millis(100)).await.is_none());
    let left = Instant::now();
    drop(client);
    let closed = provider.wait_closed(Duration::from_secs(5)).await.unwrap();
    assert!(closed.at.duration_since(left) < Duration::from_secs(1));
    assert!(closed.since_first_byte.unwrap() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_peer_that_leaves_before_the_head_is_noticed_and_an_idle_one_told_apart() {
    let provider = FakeProv::start().await;
    let mut client = Client::to(&provider);
    client.ask(CHAT, &hello("text", false));
    drop(client);
    let mut client = Client::to(&provider);
    client.send(CHAT, &hello("stall-head", true));
    assert!(provider.wait_received(2, Duration::from_secs(5)).await);
    drop(client);
    let closed = provider.wait_closed(Duration::from_secs(5)).await.unwrap();
    assert_eq!((closed.connection, closed.since_first_byte), (1, None));
    let idle = provider.closed().into_iter().find(|closed| closed.connection == 0).unwrap();
    assert!(!idle.answering);
}

#[tokio::test]
async fn a_fault_with_times_passes() {
    let provider = FakeProv::start().await;
    let status = || ask(&provider, CHAT, &hello("status-503+times=2", false)).status;
    assert_eq!([status(), status(), status()], [503, 503, 200]);
}

#[tokio::test]
async fn kept_connections_can_go_stale_after_a_moment_or_at_the_next_request() {
    let provider = FakeProv::start().await;
    let mut client = Client::to(&provider);
    assert!(client.ask(CHAT, &hello("close-idle", true)).complete);
    assert!(!client.read(), "closed a moment later");
    let mut client = Client::to(&provider);
    assert_eq!(client.ask(CHAT, &hello("close-reuse", false)).status, 200);
    client.send(CHAT, &hello("close-reuse", false));
    assert!(!client.read(), "closed without an answer");
}

#[tokio::test]
async fn a_delay_is_kept_before_the_head_and_before_each_event() {
    let provider = FakeProv::start().await;
    let begin = Instant::now();
    let answer = ask(&provider, CHAT, &hello("text+n=3+delay=20ms+head-delay=50ms", true));
    assert!(answer.complete);
    assert!(begin.elapsed() >= Duration::from_millis(50 + 6 * 20));
}

#[tokio::test]
async fn a_wrong_key_is_refused_on_both_wires() {
    let provider = FakeProv::with_key("wrong is right").await;
    assert_eq!(ask(&provider, CHAT, &hello("text", false)).json()["error"]["code"], "invalid_api_key");
    let messages = ask(&provider, MESSAGES, &hello("text", false));
    assert_eq!((messages.status, &messages.json()["error"]["type"]), (401, &"authentication_error".into()));
    let provider = FakeProv::with_key("right").await;
    assert_eq!(ask(&provider, CHAT, &hello("text", false)).status, 200);
}

#[tokio::test]
async fn odd_usage_is_odd_and_absent_usage_absent() {
    let provider = FakeProv::start().await;
    assert_eq!(ask(&provider, CHAT, &hello("odd-usage", false)).json()["usage"]["prompt_tokens"], -5);
    assert!(ask(&provider, CHAT, &hello("text+nousage", false)).json().get("usage").is_none());
}

#[tokio::test]
async fn dropping_the_provider_closes_its_connections() {
    let provider = FakeProv::start().await;
    let mut client = Client::to(&provider);
    client.send(CHAT, &hello("stall", true));
    assert!(client.read());
    drop(provider);
    client.read_error();
}
