//! Anthropic Messages, `POST /v1/messages`: the half that faces providers.
//!
//! Written after DIALECTS and recorded traffic of API version `2023-06-01`. What a request cannot say here is refused
//! (`n` above 1, logprobs, sound, files by id) or dropped with a loss (penalties, `seed`, `logit_bias`, thoughts of
//! other families). Server-tool blocks of answers stay opaque.
//!
//! The half that faces clients does not live here yet.

mod answer;
mod carry;
mod fault;
mod read;
mod request;
mod response;
mod shape;
mod stop;
mod usage;

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::chat::{ChatRequest, ChatResponse, Encoded, Profile, Undo};
use crate::dialect::{Glance, GlanceWhole, StreamReader, Wire};
use crate::frame::{Frame, Framing};
use crate::{Fault, RawObject};

/// The codec of this dialect.
#[derive(Debug, Clone, Copy)]
pub struct AnthropicMessages;

/// The version of the API that this codec speaks.
/// Source: the recorded requests; the prompt caching page shows the same, read 2026-11-25.
const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));

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
