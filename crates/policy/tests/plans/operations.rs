//! Who serves what is not a conversation.

use policy::{Ask, Endpoint, Provider, Snapshot, plan};
use wire::{Fault, Operation, WireId};

use super::support::{Keys, ask, demo, provider, targets};

const EMBED: Operation = Operation::Embed;

fn asking(operation: Operation, model: &str) -> Ask<'_> {
    Ask { operation, ..ask(Some(model)) }
}

/// A provider that speaks one wire.
fn speaking(id: &str, wire: WireId, models: &[&str]) -> Provider {
    let url = format!("https://{id}.example{}", wire.usual_path());
    Provider { endpoints: vec![Endpoint { wire, url, auth: None }], ..provider(id, models) }
}

fn without(operation: Operation, provider: Provider) -> Provider {
    Provider { lacks: vec![operation], ..provider }
}

#[test]
fn only_the_same_model_may_serve_instead_where_another_would_be_of_no_use() {
    let world = Snapshot::new(vec![provider("a", &["m"]), provider("b", &["m"]), provider("c", &["other"])]);
    let keys = Keys::of(&["a", "b", "c"]);
    for operation in [EMBED, Operation::EmbedOne, Operation::Complete, Operation::CountTokens] {
        assert_eq!(targets(plan(&asking(operation, "m"), &world, &keys)), ["a:m", "b:m"], "{operation:?}");
    }
}

#[test]
fn who_does_not_offer_it_is_no_target_by_wire_or_by_catalogue() {
    let messages = speaking("a", WireId::AnthropicMessages, &["m"]);
    let world = Snapshot::new(vec![messages, without(EMBED, provider("b", &["m"])), provider("c", &["m"])]);
    let keys = Keys::of(&["a", "b", "c"]);
    assert_eq!(targets(plan(&asking(EMBED, "m"), &world, &keys)), ["c:m"]);
    assert_eq!(targets(plan(&asking(Operation::EmbedOne, "m"), &world, &keys)), ["c:m"]);
    assert_eq!(targets(plan(&asking(Operation::Complete, "m"), &world, &keys)), ["b:m", "c:m"]);
}

#[test]
fn when_nobody_offers_it_the_refusal_says_who_does_not_and_is_final() {
    let world = Snapshot::new(vec![without(EMBED, provider("a", &["m"])), demo()]);
    let refusal = plan(&asking(EMBED, "a/m"), &world, &Keys::of(&["a"])).unwrap_err();
    assert!(matches!(refusal, Fault::Unsupported { .. }), "{refusal:?}");
    assert_eq!(refusal.to_string(), "A does not support embeddings");
    let keyless = plan(&asking(Operation::Complete, "a/m"), &world, &Keys::of(&[])).unwrap_err();
    assert!(matches!(keyless, Fault::NoTarget { .. }), "{keyless:?}");
}

#[test]
fn tokens_can_be_counted_for_every_model_since_they_can_be_estimated() {
    let world = Snapshot::new(vec![without(EMBED, provider("a", &["m"])), demo()]);
    assert_eq!(targets(plan(&asking(Operation::CountTokens, "m"), &world, &Keys::of(&["a"]))), ["a:m"]);
    assert_eq!(targets(plan(&asking(Operation::CountTokens, "m"), &world, &Keys::of(&[]))), ["demo:demo"]);
}
