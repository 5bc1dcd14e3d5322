//! `llm-gateway doctor`: is everything as it should be? It changes nothing that `serve` would not.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;
use store::{Inspection, Store};

use super::local::{print_json, runtime};
use super::{CommonArgs, say};
use crate::config::{self, Config};
use crate::exit::Failure;
use crate::{startup, telemetry};

/// `doctor`
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: true, detail: detail.into() }
    }

    fn bad(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: false, detail: detail.into() }
    }
}

/// Looks at everything, and says it all before it fails.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let flags = config::Flags { config: args.common.config.clone(), ..config::Flags::default() };
    telemetry::install("off");
    let checks = match startup::configuration(&flags) {
        Ok(config) => runtime()?.block_on(checks(&config)),
        Err(failure) => vec![Check::bad("configuration", failure.message)],
    };
    if args.json {
        print_json(&checks)?;
    } else {
        let line = |check: &Check| {
            let mark = if check.ok { "ok  " } else { "FAIL" };
            format!("{mark}  {:<14}{}\n", check.name, check.detail)
        };
        say(&checks.iter().map(line).collect::<String>())?;
    }
    match checks.iter().filter(|check| !check.ok).count() {
        0 => Ok(()),
        failed => Err(Failure::new(8, format!("{failed} of {} checks failed", checks.len()))),
    }
}

async fn checks(config: &Config) -> Vec<Check> {
    let file =
        config.file.as_ref().map_or("none (none is needed)".to_owned(), |file| file.display().to_string());
    let mut checks = vec![Check::ok("configuration", file)];
    let database = config.database();
    if !database.exists() {
        checks.push(Check::ok("vault", format!("{} will be made by `serve`", database.display())));
        return checks;
    }
    checks.push(mode("directory", &config.data_dir, 0o700));
    let key_file = config.data_dir.join("master.key");
    match (config.has_master_key(), key_file.exists()) {
        (true, false) => checks.push(Check::ok("master key", "given by LLM_GATEWAY_MASTER_KEY")),
        _ => checks.push(mode("master key", &key_file, 0o600)),
    }
    checks.push(mode("database", &database, 0o600));
    match store::open(startup::store_options(config)).await {
        Ok(opened) => {
            checks.extend(vault(&*opened.store).await);
            opened.store.close().await;
        }
        Err(error) => checks.push(Check::bad("vault", error.to_string())),
    }
    checks
}

async fn vault(store: &dyn Store) -> Vec<Check> {
    match store.inspect().await {
        Ok(Inspection { rows, audit_entries, complaints }) if complaints.is_empty() => {
            vec![Check::ok("vault", format!("{rows} rows, {audit_entries} entries of the audit log"))]
        }
        Ok(found) => found.complaints.into_iter().map(|complaint| Check::bad("vault", complaint)).collect(),
        Err(error) => vec![Check::bad("vault", error.to_string())],
    }
}

/// Nobody but the owner may reach it.
fn mode(name: &'static str, path: &Path, wanted: u32) -> Check {
    match std::fs::symlink_metadata(path) {
        Err(error) => Check::bad(name, format!("{}: {error}", path.display())),
        Ok(found) => {
            let mode = found.mode() & 0o7777;
            let detail = format!("{} (mode {mode:04o})", path.display());
            match mode & 0o077 {
                0 => Check::ok(name, detail),
                _ => Check::bad(name, format!("{detail}: others may reach it; run `chmod {wanted:o}` on it")),
            }
        }
    }
}
