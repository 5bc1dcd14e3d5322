//! Recorded errors, classified.

use wire::fault::Class;
use wire::openai_chat::OpenAiChat;
use wire::{Fault, Wire};

use crate::fixtures::{self, Fixture};
use crate::streamed;

/// Part of a fixture's name, and what its error is.
const CLASSES: &[(&str, Class)] = &[
    ("azure.openai-chat.test-chat-reasoning", Class::NotFound),
    ("groq.openai-chat.composed-429", Class::RateLimit),
    ("groq.openai-chat.test-tool-regular-error", Class::NotFound),
    ("groq.openai-chat.test-tool-use-failed", Class::BadRequest),
    ("composed-400-context", Class::ContextTooLong),
    ("composed-403-region", Class::Permission),
    ("composed-429-quota", Class::Billing),
    ("composed-429-rate", Class::RateLimit),
    ("composed-500", Class::Server),
    ("composed-503", Class::Overloaded),
    ("system-role-developer", Class::BadRequest),
    ("openrouter.openai-chat.composed-402", Class::Billing),
    ("openrouter.openai-chat.composed-502", Class::Server),
    ("openrouter-errors-raised", Class::RateLimit),
    ("openrouter-stream-error", Class::BadRequest),
    ("composed-html-502", Class::Server),
];

fn told(fixture: &Fixture) -> Fault {
    match fixture.stream() {
        Some(bytes) => streamed::read([&bytes[..]]).1.unwrap_err(),
        None => OpenAiChat.decode_fault(fixture.status, None, &fixture.body()),
    }
}

#[test]
fn recorded_errors_are_of_the_kind_they_are() {
    let errors = fixtures::all().into_iter().filter(|fixture| fixture.status != 200 || fixture.is_error());
    let mut seen = 0;
    for fixture in errors {
        let Fault::Upstream(fault) = told(&fixture) else { panic!("{}", fixture.id) };
        let (_, class) = CLASSES.iter().find(|(name, _)| fixture.id.contains(name)).unwrap();
        assert_eq!(fault.class, *class, "{}: {}", fixture.id, fault.message);
        assert!(!fault.message.contains('<') && !fault.message.is_empty(), "{}", fixture.id);
        seen += 1;
    }
    assert!(seen >= CLASSES.len());
}
