//! `llm-gateway import`: takes over what another gateway keeps.

use std::path::{Path, PathBuf};

use store::Opened;

use super::{ImportArgs, ImportSource, say};
use crate::config::{self, Config};
use crate::exit::Failure;
use crate::home;
use crate::import::{self, Haul, Intent, Report};
use crate::{startup, telemetry};

/// Reads the source, settles what it holds, and says what became of it.
pub(super) fn import(args: &ImportArgs) -> Result<(), Failure> {
    let flags =
        config::Flags { config: args.common.config.clone(), no_local_file: true, ..config::Flags::default() };
    let config = startup::written_configuration(&flags)?;
    telemetry::install("warn");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(1, format!("cannot start a runtime: {error}")))?;
    runtime.block_on(run(args, config))
}

async fn run(args: &ImportArgs, mut config: Config) -> Result<(), Failure> {
    let intent = Intent { dry_run: args.dry_run, overwrite: args.overwrite };
    let mut haul = read(args, &config).await?;
    let file = args.to.clone().unwrap_or_else(|| own_file(&config));
    haul.settle_prices(config.file.as_deref().or(file.exists().then_some(&*file)));
    let file = haul.config.clone().map(|text| (file, text));
    if let Some((path, text)) = &file {
        import::write_config(path, text, intent)?;
    }
    home::make_way(&mut config);
    let database = home::database(&config);
    let report = match haul.needs_store() {
        true => settle(haul, &config, intent).await?,
        false => haul.report,
    };
    tell(args, &report, &database, file.as_ref().map(|(path, _)| path.as_path()))
}

async fn read(args: &ImportArgs, config: &Config) -> Result<Haul, Failure> {
    let source = args.source.as_deref();
    match args.from {
        ImportSource::McpLlmBridge => {
            let usual = || home::database(config);
            let source = source.map_or_else(usual, Path::to_owned);
            let (snapshot, _) = config::build_snapshot(config);
            import::mcp_llm_bridge::read(&source, config.master_key(), &snapshot).await
        }
        ImportSource::LlmBridge => import::llm_bridge::read(source.unwrap_or(Path::new("."))),
        ImportSource::Litellm => import::litellm::read(source.unwrap_or(Path::new("config.yaml"))),
        ImportSource::Env => match source {
            Some(file) => import::env::from_file(file),
            None => Ok(import::env::from_process(std::env::vars())),
        },
    }
}

/// A dry run makes no vault where there is none.
async fn settle(haul: Haul, config: &Config, intent: Intent) -> Result<Report, Failure> {
    if intent.dry_run && !home::database(config).exists() {
        return import::settle(haul, None, intent).await;
    }
    let opened = store::open(startup::store_options(config)).await;
    let Opened { store, .. } = opened.map_err(|error| Failure::new(error.exit_code(), error))?;
    let report = import::settle(haul, Some(&*store), intent).await;
    store.close().await;
    report
}

/// Where the gateway finds the file of its user.
fn own_file(config: &Config) -> PathBuf {
    let from_variable =
        std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
    let folder = from_variable.or_else(home).map(|folder| folder.join("llm-gateway"));
    folder.unwrap_or_else(|| config.data_dir.clone()).join("config.yaml")
}

fn tell(args: &ImportArgs, report: &Report, database: &Path, file: Option<&Path>) -> Result<(), Failure> {
    if args.json {
        let json = serde_json::json!({
            "dry_run": args.dry_run, "vault": database, "config": file, "lines": report,
        });
        return say(&format!("{json}\n"));
    }
    let written = if args.dry_run { "would be written" } else { "written" };
    let file = file.map(|file| format!("configuration {written}: {}\n", file.display())).unwrap_or_default();
    let end = match args.dry_run {
        true => "Nothing was written (--dry-run).",
        false => "Next: llm-gateway serve",
    };
    say(&format!("{report}{file}vault: {}\n{end}\n", database.display()))
}
