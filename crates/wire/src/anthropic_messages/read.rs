//! Streams: frames to events.

mod block;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use self::block::{Block, Out};
use super::shape::{Answer, Delta, Ending, StreamEvent};
use super::usage::Tally;
use super::{fault, response, stop};
use crate::Fault;
use crate::chat::{Event, Leftover, Stop, Undo};
use crate::dialect::{Dialect, StreamReader};
use crate::frame::Frame;

/// Reads `message_start (content_block_start content_block_delta* content_block_stop)* message_delta+ message_stop`,
/// with `ping`, `error` and events of tomorrow anywhere.
#[derive(Debug)]
pub(super) struct Reader {
    phase: Phase,
    tally: Tally,
    /// Open blocks by their index; one at a time by the grammar, but several do no harm.
    blocks: BTreeMap<u64, Block>,
    out: block::Context,
    /// What `message_delta` said: reason, stop sequence, explanation.
    stop: Option<(String, Option<String>, Option<String>)>,
    leftover: Leftover,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    BeforeStart,
    Running,
    Ended,
}

impl Reader {
    pub(super) fn new(undo: &Undo) -> Self {
        Self {
            phase: Phase::BeforeStart,
            tally: Tally::default(),
            blocks: BTreeMap::new(),
            out: block::Context::new(undo.clone()),
            stop: None,
            leftover: response::leftover(),
        }
    }

    fn event(&mut self, event: StreamEvent<'_>, data: &str, out: &mut Vec<Event>) -> Result<(), Fault> {
        match &*event.kind {
            "ping" => Ok(()),
            "error" => Err(fault::inside(data)),
            "message_start" => self.message_start(event, out),
            _ if self.phase == Phase::BeforeStart => Err(fault::bad_answer("an event before message_start")),
            "content_block_start" => self.block_start(&event, out),
            "content_block_delta" => self.block_delta(&event, out),
            "content_block_stop" => self.block_stop(&event, out),
            "message_delta" => self.message_delta(event, out),
            "message_stop" => self.message_stop(out),
            _ => {
                let data = Bytes::copy_from_slice(data.as_bytes());
                out.push(Event::Foreign { from: Dialect::AnthropicMessages, data });
                Ok(())
            }
        }
    }

    fn message_start(&mut self, event: StreamEvent<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.phase != Phase::BeforeStart {
            return Err(fault::bad_answer("a second message_start"));
        }
        let message: Answer<'_> = fault::member(event.message, "message")?;
        self.phase = Phase::Running;
        self.out.model.clone_from(&message.model);
        out.push(Event::Start { id: message.id, model: message.model, created: None });
        self.count(message.usage, out);
        self.keep([event.rest, message.rest], out)
    }

    fn block_start(&mut self, event: &StreamEvent<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        let index = index(event)?;
        let raw = event.content_block.ok_or_else(|| fault::bad_answer("an event without content_block"))?;
        let block = Block::open(raw, &mut Out { context: &mut self.out, events: out })?;
        match self.blocks.insert(index, block) {
            None => Ok(()),
            Some(_) => Err(fault::bad_answer(format!("block {index} was opened twice"))),
        }
    }

    fn block_delta(&mut self, event: &StreamEvent<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        let index = index(event)?;
        let delta: Delta<'_> = fault::member(event.delta, "delta")?;
        let block = self.blocks.get_mut(&index).ok_or_else(|| not_open(index))?;
        block.extend(delta, out);
        Ok(())
    }

    fn block_stop(&mut self, event: &StreamEvent<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        let index = index(event)?;
        let block = self.blocks.remove(&index).ok_or_else(|| not_open(index))?;
        block.close(&mut Out { context: &mut self.out, events: out });
        Ok(())
    }

    fn message_delta(&mut self, event: StreamEvent<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        let delta: Ending = fault::member(event.delta, "delta")?;
        if let Some(reason) = delta.stop_reason {
            let explanation = delta.stop_details.and_then(|details| details.explanation);
            self.stop = Some((reason, delta.stop_sequence, explanation));
        }
        self.count(event.usage, out);
        self.keep([event.rest, delta.rest], out)
    }

    /// Fields without a canonical name, which stand in the message, in the event or in its delta.
    fn keep(&mut self, rests: [Map<String, Value>; 2], out: &mut Vec<Event>) -> Result<(), Fault> {
        rests.into_iter().for_each(|rest| self.leftover.keep(rest));
        out.extend(self.leftover.tell()?);
        Ok(())
    }

    fn message_stop(&mut self, out: &mut Vec<Event>) -> Result<(), Fault> {
        if !self.blocks.is_empty() {
            return Err(fault::bad_answer("message_stop inside a block"));
        }
        let (reason, sequence, explanation) =
            self.stop.take().ok_or_else(|| fault::bad_answer("message_stop without a stop reason"))?;
        let stop: Stop = stop::stop(&reason, sequence, explanation, self.out.called);
        out.push(Event::Stop { choice: 0, stop });
        self.phase = Phase::Ended;
        Ok(())
    }

    /// Takes over a usage report: an estimate at the start, cumulative later.
    fn count(&mut self, usage: Option<&serde_json::value::RawValue>, out: &mut Vec<Event>) {
        let Some(usage) = usage else { return };
        let tier = self.tally.service_tier.clone();
        self.tally.update(usage);
        if self.tally.service_tier != tier {
            out.extend(self.tally.service_tier.clone().map(Event::ServiceTier));
        }
        out.push(Event::Usage(self.tally.usage()));
    }
}

impl StreamReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.phase == Phase::Ended {
            return Ok(());
        }
        let event: StreamEvent<'_> = fault::parse(frame.data)?;
        self.event(event, frame.data, out)
    }

    fn finish(&mut self, _out: &mut Vec<Event>) -> Result<(), Fault> {
        match self.phase {
            Phase::Ended => Ok(()),
            _ => Err(fault::cut("the stream ended before message_stop")),
        }
    }
}

fn index(event: &StreamEvent<'_>) -> Result<u64, Fault> {
    event.index.ok_or_else(|| fault::bad_answer("a block event without index"))
}

fn not_open(index: u64) -> Fault {
    fault::bad_answer(format!("block {index} is not open"))
}
