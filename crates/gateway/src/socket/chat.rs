//! What is spoken at `/v1/ws`: LLM-Bridge's protocol, and what it lacked: ids, cancelling, keys once for all.
//!
//! Answers are texts in the form of server-sent events, `data: {chunk}` and at the end `data: [DONE]`, each with a blank
//! line. Whatever is not part of an answer is bare JSON.

mod message;
mod script;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use wire::{Fault, RawObject};

use super::answers::{MOST, Script};
use super::conversation::{Desk, Protocol};
use super::line::End;
use crate::arrival::Arrival;
use crate::clock;
use crate::door::Caller;
use crate::problem;
use message::Message;
use script::ChatScript;

/// Wrong keys on one socket, after which it is closed: guessing must cost a connection.
const WRONG_KEYS: u32 = 10;

/// The protocol's state: who is at the other end.
pub(super) struct Chat {
    /// From the handshake or a message `auth`. `None`: every request brings its key.
    caller: Option<Caller>,
    wrong_keys: u32,
}

/// Something that is not a request: said without `data: `, and the connection lives.
struct Complaint {
    code: &'static str,
    why: String,
}

impl Complaint {
    fn new(code: &'static str, why: impl Into<String>) -> Self {
        Self { code, why: why.into() }
    }

    fn into_text(self, id: Option<&str>) -> String {
        let error = json!({
            "message": self.why,
            "type": "invalid_request_error",
            "param": null,
            "code": self.code,
            "timestamp": clock::wall().to_string(),
        });
        marked(json!({ "error": error }), id)
    }
}

impl Protocol for Chat {
    fn hear(&mut self, text: &str, desk: &mut Desk) -> Result<(), End> {
        let message = match Message::parse(text) {
            Ok(message) => message,
            Err(why) => {
                desk.reply(Complaint::new("invalid_message", why).into_text(None));
                return Ok(());
            }
        };
        if let Err(complaint) = self.obey(&message, desk) {
            desk.reply(complaint.into_text(message.id));
        }
        if self.wrong_keys >= WRONG_KEYS {
            return Err(End::Close(CloseCode::Policy, "too many wrong keys"));
        }
        Ok(())
    }
}

impl Chat {
    pub(super) fn new(caller: Option<Caller>) -> Self {
        Self { caller, wrong_keys: 0 }
    }

    fn obey(&mut self, message: &Message<'_>, desk: &mut Desk) -> Result<(), Complaint> {
        match message.kind.as_deref() {
            Some("chat") => self.chat(message, desk),
            Some("auth") => self.auth(message, desk),
            Some("cancel") => cancel(message, desk),
            Some("ping") => {
                desk.reply(marked(json!({"type": "pong"}), message.id));
                Ok(())
            }
            Some(other) => {
                let why = format!("unknown message type '{other}'; known are chat, auth, cancel, ping");
                Err(Complaint::new("unknown_type", why))
            }
            None => Err(Complaint::new("missing_field", "'type' is missing")),
        }
    }

    fn chat(&mut self, message: &Message<'_>, desk: &mut Desk) -> Result<(), Complaint> {
        let payload = message.payload.map(|payload| payload.get()).filter(|payload| payload.starts_with('{'));
        let payload = payload
            .ok_or_else(|| Complaint::new("missing_field", "'payload' is missing, or is not an object"))?;
        if message.api_key.is_none() && self.caller.is_none() {
            return Err(Complaint::new("invalid_api_key", "'api_key' is missing"));
        }
        if message.id.is_some_and(|id| desk.answers.has(id)) {
            return Err(Complaint::new("duplicate_id", "a request of this id is being answered"));
        }
        if desk.answers.is_full() {
            let why = format!("{MOST} requests are being answered here; wait for one to end");
            return Err(Complaint::new("too_many_requests", why));
        }
        let mut script = ChatScript::new(message.id);
        match self.who(message, desk) {
            Ok(caller) => {
                let body = body(payload, message.project.as_deref());
                desk.start(message.id.map(str::to_owned), caller, body, Box::new(script));
            }
            Err(fault) => {
                let refusal = problem::refusal(desk.surface(), &fault, &[], Arrival::now());
                let mut texts = Default::default();
                script.refusal(&refusal, &mut texts);
                script.end(&mut texts);
                texts.into_iter().for_each(|text| desk.reply(text.to_string()));
            }
        }
        Ok(())
    }

    /// One key for all requests to come.
    fn auth(&mut self, message: &Message<'_>, desk: &mut Desk) -> Result<(), Complaint> {
        if message.api_key.is_none() {
            return Err(Complaint::new("missing_field", "'api_key' is missing"));
        }
        let caller =
            self.who(message, desk).map_err(|fault| Complaint::new(fault.code(), fault.to_string()))?;
        self.caller = Some(caller);
        desk.reply(marked(json!({"type": "authenticated"}), message.id));
        Ok(())
    }

    /// Who guesses on other connections too is not let go on with this one.
    fn wrong_key(&mut self, fault: &Fault) {
        self.wrong_keys = match fault {
            Fault::RateLimited { .. } => WRONG_KEYS,
            _ => self.wrong_keys + 1,
        };
    }

    /// Who sends a message: the holder of its key, who must be the one that the connection belongs to, if it belongs to
    /// somebody.
    fn who(&mut self, message: &Message<'_>, desk: &Desk) -> Result<Caller, Fault> {
        let world = desk.app().world();
        let holder = |key: &str| world.doors.access.holder(key, desk.peer());
        let named = message.api_key.as_deref().map(holder).transpose();
        let named = named.inspect_err(|fault| self.wrong_key(fault))?;
        let unauthenticated = |why: &'static str| Fault::Unauthenticated { why: why.into() };
        if self.caller.as_ref().is_some_and(|caller| !world.doors.access.still_valid(caller)) {
            self.caller = None;
            if named.is_none() {
                return Err(unauthenticated(
                    "the key of this connection was revoked, changed or has expired",
                ));
            }
        }
        match (named, &self.caller) {
            (Some(named), Some(caller)) if named != *caller => {
                Err(unauthenticated("the connection belongs to another key"))
            }
            (Some(caller), _) => Ok(caller),
            (None, caller) => caller.clone().ok_or_else(|| unauthenticated("'api_key' is missing")),
        }
    }
}

fn cancel(message: &Message<'_>, desk: &mut Desk) -> Result<(), Complaint> {
    if !desk.answers.cancel(message.id) {
        return Err(Complaint::new("unknown_id", "no request of this id is being answered"));
    }
    desk.reply(marked(json!({"type": "cancelled"}), message.id));
    Ok(())
}

/// The request's body: the payload, always streamed, in the message's project unless it names its own. What cannot be
/// read is left as it is, for the exchange to refuse.
fn body(payload: &str, project: Option<&str>) -> Bytes {
    let payload = Bytes::copy_from_slice(payload.as_bytes());
    let Ok(mut body) = RawObject::parse(payload.clone()) else { return payload };
    body.set("stream", &true);
    if let Some(project) = project.filter(|_| !body.has("project")) {
        body.set("project", project);
    }
    body.into_bytes()
}

/// A reply, with the id of the message that it replies to.
fn marked(mut reply: Value, id: Option<&str>) -> String {
    // The id is valid JSON: it was cut out of a message that was read.
    if let Some(id) = id.and_then(|id| serde_json::from_str(id).ok()) {
        reply["request_id"] = id;
    }
    reply.to_string()
}
