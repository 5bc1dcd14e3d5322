//! Anthropic Messages, `POST /v1/messages`.
//!
//! Written after DIALECTS and recorded traffic of API version `2023-06-01`. What a request cannot say here is refused
//! (`n` above 1, logprobs, sound, files by id) or dropped with a loss (penalties, `seed`, `logit_bias`, thoughts of
//! other families). Server-tool blocks of answers stay opaque. Clients get thoughts of other families wrapped in
//! `signature`, if they asked for thinking, and give them back so.

mod answer;
mod carry;
mod fault;
mod read;
mod request;
mod response;
mod say;
mod shape;
mod stop;
mod usage;
mod write;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::chat::{ChatRequest, ChatResponse, Encoded, Loss, Profile, Undo, Usage};
use crate::dialect::{
    Echo, Glance, GlanceWhole, Head, Peek, SoFar, StreamReader, StreamWriter, Surface, Thoughts, Wire,
};
use crate::frame::{Frame, Framing};
use crate::{Fault, RawObject, gateway_fields};

/// Both halves of the dialect.
#[derive(Debug, Clone, Copy)]
pub struct AnthropicMessages;

/// The version of the API that this codec speaks.
/// Source: the recorded requests; the prompt caching page shows the same, read 2026-11-25.
const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));

/// Headers of a client that go with a carried request.
const FORWARDED: &[&str] = &["anthropic-version", "anthropic-beta"];

impl Surface for AnthropicMessages {
    fn peek(&self, _head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        request::peek(body)
    }

    fn decode_request(&self, _head: &Head, body: &RawObject) -> Result<ChatRequest, Fault> {
        request::decode(body)
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

    /// Clients of this dialect check what they get; routing is said in headers alone.
    fn annotate(&self, _answer: &mut RawObject, _echo: &Echo, _usage: Option<&Usage>) {}

    fn stream_writer(&self, echo: Echo) -> Box<dyn StreamWriter> {
        Box::new(write::Writer::new(echo))
    }

    fn encode_fault(&self, fault: &Fault, request_id: &str) -> (StatusCode, Bytes) {
        fault::encode(fault, request_id)
    }

    fn fail_stream(&self, fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut) {
        fault::fail(fault, so_far.request_id, out);
    }

    fn wraps_thoughts(&self) -> bool {
        true
    }

    fn forwarded_headers(&self) -> &'static [&'static str] {
        FORWARDED
    }
}

impl Wire for AnthropicMessages {
    fn retarget(&self, body: &mut RawObject, profile: &Profile, _stream: bool) -> Result<(), Fault> {
        carry::retarget(body, profile);
        Ok(())
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        vec![VERSION]
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
        carry::glance(frame)
    }

    fn glance_whole(&self, body: &RawObject) -> Result<GlanceWhole, Fault> {
        carry::glance_whole(body)
    }
}
