//! What a provider's wire must do for us, and the list of those we speak. A wire reads and judges requests, and
//! spells answers, streams and errors; it knows nothing of scripts, faults or sockets.

use serde_json::Value;

use crate::answer::Answer;
use crate::anthropic::Anthropic;
use crate::ask::Ask;
use crate::http::Request;
use crate::openai::OpenAi;
use crate::sse::Event;

/// A provider's dialect.
pub(crate) trait Wire: Sync {
    /// The key the request carries.
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str>;
    /// Reads a request as the provider would, or refuses it as the provider would.
    fn judge(&self, request: &Request, body: &Value, lenient: bool) -> Result<Ask, Refusal>;
    /// A whole answer.
    fn whole(&self, ask: &Ask, answer: &Answer) -> Value;
    /// A streamed answer, from first to last event.
    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event>;
    /// The body of an error answer.
    fn error(&self, refusal: &Refusal) -> Value;
    /// An error in a started stream.
    fn error_event(&self, refusal: &Refusal) -> Event;
}

/// Which wire is spoken at the end of which path.
const WIRES: &[(&str, &dyn Wire)] = &[("/chat/completions", &OpenAi), ("/messages", &Anthropic)];

/// The wire spoken at a path.
pub(crate) fn at(path: &str) -> Option<&'static dyn Wire> {
    WIRES.iter().find(|(end, _)| path.ends_with(end)).map(|(_, wire)| *wire)
}

/// A no, with its reason.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    /// The field to blame (OpenAI's `param`).
    pub(crate) param: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None }
    }

    /// 400 on account of a field.
    pub(crate) fn field(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into(), param: Some(param.into()) }
    }
}

/// Passes when something holds, else blames a field.
pub(crate) fn require(holds: bool, param: &str, message: &str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::field(param, message)) }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

/// Fits a tool name: letters, digits, `_` and `-`, at most `longest`.
pub(crate) fn is_name(name: &str, longest: usize) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !name.is_empty() && name.len() <= longest && name.bytes().all(legal)
}

/// The image type that base64 data really begins with.
pub(crate) fn image_type(base64: &str) -> Option<&'static str> {
    const BEGINNINGS: &[(&str, &str)] = &[
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
    ];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !base64.len().is_multiple_of(4) || !base64.bytes().all(plain) {
        return None;
    }
    BEGINNINGS.iter().find(|(beginning, _)| base64.starts_with(beginning)).map(|(_, kind)| *kind)
}
