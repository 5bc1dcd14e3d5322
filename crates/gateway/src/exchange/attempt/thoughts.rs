//! Thoughts that an upstream does not take back. A client may edit or drop a thought, and one that was kept too long may
//! have lost its meaning: the conversation goes on without thoughts rather than not at all.

use policy::Target;
use wire::chat::{ChatRequest, Loss, Part, Role};
use wire::{Fault, Operation};

use super::{Inbound, chat, is_carried};
use crate::app::App;
use crate::exchange::meter::Meter;

/// What becomes of the thoughts in the history of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) enum Thoughts {
    /// They go back to the family that they came from.
    Kept,
    /// None goes upstream. Where the model would miss them, the encoder switches its thinking off.
    Dropped,
}

/// In lower case, what stands in the 400 or 404 of an upstream that refuses thoughts, or misses them.
/// Source: the errors of Anthropic (`thinking` blocks and their signatures), Google (thought signatures), OpenAI
/// (reasoning items) and DeepSeek (`reasoning_content`) as users report them, read 2026-11-25.
const REFUSALS: &[&str] = &[
    "signature",
    "thinking` block",
    "`redacted_thinking`",
    "thinking block",
    "encrypted content",
    "encrypted_content",
    "of type 'reasoning'",
    "'reasoning' item",
    "reasoning_content",
    "item with id",
];

/// Whether an upstream refused the thoughts of a conversation, so that it may take it without them.
pub(super) fn are_refused(inbound: &Inbound, fault: &Fault) -> bool {
    let Fault::Upstream(stated) = fault else { return false };
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        REFUSALS.iter().any(|refusal| text.contains(refusal))
    };
    inbound.operation == Operation::Chat
        && matches!(stated.status, 400 | 404)
        && (says(&stated.message) || stated.code.as_deref().is_some_and(says))
}

/// Whether a request without thoughts would be another one: the model has spoken in it, so that there may be thoughts, or
/// they may be missed; and what was sent is not what would be sent now. A request that cannot be decoded has no other form.
pub(super) fn may_be_to_blame(app: &App, inbound: &Inbound, target: &Target, meter: &Meter) -> bool {
    let Ok(request) = inbound.decoded(&app.recall, meter) else { return false };
    if !request.messages.iter().any(|message| message.role == Role::Assistant) {
        return false;
    }
    let wire = target.endpoint().wire.wire();
    let body = |thoughts| chat::encoded(wire, request, target, thoughts).map(|encoded| encoded.body).ok();
    is_carried(inbound, target) || body(Thoughts::Kept) != body(Thoughts::Dropped)
}

/// The conversation without its thoughts and their seals, and a loss for each.
pub(super) fn dropped(request: &ChatRequest) -> (ChatRequest, Vec<Loss>) {
    let mut request = request.clone();
    let mut losses = Vec::new();
    for (index, message) in request.messages.iter_mut().enumerate() {
        let before = message.parts.len();
        message.parts.retain(|part| !matches!(part, Part::Thinking { .. } | Part::RedactedThinking { .. }));
        let mut lost = message.parts.len() < before;
        for part in &mut message.parts {
            if let Part::ToolCall { signature, .. } = part {
                lost |= signature.take().is_some();
            }
        }
        if lost {
            losses.push(Loss::at("thinking_dropped", format!("messages[{index}]")));
        }
    }
    request.messages.retain(|message| !message.parts.is_empty());
    (request, losses)
}

#[cfg(test)]
mod tests {
    use wire::Dialect;
    use wire::chat::{Message, Role, ToolKind};

    use super::*;

    fn turn(parts: Vec<Part>) -> Message {
        Message { role: Role::Assistant, parts, name: None, extra: Default::default() }
    }

    fn thought() -> Part {
        Part::Thinking {
            text: "hm".into(),
            signature: Some("seal".into()),
            encrypted: None,
            id: None,
            origin: Some(Dialect::AnthropicMessages.into()),
        }
    }

    fn call(signature: Option<&str>) -> Part {
        Part::ToolCall {
            id: "c".into(),
            name: "f".into(),
            args: "{}".into(),
            signature: signature.map(str::to_owned),
            kind: ToolKind::Function,
        }
    }

    #[test]
    fn thoughts_and_seals_go_and_the_rest_stays_with_a_loss_for_each_turn() {
        let messages = vec![
            turn(vec![thought(), Part::text("so")]),
            turn(vec![thought()]),
            turn(vec![call(Some("seal"))]),
            turn(vec![Part::text("end")]),
        ];
        let (request, losses) = dropped(&ChatRequest { messages, ..Default::default() });
        let kept: Vec<Vec<Part>> = request.messages.into_iter().map(|message| message.parts).collect();
        assert_eq!(kept, [vec![Part::text("so")], vec![call(None)], vec![Part::text("end")]]);
        let places: Vec<&str> = losses.iter().map(|loss| loss.at.as_str()).collect();
        assert_eq!(places, ["messages[0]", "messages[1]", "messages[2]"]);
        assert!(losses.iter().all(|loss| loss.code == "thinking_dropped"));
    }
}
