//! Every row of the fault model against a healthy second target: whole and streamed, carried and translated, for clients
//! of two dialects. Before the first byte a request falls over, after it the answer ends in its dialect's error; the
//! ledger has one row that says who failed how, and who may bill.

mod rows;

use std::collections::HashMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fakeprov::{Absent, FakeProv, TEXT};
use serde_json::{Value, json};
use store::{Entry, Outcome};

use self::rows::{ELSE_WHEN_STREAMED, End, PLACES, Place, Row, TABLE};
use crate::grammar::{chat_grammar, messages_stream};
use crate::support::{Builder, Gateway, Reply, block_on};

/// A client's dialect and the first target's wire; equal ones are carried.
type Way = (Client, &'static str);

const WAYS: [Way; 4] =
    [(Client::Chat, "oai"), (Client::Chat, "ant"), (Client::Messages, "oai"), (Client::Messages, "ant")];

/// What the second target is asked for.
const HEALTHY: &str = "text+lenient";

/// Time between two attempts; the bar is 50 ms, and tests allow ten times that.
const ADDED_MS: i64 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Chat,
    Messages,
}

impl Client {
    fn name(self) -> &'static str {
        match self {
            Client::Chat => "chat",
            Client::Messages => "messages",
        }
    }

    fn ask(self, gateway: &Gateway, model: &str, stream: bool) -> Reply {
        let messages = json!([{"role": "user", "content": "Say something."}]);
        let body = json!({"model": model, "messages": messages, "stream": stream, "max_tokens": 100});
        match self {
            Client::Chat => gateway.post("/v1/chat/completions", &body),
            Client::Messages => gateway.post("/v1/messages", &body),
        }
    }

    /// The text of a whole answer.
    fn text(self, answer: &Value) -> String {
        let text = match self {
            Client::Chat => &answer["choices"][0]["message"]["content"],
            Client::Messages => &answer["content"][0]["text"],
        };
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The text of a stream that keeps to the grammar, and whether it ended in an error.
    fn read(self, case: &str, reply: &Reply) -> (String, bool) {
        let mut events = reply.events();
        if case.starts_with("U22") {
            // Carried, odd numbers arrive as they were sent.
            events.iter_mut().for_each(without_usage);
        }
        let events = respelled(&events);
        match self {
            Client::Chat => {
                let read = chat_grammar::check(case, &events, false);
                let text = read.choices.values().map(|choice| choice.text.as_str()).collect();
                assert!(
                    read.error.is_none() || read.choices.values().all(|choice| choice.finish.is_none()),
                    "{case}"
                );
                (text, read.error.is_some())
            }
            Client::Messages => {
                let read = messages_stream::check(case, &events);
                // A reason that the first target gave has gone through; the end marker that it owed has not.
                let stopped = !read.message["stop_reason"].is_null() && !case.starts_with("U09");
                assert!(read.error.is_none() || !stopped, "{case}");
                (read.joined("text", "text"), read.error.is_some())
            }
        }
    }
}

/// An event of Messages with plausible numbers in the place of its own.
fn without_usage(event: &mut Value) {
    let places = if event["type"].is_string() { ["/usage", "/message/usage"].as_slice() } else { &[] };
    for place in places {
        if let Some(usage) = event.pointer_mut(place) {
            *usage = json!({"input_tokens": 0, "output_tokens": 0});
        }
    }
}

/// Events in the plainest spelling, as the checkers want them.
fn respelled(events: &[Value]) -> Vec<u8> {
    let event = |event: &Value| match (event.as_str(), event["type"].as_str()) {
        (Some(marker), _) => format!("data: {marker}\n\n"),
        (None, Some(name)) => format!("event: {name}\ndata: {event}\n\n"),
        (None, None) => format!("data: {event}\n\n"),
    };
    events.iter().map(event).collect::<String>().into_bytes()
}

/// The gateway, and who stands behind it.
struct Bench {
    gateway: Gateway,
    provider: FakeProv,
    _absent: [Absent; 2],
}

