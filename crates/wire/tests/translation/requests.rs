//! Recorded requests of OpenAI Chat, translated to Anthropic Messages: legal by an independent checker, with their
//! losses noted in a snapshot.

use serde_json::Value;
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::Profile;
use wire::openai_chat::OpenAiChat;
use wire::{Head, RawObject, Surface, Wire};

use super::fixtures::{self, Fixture};
use super::messages_grammar;

/// One line: the losses of a translation, or why it is refused.
fn line(fixture: &Fixture) -> Option<String> {
    let body = serde_json::to_vec(fixture.request.as_object()?).unwrap();
    let body = RawObject::parse(body.into()).unwrap();
    let request = match OpenAiChat.decode_request(&Head::default(), &body) {
        Ok(request) => request,
        Err(fault) => {
            return Some(format!("{} not read: {}: {fault}", fixture.id, fault.param().unwrap_or("-")));
        }
    };
    let profile = Profile::unknown("anthropic", "claude");
    let encoded = match AnthropicMessages.encode_request(&request, &profile) {
        Ok(encoded) => encoded,
        Err(fault) => {
            return Some(format!("{} refused: {}: {fault}", fixture.id, fault.param().unwrap_or("-")));
        }
    };
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    messages_grammar::check(&fixture.id, &body);
    let losses: Vec<_> = encoded.losses.iter().map(|loss| format!("{} at {}", loss.code, loss.at)).collect();
    Some(format!("{} losses {losses:?}", fixture.id))
}

#[test]
fn openai_chat_to_anthropic_messages() {
    let lines: Vec<_> = fixtures::all("openai.chat").iter().filter_map(line).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
