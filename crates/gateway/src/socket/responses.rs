//! What is spoken at `/v1/responses` over a WebSocket: turns that bring only what is new.
//!
//! A message `response.create` is the body of a request, and answers are the events of a stream, a text each. The
//! connection remembers its own turns, so that `previous_response_id` becomes a full request whoever the upstream is.
//! Source: OpenAI's guide "WebSocket mode", read 2026-11-25; what codex and copilot send.

mod event;
mod history;
mod script;
mod turn;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wire::Fault;

use super::answers::MOST;
use super::conversation::{Desk, Protocol};
use super::line::End;
use crate::arrival::Arrival;
use crate::door::Caller;
use crate::items::Items;
use crate::problem;
use history::History;
use script::ResponsesScript;
use turn::{Refused, Turn};

/// The protocol's state: who asks, and what was said.
pub(super) struct Responses {
    /// `None`: the handshake brought no key, and no message can.
    caller: Option<Caller>,
    /// Shared with the answers under way, which add to it.
    history: Arc<Mutex<History>>,
}

impl Protocol for Responses {
    fn hear(&mut self, text: &str, desk: &mut Desk) -> Result<(), End> {
        match self.create(text, desk) {
            Ok(()) => {}
            Err(Refused::UnknownPrevious(id)) => desk.reply(event::unknown_previous(&id)),
            Err(Refused::Fault(fault)) => {
                let refusal = problem::refusal(desk.surface(), &fault, &[], Arrival::now());
                desk.reply(event::error(&refusal));
            }
        }
        Ok(())
    }
}

impl Responses {
    /// So many bytes are remembered of the connection's turns.
    pub(super) fn new(caller: Option<Caller>, history_bytes: usize) -> Self {
        Self { caller, history: Arc::new(Mutex::new(History::new(history_bytes))) }
    }

    /// Starts a turn. Turns are answered one after another: they have no id that would tell their events apart.
    fn create(&mut self, text: &str, desk: &mut Desk) -> Result<(), Refused> {
        let turn = Turn::parse(text)?;
        let unauthenticated = || Fault::Unauthenticated { why: "a key is needed in the handshake".into() };
        let caller = self.caller.clone().ok_or_else(unauthenticated)?;
        let (model, is_warm_up) = (turn.model.clone(), turn.is_warm_up);
        let (body, input) = turn.expand(&self.history())?;
        if is_warm_up {
            self.warm_up(model.as_deref().unwrap_or_default(), input, desk);
            return Ok(());
        }
        if desk.answers.is_full() {
            let why = format!("{MOST} responses wait on this connection; wait for one to complete");
            return Err(Fault::RateLimited { why, retry_after: None }.into());
        }
        let script = ResponsesScript::new(self.history.clone(), input);
        desk.start(None, caller, body, Box::new(script));
        Ok(())
    }

    /// A turn that generates nothing: its input is remembered for the turns that build on it. No upstream is asked.
    fn warm_up(&mut self, model: &str, input: Items, desk: &mut Desk) {
        let arrival = Arrival::now();
        let id = format!("resp_{}", arrival.id.simple());
        self.history().remember(&id, input);
        event::warmed_up(&id, model, arrival.wall.as_second()).into_iter().for_each(|text| desk.reply(text));
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