impl Bench {
    /// A first target at every place for every way, so that what one fault leaves behind touches no other way; and the
    /// healthy one, which stands first in the file and is therefore the first to step in.
    fn new() -> Self {
        let provider = block_on(FakeProv::start());
        let (closed, full) = (Absent::closed().unwrap(), Absent::full().unwrap());
        let url = |place: Place| match place {
            Place::Open | Place::Hasty => provider.url(),
            Place::Closed => closed.url(),
            Place::Full => full.url(),
            Place::Plain => provider.url().replace("http:", "https:"),
        };
        let mut yaml = format!(
            "providers:\n  second: {{base_url: '{}', api_key: k, models: {{{HEALTHY}: {{}}}}}}\n",
            provider.url()
        );
        for (place, at) in PLACES {
            for (client, wire) in WAYS {
                let speaks = if wire == "oai" { "openai_chat" } else { "anthropic_messages" };
                let bound = if at == Place::Open { "10s" } else { "1s" };
                let base = if wire == "oai" { url(at) } else { url(at).replace("/v1", "") };
                writeln!(
                    yaml,
                    "  {place}-{}-{wire}: {{wire: {speaks}, base_url: '{base}', api_key: k, timeouts: {{connect: {bound}, head: {bound}, \
                     idle: {bound}}}, models: {{first: {{}}}}}}",
                    client.name()
                )
                .unwrap();
            }
        }
        Self {
            gateway: Builder::new(yaml)
                .env("LLM_GATEWAY_LOG", "error,gateway::cli=info,gateway::startup=info,gateway::server=info")
                .start(),
            provider,
            _absent: [closed, full],
        }
    }

    /// One round: all answers, then the rows of the ledger that tell of them.
    fn play(&self, added_ms: i64) {
        let before = self.gateway.rows().len();
        let all = |way: Way| {
            let both = TABLE.iter().flat_map(|row| [(row, false), (row, true)]);
            let told =
                both.map(|(row, stream)| catch_unwind(AssertUnwindSafe(|| self.ask(way, row, stream))));
            told.collect::<Vec<_>>()
        };
        let asked: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = WAYS.iter().map(|way| scope.spawn(|| all(*way))).collect();
            running.into_iter().flat_map(|way| way.join().unwrap()).collect()
        });
        let count = asked.len();
        let expected: HashMap<String, Expected> = asked.into_iter().flatten().collect();
        let mut wrong = count - expected.len();
        for row in self.gateway.ledger(before + count) {
            let Some(expected) = expected.get(&row.id.to_string()) else { continue };
            wrong += usize::from(catch_unwind(AssertUnwindSafe(|| expected.is(&row, added_ms))).is_err());
        }
        assert_eq!(wrong, 0, "of {count} requests; each is told above");
    }

    /// Asks for one row, checks the answer, and says which row of the ledger must tell of it.
    fn ask(&self, (client, wire): Way, row: &Row, stream: bool) -> (String, Expected) {
        let (id, place, script, whole, streamed) = *row;
        let place = PLACES.iter().find(|(_, at)| *at == place).unwrap().0;
        let first = format!("{place}-{}-{wire}", client.name());
        let elsewise = ELSE_WHEN_STREAMED.iter().find(|(fault, at, _)| (*fault, *at) == (script, wire));
        let streamed = elsewise.map_or(streamed, |(_, _, end)| *end);
        let end = if stream { streamed } else { whole };
        let case = format!("{id} {script} {}-{wire} stream={stream}", client.name());
        let reply = client.ask(&self.gateway, &format!("{first}/{script}"), stream);
        answer_is(client, &case, script, stream, end, &first, &reply);
        // Whatever was held against the first target is forgotten: each row begins anew.
        let reset = format!("/v1/admin/reset-circuit-breaker/{first}");
        assert_eq!(self.gateway.post(&reset, &json!({})).status, 200);
        let request = reply.header("x-request-id").unwrap().to_owned();
        (
            request,
            Expected {
                case,
                first,
                end,
                odd: id == "U22",
                carries: client.name().starts_with("chat") == (wire == "oai"),
            },
        )
    }
}

/// What the client must get.
fn answer_is(client: Client, case: &str, script: &str, stream: bool, end: End, first: &str, reply: &Reply) {
    let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
    let by = header("x-gateway-provider");
    if let End::Refused(status) = end {
        assert_eq!((reply.status, by.as_str()), (status, first), "{case}: {}", reply.text());
        assert!(reply.json()["error"]["message"].is_string(), "{case}");
        return;
    }
    assert_eq!(reply.status, 200, "{case}: {}", reply.text());
    assert!(reply.complete, "{case}");
    let over = matches!(end, End::Over(_) | End::OverBilled(_));
    let (who, attempts) = if over { ("second", "2") } else { (first, "1") };
    assert_eq!((by.as_str(), header("x-gateway-attempts").as_str()), (who, attempts), "{case}");
    let (text, broken) = match stream {
        true => client.read(case, reply),
        false => (client.text(&reply.json()), false),
    };
    assert_eq!(broken, matches!(end, End::Broken(_)), "{case}: {}", reply.text());
    let known = over || !(script.contains("giant") || script.contains("n="));
    match (broken, known) {
        (true, _) => assert!(!text.is_empty() && TEXT.starts_with(&text), "{case}: {text:?}"),
        (false, true) => assert_eq!(text, TEXT, "{case}"),
        (false, false) => assert!(!text.is_empty(), "{case}"),
    }
    if client == Client::Chat && !stream {
        assert_eq!(reply.json()["x_gateway"]["fallbackUsed"], over, "{case}");
    }
}

