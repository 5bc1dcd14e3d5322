//! What the parameter rules do to a request: a sample for each model that has some, before and after.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use policy::{Choice, Kind, Model, Provider, Snapshot, Target};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use wire::{Dialect, Fault, Head, RawObject, SurfaceId};

use crate::config::Config;

const SURFACE: SurfaceId = SurfaceId::OpenAiChat;

/// One request.
#[derive(Serialize)]
pub(super) struct Sample {
    model: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    /// Without rules, and with them.
    Sent { before: Box<RawValue>, after: Box<RawValue> },
    /// The rules leave nothing that could be sent.
    Refused { fault: String },
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  rules       {}", self.model)?;
        match &self.outcome {
            Outcome::Sent { before, after } => {
                write!(f, "    before    {before}\n    after     {after}\n")
            }
            Outcome::Refused { fault } => writeln!(f, "    cannot be asked: {fault}"),
        }
    }
}

/// All samples; only of providers that the operator has configured.
pub(super) fn samples(config: &Config, snapshot: &Snapshot) -> Vec<Sample> {
    let configured = |of: &&Arc<Provider>| of.section.is_some() || config.provider_keys.contains_key(&*of.id);
    let providers = snapshot.providers().iter().filter(|provider| provider.kind == Kind::Api);
    providers.filter(configured).flat_map(targets).map(|target| sample(&target)).collect()
}

/// One target for each model that has rules of its own, and one for each rule of the provider that none of those shows.
fn targets(provider: &Arc<Provider>) -> Vec<Target> {
    let Some(endpoint) = endpoint(provider) else { return Vec::new() };
    let of = |model: &Arc<Model>| Target {
        provider: provider.clone(),
        endpoint,
        model: model.clone(),
        key: None,
        warm_key: None,
        passes_refusals_on: false,
        reason: Choice::Asked,
    };
    let own = |model: &&Arc<Model>| model.max_tokens.is_some() || !model.rules.is_empty();
    let mut targets: Vec<Target> = provider.models.values().filter(own).map(of).collect();
    if targets.is_empty() && !provider.rules.is_empty() {
        targets.extend(provider.model_or_default(None).or_else(|| unlisted(provider, "*")).as_ref().map(of));
    }
    let wire = provider.endpoints[endpoint].wire;
    for rules in &provider.conditional {
        let holds = |model: &Model| rules.when.holds(SURFACE, wire, provider, model);
        if !targets.iter().any(|target| holds(&target.model)) {
            let default = provider.model_or_default(None);
            let pattern = rules.when.targets.models.first().map_or("*", String::as_str);
            let candidates = default.into_iter().chain(provider.models.values().cloned());
            let model = candidates.chain(unlisted(provider, pattern)).find(|model| holds(model));
            targets.extend(model.as_ref().map(of));
        }
    }
    targets
}

/// A model that nobody lists and that fits the pattern.
fn unlisted(provider: &Provider, pattern: &str) -> Option<Arc<Model>> {
    let name = pattern.replace('*', "any-model");
    provider.model_or_unlisted(name.strip_prefix(&format!("{}/", provider.id)).unwrap_or(&name))
}

/// Where a request that comes in the sample's format would be carried, else the preferred one.
fn endpoint(provider: &Provider) -> Option<usize> {
    let carries = |endpoint: &policy::Endpoint| endpoint.wire.dialect() == Some(Dialect::OpenAiChat);
    let first = (!provider.endpoints.is_empty()).then_some(0);
    provider.endpoints.iter().position(carries).or(first)
}

fn sample(target: &Target) -> Sample {
    let sent = || {
        let before = before(target)?;
        let mut after = RawObject::parse(before.clone())?;
        target.apply_rules(SURFACE, &mut after)?;
        Ok(Outcome::Sent { before: raw(&before)?, after: raw(&after.into_bytes())? })
    };
    let outcome = sent().unwrap_or_else(|fault: Fault| Outcome::Refused { fault: fault.to_string() });
    Sample { model: target.provider.listed_id(&target.model), outcome }
}

fn raw(body: &[u8]) -> Result<Box<RawValue>, Fault> {
    serde_json::from_slice(body).map_err(Fault::internal)
}

/// A plain request as it goes to the target without rules.
fn before(target: &Target) -> Result<Bytes, Fault> {
    let asked = json!({
        "model": target.provider.listed_id(&target.model),
        "messages": [{ "role": "user", "content": "Hello" }],
        "temperature": 1,
        "max_tokens": 1_000_000,
    });
    let mut body = RawObject::parse(Bytes::from(asked.to_string()))?;
    let (wire, profile) = (target.endpoint().wire, &target.model.profile);
    if wire.dialect() == SURFACE.dialect() {
        wire.wire().retarget(&mut body, profile, false)?;
        return Ok(body.into_bytes());
    }
    let request = SURFACE.surface().decode_request(&Head::default(), &body)?;
    Ok(wire.wire().encode_request(&request, profile)?.body)
}
