//! What would happen to a request, without sending it: the plan with its reasons, and for each target the body that would
//! go upstream, made by the same functions that make the real one.

use std::fmt;

use policy::{Money, Target};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use wire::chat::Usage;
use wire::{Fault, Operation};

use super::admit::Inbound;
use super::attempt;
use super::meter::{Meter, codes};
use crate::app::App;
use crate::tokens;

/// The whole decision.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    requested_model: Option<String>,
    requested_provider: Option<String>,
    project: String,
    strict: bool,
    /// The operator's route that holds for the request.
    route: Option<String>,
    /// Without an answer for so many milliseconds, the second target would be asked as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    hedge_ms: Option<u64>,
    /// In the order in which they would be tried.
    targets: Vec<Step>,
    skipped: Vec<LeftOut>,
}

/// One target.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedTarget")]
#[serde(rename_all = "camelCase")]
struct Step {
    provider: String,
    /// What clients call it.
    model: String,
    /// Name of the only credential that would be used, where the route wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// What goes upstream.
    sent_as: String,
    wire: &'static str,
    reason: String,
    /// Answering from here counts as a fallback.
    fallback: bool,
    /// Both sides speak the same dialect: the body passes but for a few fields.
    carried: bool,
    /// What the operator's parameter rules do, in order.
    rules: Vec<String>,
    /// Codes of what the translation would lose.
    losses: Option<String>,
    /// Names of headers; values may be keys.
    headers: Vec<String>,
    /// What would be sent; absent where it cannot be made, with the error instead.
    body: Option<Value>,
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_usd: Option<PriceRange>,
}

/// From an empty answer to the longest, by an estimate of the prompt's tokens.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PriceRange {
    prompt_tokens: u64,
    from: String,
    /// Absent where nothing bounds the answer.
    to: Option<String>,
}

/// A provider, or one of its models, that would not be tried.
#[derive(Debug, Serialize, JsonSchema)]
struct LeftOut {
    provider: String,
    model: Option<String>,
    reason: String,
}

/// For people: a line for each target, and for each that is left out.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(route) = &self.route {
            writeln!(f, "route {route}")?;
        }
        for (at, step) in self.targets.iter().enumerate() {
            writeln!(f, "{}. {step}", at + 1)?;
        }
        if let Some(millis) = self.hedge_ms {
            writeln!(f, "the second is asked as well when the first is silent for {millis} ms")?;
        }
        self.skipped.iter().try_for_each(|out| writeln!(f, "-  {}", out.reason))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.carried { "carried" } else { "translated" };
        write!(f, "{} with {}: {} ({}, {way})", self.provider, self.model, self.reason, self.wire)?;
        if let Some(key) = &self.key {
            write!(f, "\n   only with the key '{key}'")?;
        }
        for rule in &self.rules {
            write!(f, "\n   rule: {rule}")?;
        }
        if let Some(losses) = &self.losses {
            write!(f, "\n   lost in translation: {losses}")?;
        }
        if let Some(error) = &self.error {
            write!(f, "\n   cannot be asked: {error}")?;
        }
        match &self.price_usd {
            Some(price) => write!(f, "\n   costs {} USD or more", price.from),
            None => Ok(()),
        }
    }
}

/// Explains an admitted request. Nothing is sent, nothing is counted, and no row is written.
///
/// # Errors
/// Nobody could serve it; the fault is what the request itself would have got.
pub async fn explain(app: &App, inbound: &Inbound, meter: Meter) -> Result<Explanation, Fault> {
    let world = &*inbound.world;
    let meter = meter.unwritten();
    let plan = app.health.preview(&inbound.ask(&world.snapshot), world)?;
    let mut targets = Vec::with_capacity(plan.targets().len());
    for target in plan.targets() {
        targets.push(step(app, inbound, target, &meter).await);
    }
    let skipped = plan.skipped().iter().map(|skipped| LeftOut {
        provider: world.snapshot.providers()[skipped.provider].id.to_string(),
        model: skipped.model.as_deref().map(str::to_owned),
        reason: skipped.explain(&world.snapshot),
    });
    Ok(Explanation {
        requested_model: inbound.peek.model.clone(),
        requested_provider: inbound.peek.provider.clone(),
        project: inbound.project.clone(),
        strict: inbound.strict,
        route: plan.route().map(ToString::to_string),
        hedge_ms: super::hedge::delay(&plan, inbound)
            .map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
        targets,
        skipped: skipped.collect(),
    })
}

async fn step(app: &App, inbound: &Inbound, target: &Target, meter: &Meter) -> Step {
    let mut step = Step {
        provider: target.provider.id.to_string(),
        model: target.model.id.to_string(),
        key: target.key.as_deref().map(str::to_owned),
        sent_as: target.model.sent_as().to_string(),
        wire: target.endpoint().wire.name(),
        reason: target.reason.to_string(),
        fallback: target.is_fallback(),
        carried: false,
        rules: target.rules_in_words(inbound.surface),
        losses: None,
        headers: Vec::new(),
        body: None,
        error: None,
        price_usd: price(app, inbound, target, meter).await,
    };
    match attempt::outgoing(app, inbound, target, attempt::Thoughts::Kept, meter).await {
        Ok(outgoing) => {
            step.carried = outgoing.undo.is_none();
            step.losses = Some(codes(&outgoing.losses)).filter(|losses| !losses.is_empty());
            step.headers = outgoing.headers.iter().map(|(name, _)| name.to_string()).collect();
            step.body = serde_json::from_slice(&outgoing.body.concat()).ok();
        }
        Err(fault) => step.error = Some(fault.to_string()),
    }
    step
}

/// `None`: the price is not known, or the request is no conversation.
async fn price(app: &App, inbound: &Inbound, target: &Target, meter: &Meter) -> Option<PriceRange> {
    let rate = target.model.rate.as_ref().filter(|_| inbound.operation == Operation::Chat)?;
    let request = inbound.decoded(&app.recall, meter).ok()?;
    let prompt_tokens = tokens::estimate(request, target.model.sent_as()).await.ok()?;
    let costs = |output| {
        let usage = Usage { input: Some(prompt_tokens), output: Some(output), ..Usage::default() };
        policy::cost(&usage, rate).map(|money: Money| money.to_string())
    };
    let asked = request.max_output.into_iter().chain(target.model.max_tokens).min();
    let longest = asked.or(target.model.max_output);
    Some(PriceRange { prompt_tokens, from: costs(0)?, to: longest.and_then(costs) })
}
