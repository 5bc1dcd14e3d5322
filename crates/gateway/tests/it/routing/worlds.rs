//! What is explained is what then happens, in a thousand generated worlds: a route, a request, and targets that answer or
//! fail, on a gateway whose memory of all the worlds before goes on.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, block_on, request};

const WORLDS: usize = 1000;
/// Providers `p0` to `p3`; those of odd number speak Messages.
const PROVIDERS: u64 = 4;

/// What a target of a model does. A refused key, and a breaker that has opened, are remembered from world to world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Serves,
    /// Another may do better.
    Fails,
    /// The client is to blame.
    Refuses,
    /// It declines: only a reserve for that case may do better.
    Declines,
}

/// Models with what comes of them. None is told to wait: a wait that ends between question and answer would be no mistake.
const MODELS: [(&str, End); 9] = [
    ("text", End::Serves),
    ("echo", End::Serves),
    ("text+n=3", End::Serves),
    ("close-early", End::Fails),
    ("html", End::Fails),
    ("bad-status-line", End::Fails),
    ("status-404", End::Fails),
    ("status-400", End::Refuses),
    ("prompt-block", End::Declines),
];
/// Strategies that draw lots are not among them: question and answer are two requests, and each draws its own.
const STRATEGIES: [&str; 4] = ["in-order", "round-robin", "least-busy", "cheapest"];

/// A row of numbers that looks random and is the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn targets(dice: &mut Dice, least: u64, most: u64) -> Vec<String> {
    let count = least + dice.below(most - least + 1);
    let one = |dice: &mut Dice| {
        let (provider, weight, priority) = (dice.below(PROVIDERS), dice.below(3), dice.below(3));
        let model = dice.of(&MODELS).0;
        format!("{{provider: p{provider}, model: '{model}', weight: {weight}, priority: {priority}}}")
    };
    (0..count).map(|_| one(dice)).collect()
}

fn route(dice: &mut Dice, world: usize) -> String {
    let mut lines = format!("  w{world}:\n    strategy: {}\n", dice.of(&STRATEGIES));
    for (key, members) in [
        ("targets", targets(dice, 1, 4)),
        ("when_refused", targets(dice, 0, 1)),
        ("when_too_long", targets(dice, 0, 1)),
    ] {
        if !members.is_empty() {
            lines += &format!("    {key}: [{}]\n", members.join(", "));
        }
    }
    if dice.chance(30) {
        lines += "    sticky: 1h\n";
    }
    lines
}

/// Rules of every provider and model, so that bodies are more than what the client sent.
fn providers(provider: &FakeProv) -> String {
    let one = |at: u64| {
        let (wire, base) = match at % 2 {
            0 => ("openai_chat", provider.url()),
            _ => ("anthropic_messages", provider.origin()),
        };
        let models: String = MODELS
            .iter()
            .map(|(model, _)| format!("      '{model}': {{max_tokens: {}}}\n", 40 + at))
            .collect();
        format!(
            "  p{at}:\n    wire: {wire}\n    base_url: {base}\n    api_key: key-of-p{at}\n    param_config: {{update_params: {{temperature: \
             0.{}}}}}\n    models:\n{models}",
            at + 1
        )
    };
    (0..PROVIDERS).map(one).collect()
}

fn start(provider: &FakeProv, dice: &mut Dice) -> Gateway {
    let routes: String = (0..WORLDS).map(|world| route(dice, world)).collect();
    let yaml = format!("providers:\n{}routes:\n{routes}", providers(provider));
    let gateway = Builder::new(yaml).start();
    // Who rests, rests: a probe that falls due between question and answer would be no mistake.
    let settings = json!({"resetTimeoutMs": 86_400_000, "failureThreshold": 4});
    assert_eq!(gateway.ask(TOKEN, "PUT", "/v1/circuit-breaker/config", None, &settings).status, 200);
    gateway
}

/// A request of that world, and where it goes.
fn question(dice: &mut Dice, world: usize) -> (&'static str, Value) {
    let model = if dice.chance(80) {
        format!("w{world}")
    } else {
        format!("p{}/{}", dice.below(PROVIDERS), dice.of(&MODELS).0)
    };
    let messages = json!([{"role": "user", "content": format!("Question {}.", dice.below(20))}]);
    let mut body = json!({"model": model, "messages": messages, "max_tokens": 900});
    if dice.chance(30) {
        body["stream"] = json!(true);
    }
    if dice.chance(15) {
        body["strict"] = json!(true);
    }
    (dice.of(&["/v1/chat/completions", "/v1/messages"]), body)
}

