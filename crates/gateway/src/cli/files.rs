//! `llm-gateway files`: auth files of command-line programs.

use std::path::PathBuf;

use clap::Subcommand;
use store::{GLOBAL, NewAuthFile, Secret, Version};

use super::local::{VaultArgs, confirm, print, print_json, read, with_vault};
use super::say;
use crate::exit::Failure;
use crate::manage::files::{self as manage, Row};

/// What can be done with auth files.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store or replace a file.
    Put {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// The program that reads it, such as claude.
        program: String,
        /// The file.
        file: PathBuf,
        /// Its name in the program's directory (default: as it is called here).
        #[arg(long)]
        name: Option<String>,
        /// The project that may use it.
        #[arg(long, default_value = GLOBAL)]
        project: String,
        /// Replace it only if it is still in this version, as `files list` shows it.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<Version>,
    },
    /// List the files, without their content.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Only those of one project, and the global ones.
        #[arg(long)]
        project: Option<String>,
    },
    /// Remove a file.
    Delete {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        #[allow(missing_docs)]
        id: i64,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Runs one of them.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Put { vault, program, file, name, project, if_version } => {
            let new = new_file(program, &file, name, project)?;
            with_vault(&vault, async |local| {
                let (store, snapshot, by) = (&*local.store, &local.snapshot, local.by());
                let stored = manage::put(store, snapshot, new, if_version, &by).await?;
                print_json(&manage::created(&stored))
            })
        }
        Command::List { vault, project } => with_vault(&vault, async |local| {
            let found = manage::list(&*local.store, &local.caller, project.as_deref()).await?;
            let rows: Vec<Row<'_>> = found.iter().map(Row::of).collect();
            print(vault.json, &rows, &Row::HEAD, Row::line)
        }),
        Command::Delete { vault, id, yes } => {
            confirm(yes, &format!("delete file {id}"))?;
            with_vault(&vault, async |local| {
                manage::delete(&*local.store, &local.caller, id, &local.by()).await?;
                say(&format!("file {id} is deleted\n"))
            })
        }
    }
}

fn new_file(
    provider: String,
    file: &PathBuf,
    name: Option<String>,
    project: String,
) -> Result<NewAuthFile, Failure> {
    let own_name = || file.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let file_name = name.or_else(own_name).unwrap_or_default();
    let text = String::from_utf8(read(file)?)
        .map_err(|_| Failure::new(2, format!("{} is not text (UTF-8)", file.display())))?;
    Ok(NewAuthFile { provider, file_name, project, content: Secret::new(text) })
}
