//! One candidate of a stream: its parts, from chunk to chunk.

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::shape::{self, Part};
use super::super::{fault, grounding, logprobs, media, names, signature, stop};
use super::PartIds;
use super::call::Call;
use crate::chat::{
    Event, MediaSource, Origin, Part as Canonical, PartId, PartKind, Piece, Stop, ToolKind, Undo,
};
use crate::dialect::Dialect;
use crate::fault::Fault;

/// What a candidate needs to know of its stream.
pub(super) struct Turn<'a> {
    pub(super) answer_id: &'a str,
    pub(super) model: Option<&'a str>,
    pub(super) undo: &'a Undo,
    pub(super) parts: &'a mut PartIds,
    pub(super) out: &'a mut Vec<Event>,
}

/// What has been read of a candidate.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) index: u32,
    /// Texts and thoughts go on over several parts; all other parts are complete by themselves.
    open: Option<Open>,
    /// A call whose arguments come in pieces.
    call: Option<Call>,
    calls: u32,
    /// All visible text, which sources count in.
    text: String,
    grounding: Option<Value>,
    attribution: Option<Value>,
    /// Word and message.
    finish: Option<(String, Option<String>)>,
}

#[derive(Debug, Clone, Copy)]
enum Open {
    /// `from`: byte of the whole text at which the part begins.
    Text {
        part: PartId,
        from: usize,
    },
    Thought {
        part: PartId,
    },
}

impl Turn<'_> {
    fn origin(&self) -> Origin {
        Origin { model: self.model.map(str::to_owned), ..Origin::from(Dialect::Gemini) }
    }

    fn open(&mut self, choice: u32, kind: PartKind) -> PartId {
        let part = self.parts.next();
        self.out.push(Event::Open { part, choice, kind });
        part
    }

    fn piece(&mut self, part: PartId, piece: Piece) {
        self.out.push(Event::Delta { part, piece });
    }

    fn close(&mut self, part: PartId) {
        self.out.push(Event::Close { part });
    }
}

impl Candidate {
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            open: None,
            call: None,
            calls: 0,
            text: String::new(),
            grounding: None,
            attribution: None,
            finish: None,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// What one chunk says of this candidate.
    pub(super) fn read(&mut self, given: shape::Candidate<'_>, turn: &mut Turn<'_>) -> Result<(), Fault> {
        if let Some(raw) = given.logprobs_result.and_then(|raw| logprobs::decode(raw.get())) {
            turn.out.push(Event::Logprobs { choice: self.index, raw });
        }
        for raw in given.content.and_then(|content| content.parts).unwrap_or_default() {
            self.part(raw, turn)?;
        }
        self.grounding = given.grounding_metadata.or(self.grounding.take());
        self.attribution = given.citation_metadata.or(self.attribution.take());
        if let Some(word) = given.finish_reason {
            self.finish = Some((stop::word(word), given.finish_message));
        }
        Ok(())
    }

    fn part(&mut self, raw: &RawValue, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let mut part: Part<'_> = fault::parse(raw.get())?;
        let seal = part.thought_signature.take().filter(|seal| !seal.is_empty());
        if let Some(call) = part.function_call.take() {
            return self.function_call(call, seal, turn);
        }
        self.settle(turn);
        match (part.text, part.inline_data) {
            (Some(text), _) if part.thought == Some(true) => self.thought(text, seal, turn),
            (Some(text), _) => self.visible(text, seal, turn),
            (None, Some(blob)) => self.media(blob, seal, turn),
            (None, None) => self.opaque(raw, turn)?,
        }
        Ok(())
    }

    fn visible(&mut self, text: String, seal: Option<String>, turn: &mut Turn<'_>) {
        if !text.is_empty() {
            self.text.push_str(&text);
            let part = match self.open {
                Some(Open::Text { part, .. }) => part,
                _ => self.begin_text(text.len(), turn),
            };
            turn.piece(part, Piece::Text(text));
        }
        self.seal(seal, turn);
    }

    /// Opens a text whose first `written` bytes are in the whole text already.
    fn begin_text(&mut self, written: usize, turn: &mut Turn<'_>) -> PartId {
        self.close(turn);
        let part = turn.open(self.index, PartKind::Text);
        self.open = Some(Open::Text { part, from: self.text.len() - written });
        part
    }

