//! `llm-gateway vault`: secrets of providers, and care of the vault as a whole.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use store::{Bundle, GLOBAL, NewAuthFile, NewCredential};
use wire::Fault;

use super::local::{Local, VaultArgs, confirm, place_backup, print, print_json, read, secret, with_vault};
use super::say;
use crate::exit::Failure;
use crate::manage::credentials::{self as manage, Row};
use crate::manage::files;

/// What can be done with the vault.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store or replace a provider's key, which is read from a prompt, a file or standard input.
    Put {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        #[allow(missing_docs)]
        provider: String,
        /// Tells several keys of a provider apart.
        #[arg(long, default_value = "default")]
        name: String,
        /// The project that may use it.
        #[arg(long, default_value = GLOBAL)]
        project: String,
        /// A file that holds the key.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// List the credentials, masked.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Only those of one project, and the global ones.
        #[arg(long)]
        project: Option<String>,
    },
    /// Remove a credential.
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
    /// Put everything under a new key, while the gateway goes on serving.
    Rotate {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Make a new master key too; the key file gets it.
        #[arg(long)]
        master_key: bool,
    },
    /// Write credentials and files to one file, sealed under a passphrase.
    Export {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// The file to be made.
        to: PathBuf,
        /// A file that holds the passphrase (default: a prompt, or standard input).
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Store everything from such a file; what has the same names here is replaced.
    Import {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        #[allow(missing_docs)]
        from: PathBuf,
        /// A file that holds the passphrase (default: a prompt, or standard input).
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Write a copy of the database, while the gateway goes on serving. It needs the same master key.
    Backup {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// The file to be made.
        to: PathBuf,
    },
    /// Make credentials, files and access keys what they are in a backup, while the gateway goes on serving. Where there
    /// is no database, the backup becomes it; the master key must be there.
    Restore {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        #[allow(missing_docs)]
        from: PathBuf,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Runs one of them.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Put { vault, provider, name: key_name, project, from } => {
            let api_key = secret(from.as_deref(), "the key")?;
            let new = NewCredential { provider, key_name, project, api_key };
            with_vault(&vault, async |local| {
                let stored = manage::put(&*local.store, &local.snapshot, new, &local.by()).await?;
                print_json(&manage::created(&stored))
            })
        }
        Command::List { vault, project } => with_vault(&vault, async |local| {
            let found = manage::list(&*local.store, &local.caller, project.as_deref()).await?;
            let rows: Vec<Row<'_>> = found.iter().map(Row::of).collect();
            print(vault.json, &rows, &Row::HEAD, Row::line)
        }),
        Command::Delete { vault, id, yes } => {
            confirm(yes, &format!("delete credential {id}"))?;
            with_vault(&vault, async |local| {
                manage::delete(&*local.store, &local.caller, id, &local.by()).await?;
                say(&format!("credential {id} is deleted\n"))
            })
        }
        Command::Rotate { vault, master_key } => {
            with_vault(&vault, async |local| rotate(local, master_key).await)
        }
        Command::Export { vault, to, passphrase_file } => {
            with_vault(&vault, async |local| export(local, &to, passphrase_file.as_deref()).await)
        }
        Command::Import { vault, from, passphrase_file } => {
            with_vault(&vault, async |local| import(local, &from, passphrase_file.as_deref()).await)
        }
        Command::Backup { vault, to } => with_vault(&vault, async |local| {
            local.store.backup(&to).await?;
            say(&format!("{} is a copy of the database; it needs the same master key\n", to.display()))
        }),
        Command::Restore { vault, from, yes } => {
            confirm(yes, &format!("make the vault what it is in {}", from.display()))?;
            if place_backup(&vault, &from)? {
                return say(&format!("{} is the database now\n", from.display()));
            }
            with_vault(&vault, async |local| {
                let done = local.store.restore(&from, &local.by()).await?;
                say(&format!("{} rows brought back, {} taken away\n", done.brought_back, done.taken_away))
            })
        }
    }
}

async fn rotate(local: &Local, master_key: bool) -> Result<(), Failure> {
    if master_key {
        local.store.rotate_root(&local.by()).await?;
        return say("everything is under a new master key; the key file has it\n");
    }
    let moved = local.store.rotate_kek(&local.by()).await?;
    say(&format!("{moved} rows are under a new key\n"))
}

async fn export(local: &Local, to: &Path, passphrase: Option<&Path>) -> Result<(), Failure> {
    let bundle = collect(local).await?;
    let sealed =
        bundle.seal(&secret(passphrase, "the passphrase")?).map_err(|error| Failure::new(1, error))?;
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        file.write_all(&sealed)?;
        file.sync_all()
    };
    write().map_err(|error| Failure::new(74, format!("{}: {error}", to.display())))?;
    let (credentials, files) = (bundle.credentials.len(), bundle.files.len());
    say(&format!("{credentials} credentials and {files} files are in {}\n", to.display()))
}

/// Everything that opens. A row that does not is named and left out.
async fn collect(local: &Local) -> Result<Bundle, Failure> {
    let mut bundle = Bundle::default();
    for row in local.store.credentials(None).await?.into_iter().filter(|row| row.intact) {
        let api_key = local.store.open_credential(row.id).await?;
        let (provider, key_name, project) = (row.provider, row.key_name, row.project);
        bundle.credentials.push(NewCredential { provider, key_name, project, api_key });
    }
    for row in local.store.files(None).await?.into_iter().filter(|row| row.intact) {
        let content = local.store.open_file(row.id).await?;
        let (provider, file_name, project) = (row.provider, row.file_name, row.project);
        bundle.files.push(NewAuthFile { provider, file_name, project, content });
    }
    for complaint in local.store.inspect().await?.complaints {
        tracing::warn!("{complaint}");
    }
    Ok(bundle)
}

async fn import(local: &Local, from: &PathBuf, passphrase: Option<&Path>) -> Result<(), Failure> {
    let sealed = read(from)?;
    let bundle = Bundle::open(&sealed, &secret(passphrase, "the passphrase")?)
        .map_err(|error| Failure::new(5, format!("{}: {error}", from.display())))?;
    let (store, snapshot, by) = (&*local.store, &local.snapshot, local.by());
    let (mut stored, mut refused) = (0, 0);
    let mut count = |what: String, outcome: Result<(), Fault>| match outcome {
        Ok(()) => stored += 1,
        Err(fault) => {
            refused += 1;
            tracing::warn!("{what} is left out: {fault}");
        }
    };
    for new in bundle.credentials {
        let what = format!("{}/{} of {}", new.provider, new.key_name, new.project);
        count(what, manage::put(store, snapshot, new, &by).await.map(drop));
    }
    for new in bundle.files {
        let what = format!("{}/{} of {}", new.provider, new.file_name, new.project);
        count(what, files::put(store, snapshot, new, None, &by).await.map(drop));
    }
    say(&format!("{stored} rows are stored\n"))?;
    if refused > 0 { Err(Failure::new(1, format!("{refused} rows were left out"))) } else { Ok(()) }
}
