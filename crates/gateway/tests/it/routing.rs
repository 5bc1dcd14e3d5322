//! What routes do beside choosing an order: conversations that go back, seconds that are asked beside, answers that
//! somebody else gives where a model declines.

use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, block_on, request};

mod worlds;

/// Targets `a`, `b` and `c`, of these models, and one route `smart` with these lines.
fn gateway(provider: &FakeProv, models: [&str; 3], route: &str) -> Gateway {
    let url = provider.url();
    let one = |(id, model): (&str, &str)| {
        format!("  {id}:\n    base_url: {url}\n    api_key: key-of-{id}\n    models: {{'{model}': {{}}}}\n")
    };
    let providers: String = ["a", "b", "c"].into_iter().zip(models).map(one).collect();
    Builder::new(format!("providers:\n{providers}routes:\n  smart:\n{route}")).start()
}

fn body(text: &str, stream: bool) -> Value {
    json!({"model": "smart", "messages": [{"role": "user", "content": text}], "stream": stream})
}

fn chat(gateway: &Gateway, body: &Value, headers: &[(&str, &str)]) -> Reply {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [headers, &[("authorization", bearer.as_str())]].concat();
    request(gateway.address, "POST", "/v1/chat/completions", &headers, body.to_string().as_bytes())
}

fn served_by(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-gateway-provider").unwrap().to_owned()
}

#[test]
fn a_conversation_goes_back_to_who_answered_it_while_others_take_turns() {
    let provider = block_on(FakeProv::start());
    let route = "    strategy: round-robin\n    sticky: 10m\n    targets: [{provider: a}, {provider: b}, {provider: c}]\n";
    let gateway = gateway(&provider, ["text"; 3], route);
    let turn = |role: &str, text: &str| json!({"role": role, "content": text});
    let ask =
        |turns: &[Value]| served_by(&chat(&gateway, &json!({"model": "smart", "messages": turns}), &[]));
    assert_eq!(ask(&[turn("user", "One")]), "a");
    assert_eq!(ask(&[turn("user", "Two")]), "b");
    let further = [turn("user", "One"), turn("assistant", "Yes"), turn("user", "And?")];
    assert_eq!(ask(&further), "a");
    let told =
        chat(&gateway, &json!({"model": "smart", "messages": further}), &[("x-gateway-explain", "true")])
            .json();
    assert!(
        told["targets"][0]["reason"].as_str().unwrap().contains("answered this conversation last"),
        "{told}"
    );
    let named = |text: &str| served_by(&chat(&gateway, &body(text, false), &[("x-gateway-session", "s-1")]));
    let first = named("Three");
    assert_eq!(named("Four"), first);
    assert_eq!(named("Five"), first);
}

#[test]
fn a_silent_target_gets_another_beside_it_and_the_ledger_tells_of_both() {
    let provider = block_on(FakeProv::start());
    let route = "    hedge: 100ms\n    targets: [{provider: a}, {provider: b}]\n";
    let gateway = gateway(&provider, ["text+head-delay=3s", "text", "text"], route);
    for stream in [false, true] {
        let asked = Instant::now();
        let reply = chat(&gateway, &body("Hi.", stream), &[]);
        assert_eq!(served_by(&reply), "b");
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert_eq!(reply.header("x-gateway-attempts"), Some("2"));
    }
    assert!(block_on(provider.wait_closed(Duration::from_secs(5))).is_some(), "the slower one is let go");
    for row in gateway.ledger(2) {
        let tries: Value = serde_json::from_str(row.attempts_detail.as_deref().unwrap()).unwrap();
        let tried = |at: usize| (tries[at]["provider"].as_str(), tries[at]["fault"].as_str());
        assert_eq!((tried(0), tried(1)), ((Some("b"), None), (Some("a"), Some("outrun"))), "{tries}");
        assert_eq!((row.provider.as_deref(), row.attempts), (Some("b"), 2));
    }
}

