//! OpenAI Chat Completions, and the many servers that speak it.
//!
//! Specification: OpenAI API reference, chat; what other servers do differently is recognised by what they
//! send, and what they want differently is in the [`Profile`].
//!
//! Known losses: the order of texts and calls within a turn; which stop text matched; sound made by a model in streams;
//! encrypted thoughts of other families.

mod citation;
mod fault;
mod glance;
mod media;
mod read;
pub(crate) mod request;
mod response;
mod shape;
mod stop;
mod thought;
pub(crate) mod usage;
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
pub struct OpenAiChat;

impl Surface for OpenAiChat {
    fn peek(&self, _head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        request::peek(body)
    }

    fn decode_request(&self, _head: &Head, body: &RawObject) -> Result<ChatRequest, Fault> {
        request::decode(body)
    }

    fn strip(&self, body: &mut RawObject) {
        gateway_fields::strip(body);
    }

    fn encode_response(&self, response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
        response::encode(response, echo, losses)
    }

    fn annotate(&self, answer: &mut RawObject, echo: &Echo, usage: Option<&Usage>) {
        response::annotate(answer, echo, usage);
    }

    fn stream_writer(&self, echo: Echo) -> Box<dyn StreamWriter> {
        Box::new(write::Writer::new(echo))
    }

    fn encode_fault(&self, fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
        fault::encode(fault, request_id)
    }

    fn fail_stream(&self, fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut) {
        write::fail(fault, so_far.request_id, out);
    }

    fn stream_end(&self) -> Option<&'static [u8]> {
        Some(b"data: [DONE]\n\n")
    }
}

impl Wire for OpenAiChat {
    fn retarget(&self, body: &mut RawObject, profile: &Profile, stream: bool) -> Result<(), Fault> {
        request::retarget(body, profile, stream)
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
