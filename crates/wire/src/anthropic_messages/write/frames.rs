//! Events on the wire: their name, then their data.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use serde::Deserialize;

use crate::anthropic_messages::shape::told::Event;
use crate::json_writer::write_json;

/// Writes an event.
pub(super) fn write(event: &Event<'_>, out: &mut BytesMut) {
    out.put_slice(b"event: ");
    out.put_slice(event.name().as_bytes());
    out.put_slice(b"\ndata: ");
    write_json(out, event);
    out.put_slice(b"\n\n");
}

/// The name of an event as received; `None`: it is no event, or its name is none.
pub(super) fn name_of(data: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
    }
    let Kind { kind } = serde_json::from_slice(data).ok()?;
    let plain = kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && !kind.is_empty()).then(|| kind.into_owned())
}

/// Writes an event as received. JSON may have line ends between its tokens: each line is data of its own.
pub(super) fn write_as(name: &str, data: &[u8], out: &mut BytesMut) {
    out.put_slice(b"event: ");
    out.put_slice(name.as_bytes());
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.put_slice(b"\ndata: ");
        out.put_slice(line);
    }
    out.put_slice(b"\n\n");
}
