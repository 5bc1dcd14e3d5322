//! A request, encoded.

mod options;
mod tools;
mod turns;

use serde_json::{Value, json};

use crate::chat::{ChatRequest, Encoded, Loss, OutputFormat, Profile, Undo};
use crate::fault::Fault;
use crate::json_writer::ObjectWriter;

/// What encoding reads, and what it gathers beside the body.
struct Draft<'a> {
    request: &'a ChatRequest,
    profile: &'a Profile,
    losses: Vec<Loss>,
    undo: Undo,
}

impl Draft<'_> {
    fn lose(&mut self, code: &'static str, at: impl Into<String>) {
        self.losses.push(Loss::at(code, at));
    }

    /// The target cannot do what stands at `at`; another might.
    fn unsupported(&self, what: impl Into<String>, at: impl Into<String>) -> Fault {
        Fault::Unsupported { what: what.into(), by: self.profile.model.to_string(), at: Some(at.into()) }
    }

    fn require(&self, able: bool, what: &str, at: &str) -> Result<(), Fault> {
        if able { Ok(()) } else { Err(self.unsupported(what, at)) }
    }
}

/// A request for a server of this format.
pub(super) fn encode(request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault> {
    let mut draft = Draft { request, profile, losses: Vec::new(), undo: Undo::default() };
    refuse(&draft)?;
    let tools = tools::encode(&mut draft)?;
    let messages = turns::encode(&mut draft)?;
    let think = options::think(&mut draft);
    let options = options::encode(&mut draft);
    report_dropped_fields(&mut draft);
    let mut body = ObjectWriter::new();
    body.put("model", &*profile.model);
    body.put("messages", &messages);
    body.put_some("tools", (!tools.is_empty()).then_some(tools));
    body.put_some("format", format(request.format.as_ref()));
    body.put_some("think", think);
    body.put_some("options", (!options.is_empty()).then_some(options));
    // It streams unless told not to.
    body.put("stream", &request.stream);
    let Draft { losses, undo, .. } = draft;
    Ok(Encoded { headers: Vec::new(), body: body.finish(), losses, undo })
}

/// `json`, or the schema itself.
fn format(format: Option<&OutputFormat>) -> Option<Value> {
    match format? {
        OutputFormat::JsonObject => Some(json!("json")),
        OutputFormat::JsonSchema { schema, .. } => serde_json::from_str(schema.get()).ok(),
    }
}

/// Refuses what would change the answer's form in silence.
fn refuse(draft: &Draft<'_>) -> Result<(), Fault> {
    let sampling = &draft.request.sampling;
    draft.request.extra.refuse_in(None, &draft.profile.model)?;
    draft.require(sampling.n.is_none_or(|n| n == 1), "several answers at once (n)", "n")?;
    let quiet = sampling.logprobs != Some(true) && sampling.top_logprobs.is_none_or(|most| most == 0);
    draft.require(quiet, "log probabilities", "logprobs")
}

/// Reports the fields that have no place here.
fn report_dropped_fields(draft: &mut Draft<'_>) {
    let request = draft.request;
    let bias = request.sampling.logit_bias.as_ref();
    let fields = [
        ("logit_bias", bias.is_some_and(|bias| bias.as_object().is_none_or(|map| !map.is_empty()))),
        ("user", request.end_user.is_some()),
        ("metadata", request.metadata.is_some()),
        ("verbosity", request.verbosity.is_some()),
        ("service_tier", request.service_tier.as_deref().is_some_and(|tier| tier != "auto")),
    ];
    let dropped = fields.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
    draft.losses.extend(dropped.chain(request.extra.lost_in(None)).map(Loss::field));
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        draft.lose("parallel_tool_calls", "parallel_tool_calls");
    }
}
