//! Decides what a request gets: by path, by key, and then by the script its model name holds.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::faults::{self, Fault};
use crate::http::Request;
use crate::journal::Journal;
use crate::replay::{self, Recorded, Recording};
use crate::reply::{Framing, Head, Reply, Step};
use crate::script::{Kind, Script};
use crate::sse::{self, Frame};
use crate::wire::{self, Refusal, Wire};
use crate::{Options, answer};

/// How long `slow-drip` waits before each event, and `close-idle` before it closes.
const A_MOMENT: Duration = Duration::from_millis(50);

/// Whoever asks is answered here.
#[derive(Debug)]
pub(super) struct Desk {
    options: Options,
    /// `http://127.0.0.1:PORT`
    origin: String,
    journal: Arc<Journal>,
    /// How often each model was asked, for faults that pass.
    asked: Mutex<HashMap<String, u64>>,
}

/// A question about the journal rather than a request to be put into it.
pub(super) fn is_question(request: &Request) -> bool {
    matches!(request.path(), "/_received" | "/_connections")
}

impl Desk {
    pub(super) fn new(options: Options, address: SocketAddr, journal: Arc<Journal>) -> Self {
        Self { options, origin: format!("http://{address}"), journal, asked: Mutex::default() }
    }

    /// The answer to a request: the `serial`th of all, after `served` others on its connection.
    pub(super) fn reply(&self, request: &Request, serial: usize, served: usize) -> Reply {
        match (request.method.as_str(), request.path()) {
            ("GET", "/_received") => Reply::json(200, &self.received()),
            ("GET", "/_connections") => Reply::json(200, &json!({"accepted": self.journal.connections()})),
            ("GET", path) if path.ends_with("/models") => Reply::json(200, &models()),
            ("POST", path) => match wire::at(path) {
                Some(wire) => self
                    .scripted(wire, request, serial, served)
                    .unwrap_or_else(|no| Reply::json(no.status, &wire.error(&no))),
                None => unknown(request),
            },
            _ => unknown(request),
        }
    }

