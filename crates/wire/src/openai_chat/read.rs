//! Reads a stream: chunks to events.

mod calls;
mod choice;

use self::choice::Choice;
use super::shape::{self, Chunk};
use super::{fault, response, usage};
use crate::chat::{Event, Leftover, PartId, Undo};
use crate::dialect::StreamReader;
use crate::fault::Fault;
use crate::frame::Frame;

/// The data of the last frame.
pub(super) const DONE: &str = "[DONE]";

/// State of one stream.
#[derive(Debug)]
pub(super) struct Reader {
    undo: Undo,
    /// The upstream's id, once known; ids that are made up depend on it.
    id: Option<String>,
    started: bool,
    done: bool,
    parts: PartIds,
    choices: Vec<Choice>,
    service_tier: Option<String>,
    leftover: Leftover,
}

/// Hands out part ids, counting up from 0.
#[derive(Debug, Default)]
struct PartIds(u32);

impl PartIds {
    fn next(&mut self) -> PartId {
        let id = PartId(self.0);
        self.0 = self.0.saturating_add(1);
        id
    }
}

impl Reader {
    pub(super) fn new(undo: &Undo) -> Self {
        Self {
            undo: undo.clone(),
            id: None,
            started: false,
            done: false,
            parts: PartIds::default(),
            choices: Vec::new(),
            service_tier: None,
            leftover: response::leftover(),
        }
    }

    fn chunk(&mut self, mut chunk: Chunk, out: &mut Vec<Event>) -> Result<(), Fault> {
        self.start(&mut chunk, out);
        let mut choices = chunk.choices.take().unwrap_or_default();
        self.leftover.keep(std::mem::take(&mut chunk.rest));
        response::keep_rest(&mut choices, &mut self.leftover);
        if self.started {
            out.extend(self.leftover.tell()?);
        }
        for (place, given) in (0..).zip(choices) {
            self.choice(given, place, out);
        }
        let groq = chunk.x_groq.as_mut().and_then(|groq| groq.get_mut("usage").map(std::mem::take));
        let reported = chunk.usage.or(groq).filter(|usage| !usage.is_null());
        out.extend(reported.as_ref().map(|reported| Event::Usage(usage::decode(reported))));
        if chunk.service_tier.is_some() && chunk.service_tier != self.service_tier {
            self.service_tier = chunk.service_tier;
            out.extend(self.service_tier.clone().map(Event::ServiceTier));
        }
        Ok(())
    }

    /// The first chunk that says who answers. Azure's first chunk has neither id nor model nor choices.
    fn start(&mut self, chunk: &mut Chunk, out: &mut Vec<Event>) {
        let id = chunk.id.take().filter(|id| !id.is_empty());
        let model = chunk.model.take().filter(|model| !model.is_empty());
        let content = chunk.choices.as_ref().is_some_and(|choices| !choices.is_empty());
        if self.started || (id.is_none() && model.is_none() && !content) {
            return;
        }
        self.started = true;
        self.id.clone_from(&id);
        let created = chunk.created.as_ref().and_then(response::seconds).filter(|seconds| *seconds > 0);
        out.push(Event::Start { id, model, created });
    }

    fn choice(&mut self, given: shape::Choice, place: u32, out: &mut Vec<Event>) {
        let index = given.index.unwrap_or(place);
        let position = self.choices.iter().position(|choice| choice.index == index).unwrap_or_else(|| {
            self.choices.push(Choice::new(index));
            self.choices.len() - 1
        });
        let mut turn = choice::Turn {
            answer_id: self.id.as_deref().unwrap_or_default(),
            undo: &self.undo,
            parts: &mut self.parts,
            out,
        };
        self.choices[position].read(given, &mut turn);
    }
}

impl StreamReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        let data = frame.data.trim();
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == DONE {
            self.done = true;
            return Ok(());
        }
        let chunk = parse(frame.event, data)?;
        self.chunk(chunk, out)
    }

    fn finish(&mut self, _: &mut Vec<Event>) -> Result<(), Fault> {
        if !self.choices.is_empty() && self.choices.iter().all(Choice::is_stopped) {
            return Ok(());
        }
        Err(Fault::Cut {
            provider: String::new(),
            why: "the stream ended without a finish reason".to_owned(),
        })
    }
}

/// A chunk, or the error that stands in its place (Groq), in it (OpenRouter) or in one of its choices.
fn parse(event: &str, data: &str) -> Result<Chunk, Fault> {
    let chunk: Chunk = serde_json::from_str(data).map_err(|error| fault::bad_answer(error.to_string()))?;
    if let Some(error) = &chunk.error {
        return Err(fault::in_band(error));
    }
    if event == "error" {
        return Err(fault::in_band(&serde_json::from_str(data).unwrap_or_default()));
    }
    let failed = chunk.choices.iter().flatten().find_map(|choice| choice.error.as_ref());
    failed.map_or(Ok(()), |error| Err(fault::in_band(error)))?;
    Ok(chunk)
}
