//! Writes a stream: events to chunks, each a `GenerateContentResponse` with new parts.
//!
//! Nothing that this writes can be out of order: a call is written whole when it closes, and why an answer ended, its
//! sources and its usage stand in one last chunk, which is written only when the stream is complete.

mod envelope;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use bytes::BytesMut;
use serde_json::Value;

use self::envelope::{Envelope, Last};
use super::fault;
use super::grounding::Sources;
use super::read::candidate_path;
use super::response::{call, is_plain};
use super::shape::out;
use super::{logprobs, media, signature, stop, usage};
use crate::chat::{Event, Extra, Loss, Part, PartId, PartKind, Piece, Stop, Usage};
use crate::dialect::{Dialect, Echo, SoFar, StreamWriter, Thoughts};
use crate::fault::Fault;

/// State of one stream.
#[derive(Debug)]
pub(super) struct Writer {
    echo: Echo,
    envelope: Envelope,
    candidates: BTreeMap<u32, Candidate>,
    /// Parts that are open, and what is known of each.
    open: HashMap<PartId, Open>,
    usage: Option<Usage>,
    service_tier: Option<String>,
    /// Fields without a canonical name.
    extra: Extra,
    losses: Vec<Loss>,
}

/// What has been written of a candidate, and what waits for its end.
#[derive(Debug, Default)]
struct Candidate {
    sources: Sources,
    logprobs: Vec<Value>,
    stop: Option<Stop>,
}

#[derive(Debug)]
struct Open {
    candidate: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// `from`: bytes of text before it.
    Text { from: usize },
    /// Gathered: a thought, for its signature may carry it; a call, for it is written whole.
    Gathered(Part),
    /// Written at its opening, or lost.
    Done,
}

impl Writer {
    pub(super) fn new(echo: Echo) -> Self {
        let envelope = Envelope::new(&echo);
        Self {
            echo,
            envelope,
            candidates: BTreeMap::new(),
            open: HashMap::new(),
            usage: None,
            service_tier: None,
            extra: Extra::default(),
            losses: Vec::new(),
        }
    }

    fn candidate(&mut self, index: u32) -> &mut Candidate {
        self.candidates.entry(index).or_default()
    }

    fn lose(&mut self, code: &'static str, candidate: u32) {
        self.losses.push(Loss::at(code, format!("candidates[{candidate}].content")));
    }

    fn begin(&mut self, id: PartId, candidate: u32, kind: &PartKind, out: &mut BytesMut) {
        let from = self.candidate(candidate).sources.length();
        let kind = match kind.clone() {
            PartKind::Text | PartKind::Refusal => Kind::Text { from },
            PartKind::Thinking { id, origin } => Kind::Gathered(Part::Thinking {
                text: String::new(),
                signature: None,
                encrypted: None,
                id,
                origin,
            }),
            PartKind::RedactedThinking { data, origin } => {
                Kind::Gathered(Part::RedactedThinking { data, origin })
            }
            PartKind::ToolCall { id, name, kind } => {
                Kind::Gathered(Part::ToolCall { id, name, args: String::new(), signature: None, kind })
            }
            PartKind::ServerTool { raw, origin } => {
                if origin.dialect == Dialect::Gemini {
                    self.envelope.chunk(candidate, &[out::Part::Raw(&raw)], out);
                } else {
                    self.lose("server_tool", candidate);
                }
                Kind::Done
            }
            PartKind::Media { mime, data } => {
                self.envelope.chunk(candidate, &[media::blob(mime, &data, None)], out);
                Kind::Done
            }
        };
        self.open.insert(id, Open { candidate, kind });
    }

    fn extend(&mut self, id: PartId, piece: &Piece, out: &mut BytesMut) {
        let Some(mut open) = self.open.remove(&id) else { return };
        let index = open.candidate;
        match (&mut open.kind, piece) {
            (Kind::Text { .. }, Piece::Text(text)) if !text.is_empty() => {
                self.candidate(index).sources.text(text);
                self.envelope.chunk(index, &[out::Part::text(text.as_str())], out);
            }
            (Kind::Text { from }, Piece::Citation(citation)) => {
                let from = *from;
                if !self.candidate(index).sources.cite(from, citation) {
                    self.lose("citations", index);
                }
            }
            (Kind::Gathered(part), piece) => {
                if let (Part::Thinking { .. }, Piece::Text(text)) = (&*part, piece)
                    && self.echo.thoughts == Thoughts::Shown
                    && !text.is_empty()
                {
                    self.envelope.chunk(index, &[out::Part::thought(text.as_str(), None)], out);
                }
                gather(part, piece);
            }
            _ => {}
        }
        self.open.insert(id, open);
    }

