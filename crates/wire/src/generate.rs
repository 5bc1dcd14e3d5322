//! stub
#![allow(missing_docs, unused, clippy::unimplemented)]
use crate::chat::*;
use crate::dialect::*;
use crate::frame::*;
use crate::{Fault, RawObject};
use bytes::*;
use http::StatusCode;
pub struct Generate;
impl Surface for Generate {
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
