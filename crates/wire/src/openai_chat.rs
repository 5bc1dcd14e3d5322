//! stub
#![allow(missing_docs, unused, clippy::unimplemented)]
use crate::chat::*;
use crate::dialect::*;
use crate::frame::*;
use crate::{Fault, RawObject};
use bytes::*;
use http::StatusCode;
pub struct OpenAiChat;
impl Surface for OpenAiChat {
    fn peek(&self, _: &RawObject) -> Result<Peek, Fault> {
        unimplemented!()
    }
    fn decode_request(&self, _: &RawObject) -> Result<ChatRequest, Fault> {
        unimplemented!()
    }
    fn strip(&self, _: &mut RawObject) {}
    fn encode_response(&self, _: &ChatResponse, _: &Echo, _: &mut Vec<Loss>) -> Bytes {
        unimplemented!()
    }
    fn annotate(&self, _: &mut RawObject, _: &Echo, _: Option<&Usage>) {}
    fn stream_writer(&self, _: Echo) -> Box<dyn StreamWriter> {
        unimplemented!()
    }
    fn encode_fault(&self, _: &Fault, _: &str) -> (StatusCode, Bytes) {
        unimplemented!()
    }
    fn fail_stream(&self, _: &Fault, _: &str, _: &mut BytesMut) {}
    fn stream_end(&self) -> Option<&'static [u8]> {
        None
    }
}
impl Wire for OpenAiChat {
    fn retarget(&self, _: &mut RawObject, _: &Profile, _: bool) -> Result<(), Fault> {
        unimplemented!()
    }
    fn headers(&self) -> Vec<(http::HeaderName, http::HeaderValue)> {
        vec![]
    }
    fn encode_request(&self, _: &ChatRequest, _: &Profile) -> Result<Encoded, Fault> {
        unimplemented!()
    }
    fn decode_response(&self, _: &[u8], _: &Undo) -> Result<ChatResponse, Fault> {
        unimplemented!()
    }
    fn framing(&self) -> Framing {
        Framing::Sse
    }
    fn stream_reader(&self, _: &Undo) -> Box<dyn StreamReader> {
        unimplemented!()
    }
    fn decode_fault(&self, _: u16, _: Option<std::time::Duration>, _: &[u8]) -> Fault {
        unimplemented!()
    }
    fn glance(&self, _: Frame<'_>) -> Result<Glance, Fault> {
        unimplemented!()
    }
    fn glance_whole(&self, _: &RawObject) -> Result<GlanceWhole, Fault> {
        unimplemented!()
    }
}
