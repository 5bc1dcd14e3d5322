//! Requests.

mod cache;
mod decode;
mod fingerprint;
mod format;
mod limits;
mod media;
mod parts;
mod peek;
mod reasoning;
mod sampling;
mod tools;
mod turns;

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;

pub(super) use self::decode::decode;
use self::format::Form;
pub(super) use self::peek::{peek, thoughts};
use super::shape::{Block, Metadata, OutputConfig, Request};
use crate::Fault;
use crate::chat::{ChatRequest, Encoded, Loss, Profile, Undo};
use crate::dialect::Dialect;

/// What encoding reads, and what it gathers beside the body.
struct Draft<'a> {
    request: &'a ChatRequest,
    profile: &'a Profile,
    losses: Vec<Loss>,
    undo: Undo,
}

impl<'a> Draft<'a> {
    fn new(request: &'a ChatRequest, profile: &'a Profile) -> Self {
        Self { request, profile, losses: Vec::new(), undo: Undo::default() }
    }

    fn lose(&mut self, code: &'static str, at: impl Into<String>) {
        self.losses.push(Loss::at(code, at));
    }

    fn lose_field(&mut self, name: &str) {
        self.losses.push(Loss::field(name));
    }

    fn encoded(self, body: &Request<'_>) -> Result<Encoded, Fault> {
        let json = serde_json::to_vec(body).map_err(Fault::internal)?;
        let Draft { losses, undo, .. } = self;
        Ok(Encoded { headers: vec![super::VERSION], body: Bytes::from(json), losses, undo })
    }

    /// The target cannot do what stands at `at`; another might.
    fn unsupported(&self, what: impl Into<String>, at: impl Into<String>) -> Fault {
        Fault::Unsupported { what: what.into(), by: self.profile.model.to_string(), at: Some(at.into()) }
    }
}

/// The request in this format, with what is lost and what must be undone in the answer.
pub(super) fn encode(request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault> {
    let mut draft = Draft::new(request, profile);
    limits::refuse(&draft)?;
    let body = body(&mut draft)?;
    draft.encoded(&body)
}

fn body<'a>(draft: &mut Draft<'a>) -> Result<Request<'a>, Fault> {
    let (request, profile) = (draft.request, draft.profile);
    let mut tools = tools::tools(draft)?;
    let form = format::form(draft)?;
    tools.extend(form.tool(draft));
    let reasoning = reasoning::plan(draft);
    let tool_choice = tools::choice(draft, &tools, &form, reasoning.is_on());
    let sampling = sampling::sampling(draft, reasoning.is_on());
    let stop_sequences = sampling::stop_sequences(draft);
    let (mut system, messages) = turns::turns(draft)?;
    system.extend(form.instruction());
    limits::report_dropped_fields(draft);
    let mut body = Request {
        model: &profile.model,
        max_tokens: Some(reasoning.max_tokens),
        system,
        messages,
        tools,
        mcp_servers: tools::mcp_servers(request),
        tool_choice,
        thinking: reasoning.thinking,
        output_config: output_config(reasoning.effort, form),
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences,
        metadata: request.end_user.as_deref().map(metadata),
        service_tier: limits::service_tier(draft),
        cache_control: None,
        stream: request.stream,
        extra: request.extra.of(Dialect::AnthropicMessages),
    };
    cache::mark(&mut body, draft);
    Ok(body)
}

fn output_config(effort: Option<&'static str>, form: Form) -> Option<OutputConfig> {
    let format = form.native();
    (effort.is_some() || format.is_some()).then_some(OutputConfig { effort, format })
}

/// The end user's id. An e-mail address is a person's name, and is hashed before it leaves.
fn metadata(user: &str) -> Metadata<'_> {
    let user_id = if looks_like_email(user) { fingerprint::hex(user).into() } else { Cow::Borrowed(user) };
    Metadata { user_id }
}

fn looks_like_email(user: &str) -> bool {
    user.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// A text block without a cache mark.
fn text_block<'a>(text: impl Into<Cow<'a, str>>) -> Block<'a> {
    Block::Text { text: text.into(), cache_control: None }
}

/// A JSON value as the text that goes into the body.
fn raw(value: &Value) -> Box<serde_json::value::RawValue> {
    serde_json::value::to_raw_value(value).expect("a JSON value can be written as JSON")
}