fn ask(gateway: &Gateway, (path, body): &(&str, Value), explain: bool) -> Reply {
    let bearer = format!("Bearer {TOKEN}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(explain.then_some(("x-gateway-explain", "true")));
    request(gateway.address, "POST", path, &headers, body.to_string().as_bytes())
}

/// A target that was told of, or asked: its provider and the body.
type Sent = (String, Value);

fn end(target: &Value) -> End {
    let model = target["sentAs"].as_str().unwrap();
    MODELS.iter().find(|(known, _)| *known == model).unwrap().1
}

/// Who is asked, going by the explanation. A target that stands there twice in a row counts once, as in `asked`.
fn foretold(told: &Value) -> Vec<Sent> {
    let targets = told["targets"].as_array().unwrap();
    let is = |target: &Value, what: &str| target["reason"].as_str().unwrap().contains(what);
    let too_long = |target: &&Value| is(target, "too long for another");
    let declined = |target: &&Value| is(target, "another declined");
    let (mut sent, mut at) = (Vec::new(), Some(0));
    while let Some(now) = at {
        let target = &targets[now];
        sent.push((target["provider"].as_str().unwrap().to_owned(), target["body"].clone()));
        let rest = || (now + 1..targets.len()).map(|next| (next, &targets[next]));
        let in_case = declined(&target);
        at = match end(target) {
            End::Serves | End::Refuses => None,
            End::Declines => rest().find(|(_, next)| declined(next)).map(|(next, _)| next),
            End::Fails if in_case => rest().find(|(_, next)| declined(next)).map(|(next, _)| next),
            End::Fails => rest().find(|(_, next)| !declined(next) && !too_long(next)).map(|(next, _)| next),
        };
    }
    sent.dedup();
    sent
}

/// Who was asked. A kept connection that ends without an answer is no target's fault, and the same is sent on a fresh one.
fn asked(provider: &FakeProv, before: usize) -> Vec<Sent> {
    let of = |received: &fakeprov::Received| {
        let key = received.header("authorization").or(received.header("x-api-key")).unwrap();
        let (_, provider) = key.rsplit_once('-').unwrap();
        (provider.to_owned(), received.json())
    };
    let mut sent: Vec<Sent> = provider.received()[before..].iter().map(of).collect();
    sent.dedup();
    sent
}

#[test]
fn what_is_explained_is_what_then_happens_in_a_thousand_worlds() {
    let provider = block_on(FakeProv::start());
    let mut dice = Dice(20_261_125);
    let gateway = start(&provider, &mut dice);
    let (mut fell_over, mut left_out) = (0, 0);
    for world in 0..WORLDS {
        if world.is_multiple_of(50) {
            for at in 0..PROVIDERS {
                gateway.post(&format!("/v1/admin/reset-circuit-breaker/p{at}"), &json!({}));
            }
        }
        let question = question(&mut dice, world);
        let before = provider.received().len();
        let told = ask(&gateway, &question, true);
        assert_eq!(provider.received().len(), before, "an explanation sends nothing");
        let reply = ask(&gateway, &question, false);
        if told.status != 200 {
            assert_eq!(reply.status, told.status, "{question:?}: {}", told.text());
            assert_eq!(provider.received().len(), before, "{question:?}");
            continue;
        }
        let told = told.json();
        let (expected, happened) = (foretold(&told), asked(&provider, before));
        assert_eq!(happened, expected, "world {world}, {question:?}: {told:#}");
        let served = reply.header("x-gateway-provider").map(str::to_owned);
        assert!(reply.status != 200 || served == expected.last().map(|(provider, _)| provider.clone()));
        fell_over += usize::from(expected.len() > 1);
        left_out +=
            usize::from(told["skipped"].as_array().unwrap().iter().any(|out| out["model"].is_string()));
    }
    assert!(fell_over > 100 && left_out > 20, "{fell_over} fell over, in {left_out} somebody was left out");
}
