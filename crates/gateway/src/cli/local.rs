//! The vault on this machine as a command uses it, and all that a gateway knows when it starts, beside one that may be
//! serving; and what commands share: secrets that are read, questions that are asked, tables that are printed.

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy::Snapshot;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::Serialize;
use store::{By, Secret, Store};

use super::{CommonArgs, say};
use crate::app::App;
use crate::config::Config;
use crate::door::Caller;
use crate::exit::Failure;
use crate::startup::Started;
use crate::{clock, config, startup, telemetry};

/// Who a command is, in logs and in the audit log.
const ACTOR: &str = "command line";
/// Bytes of a secret that is read, at most.
const SECRET_LIMIT: u64 = 2 << 20;

/// An open vault, and what is known of providers.
pub(super) struct Local {
    pub store: Arc<dyn Store>,
    pub snapshot: Snapshot,
    /// May do everything: who can open the vault owns it.
    pub caller: Caller,
}

/// What every command of the vault takes.
#[derive(Debug, clap::Args)]
pub struct VaultArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Local {
    /// A change by this command, now.
    pub(super) fn by(&self) -> By {
        By { actor: ACTOR.to_owned(), request_id: None, at: clock::wall() }
    }
}

/// Opens the vault, does something with it, closes it.
pub(super) fn with_vault(
    args: &VaultArgs,
    act: impl AsyncFnOnce(&Local) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let config = configuration(args)?;
    telemetry::install("warn");
    runtime()?.block_on(async {
        let (snapshot, _) = config::build_snapshot(&config);
        let opened = store::open(startup::store_options(&config)).await;
        let store = opened.map_err(|error| Failure::new(error.exit_code(), error))?.store;
        let local = Local { store, snapshot, caller: Caller::admin(Some(ACTOR)) };
        let outcome = act(&local).await;
        local.store.close().await;
        outcome
    })
}

/// Starts what `serve` would start, but for its doors, does something with it, stops it.
pub(super) fn with_app<T>(
    args: &CommonArgs,
    act: impl AsyncFnOnce(&App) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let flags = config::Flags { config: args.config.clone(), ..config::Flags::default() };
    let config = startup::configuration(&flags)?;
    telemetry::install("error");
    runtime()?.block_on(async {
        let Started { app, ledger, store, .. } = startup::start(&config, |_| {}).await?;
        let outcome = act(&app).await;
        ledger.close().await;
        store.close().await;
        outcome
    })
}

/// Puts a backup where there is no database; `false` if there is one.
pub(super) fn place_backup(args: &VaultArgs, from: &Path) -> Result<bool, Failure> {
    let config = configuration(args)?;
    if config.database().exists() {
        return Ok(false);
    }
    let placed = runtime()?.block_on(store::place_backup(startup::store_options(&config), from));
    placed.map(|()| true).map_err(|error| Failure::new(error.exit_code(), error))
}

fn configuration(args: &VaultArgs) -> Result<Config, Failure> {
    let flags = config::Flags { config: args.common.config.clone(), ..config::Flags::default() };
    startup::configuration(&flags)
}

/// For a command that waits for one thing at a time.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::new(1, format!("cannot start a runtime: {error}")))
}

/// A secret from a file, a prompt that shows nothing, or standard input; without the newline at its end.
pub(super) fn secret(file: Option<&Path>, what: &str) -> Result<Secret, Failure> {
    let unreadable = |error: std::io::Error| Failure::new(74, format!("cannot read {what}: {error}"));
    let mut text = String::new();
    match file {
        Some(path) => {
            let file = std::fs::File::open(path).map_err(unreadable)?;
            file.take(SECRET_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
        }
        None if std::io::stdin().is_terminal() => text = prompt(what).map_err(unreadable)?,
        None => {
            std::io::stdin().lock().take(SECRET_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
        }
    }
    let text = Secret::new(text);
    let trimmed = text.expose().trim_end_matches(['\r', '\n']);
    match trimmed {
        "" => Err(Failure::new(2, format!("{what} is empty"))),
        trimmed => Ok(Secret::new(trimmed.to_owned())),
    }
}

/// A line from the terminal that is not shown while it is typed.
fn prompt(what: &str) -> std::io::Result<String> {
    let terminal = std::io::stdin();
    write!(std::io::stderr(), "{what}: ")?;
    let shown = tcgetattr(&terminal)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Now, &hidden)?;
    let mut line = String::new();
    let read = terminal.read_line(&mut line);
    tcsetattr(&terminal, OptionalActions::Now, &shown)?;
    writeln!(std::io::stderr())?;
    read.map(|_| line)
}

/// Asks before something that cannot be undone; `yes` was said on the command line.
pub(super) fn confirm(yes: bool, what: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(2, format!("{what}: say --yes to do it without being asked")));
    }
    let io = |error: std::io::Error| Failure::new(74, error);
    write!(std::io::stderr(), "{what}? [y/N] ").map_err(io)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(io)?;
    match line.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new(1, "nothing was changed")),
    }
}

/// Prints rows as JSON, or as a table with a line each.
pub(super) fn print<T: Serialize>(
    json: bool,
    rows: &[T],
    head: &[&str],
    line: impl Fn(&T) -> Vec<String>,
) -> Result<(), Failure> {
    if json {
        return print_json(&rows);
    }
    let cells: Vec<Vec<String>> = std::iter::once(head.iter().map(|name| (*name).to_owned()).collect())
        .chain(rows.iter().map(line))
        .collect();
    let width = |at: usize| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text += padded.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    say(&text)
}

/// Prints one value as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(1, error))?;
    say(&format!("{text}\n"))
}

/// A file's content, for a file that is not secret to begin with.
pub(super) fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(74, format!("{}: {error}", path.display())))
}
