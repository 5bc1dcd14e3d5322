//! Rules of single rows of the mapping tables, each for all dialects that it is about.
//! Source: DIALECTS, sections 4 to 9.

mod answers;
mod requests;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use wire::chat::{ChatRequest, Encoded, Event, Loss, Profile};
use wire::{Fault, Head, RawObject, SurfaceId, WireId};

/// A request as clients of that surface send it.
fn decoded(surface: SurfaceId, body: &Value) -> ChatRequest {
    let head = Head { model: Some("m".into()), ..Head::default() };
    let body = RawObject::parse(Bytes::from(body.to_string())).unwrap();
    surface.surface().decode_request(&head, &body).unwrap()
}

fn encoded(wire: WireId, request: &ChatRequest) -> Result<(Value, Encoded), Fault> {
    let encoded = wire.wire().encode_request(request, &Profile::unknown("p", "target"))?;
    Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded))
}

fn codes(losses: &[Loss]) -> Vec<&str> {
    losses.iter().map(|loss| loss.code.as_ref()).collect()
}

/// What clients of that surface are sent of these events, and what is lost on the way.
fn written(surface: SurfaceId, events: &[Event]) -> (String, Vec<Loss>) {
    let mut writer = surface.surface().stream_writer(crate::golden::echo());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.finish(&mut out);
    (String::from_utf8(out.to_vec()).unwrap(), writer.losses())
}