    fn scripted(
        &self,
        wire: &dyn Wire,
        request: &Request,
        serial: usize,
        served: usize,
    ) -> Result<Reply, Refusal> {
        if self.options.key.as_deref().is_some_and(|key| wire.key(request) != Some(key)) {
            return Err(Refusal::new(401, "Incorrect API key provided."));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let script = self.script(body["model"].as_str().unwrap_or_default())?;
        let stale = script.fault == Some(Fault::CloseReuse) && served > 0;
        let fault = script.fault.map(|fault| if stale { Fault::CloseEarly } else { fault });
        let reply = match fault.and_then(|fault| faults::instead(fault, wire, &self.origin)) {
            Some(reply) => reply,
            None => self.usual(wire, request, &body, &script, serial)?,
        };
        Ok(delayed(&script, reply))
    }

    /// The script of a model name; its fault is gone once it was shown often enough.
    fn script(&self, model: &str) -> Result<Script, Refusal> {
        let mut script = Script::parse(model)
            .map_err(|word| Refusal::field("model", format!("`{word}` is no word of the script")))?;
        let mut asked = self.asked.lock().expect("nobody panics while counting");
        let before = asked.entry(model.to_owned()).or_default();
        if script.times.is_some_and(|times| *before >= times) {
            script.fault = None;
        }
        *before += 1;
        Ok(script)
    }

    fn usual(
        &self,
        wire: &dyn Wire,
        request: &Request,
        body: &Value,
        script: &Script,
        serial: usize,
    ) -> Result<Reply, Refusal> {
        if let Kind::Replay(id) = &script.kind {
            let recording =
                replay::load(self.options.fixtures.as_deref(), id).map_err(|why| Refusal::new(404, why))?;
            return Ok(replayed(wire, script, recording));
        }
        let mut ask = wire.judge(request, body, script.lenient)?;
        ask.serial = serial;
        let answer = answer::compose(script, &ask);
        if !ask.stream {
            let mut text = wire.whole(&ask, &answer);
            if script.fault == Some(Fault::NoFinish) {
                unfinish(&mut text);
            }
            return Ok(whole(wire, script, json_head(), text.to_string().into()));
        }
        let mut events = wire.stream(&ask, &answer);
        if script.nodone {
            events.retain(|event| event.tag != sse::Tag::Done);
        }
        Ok(stream(wire, script, sse_head(), sse::frames(&events, script.spelling)))
    }

    fn received(&self) -> Value {
        self.journal.received().iter().map(crate::Received::render).collect()
    }
}

fn json_head() -> Head {
    Head::new(200).with("content-type", "application/json")
}

fn sse_head() -> Head {
    Head::new(200).with("content-type", "text/event-stream; charset=utf-8")
}

/// Takes the reason of the end out of a whole answer.
fn unfinish(answer: &mut Value) {
    for choice in answer["choices"].as_array_mut().into_iter().flatten() {
        choice["finish_reason"] = Value::Null;
    }
    if let Some(reason) = answer.get_mut("stop_reason") {
        *reason = Value::Null;
    }
}

fn replayed(wire: &dyn Wire, script: &Script, recording: Recording) -> Reply {
    let head = recording
        .headers
        .iter()
        .fold(Head::new(recording.status), |head, (name, value)| head.with(name, value));
    match recording.body {
        Recorded::Whole(text) => whole(wire, script, head, text),
        Recorded::Stream(frames) => stream(wire, script, head, frames),
    }
}

fn whole(wire: &dyn Wire, script: &Script, head: Head, text: bytes::Bytes) -> Reply {
    let length = text.len();
    let body = faults::whole(script, wire, text);
    let framing = match body.as_slice() {
        _ if script.until_close => Framing::UntilClose,
        _ if !faults::length_is_known(script.fault) => Framing::Chunked,
        _ => Framing::Length,
    };
    let told = match body.as_slice() {
        [Step::Body(text), Step::End] => text.len(),
        _ => length,
    };
    let head =
        if framing == Framing::Length { head.with("content-length", told) } else { head.framed(framing) };
    performed(script, head, framing, body)
}

fn stream(wire: &dyn Wire, script: &Script, head: Head, frames: Vec<Frame>) -> Reply {
    let framing = if script.until_close { Framing::UntilClose } else { Framing::Chunked };
    let body = faults::stream(script, wire, frames);
    let body = if script.bunch { bunched(body) } else { body };
    performed(script, head.framed(framing), framing, paced(script, body))
}

fn performed(script: &Script, head: Head, framing: Framing, body: Vec<Step>) -> Reply {
    let mut steps = faults::head(script.fault, head);
    steps.extend(body);
    if script.fault == Some(Fault::CloseIdle) {
        steps.pop();
        steps.extend([Step::EndBody, Step::Wait(A_MOMENT), Step::Fin]);
    }
    Reply { steps, framing, cut: script.cut, tick: script.tick }
}

/// A pause before each event, where one was ordered.
fn paced(script: &Script, steps: Vec<Step>) -> Vec<Step> {
    let drip = (script.fault == Some(Fault::SlowDrip)).then_some(A_MOMENT);
    let Some(delay) = script.delay.or(drip) else { return steps };
    let wait =
        |step: Step| if matches!(step, Step::Body(_)) { vec![Step::Wait(delay), step] } else { vec![step] };
    steps.into_iter().flat_map(wait).collect()
}

/// All bodies that follow each other in one.
fn bunched(steps: Vec<Step>) -> Vec<Step> {
    let mut bunch: Vec<Step> = Vec::new();
    for step in steps {
        match (bunch.last_mut(), step) {
            (Some(Step::Body(before)), Step::Body(more)) => {
                *before = [before.as_ref(), &more].concat().into()
            }
            (_, step) => bunch.push(step),
        }
    }
    bunch
}

fn delayed(script: &Script, mut reply: Reply) -> Reply {
    if let Some(delay) = script.head_delay {
        reply.steps.insert(0, Step::Wait(delay));
    }
    reply
}

fn models() -> Value {
    let row = |id: &str| json!({"id": id, "object": "model", "created": 0, "owned_by": "fakeprov"});
    let rows = ["text", "echo", "tool", "tools-parallel", "json", "image-echo"].map(row);
    json!({"object": "list", "data": rows})
}

fn unknown(request: &Request) -> Reply {
    let message = format!("Invalid URL ({} {})", request.method, request.path());
    Reply::json(
        404,
        &json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}}),
    )
}
