//! What each target does with its input, and what must hold. Shared by the fuzzer and by the test that replays the
//! corpora on stable.
#![allow(dead_code, reason = "each fuzz binary uses one of them")]

use bytes::{Bytes, BytesMut};
use serde::de::IgnoredAny;
use wire::chat::{Event, Profile, Undo};
use wire::dialect::Echo;
use wire::frame::{JsonArraySplitter, JsonLinesSplitter, SseSplitter};
use wire::{Fault, Head, RawObject, SurfaceId, WireId};

/// Larger than any input that the fuzzer makes.
const LIMIT: usize = 1 << 20;

/// What the scanner takes is JSON, stays the same bytes untouched, and can be edited.
pub fn raw_object(data: &[u8]) {
    let Ok(mut object) = RawObject::parse(Bytes::copy_from_slice(data)) else { return };
    let _: IgnoredAny = serde_json::from_slice(data).expect("what the scanner takes is JSON");
    object.set("model", &"edited");
    let edited = object.into_bytes();
    let edited = RawObject::parse(edited).expect("an edited object is an object");
    assert_eq!(edited.get::<String>("model").expect("it is a string").as_deref(), Some("edited"));
    let untouched = RawObject::parse(Bytes::copy_from_slice(data)).expect("it was taken before");
    assert_eq!(untouched.into_bytes(), data);
}

/// Any chunks yield the same events.
pub fn sse(data: &[u8]) {
    let at_once = split(std::iter::once(data));
    for size in [1, 3] {
        assert_eq!(split(data.chunks(size)), at_once);
    }
}

/// The same of elements of an array and of lines.
pub fn json_frames(data: &[u8]) {
    let at_once = (elements(std::iter::once(data)), lines(std::iter::once(data)));
    for size in [1, 3] {
        assert_eq!((elements(data.chunks(size)), lines(data.chunks(size))), at_once);
    }
}

fn elements<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Option<bool>) {
    let mut found = Vec::new();
    let mut splitter = JsonArraySplitter::new(LIMIT);
    let run = || -> Result<bool, Fault> {
        for chunk in chunks {
            splitter.push(chunk);
            while let Some(frame) = splitter.next()? {
                found.push(frame.data.to_owned());
            }
        }
        Ok(splitter.is_complete())
    };
    let complete = run().ok();
    (found, complete)
}

fn lines<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, bool) {
    let mut found = Vec::new();
    let mut splitter = JsonLinesSplitter::new(LIMIT);
    let run = || -> Result<(), Fault> {
        for chunk in chunks {
            splitter.push(chunk);
            while let Some(frame) = splitter.next()? {
                found.push(frame.data.to_owned());
            }
        }
        found.extend(splitter.finish()?.map(|frame| frame.data.to_owned()));
        Ok(())
    };
    let well_formed = run().is_ok();
    (found, well_formed)
}

/// Events as name and data, and whether the stream was well-formed.
fn split<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<(String, String)>, bool) {
    let mut events = Vec::new();
    let mut splitter = SseSplitter::new(LIMIT);
    let run = || -> Result<(), Fault> {
        for chunk in chunks {
            splitter.push(chunk);
            while let Some(event) = splitter.next()? {
                events.push((event.event.to_owned(), event.data.to_string()));
            }
        }
        if let Some(event) = splitter.finish()? {
            events.push((event.event.to_owned(), event.data.to_string()));
        }
        Ok(())
    };
    let well_formed = run().is_ok();
    (events, well_formed)
}

/// A request that a surface takes, every wire can say or refuse; what it says is JSON.
pub fn decode_request(data: &[u8]) {
    let Ok(body) = RawObject::parse(Bytes::copy_from_slice(data)) else { return };
    let profile = Profile::unknown("provider", "model");
    for surface in SurfaceId::ALL {
        let _ = surface.surface().peek(&Head::default(), &body);
        let Ok(request) = surface.surface().decode_request(&Head::default(), &body) else { continue };
        for wire in WireId::ALL {
            if let Ok(encoded) = wire.wire().encode_request(&request, &profile) {
                serde_json::from_slice::<serde_json::Value>(&encoded.body)
                    .expect("an encoded request is JSON");
            }
        }
    }
}

/// A whole answer is read or refused, and written for clients of every surface; what they get is JSON. So are vectors,
/// and every body may be an error.
pub fn decode_response(data: &[u8]) {
    for wire in WireId::ALL {
        let _ = wire.wire().decode_fault(400, None, data);
        if let Ok(body) = RawObject::parse(Bytes::copy_from_slice(data)) {
            let _ = wire.wire().glance_whole(&body);
        }
        if let Some(embeds) = wire.embeds() {
            let _ = embeds.decode_response(data);
        }
        let Ok(response) = wire.wire().decode_response(data, &Undo::default()) else { continue };
        for surface in SurfaceId::ALL {
            let told = surface.surface().encode_response(&response, &Echo::default(), &mut Vec::new());
            serde_json::from_slice::<serde_json::Value>(&told).expect("an encoded answer is JSON");
        }
    }
}

/// A stream is read or refused, and written on; it ends well only with a stop.
pub fn stream_reader(data: &[u8]) {
    for wire in WireId::ALL {
        let mut events = Vec::new();
        let end = read(wire, data, &mut events);
        let stopped = events.iter().any(|event| matches!(event, Event::Stop { .. }));
        assert!(end.is_err() || stopped, "{} ended well without a stop", wire.name());
        for surface in SurfaceId::ALL {
            let mut writer = surface.surface().stream_writer(Echo::default());
            let mut out = BytesMut::new();
            events.iter().for_each(|event| writer.write(event, &mut out));
            match &end {
                Ok(()) => writer.finish(&mut out),
                Err(fault) => writer.fail(fault, &mut out),
            }
        }
    }
}

fn read(wire: WireId, data: &[u8], events: &mut Vec<Event>) -> Result<(), Fault> {
    let mut splitter = SseSplitter::new(LIMIT);
    let mut reader = wire.wire().stream_reader(&Undo::default());
    splitter.push(data);
    while let Some(event) = splitter.next()? {
        let _ = wire.wire().glance(event.frame());
        reader.read(event.frame(), events)?;
    }
    reader.finish(events)
}
