//! Streams: events to frames.
//!
//! Whatever comes in, what goes out is `message_start (content_block_start content_block_delta* content_block_stop)*
//! message_delta message_stop`, one block at a time and indexes counting up, or ends in `error`.

mod block;
mod frames;

use bytes::BytesMut;

use self::block::{Block, Out};
use super::shape::told;
use super::{fault, response, say, stop, usage};
use crate::Fault;
use crate::chat::{Event, Extra, Loss, Sequence, Stop, StopReason, Usage};
use crate::dialect::{Dialect, Echo, StreamWriter};

const THIS: Dialect = Dialect::AnthropicMessages;

pub(super) struct Writer {
    echo: Echo,
    phase: Phase,
    id: Option<String>,
    model: Option<String>,
    sequence: Sequence,
    /// Events that may be written now; kept to spare an allocation each.
    passed: Vec<Event>,
    /// The block that is being written.
    block: Option<Block>,
    /// Index of the next block.
    next: u32,
    usage: Option<Usage>,
    service_tier: Option<String>,
    stop: Option<Stop>,
    /// Fields without a canonical name that have not been written.
    extra: Extra,
    losses: Vec<Loss>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Counts that come before any content are still to stand in `message_start`.
    BeforeStart,
    Running,
    /// The choice has stopped; only counts may follow.
    Stopped,
    /// Nothing more is written.
    Ended,
}

impl Writer {
    pub(super) fn new(echo: Echo) -> Self {
        Self {
            echo,
            phase: Phase::BeforeStart,
            id: None,
            model: None,
            sequence: Sequence::new(),
            passed: Vec::new(),
            block: None,
            next: 0,
            usage: None,
            service_tier: None,
            stop: None,
            extra: Extra::default(),
            losses: Vec::new(),
        }
    }

    fn start(&mut self, out: &mut BytesMut) {
        if self.phase != Phase::BeforeStart {
            return;
        }
        self.phase = Phase::Running;
        let extra = std::mem::take(&mut self.extra);
        let message = told::Message {
            id: say::answer_id(self.id.as_deref(), &self.echo),
            kind: "message",
            role: "assistant",
            model: say::model(self.model.as_deref(), &self.echo),
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            stop_details: None,
            usage: usage::encode(&self.usage.unwrap_or_default(), self.service_tier.as_deref()),
            extra: extra.of(THIS),
        };
        frames::write(&told::Event::MessageStart { message }, out);
    }

    /// Puts an event in order, and writes what may be written.
    fn pass(&mut self, event: &Event, out: &mut BytesMut) {
        let mut passed = std::mem::take(&mut self.passed);
        self.sequence.push(event.clone(), &mut passed);
        for event in passed.drain(..) {
            self.in_order(&event, out);
        }
        self.passed = passed;
    }

    fn in_order(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Open { kind, .. } => {
                let mut room = Out { echo: &self.echo, next: &mut self.next, losses: &mut self.losses, out };
                self.block = Block::open(kind, &mut room);
            }
            Event::Delta { piece, .. } => self.in_block(out, |block, room| block.extend(piece, room)),
            Event::Close { .. } => {
                self.in_block(out, |block, room| block.close(room));
                self.block = None;
            }
            Event::Stop { stop, .. } => {
                self.phase = Phase::Stopped;
                self.stop = Some(stop.clone());
            }
            _ => {}
        }
    }

    fn in_block(&mut self, out: &mut BytesMut, act: impl FnOnce(&mut Block, &mut Out<'_>)) {
        if let Some(block) = &mut self.block {
            act(block, &mut Out { echo: &self.echo, next: &mut self.next, losses: &mut self.losses, out });
        }
    }

    /// An event of this dialect that has no canonical form; one that is no event is left out.
    fn foreign(&mut self, from: Dialect, data: &[u8], out: &mut BytesMut) {
        if from != THIS {
            return self.lose("foreign");
        }
        if let Some(name) = frames::name_of(data) {
            self.start(out);
            frames::write_as(&name, data, out);
        }
    }

    fn lose(&mut self, code: &'static str) {
        self.losses.push(Loss::at(code, format!("content[{}]", self.next)));
    }

    fn end(&mut self, stop: &Stop, out: &mut BytesMut) {
        self.losses.extend(stop::loss(stop.reason));
        let (stop_reason, stop_sequence) = stop::word(stop);
        let delta = told::Ending { stop_reason, stop_sequence, stop_details: response::details(stop) };
        let usage = usage::encode(&self.usage.unwrap_or_default(), None);
        let extra = self.extra.of(THIS);
        frames::write(&told::Event::MessageDelta { delta, usage, extra }, out);
        frames::write(&told::Event::MessageStop, out);
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            _ if self.phase == Phase::Ended => {}
            Event::Start { id, model, .. } => {
                self.id = self.id.take().or_else(|| id.clone());
                self.model = self.model.take().or_else(|| model.clone());
            }
            Event::Usage(usage) => self.usage.get_or_insert_default().update(usage),
            Event::ServiceTier(tier) => self.service_tier = Some(tier.clone()),
            Event::Fields(fields) => {
                fields.report(THIS, &mut self.losses);
                self.extra.update(fields);
            }
            _ if self.phase == Phase::Stopped => {}
            Event::Open { choice: 1.., .. } => self.lose("n"),
            Event::Stop { choice: 1.., .. } | Event::Logprobs { .. } => {}
            Event::Foreign { from, data } => self.foreign(*from, data, out),
            Event::Delta { part, .. } if self.sequence.passes(*part) => self.in_order(event, out),
            _ => {
                self.start(out);
                self.pass(event, out);
            }
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        match self.stop.take() {
            _ if self.phase == Phase::Ended => {}
            Some(stop) if stop.reason != StopReason::Error => {
                self.end(&stop, out);
                self.phase = Phase::Ended;
            }
            stop => {
                let native = stop.and_then(|stop| stop.native).unwrap_or_default();
                let why = if native.is_empty() { "it ended without a reason".to_owned() } else { native };
                let provider = self.echo.resolved_provider.clone();
                self.fail(&Fault::BadAnswer { provider, why }, out);
            }
        }
    }

    fn fail(&mut self, fault: &Fault, out: &mut BytesMut) {
        if self.phase != Phase::Ended {
            self.phase = Phase::Ended;
            fault::fail(fault, &self.echo.request_id, out);
        }
    }

    fn losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }
}
