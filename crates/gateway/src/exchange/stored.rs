//! A request whose answer the gateway keeps, or that goes on from one that it has kept (`previous_response_id`): what was
//! said before is put into its input, so that any provider can answer it, in any format.
//!
//! All of this is off unless it is configured. An id that is not known here is left to `continued`.

mod record;

use std::sync::Arc;

use store::{Chain, ChainLimits, ResponseOwner, ResponseRef, StoredResponse};
use wire::chat::Loss;
use wire::{Fault, Operation, RawObject};

pub(super) use record::Record;

use super::admit::Inbound;
use super::attempt::Reply;
use super::meter::Meter;
use crate::app::App;
use crate::credentials;
use crate::items::{self, Items};
use crate::responses::oldest_kept;

/// Turns of a conversation, at most.
const TURNS: u32 = 1000;

/// What is known of a turn before it is answered.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    owner: ResponseOwner,
    /// What is new in it: a JSON array.
    input: Arc<str>,
    /// The answer that it goes on from.
    previous: Option<ResponseRef>,
    /// A thought of the turns before is left out.
    forgets: bool,
    /// Its answer is to be kept.
    keeps: bool,
}

impl Inbound {
    /// Whether [`go_on`] has anything to do.
    pub fn concerns_stored(&self) -> bool {
        self.world.doors.responses.store
            && self.surface.surface().stores_answers()
            && (self.keeps() || self.peek.previous.is_some())
    }

    fn keeps(&self) -> bool {
        self.peek.keeps && self.operation == Operation::Chat
    }
}

/// The same request, with what was said before, where it leaves that to the gateway; and with what its answer will be kept
/// with.
///
/// # Errors
/// `PreviousNotFound`: a part of what was said before is gone. `TooLarge`, `Malformed`: it is too much. `Store`: it cannot
/// be read.
pub async fn go_on(app: &App, inbound: Inbound, meter: &Meter) -> Result<Inbound, Fault> {
    let mut inbound = inbound;
    let owner = inbound.owner(meter);
    let owner = ResponseOwner { key: owner.key, project: owner.project };
    let new = items::of_request(&inbound.body)?;
    let input = items::to_list(&new).into();
    let mut turn = Turn { owner, input, previous: None, forgets: false, keeps: inbound.keeps() };
    if let Some(id) = inbound.peek.previous.clone() {
        let Some(turns) = before(app, &inbound, &turn.owner, &id).await? else {
            // It may be kept by its provider, and then the next turns are to be found there too.
            return Ok(inbound);
        };
        turn.previous = turns.last().map(|last| last.at.clone());
        turn.forgets = inbound.prepend(&turns, new)?;
    }
    inbound.turn = Some(turn);
    Ok(inbound)
}

/// All turns up to and with one answer, oldest first; `None`: it is not known here.
async fn before(
    app: &App,
    inbound: &Inbound,
    owner: &ResponseOwner,
    id: &str,
) -> Result<Option<Vec<StoredResponse>>, Fault> {
    let doors = &inbound.world.doors;
    let since = oldest_kept(&doors.responses);
    let limits = ChainLimits { since, turns: TURNS, bytes: doors.body_limit as u64 };
    match app.store.conversation(owner, id, limits).await.map_err(credentials::fault)? {
        Chain::Whole(turns) => Ok(Some(turns)),
        Chain::Unknown => Ok(None),
        Chain::Broken { missing } => Err(Fault::PreviousNotFound {
            why: format!(
                "'{id}' goes on from the response '{missing}', which was deleted or is too old; {WAY_OUT}"
            ),
        }),
        Chain::TooManyTurns => Err(Fault::malformed(
            "previous_response_id".to_owned(),
            format!("the conversation before has more than {TURNS} turns; {WAY_OUT}"),
        )),
        Chain::TooLarge => Err(Fault::TooLarge { limit: limits.bytes }),
    }
}

const WAY_OUT: &str = "send what still matters of it in 'input' instead";

impl Inbound {
    /// Puts all that was said before into the input. Yields whether a thought had to be left out, which nobody can read.
    fn prepend(&mut self, turns: &[StoredResponse], new: Items) -> Result<bool, Fault> {
        let (mut said, mut forgets) = (Items::new(), false);
        for turn in turns {
            let (input, output) = said_in(turn).ok_or_else(|| unreadable(turn))?;
            let (told, before) = (output.len(), said.len() + input.len());
            said.extend(input);
            said.extend(output.iter().filter_map(|item| items::sent_back(item)));
            forgets |= said.len() < before + told;
        }
        said.extend(new);
        let mut body = self.body.clone();
        body.remove("previous_response_id");
        body.set_raw("input", items::to_list(&said));
        let body = body.into_bytes();
        let limit = self.world.doors.body_limit;
        if body.len() > limit {
            return Err(Fault::TooLarge { limit: limit as u64 });
        }
        self.replace_body(RawObject::parse(body)?)?;
        Ok(forgets)
    }
}

/// The items of a turn, and those of its answer; `None`: they were not written by this gateway.
fn said_in(turn: &StoredResponse) -> Option<(Items, Items)> {
    let answer = RawObject::parse(turn.answer.clone().into()).ok()?;
    let output =
        answer.raw("output").filter(|output| *output != "null").map_or(Some(Items::new()), items::of_list)?;
    Some((items::of_list(&turn.input)?, output))
}

fn unreadable(turn: &StoredResponse) -> Fault {
    Fault::internal(format!("the stored response {} cannot be read", turn.at.id))
}

/// The same reply, with its answer kept: a whole one now, a stream before its end goes out.
pub(super) async fn kept(app: &App, inbound: &Inbound, meter: &mut Meter, reply: Reply) -> Reply {
    let Some(turn) = inbound.turn.clone() else { return reply };
    if turn.forgets {
        meter.lost(vec![Loss::at("thinking_dropped", "previous_response_id")]);
    }
    let record = Record::new(app.shelf.clone(), turn, inbound.arrival);
    match reply {
        Reply::Whole { pieces, echo } => {
            let (pieces, losses) = record.whole(pieces.concat().into()).await;
            meter.lost(losses);
            Reply::Whole { pieces, echo }
        }
        Reply::Stream { relay, echo } => Reply::Stream { relay: Box::new(relay.recording(record)), echo },
    }
}
