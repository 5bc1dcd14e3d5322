//! Gemini `generateContent`, whole and streamed, of Gemini API and Vertex AI: both halves.
//!
//! Written after DIALECTS, Google's reference and recorded traffic. Model and streaming stand in the path, so surfaces
//! get them from the [`Head`]. A stream has no end marker: it is whole when it has said why it finished.
//!
//! Known losses: which stop text matched; that a model declined in words; steps of server tools of other families; ids
//! of tokens; safety ratings across dialects.

mod fault;
mod glance;
mod grounding;
mod logprobs;
mod media;
mod names;
mod read;
mod request;
mod response;
mod shape;
mod signature;
mod stop;
mod target;
mod usage;
mod write;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::chat::{ChatRequest, ChatResponse, Encoded, Loss, Profile, Undo, Usage};
use crate::dialect::{
    Echo, Glance, GlanceWhole, Head, Peek, SoFar, StreamReader, StreamWriter, Surface, Thoughts, Wire,
};
use crate::fault::Fault;
use crate::frame::{Frame, Framing};
use crate::gateway_fields;
use crate::raw::RawObject;

pub(crate) use self::target::{method, target};

/// Both halves of the dialect.
#[derive(Debug, Clone, Copy)]
pub struct Gemini;

impl Surface for Gemini {
    fn peek(&self, head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        request::peek(head, body)
    }

    fn decode_request(&self, head: &Head, body: &RawObject) -> Result<ChatRequest, Fault> {
        request::decode(head, body)
    }

    fn thoughts(&self, body: &RawObject) -> Thoughts {
        request::thoughts(body)
    }

    fn strip(&self, body: &mut RawObject) {
        gateway_fields::strip(body);
    }

    fn encode_response(&self, response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
        response::encode(response, echo, losses)
    }

    /// Clients of this dialect get the answer as it is: an SDK may refuse a field that it does not know.
    fn annotate(&self, _: &mut RawObject, _: &Echo, _: Option<&Usage>) {}

    fn stream_writer(&self, echo: Echo) -> Box<dyn StreamWriter> {
        Box::new(write::Writer::new(echo))
    }

    fn encode_fault(&self, fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
        fault::encode(fault, request_id)
    }

    fn fail_stream(&self, fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut) {
        write::fail(fault, so_far, out);
    }

    /// There is no marker: a stream that has said why it finished is whole.
    fn stream_end(&self) -> Option<&'static [u8]> {
        Some(b"")
    }

    /// The Python SDK fails on a comment. Source: DIALECTS, section 8.
    fn keep_alive(&self) -> Option<&'static [u8]> {
        None
    }

    /// Gemini CLI takes an error in the stream, and a stream without finish, for success. Source: CLIENTS, section 3.
    fn wraps_thoughts(&self) -> bool {
        true
    }

    fn failure_aborts(&self) -> bool {
        true
    }
}

impl Wire for Gemini {
    fn retarget(&self, body: &mut RawObject, _: &Profile, _stream: bool) -> Result<(), Fault> {
        request::retarget(body);
        Ok(())
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

    /// Servers that do not know `alt=sse` send an array element by element; a whole answer reads as an array of one.
    fn framing_of(&self, media_type: &str) -> Option<Framing> {
        match media_type {
            "" | "text/event-stream" => Some(Framing::Sse),
            "application/json" => Some(Framing::JsonArray),
            _ => None,
        }
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
