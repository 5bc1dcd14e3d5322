//! Decides what a request gets: by path, by key, and then by the script its model name holds.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::endpoint::{self, Endpoint, Task};
use crate::faults::{self, Fault};
use crate::http::Request;
use crate::journal::Journal;
use crate::replay::{self, Recorded, Recording};
use crate::reply::{Framing, Head, Reply, Step};
use crate::script::{Kind, Script};
use crate::stream::{Form, Frame, Tag};
use crate::wire::{Refusal, Wire};
use crate::{Options, answer, models};

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

/// A request for the list of models.
pub(super) fn asks_list(request: &Request) -> bool {
    request.method == "GET" && (request.path().ends_with("/models") || request.path() == "/api/tags")
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
            ("GET", path) if path.ends_with("/models") => models::reply(request, self.options.key.as_deref()),
            ("GET", "/api/tags") => Reply::json(200, &models::tags()),
            ("POST", path) => match endpoint::at(path) {
                Some(endpoint) => self
                    .scripted(endpoint, request, serial, served)
                    .unwrap_or_else(|no| Reply::json(no.status, &endpoint.wire.error(&no))),
                None => unknown(request),
            },
            _ => unknown(request),
        }
    }

    fn scripted(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        serial: usize,
        served: usize,
    ) -> Result<Reply, Refusal> {
        let wire = endpoint.wire;
        if self.options.key.as_deref().is_some_and(|key| wire.key(request) != Some(key)) {
            return Err(wire.stranger());
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let mut script = self.script(&wire.model(request, &body))?;
        script.told_key = wire.key(request).filter(|_| script.tattle).map(str::to_owned);
        let stale = script.fault == Some(Fault::CloseReuse) && served > 0;
        let fault = script.fault.map(|fault| if stale { Fault::CloseEarly } else { fault });
        let reply = match fault.and_then(|fault| faults::instead(fault, wire, &self.origin)) {
            Some(reply) => reply,
            None => self.usual(endpoint, request, &body, &script, serial)?,
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
        endpoint: &Endpoint,
        request: &Request,
        body: &Value,
        script: &Script,
        serial: usize,
    ) -> Result<Reply, Refusal> {
        let wire = endpoint.wire;
        if let Kind::Replay(id) = &script.kind {
            let recording =
                replay::load(self.options.fixtures.as_deref(), id).map_err(|why| Refusal::new(404, why))?;
            return Ok(replayed(wire, script, recording));
        }
        match endpoint.task {
            Task::Answer => answered(wire, request, body, script, serial),
            Task::Work(work) => Ok(whole(wire, script, json_head(), work(request, body)?.to_string().into())),
        }
    }

    fn received(&self) -> Value {
        self.journal.received().iter().map(crate::Received::render).collect()
    }
}

/// Judges a request and gives the answer that the script orders.
fn answered(
    wire: &dyn Wire,
    request: &Request,
    body: &Value,
    script: &Script,
    serial: usize,
) -> Result<Reply, Refusal> {
    let mut ask = wire.judge(request, body, script)?;
    ask.serial = serial;
    ask.call_ids = script.call_ids;
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
        events.retain(|event| event.tag != Tag::Done);
    }
    let form = wire.form(request);
    let head = Head::new(200).with("content-type", form.content_type());
    Ok(stream(wire, script, head, form, form.frames(&events, script.spelling)))
}

fn json_head() -> Head {
    Head::new(200).with("content-type", "application/json")
}

/// Takes the reason of the end out of a whole answer.
fn unfinish(answer: &mut Value) {
    for (list, reason) in [("choices", "finish_reason"), ("candidates", "finishReason")] {
        for choice in answer.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            choice[reason] = Value::Null;
        }
    }
    for reason in ["stop_reason", "done_reason", "status"] {
        if let Some(reason) = answer.get_mut(reason) {
            *reason = Value::Null;
        }
    }
}

fn replayed(wire: &dyn Wire, script: &Script, recording: Recording) -> Reply {
    let head = recording
        .headers
        .iter()
        .fold(Head::new(recording.status), |head, (name, value)| head.with(name, value));
    match recording.body {
        Recorded::Whole(text) => whole(wire, script, head, text),
        Recorded::Stream(form, frames) => stream(wire, script, head, form, frames),
    }
}

fn whole(wire: &dyn Wire, script: &Script, head: Head, text: bytes::Bytes) -> Reply {
    let length = text.len();
    let body = faults::whole(script, wire, text);
    let framing = match body.as_slice() {
        _ if script.until_close => Framing::UntilClose,
        _ if script.coding.is_some() || !faults::length_is_known(script.fault) => Framing::Chunked,
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

fn stream(wire: &dyn Wire, script: &Script, head: Head, form: Form, frames: Vec<Frame>) -> Reply {
    let framing = if script.until_close { Framing::UntilClose } else { Framing::Chunked };
    let body = faults::stream(script, wire, form, frames);
    let body = if script.bunch { bunched(body) } else { body };
    performed(script, head.framed(framing), framing, paced(script, body))
}

fn performed(script: &Script, head: Head, framing: Framing, body: Vec<Step>) -> Reply {
    let (head, body) = match script.coding {
        Some(coding) => (head.with("content-encoding", coding.name()), coding.pack(body)),
        None => (head, body),
    };
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

fn unknown(request: &Request) -> Reply {
    let message = format!("Invalid URL ({} {})", request.method, request.path());
    Reply::json(
        404,
        &json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}}),
    )
}