    fn thought(&mut self, text: String, seal: Option<String>, turn: &mut Turn<'_>) {
        let part = match self.open {
            Some(Open::Thought { part }) => part,
            _ => {
                self.close(turn);
                let origin = Some(turn.origin());
                turn.open(self.index, PartKind::Thinking { id: None, origin })
            }
        };
        self.open = Some(Open::Thought { part });
        if !text.is_empty() {
            turn.piece(part, Piece::Text(text));
        }
        if let Some(seal) = seal {
            turn.piece(part, Piece::Signature(seal));
            self.close(turn);
        }
    }

    /// The signature of a part that has no place for one: a thought without words right after it.
    fn seal(&mut self, seal: Option<String>, turn: &mut Turn<'_>) {
        let Some(seal) = seal else { return };
        self.close(turn);
        let origin = Some(turn.origin());
        let part = turn.open(self.index, PartKind::Thinking { id: None, origin });
        turn.piece(part, Piece::Signature(seal));
        turn.close(part);
    }

    fn media(&mut self, blob: shape::Blob, seal: Option<String>, turn: &mut Turn<'_>) {
        self.close(turn);
        let (mime, data) = match media::inline(blob) {
            Canonical::Audio { data, format } => (format!("audio/{format}"), data),
            Canonical::Image { source: MediaSource::Base64 { mime, data }, .. }
            | Canonical::File { source: MediaSource::Base64 { mime, data }, .. } => (mime, data),
            _ => return,
        };
        let part = turn.open(self.index, PartKind::Media { mime, data });
        turn.close(part);
        self.seal(seal, turn);
    }

    /// Steps of tools that the provider runs, and whatever comes tomorrow; its signature stays inside.
    fn opaque(&mut self, raw: &RawValue, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let raw: Value = fault::parse(raw.get())?;
        let sealed = signature::stated(raw["thoughtSignature"].as_str().map(str::to_owned));
        if raw
            .as_object()
            .is_some_and(|fields| fields.keys().all(|key| key == "thoughtSignature" || key == "thought"))
        {
            self.seal(sealed, turn);
            return Ok(());
        }
        self.close(turn);
        let origin = turn.origin();
        let part = turn.open(self.index, PartKind::ServerTool { raw, origin });
        turn.close(part);
        Ok(())
    }

    fn function_call(
        &mut self,
        given: shape::FunctionCall<'_>,
        seal: Option<String>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Fault> {
        let begins = given.name.as_ref().is_some_and(|name| !name.is_empty());
        if begins {
            self.settle(turn);
            self.close(turn);
        }
        let mut call = match self.call.take() {
            Some(call) => call,
            None if begins => Call::default(),
            None => return Err(fault::bad_answer("a call without a name")),
        };
        let goes_on = given.will_continue == Some(true);
        call.take(given, seal)?;
        self.call = Some(call);
        if !goes_on {
            self.settle(turn);
        }
        Ok(())
    }

    /// Writes the call whose arguments are complete now: other dialects cannot take back a piece of an object.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        let Some(call) = self.call.take() else { return };
        let made_up = || names::call_id(turn.answer_id, self.index, self.calls);
        let id = call.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(made_up);
        self.calls = self.calls.saturating_add(1);
        let name = turn.undo.tool_name(&call.name);
        let custom = turn.undo.custom_tools.contains(&name);
        let kind = if custom { ToolKind::Custom } else { ToolKind::Function };
        let seal = call.signature.clone();
        let args = if custom { call.free_text() } else { call.args() };
        let part = turn.open(self.index, PartKind::ToolCall { id, name, kind });
        // First, for some formats tell it before the call.
        if let Some(seal) = seal {
            turn.piece(part, Piece::Signature(seal));
        }
        turn.piece(part, Piece::ToolInput(args));
        turn.close(part);
    }

    fn close(&mut self, turn: &mut Turn<'_>) {
        match self.open.take() {
            Some(Open::Text { part, .. } | Open::Thought { part }) => turn.close(part),
            None => {}
        }
    }

    /// The answer is complete: its sources are put on its last text.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>) -> Stop {
        self.settle(turn);
        self.cite(turn);
        self.close(turn);
        let (word, message) = self.finish.take().unwrap_or_default();
        stop::decode(&word, message, self.calls > 0)
    }

    fn cite(&mut self, turn: &mut Turn<'_>) {
        let from = match self.open {
            Some(Open::Text { from, .. }) => from,
            _ => self.text.len(),
        };
        let citations =
            grounding::decode(self.grounding.as_ref(), self.attribution.as_ref(), &self.text, from);
        if citations.is_empty() {
            return;
        }
        let part = match self.open {
            Some(Open::Text { part, .. }) => part,
            _ => self.begin_text(0, turn),
        };
        for citation in citations {
            turn.piece(part, Piece::Citation(citation));
        }
    }
}
