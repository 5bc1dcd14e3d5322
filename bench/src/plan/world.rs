//! The world that is planned in: 40 providers of 25 models each, and 50 routes, read from a file as an operator writes it.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use gateway::config::{self, Flags};
use gateway::startup;
use gateway::world::World;

const PROVIDERS: usize = 40;
const MODELS: usize = 24;
const ROUTES: usize = 50;
const TARGETS: usize = 4;
const STRATEGIES: [&str; 5] = ["in-order", "weighted", "round-robin", "least-busy", "lowest-latency"];

/// Builds it by the gateway's own way from file to world; no database takes part.
pub(crate) fn build() -> Result<World> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("config.yaml");
    std::fs::write(&path, file()?)?;
    let home = dir.path().display().to_string();
    let flags = Flags { config: Some(path), ..Flags::default() };
    let config = config::load(&flags, &|name| (name == "HOME").then(|| home.clone()), dir.path())?;
    let (configured, _) = startup::configured(&config, None).map_err(|why| anyhow!(why))?;
    Ok(World::new(configured, &[]))
}

fn file() -> Result<String> {
    let mut file = String::from("providers:\n");
    for provider in 0..PROVIDERS {
        writeln!(file, "  provider-{provider}:")?;
        writeln!(file, "    base_url: http://127.0.0.1:9/v1")?;
        writeln!(file, "    api_key: key-of-provider-{provider}")?;
        writeln!(file, "    models:\n      shared: {{}}")?;
        (0..MODELS).try_for_each(|model| writeln!(file, "      model-{provider}-{model}: {{}}"))?;
    }
    file.push_str("routes:\n");
    for route in 0..ROUTES {
        writeln!(file, "  route-{route}:")?;
        writeln!(file, "    models: [route-{route}, \"family-{route}-*\", \"*-of-{route}\"]")?;
        writeln!(file, "    strategy: {}", STRATEGIES[route % STRATEGIES.len()])?;
        writeln!(file, "    targets:")?;
        for target in 0..TARGETS {
            let provider = (route + target * 7) % PROVIDERS;
            writeln!(file, "      - {{ provider: provider-{provider}, weight: {} }}", target + 1)?;
        }
    }
    Ok(file)
}
