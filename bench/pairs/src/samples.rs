//! One conversation in every dialect: its request as clients send it, and its answer as providers give it, whole and
//! streamed. All are written by the codecs from one of OpenAI Chat, so that all say the same.

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use wire::chat::{Event, Profile, Undo};
use wire::dialect::Echo;
use wire::frame::SseSplitter;
use wire::openai_chat::OpenAiChat;
use wire::{Head, RawObject, Surface, SurfaceId, Wire, WireId};

/// Chunks of text in a streamed answer.
pub(crate) const CHUNKS: u64 = 100;

/// Largest frame.
pub(crate) const LIMIT: usize = 1 << 20;

/// A format, on both sides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) title: &'static str,
    pub(crate) surface: SurfaceId,
    pub(crate) wire: WireId,
}

/// All of them.
pub(crate) const DIALECTS: [Dialect; 4] = [
    Dialect { title: "Chat", surface: SurfaceId::OpenAiChat, wire: WireId::OpenAiChat },
    Dialect { title: "Responses", surface: SurfaceId::OpenAiResponses, wire: WireId::OpenAiResponses },
    Dialect { title: "Messages", surface: SurfaceId::AnthropicMessages, wire: WireId::AnthropicMessages },
    Dialect { title: "Gemini", surface: SurfaceId::Gemini, wire: WireId::Gemini },
];

impl Dialect {
    /// The one that has a surface or a wire of that name.
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        let found = DIALECTS.into_iter().find(|it| [it.surface.name(), it.wire.name()].contains(&name));
        found.with_context(|| format!("no dialect is called {name}"))
    }

    /// Client and provider speak the same.
    pub(crate) fn is(self, other: Self) -> bool {
        self.surface.dialect() == other.surface.dialect()
    }
}

/// What passes between one client and one provider.
pub(crate) struct Samples {
    /// In the client's dialect.
    pub(crate) request: Bytes,
    /// In the provider's.
    pub(crate) answer: Bytes,
    /// In the provider's, as server-sent events.
    pub(crate) stream: Bytes,
}

impl Samples {
    pub(crate) fn of(client: Dialect, provider: Dialect) -> anyhow::Result<Self> {
        let asked = RawObject::parse(request().to_string().into())?;
        let asked = OpenAiChat.decode_request(&head(), &asked)?;
        let request = client.wire.wire().encode_request(&asked, &profile())?.body;
        let told = OpenAiChat.decode_response(answer().to_string().as_bytes(), &Undo::default())?;
        let answer = provider.surface.surface().encode_response(&told, &echo(), &mut Vec::new());
        let mut writer = provider.surface.surface().stream_writer(echo());
        let mut stream = BytesMut::new();
        events()?.iter().for_each(|event| writer.write(event, &mut stream));
        writer.finish(&mut stream);
        Ok(Self { request, answer, stream: stream.freeze() })
    }
}

/// What a client says outside of its body, in dialects that have it there.
pub(crate) fn head() -> Head {
    Head { model: Some("model".to_owned()), ..Head::default() }
}

/// A target of which nothing is known.
pub(crate) fn profile() -> Profile {
    Profile::unknown("provider", "model")
}

/// What answers repeat.
pub(crate) fn echo() -> Echo {
    Echo {
        request_id: "req_1".to_owned(),
        resolved_model: "model".to_owned(),
        include_usage: true,
        ..Echo::default()
    }
}

/// Four turns, two tools, one call: some 4 kB.
fn request() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string", "description": "The name of the city."},
        "days": {"type": "integer", "minimum": 1, "maximum": 14}}, "required": ["city"]});
    let tool = |name: &str| {
        let function =
            json!({"name": name, "description": "Tells the weather of a city.", "parameters": schema});
        json!({"type": "function", "function": function})
    };
    let function = json!({"name": "forecast", "arguments": "{\"city\":\"Paris\",\"days\":3}"});
    let call = json!({"id": "call_1", "type": "function", "function": function});
    json!({"model": "model", "max_tokens": 1000, "temperature": 0.5, "tools": [tool("forecast"), tool("history")],
    "messages": [
        {"role": "system", "content": "You are a helpful assistant who answers in brief. ".repeat(20)},
        {"role": "user", "content": "How will the weather be in Paris? ".repeat(20)},
        {"role": "assistant", "content": "I will look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny, 24 degrees, wind from the west; ".repeat(20)},
        {"role": "assistant", "content": "Sunny for the next three days. ".repeat(5)},
        {"role": "user", "content": "And what should I wear?"},
    ]})
}

const USAGE: &str = r#"{"prompt_tokens":400,"completion_tokens":100,"total_tokens":500,"prompt_tokens_details":{"cached_tokens":300}}"#;

fn usage() -> Value {
    serde_json::from_str(USAGE).unwrap_or_default()
}

fn answer() -> Value {
    let message = json!({"role": "assistant", "content": "A light jacket will do. ".repeat(20)});
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "model", "usage": usage(),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
}

/// The steps of a streamed answer.
fn events() -> anyhow::Result<Vec<Event>> {
    let chunk = |delta: Value, finish: Option<&str>, usage: Option<Value>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "model",
            "choices": [choice], "usage": usage})
    };
    let texts = (0..CHUNKS).map(|number| chunk(json!({"content": format!("word {number} ")}), None, None));
    let last = chunk(json!({}), Some("stop"), Some(usage()));
    let mut splitter = SseSplitter::new(LIMIT);
    for chunk in texts.chain([last]) {
        splitter.push(format!("data: {chunk}\n\n").as_bytes());
    }
    splitter.push(b"data: [DONE]\n\n");
    let (mut reader, mut events) = (OpenAiChat.stream_reader(&Undo::default()), Vec::new());
    while let Some(event) = splitter.next()? {
        reader.read(event.frame(), &mut events)?;
    }
    reader.finish(&mut events)?;
    Ok(events)
}
