//! Many configurations under load. Each puts its number in places that a request meets one after the other, so that one
//! that met two configurations would show it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fakeprov::{FakeProv, Received};
use serde_json::json;

use super::{config_error, logged, write};
use crate::support::{Builder, Gateway, Reply, TOKEN, block_on, eventually, request};

/// How often the configuration is changed; `cargo xtask soak` says 1,000.
const ROUNDS: &str = "GATEWAY_RELOADS";

const CLIENTS: usize = 4;

/// The origin of pages that may read answers under configurations with an odd number, and those only.
const ODD: &str = "https://odd.example";

/// The number stands in a key, a header, a parameter rule and a model; odd ones differ from even ones in what is done to
/// the answer, before and after it leaves the exchange.
fn numbered(provider: &FakeProv, number: usize) -> String {
    let odd = is_odd(number);
    let origin = if odd { ODD } else { "https://even.example" };
    format!(
        "server: {{x_gateway: {odd}, cors_origins: ['{origin}']}}\naliases: {{subject: oai/{model}, number-{number}: oai/{model}}}\nproviders:\n  oai:\n    \
         base_url: {url}\n    api_key: key-{number}\n    headers: {{x-number: '{number}'}}\n    param_config:\n      \
         update_params: {{seed: {number}}}\n    models: {{{model}: {{}}}}\n",
        model = model(number),
        url = provider.url(),
    )
}

fn is_odd(number: usize) -> bool {
    number % 2 == 1
}

fn is_broken(number: usize) -> bool {
    number % 10 == 9
}

/// Answers only after a while, in which the configuration changes.
fn model(number: usize) -> String {
    format!("text+head-delay={}ms", 10 + number % 40)
}

/// Asks on and on; yields each request's own mark, and its answer.
fn client(gateway: &Gateway, id: usize, over: &AtomicBool, served: &AtomicUsize) -> Vec<(String, Reply)> {
    let mut replies = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let mark = format!("client-{id}-{}", replies.len());
        let message = json!({"role": "user", "content": "Say something."});
        let stream = replies.len() % 3 == 2;
        let body = json!({"model": "subject", "messages": [message], "user": mark, "stream": stream, "strict": true});
        let authorization = format!("Bearer {TOKEN}");
        let headers = [("authorization", authorization.as_str()), ("origin", ODD)];
        let reply =
            request(gateway.address, "POST", "/v1/chat/completions", &headers, body.to_string().as_bytes());
        replies.push((mark, reply));
        served.fetch_add(1, Ordering::Relaxed);
    }
    replies
}

/// The number of the configuration that a request met, which has to be the same everywhere.
fn number_of(received: &Received, reply: &Reply) -> usize {
    let number: usize = received.header("x-number").unwrap().parse().unwrap();
    let body = received.json();
    assert_eq!(received.header("authorization"), Some(format!("Bearer key-{number}").as_str()));
    assert_eq!((body["seed"].as_u64(), body["model"].as_str()), (Some(number as u64), Some(&*model(number))));
    let may_read = reply.header("access-control-allow-origin") == Some(ODD);
    assert_eq!(may_read, is_odd(number), "the last door is of another configuration than {number}");
    if body["stream"] != true {
        assert_eq!(reply.json()["x_gateway"].is_object(), is_odd(number), "annotated as {number} says");
    }
    number
}

/// Changes the configuration as an operator would; every tenth is broken, every seventh is announced by SIGHUP.
fn change(gateway: &Gateway, provider: &FakeProv, number: usize) {
    let broken = is_broken(number);
    let mut text = numbered(provider, number);
    if broken {
        text.push_str(&format!("mistake_{number}: true\n"));
    }
    let errors = || gateway.get("/admin/v1/config").json()["errors"].to_string();
    let mistake = format!("unknown key 'mistake_{number}'");
    write(gateway, "config.yaml", &text);
    if number.is_multiple_of(7) {
        gateway.signal("-HUP");
        let name = format!("/v1/models/number-{number}");
        eventually("the signal is obeyed", || match broken {
            true => errors().contains(&mistake),
            false => gateway.get(&name).status == 200,
        });
    } else {
        let reply = gateway.post("/admin/v1/config/reload", &json!(null));
        assert_eq!(reply.status, if broken { 400 } else { 200 }, "{}", reply.text());
    }
    // It is in force a moment before that is told.
    eventually("it is told", || errors().contains(&mistake) == broken);
    assert_eq!(config_error(gateway).is_some(), broken);
}

#[test]
fn under_load_no_request_fails_and_none_meets_two_configurations() {
    let rounds = std::env::var(ROUNDS).map_or(50, |text| text.parse().unwrap());
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(numbered(&provider, 0)).start();
    let (over, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let replies: Vec<(String, Reply)> = std::thread::scope(|scope| {
        let (gateway, over, served) = (&gateway, &over, &served);
        let clients = (0..CLIENTS).map(|id| scope.spawn(move || client(gateway, id, over, served)));
        let clients: Vec<_> = clients.collect();
        let changes = scope.spawn(|| {
            for number in 1..=rounds {
                change(gateway, &provider, number);
                // So that each is met by some.
                let seen = served.load(Ordering::Relaxed);
                eventually("requests are served", || served.load(Ordering::Relaxed) >= seen + CLIENTS);
            }
        });
        let changed = changes.join();
        over.store(true, Ordering::Relaxed);
        let replies = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        changed.unwrap();
        replies
    });
    let received = provider.received();
    let mut sent: HashMap<String, Vec<&Received>> = HashMap::new();
    for received in &received {
        sent.entry(received.json()["user"].as_str().unwrap().to_owned()).or_default().push(received);
    }
    let mut met = HashSet::new();
    for (mark, reply) in &replies {
        assert_eq!((reply.status, reply.complete), (200, true), "{mark}: {}", reply.text());
        let [sent] = sent[mark].as_slice() else { panic!("{mark} was not sent once") };
        met.insert(number_of(sent, reply));
    }
    let broken = (1..=rounds).filter(|number| is_broken(*number)).count();
    assert_eq!(logged(&gateway, "the new configuration is not valid"), broken, "each is logged once");
    assert!(!met.iter().any(|number| is_broken(*number)), "none that was broken was ever in force");
    assert!(met.len() >= rounds * 8 / 10, "{} of {rounds} configurations were met", met.len());
    eprintln!("{rounds} changes, {broken} of them broken; {} requests, none failed or mixed", replies.len());
}
