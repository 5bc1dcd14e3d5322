//! Native Ollama (`/api/chat`): the half that faces servers. Nobody speaks it to us, so it is no dialect of a client, and
//! every request is translated.
//!
//! A stream is a JSON object a line; a whole answer is one such line. Errors are `{"error": "text"}`, also in mid stream.
//! Source: Ollama's docs/api.md, read 2026-11-25; DIALECTS, section 10; recorded traffic.
//!
//! Known losses: which tool has to be called; pictures by URL; strict tools; everything that is about accounts.

mod read;
mod request;
mod response;
mod shape;

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::chat::{ChatRequest, ChatResponse, Encoded, Profile, Undo};
use crate::dialect::{Glance, GlanceWhole, StreamReader, Wire};
use crate::fault::Fault;
use crate::frame::{Frame, Framing};
use crate::openai::fault;
use crate::raw::RawObject;

/// The half that faces servers.
#[derive(Debug, Clone, Copy)]
pub struct Ollama;

impl Wire for Ollama {
    fn retarget(&self, body: &mut RawObject, profile: &Profile, _stream: bool) -> Result<(), Fault> {
        body.set("model", &*profile.model);
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
        Framing::JsonLines
    }

    fn stream_reader(&self, undo: &Undo) -> Box<dyn StreamReader> {
        Box::new(read::Reader::new(undo))
    }

    fn decode_fault(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Fault {
        fault::decode(status, retry_after, body)
    }

    fn glance(&self, frame: Frame<'_>) -> Result<Glance, Fault> {
        response::glance(frame.data)
    }

    fn glance_whole(&self, body: &RawObject) -> Result<GlanceWhole, Fault> {
        response::glance_whole(body)
    }
}
