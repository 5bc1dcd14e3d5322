//! The two halves of a codec: the one that faces clients and the one that faces upstreams, and what passes between
//! them and the gateway.

use bytes::{Bytes, BytesMut};
use http::StatusCode;

use crate::chat::{ChatRequest, ChatResponse, Encoded, Event, Loss, Profile, Stop, Undo, Usage};
use crate::fault::Fault;
use crate::frame::{Frame, Framing};
use crate::raw::RawObject;

/// What a request says outside of its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The model, for surfaces that have it in the path.
    pub model: Option<String>,
    /// The path asks for a stream.
    pub stream: bool,
    /// How the client wants its stream framed.
    pub framing: Framing,
    /// Most characters (code points) of the prompt, for surfaces that take one prompt; `None`: as mcp-llm-bridge has it.
    pub longest_prompt: Option<usize>,
}

/// The half that faces clients.
pub trait Surface: Sync {
    /// Model, streaming, provider and project: enough to admit and plan, without a full decode. Checks the types of the
    /// top-level fields it knows; anything deeper is left to `decode_request`, or to the upstream when carried.
    fn peek(&self, head: &Head, body: &RawObject) -> Result<Peek, Fault>;

    /// The whole request in canonical form.
    fn decode_request(&self, head: &Head, body: &RawObject) -> Result<ChatRequest, Fault>;

    /// What the client wants to see of the model's thoughts; for [`Echo::thoughts`].
    fn thoughts(&self, _body: &RawObject) -> Thoughts {
        Thoughts::Shown
    }

    /// What translated answers repeat of the request ([`Echo::request_fields`]), for formats whose answers do so.
    fn echoed(&self, _body: &RawObject) -> Option<Bytes> {
        None
    }

    /// Takes fields that only the gateway understands (`project`, `strict`, a string `provider`) out of a body that is
    /// about to be carried.
    fn strip(&self, body: &mut RawObject);

    /// A whole answer in this format.
    fn encode_response(&self, response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes;

    /// Adds what the gateway says about its routing (`x_gateway`) to a carried whole answer.
    fn annotate(&self, answer: &mut RawObject, echo: &Echo, usage: Option<&Usage>);

    /// Writes a stream in this format.
    fn stream_writer(&self, echo: Echo) -> Box<dyn StreamWriter>;

    /// An error as a whole answer: status and JSON body.
    fn encode_fault(&self, fault: &Fault, request_id: &str) -> (StatusCode, Bytes);

    /// An error as the last event of a stream in this format, for a stream that was carried until now.
    fn fail_stream(&self, fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut);

    /// The clean end marker of a carried stream (`data: [DONE]`), if this format has one.
    fn stream_end(&self) -> Option<&'static [u8]> {
        None
    }

    /// What is sent in silence, so that proxies do not cut the connection. `None`: clients of this format take nothing
    /// but data.
    fn keep_alive(&self) -> Option<&'static [u8]> {
        Some(b": keep-alive\n\n")
    }

    /// Whether a stream that failed ends in an aborted connection, since clients of this format take any end for a clean
    /// one.
    fn failure_aborts(&self) -> bool {
        false
    }

    /// Whether clients of this format keep thoughts of other families, wrapped (see [`custody`](crate::chat::custody)).
    fn wraps_thoughts(&self) -> bool {
        false
    }

    /// Whether answers of this format have an id by which clients may ask for them again, and go on from them.
    fn stores_answers(&self) -> bool {
        false
    }

    /// Headers of a carried request that go upstream as they came: versions and betas of the format; never credentials.
    fn forwarded_headers(&self) -> &'static [&'static str] {
        &[]
    }
}

/// The half that faces upstreams.
pub trait Wire: Sync {
    /// Edits a carried body for its target: the model, the name of the output limit, and (for streams) asking for
    /// usage. Everything else stays byte for byte.
    fn retarget(&self, body: &mut RawObject, profile: &Profile, stream: bool) -> Result<(), Fault>;

    /// Headers that this wire wants on every request; never credentials.
    fn headers(&self) -> Vec<(http::HeaderName, http::HeaderValue)>;

