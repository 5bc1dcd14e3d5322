//! `llm-gateway audit`: who changed what in the vault.

use clap::Subcommand;
use store::AuditVerdict;

use super::local::{VaultArgs, print, print_json, with_vault};
use super::say;
use crate::exit::Failure;
use crate::manage::audit::{self as manage, Row};

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the newest entries, newest first.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Only those before this one.
        #[arg(long, value_name = "SEQ")]
        before: Option<i64>,
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Check that no entry was changed, removed or put in.
    Verify {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
    },
}

/// Runs one of them.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List { vault, before, limit } => with_vault(vault, async |local| {
            let (page, _) = manage::page(&*local.store, *before, *limit).await?;
            let rows: Vec<Row<'_>> = page.iter().map(Row::of).collect();
            print(vault.json, &rows, &Row::HEAD, Row::line)
        }),
        Command::Verify { vault } => {
            with_vault(vault, async |local| verdict(vault.json, local.store.verify_audit().await?))
        }
    }
}

fn verdict(json: bool, verdict: AuditVerdict) -> Result<(), Failure> {
    let (entries, problem) = match verdict {
        AuditVerdict::Intact { entries } => (entries, None),
        AuditVerdict::BrokenAt { seq } => (seq, Some(format!("entry {seq} was changed, removed or put in"))),
        AuditVerdict::Cut { seq } => (seq, Some(format!("entries after {seq} are missing"))),
    };
    if json {
        print_json(
            &serde_json::json!({ "intact": problem.is_none(), "entries": entries, "problem": problem }),
        )?;
    }
    match problem {
        Some(problem) => {
            Err(Failure::new(65, format!("the audit log was changed outside the gateway: {problem}")))
        }
        None if json => Ok(()),
        None => say(&format!("the audit log is intact: {entries} entries\n")),
    }
}
