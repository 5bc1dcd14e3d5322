//! `llm-gateway providers test`: whether providers let us in, with each of their keys. They are asked for their lists of
//! models, which costs nothing.

use std::sync::Arc;

use futures_util::future::join_all;
use policy::{Provider, Standing};
use serde::Serialize;

use super::View;
use crate::app::App;
use crate::cli::local::{print, with_app};
use crate::clock;
use crate::credentials::Key;
use crate::discovery;
use crate::exit::Failure;
use crate::world::{ModelList, Runtime, World};

/// `providers test`
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Providers to ask (default: all that could answer).
    pub providers: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub view: View,
}

/// What came of asking a provider with one key.
#[derive(Debug, Serialize)]
struct Probe {
    provider: String,
    /// The key's name; null where none was sent.
    key: Option<String>,
    ok: bool,
    /// How many models it lists, or what is wrong and what to do.
    detail: String,
    /// Until all of the answer was there, or the failure.
    ms: u64,
}

impl Probe {
    const HEAD: [&str; 5] = ["PROVIDER", "KEY", "RESULT", "MS", "DETAIL"];

    fn line(&self) -> Vec<String> {
        let key = self.key.clone().unwrap_or_else(|| "-".to_owned());
        let result = if self.ok { "ok" } else { "FAIL" }.to_owned();
        vec![self.provider.clone(), key, result, self.ms.to_string(), self.detail.clone()]
    }

    /// It was not asked.
    fn unasked(provider: &Provider, why: String) -> Self {
        Self { provider: provider.id.to_string(), key: None, ok: false, detail: why, ms: 0 }
    }
}

/// Asks them all at the same time, says it all, and fails if one of them did.
pub(super) fn run(args: &TestArgs) -> Result<(), Failure> {
    let view = &args.view;
    let probes = with_app(&view.common, async |app| {
        let world = app.world();
        let providers = chosen(&world, args)?;
        let probes = providers.iter().map(|provider| probe(app, &world, provider, &view.project));
        Ok(join_all(probes).await.into_iter().flatten().collect::<Vec<_>>())
    })?;
    print(view.json, &probes, &Probe::HEAD, Probe::line)?;
    match probes.iter().filter(|probe| !probe.ok).count() {
        0 => Ok(()),
        failed => Err(Failure::new(8, format!("{failed} of {} checks failed", probes.len()))),
    }
}

/// Those that were named, which must be there, else those that could answer and have an address.
fn chosen<'a>(world: &'a World, args: &TestArgs) -> Result<Vec<&'a Arc<Provider>>, Failure> {
    let (snapshot, project) = (&world.snapshot, &args.view.project);
    if args.providers.is_empty() {
        let all = snapshot.providers().iter().enumerate();
        let ready = all.filter(|(at, provider)| {
            world.unavailable(*at, provider, project).is_none() && list_of(world, provider).is_some()
        });
        return Ok(ready.map(|(_, provider)| provider).collect());
    }
    let find = |name: &String| {
        let unknown = || format!("no provider is called '{name}'; see `llm-gateway providers list`");
        snapshot.provider(name).ok_or_else(|| Failure::new(4, unknown()))
    };
    args.providers.iter().map(find).collect()
}

fn list_of<'a>(world: &'a World, provider: &Provider) -> Option<(&'a Runtime, &'a ModelList)> {
    let runtime = world.runtime(&provider.id).ok()?;
    Some((runtime, runtime.list.as_ref()?))
}

/// One provider, with each key that the project has for it.
async fn probe(app: &App, world: &World, provider: &Provider, project: &str) -> Vec<Probe> {
    let Some((runtime, list)) = list_of(world, provider) else {
        let why =
            format!("no list of models is known there; ask it: llm-gateway chat {}/MODEL hello", provider.id);
        return vec![Probe::unasked(provider, why)];
    };
    let keys = match app.credentials.of(world, runtime, 0, project, None).await {
        Ok(keys) if keys.is_empty() => {
            let why = format!("project {project} has no key for it; see `llm-gateway providers list`");
            return vec![Probe::unasked(provider, why)];
        }
        Ok(keys) => keys,
        Err(fault) => return vec![Probe::unasked(provider, fault.to_string())],
    };
    let asked = keys.into_iter().map(async |key: Option<Arc<Key>>| {
        let began = clock::now();
        let listed = discovery::read(app, runtime, list, key.as_deref()).await;
        let (ok, detail) = match listed {
            Ok(models) => (true, format!("lists {} models", models.len())),
            Err(fault) => (false, fault.client_message("-")),
        };
        let ms = u64::try_from((clock::now() - began).as_millis()).unwrap_or(u64::MAX);
        let key = key.map(|key| world.vault.name(key.id.0).unwrap_or("configured").to_owned());
        Probe { provider: provider.id.to_string(), key, ok, detail, ms }
    });
    join_all(asked).await
}
