//! Writes answers: events to the events of this format, and whole answers by the same machine.
//!
//! Valid by construction: one item is open at a time, every item and part opens before its deltas and is done after
//! them, numbers count up, and nothing follows the end.

mod emit;
mod envelope;
mod items;
mod open;
mod tell;

use bytes::{Bytes, BytesMut};

use self::emit::Emitter;
use self::envelope::Envelope;
use self::items::Items;
use super::fault;
use super::namespace::Namespaces;
use super::stop::{self, Status};
use crate::chat::{ChatResponse, Event, Loss, Part, Sequence, Stop, StopReason, Usage, unfold};
use crate::dialect::{Dialect, Echo, SoFar, StreamWriter};
use crate::fault::Fault;

const THIS: Dialect = Dialect::OpenAiResponses;

/// State of one answer.
#[derive(Debug)]
pub(super) struct Writer {
    request_id: String,
    envelope: Envelope,
    emitter: Emitter,
    items: Items,
    /// Upstreams may tell several parts at once, this format one.
    sequence: Sequence,
    started: bool,
    usage: Option<Usage>,
    stop: Option<Stop>,
    losses: Vec<Loss>,
}

impl Writer {
    pub(super) fn new(echo: Echo) -> Self {
        let envelope = Envelope::new(&echo);
        let items = Items::new(Namespaces::of(envelope.tools()));
        Self {
            request_id: echo.request_id,
            envelope,
            emitter: Emitter::default(),
            items,
            sequence: Sequence::new(),
            started: false,
            usage: None,
            stop: None,
            losses: Vec::new(),
        }
    }

    /// Opens the stream; the id of the answer is fixed from here on.
    fn start(&mut self, out: &mut BytesMut) {
        if self.started {
            return;
        }
        self.started = true;
        self.items.answer_id(self.envelope.id());
        let begun = self.envelope.object("in_progress", &[], None, None);
        self.emitter.text("response.created", "response", &begun, out);
        self.emitter.text("response.in_progress", "response", &begun, out);
    }

    /// An event of the answer, its parts one after the other.
    fn sequenced(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            // The answer is over.
            _ if self.stop.is_some() => {}
            Event::Open { choice, .. } | Event::Logprobs { choice, .. } | Event::Stop { choice, .. }
                if *choice > 0 =>
            {
                if matches!(event, Event::Open { .. }) {
                    self.losses.push(Loss::at("choices", format!("choices[{choice}]")));
                }
            }
            Event::Open { part, kind, .. } => self.items.open(*part, kind, &mut self.emitter, out),
            Event::Delta { part, piece } => self.items.extend(*part, piece, &mut self.emitter, out),
            Event::Close { part } => self.items.close(*part, &mut self.emitter, out),
            Event::Logprobs { raw, .. } => self.items.logprobs(raw),
            Event::Stop { stop, .. } => self.stop(stop, out),
            Event::Start { .. }
            | Event::Usage(_)
            | Event::ServiceTier(_)
            | Event::Fields(_)
            | Event::Foreign { .. } => {}
        }
    }

    fn stop(&mut self, stop: &Stop, out: &mut BytesMut) {
        self.losses.extend(stop::loss(stop.reason));
        if stop.reason == StopReason::Filter
            && let Some(words) = &stop.explanation
        {
            self.items.explain(words, &mut self.emitter, out);
        }
        self.items.finish(Status::of(stop.reason), &mut self.emitter, out);
        self.stop = Some(stop.clone());
    }

    /// The finished answer as an object.
    fn object(&self, status: Status) -> Vec<u8> {
        let error =
            (status == Status::Failed).then_some(("server_error", "the upstream says that it failed"));
        let incomplete = match status {
            Status::Incomplete(reason) => Some(reason),
            Status::Completed | Status::Failed => None,
        };
        self.envelope.ended(status.word(), self.items.done(), self.usage.as_ref(), error, incomplete)
    }

    fn status(&self) -> Status {
        Status::of(self.stop.as_ref().map_or(StopReason::Error, |stop| stop.reason))
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Start { id, model, created } if !self.started => {
                self.envelope.start(id.as_deref(), model.as_deref(), *created);
                self.start(out);
            }
            Event::Start { .. } => {}
            Event::Usage(usage) => self.usage.get_or_insert_default().update(usage),
            Event::ServiceTier(tier) => self.envelope.service_tier(tier),
            Event::Fields(fields) => {
                fields.report(THIS, &mut self.losses);
                self.envelope.extra(fields);
            }
            Event::Foreign { .. } => self.losses.push(Loss::at("foreign", "output")),
            Event::Delta { part, .. } if self.sequence.passes(*part) => self.sequenced(event, out),
            _ => {
                self.start(out);
                let mut ready = Vec::new();
                self.sequence.push(event.clone(), &mut ready);
                ready.iter().for_each(|event| self.sequenced(event, out));
            }
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        self.start(out);
        let status = self.status();
        let kind = match status {
            Status::Completed => "response.completed",
            Status::Incomplete(_) => "response.incomplete",
            Status::Failed => "response.failed",
        };
        let object = self.object(status);
        self.emitter.text(kind, "response", &object, out);
    }

    /// What is open stays so: clients take an item that is done for complete.
    fn fail(&mut self, fault: &Fault, out: &mut BytesMut) {
        self.start(out);
        let (code, message) = (fault::code(fault), fault.client_message(&self.request_id));
        self.emitter.event("error", &fault::event(fault, &self.request_id), out);
        let error = Some((code, message.as_str()));
        let object = self.envelope.ended("failed", self.items.done(), self.usage.as_ref(), error, None);
        self.emitter.text("response.failed", "response", &object, out);
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.losses.append(self.items.losses());
        std::mem::take(&mut self.losses)
    }
}

/// A whole answer.
pub(super) fn whole(response: &ChatResponse, echo: &Echo, losses: &mut Vec<Loss>) -> Bytes {
    let (mut writer, mut unheard) = (Writer::new(echo.clone()), BytesMut::new());
    writer.emitter.mute();
    unfold(response).iter().for_each(|event| writer.write(event, &mut unheard));
    losses.extend(response.choices.iter().flat_map(|choice| &choice.parts).filter_map(not_streamed));
    losses.extend(writer.losses());
    writer.object(writer.status()).into()
}

/// Parts that no stream has, and that are therefore missing.
fn not_streamed(part: &Part) -> Option<Loss> {
    if crate::chat::opening(part).is_some() {
        return None;
    }
    let code = if matches!(part, Part::Image { .. }) { "image_out" } else { "foreign" };
    Some(Loss::at(code, "output"))
}

/// An error as the last events of a carried stream.
pub(super) fn fail(fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut) {
    let echo = Echo { request_id: so_far.request_id.to_owned(), ..Echo::default() };
    let mut writer = Writer::new(echo);
    writer.emitter = Emitter::from(so_far.next_sequence);
    writer.usage = so_far.usage.copied();
    writer.started = true;
    writer.fail(fault, out);
}
