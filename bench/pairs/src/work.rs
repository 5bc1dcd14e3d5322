//! What the gateway does with the bytes of an exchange, without what it does beside them.

use std::hint::black_box;

use bytes::BytesMut;
use wire::RawObject;
use wire::chat::{Fold, Guard, Undo};
use wire::frame::SseSplitter;

use super::samples::{Dialect, LIMIT, Samples, echo, head, profile};

/// A request there, and a whole answer back.
pub(crate) fn whole(client: Dialect, provider: Dialect, samples: &Samples) -> anyhow::Result<()> {
    let (surface, wire) = (client.surface.surface(), provider.wire.wire());
    let mut body = RawObject::parse(samples.request.clone())?;
    let peek = surface.peek(&head(), &body)?;
    if client.is(provider) {
        surface.strip(&mut body);
        wire.retarget(&mut body, &profile(), peek.stream)?;
        black_box(body.into_segments());
        let mut answer = RawObject::parse(samples.answer.clone())?;
        let glance = wire.glance_whole(&answer)?;
        surface.annotate(&mut answer, &echo(), glance.usage.as_ref());
        black_box(answer.into_segments());
        return Ok(());
    }
    let encoded = wire.encode_request(&surface.decode_request(&head(), &body)?, &profile())?;
    let response = wire.decode_response(&samples.answer, &encoded.undo)?;
    black_box(surface.encode_response(&response, &echo(), &mut Vec::new()));
    Ok(())
}

/// A streamed answer, in pieces as a network might bring it.
pub(crate) fn stream(client: Dialect, provider: Dialect, samples: &Samples) -> anyhow::Result<()> {
    let (surface, wire) = (client.surface.surface(), provider.wire.wire());
    let (mut splitter, mut out) = (SseSplitter::new(LIMIT), BytesMut::new());
    let carried = client.is(provider);
    let (mut reader, mut writer) = (wire.stream_reader(&Undo::default()), surface.stream_writer(echo()));
    let (mut guard, mut fold, mut events, mut before) = (Guard::new(), Fold::new(), Vec::new(), Vec::new());
    let mut write = |events: &mut Vec<_>, out: &mut BytesMut, end: bool| {
        for event in events.drain(..) {
            let admitted = guard.admits(&event, &mut before);
            for event in before.drain(..).chain(admitted.then_some(event)) {
                fold.push(&event);
                writer.write(&event, out);
            }
        }
        if end {
            writer.finish(out);
        }
    };
    for piece in samples.stream.chunks(1024) {
        splitter.push(piece);
        while let Some(event) = splitter.next()? {
            if carried {
                black_box(wire.glance(event.frame())?);
                out.extend_from_slice(event.raw);
            } else {
                reader.read(event.frame(), &mut events)?;
                write(&mut events, &mut out, false);
            }
        }
        black_box(out.split());
    }
    if !carried {
        reader.finish(&mut events)?;
        write(&mut events, &mut out, true);
    }
    black_box(out);
    Ok(())
}