/// What the ledger must say of a request.
struct Expected {
    case: String,
    first: String,
    end: End,
    odd: bool,
    carries: bool,
}

impl Expected {
    fn is(&self, row: &Entry, added_ms: i64) {
        let case = &self.case;
        let (outcome, fault) = match self.end {
            End::Over(_) | End::OverBilled(_) | End::Served => (Outcome::Completed, None),
            End::Broken(code) => (Outcome::UpstreamError, Some(code)),
            End::Refused(413) => (Outcome::ClientError, Some("request_too_large")),
            End::Refused(_) => (Outcome::ClientError, Some("invalid_request")),
        };
        assert_eq!((row.outcome, row.fault_code.as_deref()), (outcome, fault), "{case}: {row:?}");
        assert_eq!(row.usage_odd, self.odd, "{case}");
        match self.end {
            End::Over(code) => self.fell_over(row, code, false, added_ms),
            End::OverBilled(code) => self.fell_over(row, code, true, added_ms),
            _ => {
                assert_eq!((row.attempts, row.provider.as_deref()), (1, Some(self.first.as_str())), "{case}");
                assert_eq!(Some(&row.surface) == row.wire.as_ref(), self.carries, "{case}");
            }
        }
    }

    /// Two attempts with their reasons, the first of which failed so; who may bill is named; and no time was lost between.
    fn fell_over(&self, row: &Entry, code: &str, billed: bool, added_ms: i64) {
        let case = &self.case;
        assert_eq!((row.attempts, row.provider.as_deref()), (2, Some("second")), "{case}");
        let tried: Value = serde_json::from_str(row.attempts_detail.as_deref().unwrap()).unwrap();
        let (failed, answered) = (&tried[0], &tried[1]);
        assert_eq!(
            (&failed["provider"], &failed["fault"]),
            (&json!(self.first), &json!(code)),
            "{case}: {tried}"
        );
        assert_eq!(failed["billed"] == "maybe", billed, "{case}: {tried}");
        assert!(answered["fault"].is_null() && answered["billed"].is_null(), "{case}: {tried}");
        assert!(failed["reason"].is_string() && failed["reason"] != answered["reason"], "{case}: {tried}");
        let waited = failed["ms"].as_i64().unwrap() + answered["ms"].as_i64().unwrap();
        let added = row.first_byte_us.unwrap() / 1000 - waited;
        assert!(added < added_ms, "{case}: {added} ms beside the attempts");
    }
}

#[test]
fn every_fault_falls_over_before_the_first_byte_and_breaks_off_after_it() {
    play(1, ADDED_MS);
}

/// Goes through the whole table so often, all ways at once. What is wrong is told row by row before the test fails.
pub fn play(rounds: usize, added_ms: i64) {
    let bench = Bench::new();
    for _ in 0..rounds {
        bench.play(added_ms);
    }
    no_request_was_sent_twice(&bench.provider, rounds);
}

/// What the scripted provider has received is what the ledger tells of: each request once. A kept connection that closes
/// without a word may have lost its request, which is then sent again, to the same provider.
fn no_request_was_sent_twice(provider: &FakeProv, rounds: usize) {
    let mut asked = HashMap::<String, usize>::new();
    for received in provider.received() {
        *asked.entry(received.json()["model"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    for (_, place, script, ..) in TABLE.iter().filter(|row| !matches!(row.2, "close-reuse" | "close-early")) {
        if matches!(place, Place::Open | Place::Hasty) {
            assert_eq!(asked.get(*script), Some(&(2 * WAYS.len() * rounds)), "{script}");
        }
    }
    let over = |end: &End| matches!(end, End::Over(_) | End::OverBilled(_));
    let fell: usize = TABLE.iter().map(|row| usize::from(over(&row.3)) + usize::from(over(&row.4))).sum();
    assert_eq!(asked.get(HEALTHY), Some(&(fell * WAYS.len() * rounds)));
}