    /// A request in this format.
    fn encode_request(&self, request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault>;

    /// A whole answer. An error object inside HTTP 200 is a `Fault`.
    fn decode_response(&self, body: &[u8], undo: &Undo) -> Result<ChatResponse, Fault>;

    /// How streamed answers are framed.
    fn framing(&self) -> Framing;

    /// How a streamed answer of this media type is framed. `None`: it is no stream.
    fn framing_of(&self, media_type: &str) -> Option<Framing> {
        match media_type {
            "" => Some(self.framing()),
            "text/event-stream" => Some(Framing::Sse),
            "application/x-ndjson" => Some(Framing::JsonLines),
            _ => None,
        }
    }

    /// Reads a stream in this format.
    fn stream_reader(&self, undo: &Undo) -> Box<dyn StreamReader>;

    /// An answer with a status other than 2xx.
    fn decode_fault(&self, status: u16, retry_after: Option<std::time::Duration>, body: &[u8]) -> Fault;

    /// What a carried frame says, cheaply. `Err`: the frame is not valid in this format, or is an error of the
    /// upstream; either way it must not be forwarded.
    fn glance(&self, frame: Frame<'_>) -> Result<Glance, Fault>;

    /// What a carried whole answer says. `Err`: not a JSON object, or an error inside HTTP 200.
    fn glance_whole(&self, body: &RawObject) -> Result<GlanceWhole, Fault>;
}

/// What [`Surface::peek`] saw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Peek {
    /// `None`: the client named no model, and the gateway chooses.
    pub model: Option<String>,
    /// Provider that the client asks for by name.
    pub provider: Option<String>,
    /// Project in the body; wins over the `X-Project` header.
    pub project: Option<String>,
    /// The client wants no fallback to another provider.
    pub strict: bool,
    /// The answer is to be streamed.
    pub stream: bool,
    /// The client asked for a usage report at the end of the stream.
    pub include_usage: bool,
    /// Upper bound of generated tokens, when the client set one.
    pub max_output: Option<u64>,
    /// Id of an answer, kept by its provider, from which the request goes on (`previous_response_id`).
    pub previous: Option<String>,
    /// The provider is asked to keep the answer, so that asking two of them would leave one answer that nobody wants.
    pub keeps: bool,
}

/// What a client wants to see of the model's thoughts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thoughts {
    /// All that the upstream shows.
    #[default]
    Shown,
    /// Only what it takes to send them back.
    Sealed,
    /// Nothing: the client did not ask the model to think.
    Hidden,
}

/// What was carried of a stream before it failed.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoFar<'a> {
    /// Our id of the request.
    pub request_id: &'a str,
    /// The next number of an event, in formats that count them.
    pub next_sequence: u64,
    /// Tokens that the upstream has reported.
    pub usage: Option<&'a Usage>,
    /// How the stream is framed.
    pub framing: Framing,
    /// How many frames have been written, when it is a JSON array.
    pub elements: u64,
}

/// What an answer repeats of the request and says about its routing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Echo {
    /// Our id of the request.
    pub request_id: String,
    /// Provider that the client asked for.
    pub requested_provider: Option<String>,
    /// Model that the client asked for.
    pub requested_model: Option<String>,
    /// Provider that answered.
    pub resolved_provider: String,
    /// Model that was asked of it; stands in the answer when the upstream names none.
    pub resolved_model: String,
    /// The first choice did not answer.
    pub fallback_used: bool,
    /// Seconds since 1970, for dialects that state when an answer was made.
    pub created: u64,
    /// Milliseconds from the request to this answer; set for whole answers.
    pub latency_ms: Option<u64>,
    /// Cost in nanodollars, when usage and price are known; set for whole answers.
    pub cost_nanos: Option<i64>,
    /// The client asked for a usage report in its stream.
    pub include_usage: bool,
    /// The client used OpenAI Chat's legacy `functions`.
    pub legacy_functions: bool,
    /// Whether `x_gateway` is written into whole answers.
    pub annotate: bool,
    /// How the client wants its stream framed.
    pub framing: Framing,
    /// What the client wants to see of thoughts.
    pub thoughts: Thoughts,
    /// Fields of the request that answers of this format repeat, as the text of a JSON object ([`Surface::echoed`]).
    pub request_fields: Option<Bytes>,
}

/// What a carried frame says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glance {
    /// It has content (text, a call, a thought): from here on no other target may be tried.
    pub content: bool,
    /// It is a usage report and nothing else; forwarded only to clients that asked for one.
    pub usage_only: bool,
    /// Token counts in it.
    pub usage: Option<Usage>,
    /// Why the (first) choice ended.
    pub stop: Option<Stop>,
    /// It is the end marker of the stream.
    pub end: bool,
    /// The model that the upstream names, when it can be had cheaply (first frame, frames with usage or stop).
    pub model: Option<String>,
    /// The number of this event, in formats that count them.
    pub sequence: Option<u64>,
    /// The id by which the provider keeps the answer, in formats whose requests may go on from it.
    pub kept_as: Option<String>,
}

/// What a carried whole answer says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GlanceWhole {
    /// Token counts.
    pub usage: Option<Usage>,
    /// The model that the upstream names.
    pub model: Option<String>,
    /// Why the first choice ended.
    pub stop: Option<Stop>,
    /// The id by which the provider keeps the answer, in formats whose requests may go on from it.
    pub kept_as: Option<String>,
}

/// Frames to events. A machine without sockets: may be cut anywhere, fuzzed and folded.
pub trait StreamReader: Send {
    /// Reads one frame. `Err`: the frame is broken or reports an error; the stream is over.
    fn read(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Fault>;

    /// The upstream closed. `Err` if the stream had not reached its end: a cut is never a clean stop.
    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), Fault>;
}

/// Events to bytes.
pub trait StreamWriter: Send {
    /// Writes one event; may write nothing.
    fn write(&mut self, event: &Event, out: &mut BytesMut);

    /// The stream is complete: what the dialect puts at the end, usage included.
    fn finish(&mut self, out: &mut BytesMut);

    /// The stream ends in an error, in the form that clients of this dialect notice; never a clean end.
    fn fail(&mut self, fault: &Fault, out: &mut BytesMut);

    /// What could not be written, since the last call.
    fn losses(&mut self) -> Vec<Loss>;
}
