//! What a provider's wire must do for us. A wire reads and judges requests, and spells answers, streams and errors; it
//! knows nothing of faults or sockets. Which wire is spoken where is listed in `endpoint`.

use serde_json::Value;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::http::Request;
use crate::script::Script;
use crate::stream::{Event, Form};

/// A provider's dialect.
pub(crate) trait Wire: Sync {
    /// The key the request carries.
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str>;
    /// How a wrong key is refused.
    fn stranger(&self) -> Refusal {
        Refusal::new(401, "Incorrect API key provided.")
    }
    /// The name of the model asked for; empty when there is none.
    fn model(&self, _request: &Request, body: &Value) -> String {
        body["model"].as_str().unwrap_or_default().to_owned()
    }
    /// Reads a request as the provider would, or refuses it as the provider would. Of the script it heeds what kind
    /// of model is asked: one of older or newer manners, one that signs what it thinks.
    fn judge(&self, request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal>;
    /// A whole answer.
    fn whole(&self, ask: &Ask, answer: &Answer) -> Value;
    /// A streamed answer, from first to last event.
    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event>;
    /// How a stream is put on the wire.
    fn form(&self, _request: &Request) -> Form {
        Form::Sse
    }
    /// The body of an error answer.
    fn error(&self, refusal: &Refusal) -> Value;
    /// The error that ends a stream, of which so many events were sent.
    fn error_events(&self, refusal: &Refusal, sent: usize) -> Vec<Event>;
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

/// Takes the path's part after `/models/`, as `{model}:{method}` asks it.
pub(crate) fn model_of_path(request: &Request) -> String {
    let named = request.path().split_once("/models/").map_or("", |(_, rest)| rest);
    decoded(named.rsplit_once(':').map_or(named, |(model, _)| model))
}

/// A piece of a path with its `%2B` and the like undone.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let code = more.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.filter(|_| *first == b'%').and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Absent, null, or as wanted.
pub(crate) fn is(value: &Value, wanted: impl Fn(&Value) -> bool) -> bool {
    value.is_null() || wanted(value)
}

/// The elements of an array; none of anything else.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The first field of an object that is not among those known.
pub(crate) fn unknown<'a>(object: &'a Value, known: &[&str]) -> Option<&'a str> {
    object.as_object()?.keys().map(String::as_str).find(|name| !known.contains(name))
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
