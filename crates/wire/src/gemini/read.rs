//! Reads a stream: chunks to events. A whole answer is read as a stream of one chunk.

mod call;
mod candidate;

use serde_json::Value;

use self::candidate::{Candidate, Turn};
use super::shape::Chunk;
use super::usage::Tally;
use super::{fault, stop};
use crate::chat::{Event, Leftover, PartId, Stop, StopReason, Undo, Usage};
use crate::dialect::{Dialect, StreamReader};
use crate::fault::Fault;
use crate::frame::Frame;

/// Fields of answers that say nothing: when it was made, and what an SDK says of its own.
const IDLE: &[&str] = &["createTime", "sdkHttpResponse"];

/// State of one stream. There is no end marker: the stream is whole when each candidate has a reason to have finished and
/// the connection closes. Reasons are kept until then, for some models repeat them on every chunk.
#[derive(Debug)]
pub(super) struct Reader {
    undo: Undo,
    started: bool,
    /// The upstream's id, once known; ids that are made up depend on it.
    id: Option<String>,
    model: Option<String>,
    parts: PartIds,
    candidates: Vec<Candidate>,
    /// The prompt was refused.
    blocked: Option<Stop>,
    tally: Tally,
    reported: Option<Usage>,
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
            started: false,
            id: None,
            model: None,
            parts: PartIds::default(),
            candidates: Vec::new(),
            blocked: None,
            tally: Tally::default(),
            reported: None,
            leftover: Leftover::new(Dialect::Gemini, &[IDLE]),
        }
    }

    pub(super) fn chunk(&mut self, mut chunk: Chunk<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        if let Some(error) = chunk.error {
            return Err(fault::inside(error.get()));
        }
        self.start(&mut chunk, out);
        for (place, mut given) in (0..).zip(chunk.candidates.take().unwrap_or_default()) {
            let index = given.index.unwrap_or(place);
            self.leftover.keep_at(|| candidate_path(index), std::mem::take(&mut given.rest));
            let position = self.position(index);
            let mut turn = Turn {
                answer_id: self.id.as_deref().unwrap_or_default(),
                model: self.model.as_deref(),
                undo: &self.undo,
                parts: &mut self.parts,
                out,
            };
            self.candidates[position].read(given, &mut turn)?;
        }
        if let Some(feedback) = chunk.prompt_feedback {
            chunk.rest.insert("promptFeedback".to_owned(), Value::Object(feedback.rest));
            let message = feedback.block_reason_message;
            let blocked = feedback.block_reason.map(|reason| stop::blocked(stop::word(reason), message));
            self.blocked = blocked.or(self.blocked.take());
        }
        self.count(chunk.usage_metadata, out);
        self.leftover.keep(chunk.rest);
        out.extend(self.leftover.tell()?);
        Ok(())
    }

    /// The first chunk says who answers.
    fn start(&mut self, chunk: &mut Chunk<'_>, out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        self.id = chunk.response_id.take().filter(|id| !id.is_empty());
        self.model = chunk.model_version.take().filter(|model| !model.is_empty());
        out.push(Event::Start { id: self.id.clone(), model: self.model.clone(), created: None });
    }

    fn position(&mut self, index: u32) -> usize {
        self.candidates.iter().position(|candidate| candidate.index == index).unwrap_or_else(|| {
            self.candidates.push(Candidate::new(index));
            self.candidates.len() - 1
        })
    }

    /// Takes over a usage report, which stands on every chunk.
    fn count(&mut self, usage: Option<&serde_json::value::RawValue>, out: &mut Vec<Event>) {
        let Some(usage) = usage else { return };
        let tier = self.tally.service_tier.clone();
        self.tally.update(usage);
        if self.tally.service_tier != tier {
            out.extend(self.tally.service_tier.clone().map(Event::ServiceTier));
        }
        let counts = self.tally.usage();
        if counts != self.reported {
            self.reported = counts;
            out.extend(counts.map(Event::Usage));
        }
    }

    /// The end of an answer: what was refused, what failed without a word, and what was complete.
    pub(super) fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.candidates.is_empty()
            && let Some(stop) = self.blocked.take()
        {
            out.push(Event::Stop { choice: 0, stop });
            return Ok(());
        }
        if self.candidates.is_empty() || !self.candidates.iter().all(Candidate::is_finished) {
            return Err(fault::cut("it ended without a finish reason"));
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_by_key(|candidate| candidate.index);
        let mut stops = Vec::with_capacity(candidates.len());
        for mut candidate in candidates {
            let mut turn = Turn {
                answer_id: self.id.as_deref().unwrap_or_default(),
                model: self.model.as_deref(),
                undo: &self.undo,
                parts: &mut self.parts,
                out,
            };
            stops.push((candidate.index, candidate.end(&mut turn)));
        }
        self.fail_if_empty(&stops)?;
        out.extend(stops.into_iter().map(|(choice, stop)| Event::Stop { choice, stop }));
        Ok(())
    }

    /// An answer that failed before it said anything may be asked for again.
    fn fail_if_empty(&self, stops: &[(u32, Stop)]) -> Result<(), Fault> {
        let failed = |stop: &Stop| matches!(stop.reason, StopReason::BadCall | StopReason::Error);
        match stops.iter().find(|(_, stop)| failed(stop)) {
            Some((_, stop)) if self.parts.0 == 0 => {
                let word = stop.native.as_deref().unwrap_or_else(|| stop::word_of(stop.reason));
                Err(fault::failed(word, stop.explanation.as_deref()))
            }
            _ => Ok(()),
        }
    }
}

/// Where a candidate stands.
pub(super) fn candidate_path(candidate: u32) -> String {
    format!("candidates[{candidate}]")
}

impl StreamReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        let data = frame.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data.starts_with('[') {
            let chunks: Vec<Chunk<'_>> = fault::parse(data)?;
            return chunks.into_iter().try_for_each(|chunk| self.chunk(chunk, out));
        }
        let chunk: Chunk<'_> = fault::parse(data)?;
        self.chunk(chunk, out)
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), Fault> {
        self.end(out)
    }
}