    fn close(&mut self, id: PartId, out: &mut BytesMut) {
        let Some(Open { candidate, kind: Kind::Gathered(part) }) = self.open.remove(&id) else { return };
        match &part {
            Part::ToolCall { .. } => {
                let (call, taken) = call(&part);
                if !taken {
                    self.lose("tool_args_invalid", candidate);
                }
                self.envelope.chunk(candidate, call.as_slice(), out);
            }
            _ => self.seal(&part, candidate, out),
        }
    }

    /// What a client keeps of a thought that has been shown: its signature, or the whole of it, if another family made it.
    fn seal(&mut self, thought: &Part, candidate: u32, out: &mut BytesMut) {
        let shown = self.echo.thoughts == Thoughts::Shown;
        let (seal, shown) = match thought {
            Part::Thinking { text, signature, origin, .. } if signature::is_ours(origin.as_ref()) => {
                let Some(seal) = signature::legible(signature.as_deref()) else { return };
                (Cow::Borrowed(seal), shown && !text.is_empty())
            }
            thought => match signature::wrap(thought) {
                Some(carrier) => (Cow::Owned(carrier), shown),
                None if is_plain(thought) => return,
                None => return self.lose("thinking_dropped", candidate),
            },
        };
        let part = if shown { out::Part::thought("", Some(seal)) } else { out::Part::signature(seal) };
        self.envelope.chunk(candidate, &[part], out);
    }

    /// Closes what a candidate has left open.
    fn stop(&mut self, index: u32, stop: &Stop, out: &mut BytesMut) {
        let mut left: Vec<PartId> =
            self.open.iter().filter(|(_, open)| open.candidate == index).map(|(id, _)| *id).collect();
        left.sort_unstable();
        left.into_iter().for_each(|id| self.close(id, out));
        self.losses.extend(stop::loss(stop.reason, index));
        self.candidate(index).stop = Some(stop.clone());
    }
}

fn gather(part: &mut Part, piece: &Piece) {
    match (part, piece) {
        (Part::Thinking { text, .. }, Piece::Text(more)) => text.push_str(more),
        (Part::ToolCall { args, .. }, Piece::ToolInput(more)) => args.push_str(more),
        (Part::Thinking { signature, .. } | Part::ToolCall { signature, .. }, Piece::Signature(whole)) => {
            *signature = Some(whole.clone());
        }
        (Part::Thinking { encrypted, .. }, Piece::Encrypted(whole)) => *encrypted = Some(whole.clone()),
        _ => {}
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Start { id, model, .. } => {
                self.envelope.start(&self.echo, id.as_deref(), model.as_deref());
            }
            Event::Open { part, choice, kind } => {
                if self.candidate(*choice).stop.is_none() {
                    self.begin(*part, *choice, kind, out);
                }
            }
            Event::Delta { part, piece } => self.extend(*part, piece, out),
            Event::Close { part } => self.close(*part, out),
            Event::Logprobs { choice, raw } => {
                let result = logprobs::encode(raw);
                self.candidate(*choice).logprobs.extend(result);
            }
            Event::Usage(usage) => self.usage.get_or_insert_default().update(usage),
            Event::ServiceTier(tier) => self.service_tier = Some(tier.clone()),
            Event::Fields(fields) => {
                fields.report(Dialect::Gemini, &mut self.losses);
                self.extra.update(fields);
            }
            Event::Foreign { .. } => self.lose("foreign", 0),
            Event::Stop { choice, stop } => self.stop(*choice, stop, out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        let last = |(index, candidate): (&u32, &Candidate)| {
            candidate.stop.as_ref().map(|stop| Last {
                index: *index,
                finish_reason: stop::encode(stop).to_owned(),
                finish_message: stop.explanation.clone(),
                grounding_metadata: candidate.sources.metadata(),
                logprobs_result: joined(&candidate.logprobs),
                extra: self.extra.inner(Dialect::Gemini, &candidate_path(*index)),
            })
        };
        let candidates: Vec<Last> = self.candidates.iter().filter_map(last).collect();
        let counts = usage::encode(self.usage.as_ref(), self.service_tier.as_deref());
        self.envelope.last(&candidates, counts.as_ref(), &self.extra, out);
    }

    fn fail(&mut self, fault: &Fault, out: &mut BytesMut) {
        let object = fault::object(fault, &self.echo.request_id);
        self.envelope.fail(&object, out);
    }

    fn losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }
}

/// The probabilities of all chunks in one.
fn joined(results: &[Value]) -> Option<Value> {
    let (first, rest) = results.split_first()?;
    let mut all = first.clone();
    for result in rest {
        for name in ["chosenCandidates", "topCandidates"] {
            let more = result[name].as_array().cloned().unwrap_or_default();
            if let Some(list) = all[name].as_array_mut() {
                list.extend(more);
            }
        }
    }
    Some(all)
}

/// An error as the last frame of a stream that was carried until now.
pub(super) fn fail(fault: &Fault, so_far: &SoFar<'_>, out: &mut BytesMut) {
    let object = fault::object(fault, so_far.request_id);
    envelope::fail(so_far.framing, so_far.elements > 0, &object, out);
}
