//! What it costs to decide who serves a request: the gateway's own plan, lock and ledger of turns included, in a world of
//! 1,000 models and 50 routes of the operator's. One thread; prints one line of JSON.

mod world;

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use gateway::health::LiveHealth;
use gateway::world::World;
use policy::{Ask, KeyId};
use serde_json::{Map, Value, json};
use wire::Fault;
use wire::fault::{Class, UpstreamFault};

/// Plans requests and nothing else.
#[derive(Debug, Parser)]
struct Arguments {
    /// Plans of each kind of request.
    #[arg(long, default_value_t = 200_000)]
    plans: u32,
    /// Only this kind of request: for a profiler, or to count instructions.
    #[arg(long)]
    only: Option<String>,
}

/// A kind of request, and the model that it names.
const KINDS: [(&str, &str); 5] = [
    ("model_of_one_provider", "model-20-12"),
    ("model_of_all_providers", "shared"),
    ("provider_and_model", "provider-39/model-39-24"),
    ("first_route", "route-0"),
    ("last_route_by_pattern", "family-49-large"),
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let world = world::build()?;
    let wanted = |kind: &str| arguments.only.as_deref().is_none_or(|only| only == kind);
    let measured = KINDS.iter().filter(|(kind, _)| wanted(kind)).map(|(kind, model)| {
        let row = measure(&world, model, arguments.plans).with_context(|| format!("{kind} ({model})"))?;
        Ok(((*kind).to_owned(), row))
    });
    let snapshot = &world.snapshot;
    let models: usize = snapshot.providers().iter().map(|provider| provider.models.len()).sum();
    let kinds = measured.collect::<Result<Map<String, Value>>>()?;
    let report = json!({
        "providers": snapshot.providers().len(),
        "models": models,
        "routes": snapshot.routes().len(),
        "kinds": kinds,
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

fn measure(world: &World, model: &str, plans: u32) -> Result<Value> {
    let health = LiveHealth::default();
    let ask = |dice: u32| Ask { dice: u64::from(dice), ..Ask::chat(Some(model)) };
    trouble(&health);
    let targets = health.plan(&ask(0), world)?.targets().len();
    let begin = cpu_nanos()?;
    for dice in 0..plans {
        black_box(health.plan(&ask(dice), world)?);
    }
    let nanos = cpu_nanos()? - begin;
    let micros = nanos as f64 / 1e3 / f64::from(plans.max(1));
    Ok(json!({ "targets": targets, "us": (micros * 1e3).round() / 1e3 }))
}

/// One model fails and one key has to wait, so that breakers and keys are looked at.
fn trouble(health: &LiveHealth) {
    let stated = |class| {
        Fault::from(UpstreamFault {
            provider: String::new(),
            status: 500,
            class,
            message: String::new(),
            param: None,
            code: None,
            retry_after: Some(Duration::from_secs(600)),
            original: None,
        })
    };
    let (provider, model) = (Arc::from("provider-1"), Arc::from("model-1-1"));
    health.change(|health, now| {
        for _ in 0..5 {
            health.failed(&provider, &model, None, &stated(Class::Server), now);
        }
        health.failed(&provider, &model, Some(KeyId::CONFIGURED), &stated(Class::RateLimit), now);
    });
}

/// CPU time of this thread, in nanoseconds: what else runs on the machine does not count.
/// Source: proc_pid_schedstat(5), first field.
fn cpu_nanos() -> Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().context("schedstat is empty")?;
    Ok(first.parse()?)
}
