//! Made-up words, answers and events.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use wire::Dialect;
use wire::chat::{
    ChatResponse, Choice, Citation, Event, Extra, MediaSource, Origin, Part, PartId, PartKind, Piece, Stop,
    StopReason, ToolKind, Usage,
};

pub fn words() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a-zé€😀 \"\\\\\n]{0,12}").unwrap()
}

pub fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_]{1,8}", "[a-z.: é]{0,8}"]
}

pub fn origin() -> impl Strategy<Value = Origin> {
    let families =
        [Dialect::AnthropicMessages, Dialect::OpenAiChat, Dialect::OpenAiResponses, Dialect::Gemini];
    prop::sample::select(families.to_vec()).prop_map(Origin::from)
}

pub fn args() -> impl Strategy<Value = String> {
    prop_oneof![
        (name(), words()).prop_map(|(key, value)| json!({ key: value }).to_string()),
        Just("{}".to_owned()),
        words(),
    ]
}

fn citation() -> impl Strategy<Value = Citation> {
    (option::of(words()), option::of(words()), option::of((0..9u64, 9..20u64)))
        .prop_map(|(url, title, span)| Citation { url, title, span, raw: None })
}

/// Parts that answers have.
fn answered_part() -> impl Strategy<Value = Part> {
    prop_oneof![
        (words(), vec(citation(), 0..2)).prop_map(|(text, citations)| Part::Text {
            text,
            citations,
            cache: None
        }),
        (words(), option::of(words()), option::of(words()), option::of(words()), option::of(origin()))
            .prop_map(|(text, signature, encrypted, id, origin)| Part::Thinking {
                text,
                signature,
                encrypted,
                id,
                origin
            }),
        (words(), option::of(origin())).prop_map(|(data, origin)| Part::RedactedThinking { data, origin }),
        (name(), name(), args(), option::of(words()), any::<bool>()).prop_map(
            |(id, name, args, signature, custom)| {
                let kind = if custom { ToolKind::Custom } else { ToolKind::Function };
                Part::ToolCall { id, name, args, signature, kind }
            }
        ),
        words().prop_map(|text| Part::Refusal { text }),
        origin().prop_map(|origin| Part::ServerTool { raw: json!({"type": "server_tool_use"}), origin }),
        words().prop_map(|data| Part::Audio { data, format: "wav".into() }),
        words().prop_map(|data| Part::Image {
            source: MediaSource::Base64 { mime: "image/png".into(), data },
            detail: None,
            cache: None
        }),
    ]
}

fn stop() -> impl Strategy<Value = Stop> {
    let reason = prop_oneof![
        Just(StopReason::End),
        Just(StopReason::Length),
        Just(StopReason::ToolUse),
        Just(StopReason::Filter),
    ];
    (reason, option::of(words())).prop_map(|(reason, native)| Stop { native, ..Stop::from(reason) })
}

fn usage() -> impl Strategy<Value = Usage> {
    let count = || option::of(any::<u64>());
    (count(), count(), count(), count(), any::<bool>()).prop_map(
        |(input, output, cache_read, reasoning, odd)| Usage {
            input,
            output,
            cache_read,
            reasoning,
            odd,
            ..Usage::default()
        },
    )
}

pub fn response() -> impl Strategy<Value = ChatResponse> {
    let choice = (vec(answered_part(), 0..5), stop(), any::<bool>());
    let choices = vec(choice, 1..3).prop_map(|choices| {
        let logprobs = |wanted: bool| wanted.then(|| json!({"content": [1, 2]}));
        let numbered = (0..).zip(choices);
        numbered
            .map(|(index, (parts, stop, wanted))| Choice { index, parts, stop, logprobs: logprobs(wanted) })
            .collect()
    });
    let extra = (origin(), vec((name(), words()), 0..3)).prop_map(|(origin, fields)| {
        Extra::new(origin.dialect, fields.into_iter().map(|(name, value)| (name, value.into())).collect())
    });
    (option::of(name()), option::of(name()), option::of(any::<u64>()), choices, option::of(usage()), extra)
        .prop_map(|(id, model, created, choices, usage, extra)| ChatResponse {
            id,
            model,
            created,
            choices,
            usage,
            service_tier: None,
            extra,
        })
}

/// Any event, in and out of place.
pub fn event() -> impl Strategy<Value = Event> {
    let part = || (0..4u32).prop_map(PartId);
    let kind = prop_oneof![
        Just(PartKind::Text),
        Just(PartKind::Refusal),
        (name(), name()).prop_map(|(id, name)| PartKind::ToolCall { id, name, kind: ToolKind::Function }),
    ];
    let piece = prop_oneof![
        words().prop_map(Piece::Text),
        words().prop_map(Piece::ToolInput),
        words().prop_map(Piece::Signature),
        citation().prop_map(Piece::Citation),
    ];
    prop_oneof![
        (part(), 0..2u32, kind).prop_map(|(part, choice, kind)| Event::Open { part, choice, kind }),
        (part(), piece).prop_map(|(part, piece)| Event::Delta { part, piece }),
        part().prop_map(|part| Event::Close { part }),
        usage().prop_map(Event::Usage),
        (0..2u32, stop()).prop_map(|(choice, stop)| Event::Stop { choice, stop }),
    ]
}