#[test]
fn nothing_is_asked_twice_that_is_quick_or_leaves_something_behind() {
    let provider = block_on(FakeProv::start());
    let route = "    hedge: 300ms\n    targets: [{provider: a}, {provider: b}]\n";
    let quick = gateway(&provider, ["text", "text", "text"], route);
    assert_eq!(served_by(&chat(&quick, &body("Hi.", false), &[])), "a");
    assert_eq!(provider.received().len(), 1);
    let slow = gateway(&provider, ["text+head-delay=600ms", "text", "text"], route);
    let mut kept = body("Hi.", false);
    kept["store"] = json!(true);
    assert_eq!(served_by(&chat(&slow, &kept, &[])), "a");
    assert_eq!(provider.received().len(), 2);
    assert_eq!(served_by(&chat(&slow, &body("Hi.", false), &[])), "b");
}

#[test]
fn a_second_that_fails_does_not_harm_the_first() {
    let provider = block_on(FakeProv::start());
    let route = "    hedge: 100ms\n    targets: [{provider: a}, {provider: b}]\n";
    let gateway = gateway(&provider, ["text+head-delay=500ms", "status-500", "text"], route);
    let reply = chat(&gateway, &body("Hi.", false), &[]);
    assert_eq!((served_by(&reply).as_str(), reply.header("x-gateway-attempts")), ("a", Some("2")));
}

#[test]
fn what_one_declines_another_answers_where_the_route_says_so() {
    let provider = block_on(FakeProv::start());
    let with = "    targets: [{provider: a}, {provider: b}]\n    when_refused: [{provider: c}]\n";
    let without = "    targets: [{provider: a}, {provider: b}]\n";
    for (declining, stream) in
        [("prompt-block", false), ("prompt-block", true), ("refusal", false), ("text+finish=filter", false)]
    {
        let handed_on = gateway(&provider, [declining, "text", "text"], with);
        let reply = chat(&handed_on, &body("Hi.", stream), &[]);
        assert_eq!(served_by(&reply), "c", "{declining} {stream}");
        let row = &handed_on.ledger(1)[0];
        assert!(row.attempts_detail.as_deref().unwrap().contains("declined"), "{row:?}");
        let told = gateway(&provider, [declining, "text", "text"], without);
        let reply = chat(&told, &body("Hi.", stream), &[]);
        assert_ne!(reply.header("x-gateway-provider"), Some("b"), "{declining} {stream}");
    }
}

#[test]
fn what_was_declined_stays_the_answer_when_the_one_asked_instead_fails() {
    let provider = block_on(FakeProv::start());
    let route = "    targets: [{provider: a}]\n    when_refused: [{provider: b}, {provider: c}]\n";
    for declining in ["prompt-block", "refusal"] {
        for (second, third) in [("status-500", "status-400"), ("prompt-block", "status-429")] {
            let gateway = gateway(&provider, [declining, second, third], route);
            let reply = chat(&gateway, &body("Hi.", declining == "prompt-block"), &[]);
            let told = reply.json();
            let message = told["error"]["message"].as_str().unwrap();
            assert!(reply.status == 400 && message.starts_with("a: the model declined"), "{told}");
            assert_eq!(reply.header("x-gateway-provider"), Some("a"));
            assert!(told["attempts"].as_array().unwrap().len() >= 3, "{told}");
        }
    }
}

#[test]
fn conditions_choose_among_routes_by_tag_size_and_tools() {
    let provider = block_on(FakeProv::start());
    let rest = "    tags: batch\n    targets: [{provider: a}]\n  long:\n    models: ['*']\n    min_size: 10KB\n    targets: [{provider: b}]\n  \
                tools:\n    models: ['*']\n    tools: true\n    targets: [{provider: c}]\n";
    let gateway = gateway(&provider, ["text"; 3], &format!("    models: ['*']\n{rest}"));
    let plain = json!({"model": "a/text", "messages": [{"role": "user", "content": "Hi."}]});
    let by = |body: &Value, headers: &[(&str, &str)]| served_by(&chat(&gateway, body, headers));
    let mut other = plain.clone();
    other["model"] = json!("b/text");
    assert_eq!(by(&other, &[("x-gateway-tags", "nightly, batch")]), "a");
    assert_eq!(by(&plain, &[("x-gateway-tags", "nightly")]), "a");
    let mut long = plain.clone();
    long["messages"][0]["content"] = json!("x".repeat(11_000));
    assert_eq!(by(&long, &[]), "b");
    let mut tools = plain;
    tools["tools"] = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]);
    assert_eq!(by(&tools, &[]), "c");
}
