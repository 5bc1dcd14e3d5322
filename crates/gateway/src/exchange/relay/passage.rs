//! How the frames of an upstream get through to the client.

use bytes::BytesMut;
use wire::Fault;
use wire::chat::{Event, Guard, Loss};
use wire::dialect::{SoFar, StreamReader, StreamWriter, Surface, Wire};
use wire::frame::{Framing, write_sse};

use super::keeper::Keeper;
use super::memory::Memory;
use super::splitter::Cut;
use crate::exchange::tally::Tally;

/// How the bytes get through.
pub(in crate::exchange) enum Passage {
    /// Same dialect on both sides.
    Carried(Carried),
    /// Through the canonical form.
    Translated(Box<Translated>),
    /// Already written, from an answer that the upstream gave whole.
    Written { writer: Box<dyn StreamWriter> },
}

/// Frames that pass as they are.
pub(in crate::exchange) struct Carried {
    pub(in crate::exchange) wire: &'static dyn Wire,
    pub(in crate::exchange) surface: &'static dyn Surface,
    /// The usage report was our wish, not the client's: it is taken out.
    pub(in crate::exchange) hide_usage: bool,
    /// What the client wants around them.
    pub(in crate::exchange) framing: Framing,
    /// Notes who keeps the answer.
    pub(in crate::exchange) keeper: Keeper,
}

/// Frames that become events, and events that become the client's dialect.
pub(in crate::exchange) struct Translated {
    reader: Box<dyn StreamReader>,
    writer: Box<dyn StreamWriter>,
    guard: Guard,
    events: Vec<Event>,
    /// What the guard puts before an event.
    before: Vec<Event>,
    memory: Memory,
}

impl Translated {
    pub(in crate::exchange) fn new(
        reader: Box<dyn StreamReader>,
        writer: Box<dyn StreamWriter>,
        memory: Memory,
    ) -> Self {
        Self { reader, writer, guard: Guard::new(), events: Vec::new(), before: Vec::new(), memory }
    }

    fn write(&mut self, tally: &mut Tally, out: &mut BytesMut) {
        for event in self.events.drain(..) {
            let admitted = self.guard.admits(&event, &mut self.before);
            for event in self.before.drain(..).chain(admitted.then_some(event)) {
                tally.event(&event);
                self.memory.see(&event);
                self.writer.write(&event, out);
            }
        }
    }
}

impl Carried {
    fn pass(&self, cut: &Cut<'_>, tally: &mut Tally, out: &mut BytesMut) -> Result<(), Fault> {
        let frame = cut.frame;
        let glance = self.wire.glance(frame)?;
        if let Some(id) = &glance.kept_as {
            self.keeper.keep(id);
        }
        if !(glance.usage_only && self.hide_usage) {
            match self.framing {
                Framing::Sse => match cut.event {
                    Some(event) => out.extend_from_slice(event),
                    None => write_sse(frame.data, out),
                },
                Framing::JsonArray => {
                    out.extend_from_slice(if tally.elements == 0 { b"[" } else { b",\r\n" });
                    out.extend_from_slice(frame.data.as_bytes());
                    tally.elements += 1;
                }
                Framing::JsonLines => {
                    out.extend_from_slice(frame.data.as_bytes());
                    out.extend_from_slice(b"\n");
                }
            }
        }
        tally.glance(glance);
        Ok(())
    }

    /// An end marker that is missing after a stop is made up for, where the dialect allows it.
    fn finish(&self, tally: &Tally, out: &mut BytesMut) -> Result<(), Fault> {
        if !tally.ended {
            let Some(end) = self.surface.stream_end().filter(|_| tally.stopped) else {
                let why = match tally.stopped {
                    true => "it ended without its end marker",
                    false => "it ended without a finish reason",
                };
                return Err(Fault::Cut { provider: String::new(), why: why.to_owned() });
            };
            out.extend_from_slice(end);
        }
        if self.framing == Framing::JsonArray {
            out.extend_from_slice(b"]");
        }
        Ok(())
    }
}

impl Passage {
    /// Passes one frame on.
    pub(super) fn pass(&mut self, cut: &Cut<'_>, tally: &mut Tally, out: &mut BytesMut) -> Result<(), Fault> {
        match self {
            Passage::Carried(carried) => carried.pass(cut, tally, out),
            Passage::Translated(translated) => {
                translated.reader.read(cut.frame, &mut translated.events)?;
                translated.write(tally, out);
                Ok(())
            }
            // There is no body to pass anything on from.
            Passage::Written { .. } => Ok(()),
        }
    }

    /// The upstream is done.
    ///
    /// # Errors
    /// `Cut`: it had not reached its end.
    pub(super) fn finish(&mut self, tally: &mut Tally, out: &mut BytesMut) -> Result<(), Fault> {
        match self {
            Passage::Carried(carried) => carried.finish(tally, out),
            Passage::Translated(translated) => {
                translated.reader.finish(&mut translated.events)?;
                translated.write(tally, out);
                translated.writer.finish(out);
                translated.memory.complete();
                Ok(())
            }
            Passage::Written { .. } => Ok(()),
        }
    }

    /// The stream ends in an error.
    pub(super) fn fail(&mut self, fault: &Fault, request_id: &str, tally: &Tally, out: &mut BytesMut) {
        match self {
            Passage::Carried(carried) => {
                let so_far = SoFar {
                    request_id,
                    next_sequence: tally.next_sequence,
                    usage: tally.usage.as_ref(),
                    framing: carried.framing,
                    elements: tally.elements,
                };
                carried.surface.fail_stream(fault, &so_far, out);
            }
            Passage::Translated(translated) => translated.writer.fail(fault, out),
            Passage::Written { writer } => writer.fail(fault, out),
        }
    }

    /// What could not be written.
    pub(super) fn losses(&mut self) -> Vec<Loss> {
        match self {
            Passage::Carried(_) => Vec::new(),
            Passage::Translated(translated) => translated.writer.losses(),
            Passage::Written { writer } => writer.losses(),
        }
    }

    /// How often the guard stepped in.
    pub(super) fn repairs(&self) -> u32 {
        match self {
            Passage::Translated(translated) => translated.guard.repairs(),
            Passage::Carried(_) | Passage::Written { .. } => 0,
        }
    }
}
