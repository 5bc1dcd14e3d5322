//! Requests of every kind against the grammars of Messages and of Gemini.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::Wire;
use wire::anthropic_messages::AnthropicMessages;
use wire::chat::{ChatRequest, Effort, Extra, Message, Part, Profile, ReasoningOption, Role, Tool, ToolKind};
use wire::gemini::Gemini;

use super::any::{args, name, origin, words};
use crate::{gemini_grammar, messages_grammar};

proptest! {
    #[test]
    fn every_conversation_becomes_a_legal_request_or_is_refused(
        messages in conversation(),
        tools in vec(name(), 0..3),
        thinks in any::<bool>(),
        temperature in option::of(0.0..2.0f64),
    ) {
        let tools = tools.into_iter().enumerate().map(|(place, name)| Tool {
            name: format!("{name}{place}"),
            description: None,
            kind: ToolKind::Function,
            parameters: None,
            strict: None,
            cache: None,
            raw: None,
        });
        let mut request = ChatRequest { messages, tools: tools.collect(), ..ChatRequest::default() };
        request.thinking = thinks.then(Default::default);
        request.sampling.temperature = temperature;
        if let Ok(encoded) = AnthropicMessages.encode_request(&request, &Profile::unknown("p", "m")) {
            messages_grammar::check("generated", &serde_json::from_slice(&encoded.body).unwrap());
        }
        let levels = Profile {
            reasoning: vec![ReasoningOption::Effort(vec![Effort::Low])],
            ..Profile::unknown("p", "m")
        };
        for (profile, levels) in [(levels, true), (Profile::unknown("p", "m"), false)] {
            if let Ok(encoded) = Gemini.encode_request(&request, &profile) {
                let body = serde_json::from_slice(&encoded.body).unwrap();
                gemini_grammar::check_request("generated", &body, levels);
            }
        }
    }
}

/// A conversation whose calls are all answered, in the order of roles that clients really send.
fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let message = |role, parts| Message { role, parts, name: None, extra: Extra::default() };
    let said =
        move |role| vec(words().prop_map(Part::text), 0..3).prop_map(move |parts| vec![message(role, parts)]);
    let thought = (words(), option::of("[a-z]{1,4}"), origin()).prop_map(|(text, signature, origin)| {
        Part::Thinking { text, signature, encrypted: None, id: None, origin: Some(origin) }
    });
    let called = (option::of(thought), words(), vec((name(), name(), args()), 1..3)).prop_map(
        move |(thought, text, calls)| {
            let call = |(place, (id, name, args)): (usize, (String, String, String))| Part::ToolCall {
                id: format!("{id}{place}"),
                name,
                args,
                signature: None,
                kind: ToolKind::Function,
            };
            let calls: Vec<Part> = calls.into_iter().enumerate().map(call).collect();
            let results = calls.iter().map(|call| match call {
                Part::ToolCall { id, .. } => {
                    let parts = vec![Part::text("result")];
                    let call_id = id.clone();
                    let part = Part::ToolResult { call_id, name: None, parts, is_error: false, cache: None };
                    message(Role::Tool, vec![part])
                }
                other => unreachable!("{other:?}"),
            });
            let results: Vec<Message> = results.collect();
            let parts = thought.into_iter().chain([Part::text(text)]).chain(calls).collect();
            [vec![message(Role::Assistant, parts)], results].concat()
        },
    );
    let turn = prop_oneof![said(Role::System), said(Role::User), said(Role::Assistant), called];
    vec(turn, 0..6).prop_map(|turns| turns.concat())
}
