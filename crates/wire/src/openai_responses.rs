//! OpenAI Responses, `POST /v1/responses`, and the servers that speak it.
//!
//! Specification: OpenAI API reference, responses; recorded traffic of OpenAI, Azure, DeepSeek, xAI and OpenRouter for what
//! they do differently. State that lives at one server (`previous_response_id`, `conversation`, `prompt`, `background`,
//! `item_reference`) passes when carried and is refused when translated.
//!
//! Known losses: stop texts are cut off here and not upstream; penalties, `seed` and `logit_bias`; which of two forms a
//! thought had (summary or raw); steps of built-in tools in other dialects; `phase` of messages.

mod citation;
mod fault;
mod glance;
mod namespace;
mod read;
mod request;
mod response;
mod shape;
mod stop;
mod usage;
mod write;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::chat::{ChatRequest, ChatResponse, Encoded, Loss, Profile, Undo, Usage};
use crate::dialect::{
    Echo, Glance, GlanceWhole, Head, Peek, SoFar, StreamReader, StreamWriter, Surface, Wire,
};
use crate::fault::Fault;
use crate::frame::{Frame, Framing};
use crate::gateway_fields;
use crate::raw::RawObject;

/// Both halves of the dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiResponses;

impl Surface for OpenAiResponses {
    fn peek(&self, _head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        request::peek(body)
    }

    fn decode_request(&self, _head: &Head, body: &RawObject) -> Result<ChatRequest, Fault> {
        request::decode(body)
    }

    fn echoed(&self, body: &RawObject) -> Option<Bytes> {
        Some(request::echoed(body))
    }

    fn strip(&self, body: &mut RawObject) {
        gateway_fields::strip(body);
    }

    fn encode_response(&self, response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
        write::whole(response, echo, losses)
    }

    /// The answer has a schema that clients hold it to; the routing stands in headers.
    fn annotate(&self, _answer: &mut RawObject, _echo: &Echo, _usage: Option<&Usage>) {}

    fn stream_writer(&self, echo: Echo) -> Box<dyn StreamWriter> {
        Box::new(write::Writer::new(echo))
    }

    fn encode_fault(&self, fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
        fault::encode(fault, request_id)
    }

    fn fail_stream(&self, fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut) {
        write::fail(fault, so_far, out);
    }

    fn stores_answers(&self) -> bool {
        true
    }

    fn forwarded_headers(&self) -> &'static [&'static str] {
        &["openai-beta"]
    }
}

impl Wire for OpenAiResponses {
    fn retarget(&self, body: &mut RawObject, profile: &Profile, _stream: bool) -> Result<(), Fault> {
        request::retarget(body, profile)
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        Vec::new()
    }

    fn encode_request(&self, request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault> {
        request::encode(request, profile)
    }

    fn decode_response(&self, body: &[u8], undo: &Undo) -> Result<ChatResponse, Fault> {
        response::decode(body, undo)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn stream_reader(&self, undo: &Undo) -> Box<dyn StreamReader> {
        Box::new(read::Reader::new(undo))
    }

    fn decode_fault(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Fault {
        fault::decode(status, retry_after, body)
    }

    fn glance(&self, frame: Frame<'_>) -> Result<Glance, Fault> {
        glance::frame(frame)
    }

    fn glance_whole(&self, body: &RawObject) -> Result<GlanceWhole, Fault> {
        glance::whole(body)
    }
}
