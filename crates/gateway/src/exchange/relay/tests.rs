//! What takes minutes outside takes none here: the clock is paused.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use upstream::{Call, Destination, InProcess, InProcessReply, Options, Timeouts, Upstreams};
use wire::WireId;
use wire::frame::Framing;

use super::*;
use crate::arrival::Arrival;
use crate::origins::{Account, Origin};
use crate::recall::Owner;

/// Sends its chunks with a pause between them.
struct Slow {
    chunks: Vec<&'static str>,
    pause: Duration,
}

impl InProcess for Slow {
    fn answer(&self, _: &HeaderMap, _: &[Bytes]) -> InProcessReply {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        let chunks = self.chunks.iter().map(|chunk| Bytes::from_static(chunk.as_bytes())).collect();
        InProcessReply { status: 200, headers, chunks, pause: self.pause }
    }
}

const TEXT: &str = "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const STOP: &str =
    "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const OPENING: &str = "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const ERROR: &str = "data: {\"error\":{\"message\":\"no\",\"type\":\"server_error\",\"code\":500}}\n\n";

async fn relay(chunks: &[&'static str], pause: Duration) -> Relay {
    let formats = (SurfaceId::OpenAiChat, WireId::OpenAiChat);
    relay_of(formats, Framing::Sse, chunks, pause).await
}

/// Carries what came in this framing to a client that reads server-sent events.
async fn relay_of(
    (surface, wire): (SurfaceId, WireId),
    framing: Framing,
    chunks: &[&'static str],
    pause: Duration,
) -> Relay {
    let slow = Slow { chunks: chunks.to_vec(), pause };
    let timeouts = Timeouts { connect: KEEP_ALIVE, head: KEEP_ALIVE, idle: KEEP_ALIVE * 100, total: None };
    let call = Call {
        provider: "slow".into(),
        to: Destination::InProcess(Arc::new(slow)),
        headers: HeaderMap::new(),
        body: Vec::new(),
        timeouts,
    };
    let reply = Upstreams::new(Options::default()).send(call).await.unwrap();
    let owner = Owner { key: None, project: "p".into() };
    let origin = Origin { provider: "slow".into(), account: Account::None };
    let passage = Passage::Carried(Carried {
        wire: wire.wire(),
        surface: surface.surface(),
        hide_usage: true,
        framing: Framing::Sse,
        keeper: Keeper::of(Arc::default(), owner, origin),
    });
    Relay::new(surface, "slow".into(), "request-1".into(), (reply.body, framing), passage)
}

async fn all(mut relay: Relay) -> String {
    let mut out = String::new();
    while let Some(bytes) = poll_fn(|cx| relay.poll_bytes(cx)).await {
        out.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
    }
    out
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_with_comments_every_15_seconds() {
    let relay = relay(&[TEXT, STOP, DONE], Duration::from_secs(40)).await;
    let out = all(relay).await;
    assert_eq!(out.matches(": keep-alive\n\n").count(), 4, "{out}");
    assert_eq!(out.replace(": keep-alive\n\n", ""), [TEXT, STOP, DONE].concat());
}

#[tokio::test(start_paused = true)]
async fn opening_frames_are_held_back_until_content_or_15_seconds() {
    let mut held = relay(&[OPENING, TEXT, STOP, DONE], Duration::from_secs(20)).await;
    let began = clock::now();
    held.prime().await.unwrap();
    assert_eq!((clock::now() - began).as_secs(), 15, "an opening is no content");
    let mut content = relay(&[OPENING, TEXT, STOP, DONE], Duration::from_secs(2)).await;
    let began = clock::now();
    content.prime().await.unwrap();
    assert_eq!((clock::now() - began).as_secs(), 2);
    assert_eq!(all(content).await, [OPENING, TEXT, STOP, DONE].concat());
}

#[tokio::test(start_paused = true)]
async fn an_error_after_an_opening_can_still_fall_over_and_one_after_content_cannot() {
    let mut opened = relay(&[OPENING, ERROR], Duration::ZERO).await;
    assert!(matches!(opened.prime().await, Err(Fault::Upstream(_))));
    let mut begun = relay(&[OPENING, TEXT, ERROR], Duration::ZERO).await;
    begun.prime().await.unwrap();
    let out = all(begun).await;
    assert!(out.starts_with(&[OPENING, TEXT].concat()) && out.contains("\"error\""), "{out}");
    assert!(!out.contains("[DONE]"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn content_and_error_in_one_read_are_delivered_as_content_and_error() {
    let packed: &'static str = Box::leak([OPENING, TEXT, ERROR].concat().into_boxed_str());
    let mut begun = relay(&[packed], Duration::ZERO).await;
    begun.prime().await.unwrap();
    let out = all(begun).await;
    assert!(out.starts_with(&[OPENING, TEXT].concat()) && out.contains("\"error\""), "{out}");
}

const PARTS: [&str; 4] = [
    "[{\n  \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Hi,",
    " you]\"}]}}]\n}\n,\r\n",
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\".\"}]},\"finishReason\":\"STOP\"}]}",
    "\n]",
];

async fn from_array(chunks: &[&'static str]) -> String {
    let formats = (SurfaceId::Gemini, WireId::Gemini);
    let mut relay = relay_of(formats, Framing::JsonArray, chunks, Duration::ZERO).await;
    relay.prime().await.unwrap();
    let mut out = String::new();
    while let Some(bytes) = poll_fn(|cx| relay.poll_bytes(cx)).await {
        let Ok(bytes) = bytes else { return out + "<aborted>" };
        out.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    out
}

#[tokio::test(start_paused = true)]
async fn an_array_that_was_not_asked_for_is_passed_on_as_events() {
    let out = from_array(&PARTS).await;
    let events: Vec<_> = out.split_terminator("\n\n").collect();
    assert_eq!(
        events,
        [
            "data: {  \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Hi, you]\"}]}}]}",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\".\"}]},\"finishReason\":\"STOP\"}]}",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_array_without_its_end_is_no_clean_stream() {
    let out = from_array(&PARTS[..3]).await;
    assert!(out.contains("\"error\"") && out.ends_with("<aborted>"), "{out}");
}

fn limit(millis: u32) -> Option<TimeLimit> {
    let mut headers = HeaderMap::new();
    headers.insert("x-gateway-timeout-ms", millis.into());
    TimeLimit::of(&headers, Arrival::now()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_broken_off_when_the_clients_time_is_over() {
    let began = clock::now();
    let relay = relay(&[TEXT, TEXT, STOP, DONE], Duration::from_secs(20)).await;
    let out = all(relay.until(limit(30_000))).await;
    assert_eq!((clock::now() - began).as_secs(), 30);
    let said = out.replace(": keep-alive\n\n", "");
    let error = said.strip_prefix(&[TEXT, TEXT].concat()).unwrap();
    assert!(error.contains("\"time_limit\"") && error.contains("30000 ms"), "{out}");
    assert!(!out.contains("[DONE]"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_reaches_its_end_in_time_is_left_alone() {
    let in_time = relay(&[TEXT, STOP, DONE], Duration::from_secs(2)).await;
    assert_eq!(all(in_time.until(limit(5_000))).await, [TEXT, STOP, DONE].concat());
    // All of it is there at once, and is read when the limit has passed already.
    let packed: &'static str = Box::leak([TEXT, STOP, DONE].concat().into_boxed_str());
    let late = relay(&[packed, ": more\n\n"], Duration::from_secs(9)).await.until(limit(1));
    clock::sleep(Duration::from_secs(1)).await;
    assert_eq!(all(late).await, packed);
}
