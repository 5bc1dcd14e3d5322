//! Thoughts in custody: conversations that go from vendor to vendor, each of which takes back its own thoughts only and
//! as they were, with clients that lose them, keep them or spoil them.

mod clients;
mod spoilt;

use fakeprov::FakeProv;

use self::clients::{Chat, Client, Messages, Responses};
use crate::support::{Builder, Gateway, block_on};

/// One provider on each wire. The model calls a tool, and it thinks before it does.
const VENDORS: [(&str, &str); 4] =
    [("oai", "openai_chat"), ("ant", "anthropic_messages"), ("ggl", "gemini"), ("rsp", "openai_responses")];
const MODEL: &str = "tool+thinking";
/// Requests of a conversation.
const TURNS: usize = 40;

/// A gateway in front of a scripted provider on every wire.
fn every_wire() -> (FakeProv, Gateway) {
    let provider = block_on(FakeProv::start());
    let section = |(name, wire): (&str, &str)| {
        let base = if wire.starts_with("openai") { provider.url() } else { provider.origin() };
        format!("  {name}:\n    wire: {wire}\n    base_url: {base}\n    api_key: key-of-{name}\n")
    };
    let yaml = format!("providers:\n{}", VENDORS.map(section).concat());
    let gateway = Builder::new(yaml).start();
    (provider, gateway)
}

/// Who answers a turn: the vendor changes every third one. Every second change falls between a call and its result, and
/// each round begins one further, so that this happens to all of them.
fn vendor(turn: usize) -> &'static str {
    let block = turn / 3;
    VENDORS[(block + block / VENDORS.len()) % VENDORS.len()].0
}

/// Questions, calls and results in turn.
fn converse(client: &mut dyn Client, stream: bool) {
    let (_provider, gateway) = every_wire();
    let mut calls = Vec::new();
    for turn in 0..TURNS {
        let vendor = vendor(turn);
        match calls.is_empty() {
            true => client.say(&format!("Question {turn}: how is the weather?")),
            false => calls.drain(..).for_each(|call: String| client.result(&call, "sunny")),
        }
        let reply = client.ask(&gateway, &format!("{vendor}/{MODEL}"), stream);
        assert_eq!(reply.status, 200, "turn {turn} at {vendor}: {}", reply.text());
        calls = client.take(&reply, stream);
        assert_eq!(calls.len(), 1 - turn % 2, "turn {turn} at {vendor}: {}", reply.text());
    }
    let rows = gateway.ledger(TURNS);
    let twice = rows.iter().filter(|row| row.attempts != 1).count();
    assert_eq!(twice, 0, "nothing was refused on the way: {rows:#?}");
}

/// DeepSeek refuses a tool loop without the thoughts that led to its calls, and thoughts of finished turns.
#[test]
fn a_tool_loop_with_deepseek_goes_on_for_clients_of_every_dialect() {
    let (_provider, gateway) = every_wire();
    for stream in [false, true] {
        let clients: [Box<dyn Client>; 3] =
            [Box::<Messages>::default(), Box::<Responses>::default(), Box::<Chat>::default()];
        for (place, mut client) in clients.into_iter().enumerate() {
            let mut calls: Vec<String> = Vec::new();
            for turn in 0..4 {
                match calls.is_empty() {
                    true => client.say(&format!("Question {turn} of {place}: how is the weather?")),
                    false => calls.drain(..).for_each(|call| client.result(&call, "sunny")),
                }
                let reply = client.ask(&gateway, "oai/deepseek+tool+thinking", stream);
                assert_eq!(reply.status, 200, "client {place}, turn {turn}: {}", reply.text());
                calls = client.take(&reply, stream);
                assert_eq!(calls.len(), 1 - turn % 2, "client {place}, turn {turn}: {}", reply.text());
            }
        }
    }
}

#[test]
fn a_chat_client_that_strips_all_thoughts_goes_from_vendor_to_vendor() {
    for stream in [false, true] {
        converse(&mut Chat::default(), stream);
    }
}

#[test]
fn a_messages_client_that_keeps_what_it_is_given_goes_from_vendor_to_vendor() {
    for stream in [false, true] {
        converse(&mut Messages::default(), stream);
    }
}

#[test]
fn a_responses_client_that_keeps_what_it_is_given_goes_from_vendor_to_vendor() {
    for stream in [false, true] {
        converse(&mut Responses::default(), stream);
    }
}
