//! Reads a stream: frames to events.

mod item;
mod out;

use std::collections::BTreeMap;

use self::item::Item;
use self::out::Out;
use super::response::{self, Gathered};
use super::shape::{Answer, StreamEvent};
use super::stop::{self, Ending};
use super::{fault, usage};
use crate::chat::stop_text::StopText;
use crate::chat::{Event, Leftover, Undo};
use crate::dialect::StreamReader;
use crate::fault::Fault;
use crate::frame::Frame;

/// OpenRouter ends its streams like those of Chat.
pub(super) const DONE: &str = "[DONE]";

/// State of one stream.
#[derive(Debug)]
pub(super) struct Reader {
    undo: Undo,
    phase: Phase,
    out: Out,
    /// Items by their index; those that are done stay, so that nothing is told twice.
    items: BTreeMap<u64, Item>,
    stops: Option<StopText>,
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
        let stops = (!undo.stops.is_empty()).then(|| StopText::new(&undo.stops));
        let (out, items) = (Out::default(), BTreeMap::new());
        let (phase, leftover) = (Phase::BeforeStart, response::leftover());
        Self { undo: undo.clone(), phase, out, items, stops, leftover }
    }

    fn event(&mut self, event: &StreamEvent<'_>, data: &str) -> Result<(), Fault> {
        match &*event.kind {
            "error" => return Err(fault::of_event(data)),
            "response.created" | "response.in_progress" | "response.queued" => {
                self.start(&mut answer(event)?)
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                return self.end(answer(event)?);
            }
            "response.output_item.added" => self.added(event)?,
            "response.output_item.done" => self.done(event)?,
            // Steps of built-in tools, and whatever comes: what counts stands in the item when it is done.
            _ => {
                if let Some(item) = self.items.get_mut(&event.output_index) {
                    item.read(event, &mut self.out);
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, answer: &mut Answer<'_>) {
        self.leftover.keep(std::mem::take(&mut answer.rest));
        if self.phase != Phase::BeforeStart {
            return;
        }
        self.phase = Phase::Running;
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let created = answer.created_at.and_then(response::seconds);
        let (id, model) = (given(&answer.id), given(&answer.model));
        self.out.push(Event::Start { id, model, created });
    }

    fn added(&mut self, event: &StreamEvent<'_>) -> Result<(), Fault> {
        let item = Item::added(event.item.ok_or_else(|| no("item"))?, &self.undo, &mut self.out)?;
        // An index that comes again (seen nowhere) would mix two items.
        match self.items.insert(event.output_index, item) {
            Some(before) if !before.is_done() => {
                Err(fault::bad_answer(format!("item {} began twice", event.output_index)))
            }
            _ => Ok(()),
        }
    }

    fn done(&mut self, event: &StreamEvent<'_>) -> Result<(), Fault> {
        let raw = event.item.ok_or_else(|| no("item"))?;
        let item = match self.items.entry(event.output_index) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(Item::added(raw, &self.undo, &mut self.out)?)
            }
        };
        item.done(raw, &self.undo, &mut self.out)
    }

    /// The last event. Items that no other event told are taken from here.
    fn end(&mut self, mut answer: Answer<'_>) -> Result<(), Fault> {
        response::check(&answer)?;
        self.start(&mut answer);
        for item in self.items.values_mut() {
            item.close(&mut self.out);
        }
        if self.items.is_empty() {
            let mut gathered = Gathered::default();
            for item in answer.output.iter().flatten() {
                gathered.item(item, &self.undo)?;
            }
            self.out.gathered(gathered);
        }
        let tier = answer.service_tier.take().map(Event::ServiceTier);
        let usage = answer.usage.and_then(usage::decode).map(Event::Usage);
        [tier, usage, self.leftover.tell()?].into_iter().flatten().for_each(|event| self.out.push(event));
        let ending = Ending { called: self.out.called, refused: self.out.refused };
        let stop = stop::decode(response::incomplete(&answer), ending);
        self.out.push(Event::Stop { choice: 0, stop });
        self.phase = Phase::Ended;
        Ok(())
    }

    /// Hands over what has been read, up to a stop text.
    fn hand_over(&mut self, events: &mut Vec<Event>) {
        let read = self.out.events();
        match &mut self.stops {
            None => events.append(read),
            Some(stops) => read.drain(..).for_each(|event| stops.push(event, events)),
        }
    }
}

impl StreamReader for Reader {
    fn read(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let data = frame.data.trim();
        if self.phase == Phase::Ended || data.is_empty() || data == DONE {
            return Ok(());
        }
        let event: StreamEvent<'_> =
            serde_json::from_str(data).map_err(|error| in_place(data, error.to_string()))?;
        let outcome = match self.phase {
            Phase::BeforeStart if event.response.is_none() && event.kind != "error" => {
                Err(fault::bad_answer("an event before response.created".to_owned()))
            }
            _ => self.event(&event, data),
        };
        self.hand_over(events);
        outcome
    }

    fn finish(&mut self, _: &mut Vec<Event>) -> Result<(), Fault> {
        match self.phase {
            Phase::Ended => Ok(()),
            _ => Err(fault::cut("the stream ended before response.completed")),
        }
    }
}

/// A frame that is no event of this format: an error object in its place, or junk.
fn in_place(data: &str, why: String) -> Fault {
    let value: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
    match value.get("error").filter(|error| !error.is_null()) {
        Some(error) => fault::in_band(error),
        None => fault::bad_answer(why),
    }
}

fn answer<'a>(event: &StreamEvent<'a>) -> Result<Answer<'a>, Fault> {
    response::read(event.response.ok_or_else(|| no("response"))?)
}

fn no(member: &str) -> Fault {
    fault::bad_answer(format!("an event without {member}"))
}
