//! The calls of one choice, put together from their pieces. Several may be open at once.

use super::choice::Turn;
use crate::chat::{PartId, PartKind, Piece, ToolKind};
use crate::openai::names;
use crate::openai_chat::{request, shape};

/// Calls of a choice in the order of their appearance.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
}

#[derive(Debug, Default)]
struct Call {
    index: Option<u32>,
    id: String,
    name: String,
    kind: ToolKind,
    /// Once it has a name.
    part: Option<PartId>,
    /// Arguments that came before the name.
    held: String,
}

impl Calls {
    /// One piece of a call; `position` is its place in the chunk's list.
    pub(super) fn read(&mut self, choice: u32, position: usize, piece: shape::ToolCall, turn: &mut Turn<'_>) {
        let id = piece.id.unwrap_or_default();
        let place = self.find(piece.index, &id, position).unwrap_or_else(|| {
            self.calls.push(Call { index: piece.index, id: id.clone(), ..Call::default() });
            self.calls.len() - 1
        });
        let call = &mut self.calls[place];
        if call.id.is_empty() {
            call.id = id;
        }
        let (name, args) = match (piece.custom, piece.function.unwrap_or_default()) {
            (Some(custom), _) => {
                call.kind = ToolKind::Custom;
                (custom.name, custom.input)
            }
            (None, function) => (function.name, function.arguments),
        };
        call.name_it(name, choice, place, turn);
        if let Some((part, signature)) =
            call.part.zip(piece.extra_content.as_ref().and_then(request::signature))
        {
            turn.piece(part, Piece::Signature(signature));
        }
        call.argue(args.unwrap_or_default(), turn);
    }

    /// The call that a piece belongs to: by index, but an id that changes begins another call (some servers number
    /// every call 0); without an index by id, else by position.
    fn find(&self, index: Option<u32>, id: &str, position: usize) -> Option<usize> {
        let same_id = |call: &Call| id.is_empty() || call.id.is_empty() || call.id == id;
        match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index && same_id(call)),
            None if !id.is_empty() => self.calls.iter().rposition(|call| call.id == id),
            None => self.calls.get(position).map(|_| position),
        }
    }

    /// Closes all of them. `true`: there were some.
    pub(super) fn close(&mut self, choice: u32, turn: &mut Turn<'_>) -> bool {
        for (place, call) in self.calls.iter_mut().enumerate() {
            let part = call.open(choice, place, turn);
            turn.close(part);
        }
        !self.calls.is_empty()
    }
}

impl Call {
    /// The first name counts; servers that repeat it mean the same.
    fn name_it(&mut self, name: Option<String>, choice: u32, place: usize, turn: &mut Turn<'_>) {
        if let Some(name) = name.filter(|name| !name.is_empty() && self.part.is_none()) {
            self.name = name;
            self.open(choice, place, turn);
        }
    }

    fn open(&mut self, choice: u32, place: usize, turn: &mut Turn<'_>) -> PartId {
        if let Some(part) = self.part {
            return part;
        }
        if self.id.is_empty() {
            self.id = names::call_id(turn.answer_id, choice, place);
        }
        let (id, name) = (self.id.clone(), turn.undo.tool_name(&self.name));
        let part = turn.open(choice, PartKind::ToolCall { id, name, kind: self.kind });
        self.part = Some(part);
        self.argue(String::new(), turn);
        part
    }

    fn argue(&mut self, args: String, turn: &mut Turn<'_>) {
        self.held.push_str(&args);
        if let Some(part) = self.part
            && !self.held.is_empty()
        {
            turn.piece(part, Piece::ToolInput(std::mem::take(&mut self.held)));
        }
    }
}
