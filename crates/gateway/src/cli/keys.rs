//! `llm-gateway keys`: access keys of callers.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::{AccessKey, KeyChanges, KeyRole, NewAccessKey};

use super::local::{Local, VaultArgs, confirm, print, print_json, with_vault};
use super::say;
use crate::clock;
use crate::exit::Failure;
use crate::manage::keys::{self as manage, Issued, Row};

/// What can be done with access keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key; it is shown once, on standard output.
    Create {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// For people, logs and the ledger.
        name: String,
        /// What its holder may do: caller or project_admin.
        #[arg(long, default_value = "caller")]
        role: String,
        /// The only project it may act for.
        #[arg(long)]
        project: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        limits: Limits,
    },
    /// List the keys, without the keys themselves.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Only those of one project.
        #[arg(long)]
        project: Option<String>,
    },
    /// Show one key, without the key itself.
    Show {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Its id, or its name where no other living key has it.
        #[arg(value_name = "ID|NAME")]
        key: String,
    },
    /// Change what a key may do; what is not named stays as it is.
    Update {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Its id, or its name where no other living key has it.
        #[arg(value_name = "ID|NAME")]
        key: String,
        /// A new name.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        limits: Limits,
    },
    /// Give a key a new secret part, shown once; the old one goes on for a while.
    Rotate {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Its id, or its name where no other living key has it.
        #[arg(value_name = "ID|NAME")]
        key: String,
        /// How long the old key is accepted, such as 24h or 0s.
        #[arg(long, default_value = "24h", value_parser = duration)]
        overlap: Duration,
    },
    /// Make a key open nothing any more, for good.
    Revoke {
        #[command(flatten)]
        #[allow(missing_docs)]
        vault: VaultArgs,
        /// Its id, or its name where no other living key has it.
        #[arg(value_name = "ID|NAME")]
        key: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// How far a key reaches.
#[derive(Debug, clap::Args)]
pub struct Limits {
    /// A pattern of models that it may use, such as gpt-* or openrouter/*; may be repeated (default: all).
    #[arg(long = "model", value_name = "PATTERN")]
    models: Vec<String>,
    /// A provider that it may use; may be repeated (default: all).
    #[arg(long = "provider", value_name = "PROVIDER")]
    providers: Vec<String>,
    /// A word for whoever manages the keys, such as team=search; may be repeated.
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// When it ends: a time, a span such as 90d, or never.
    #[arg(long, value_parser = expiry)]
    expires: Option<Expiry>,
}

/// When a key ends.
#[derive(Debug, Clone, Copy)]
enum Expiry {
    Never,
    At(Timestamp),
    After(Duration),
}

/// Runs one of them.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { vault, name, role, project, limits } => {
            with_vault(&vault, async |local| create(local, name, &role, project, limits).await)
        }
        Command::List { vault, project } => with_vault(&vault, async |local| {
            let found = manage::list(&*local.store, &local.caller, project.as_deref()).await?;
            list(vault.json, &found)
        }),
        Command::Show { vault, key } => with_vault(&vault, async |local| {
            let id = id_of(local, &key).await?;
            print_json(&Row::of(&manage::find(&*local.store, &local.caller, &id).await?))
        }),
        Command::Update { vault, key, name, limits } => with_vault(&vault, async |local| {
            let id = id_of(local, &key).await?;
            let changes = changes(local, name, limits)?;
            let key = manage::update(&*local.store, &local.caller, &id, changes, &local.by()).await?;
            print_json(&Row::of(&key))
        }),
        Command::Rotate { vault, key, overlap } => with_vault(&vault, async |local| {
            let id = id_of(local, &key).await?;
            let (key, secret) =
                manage::rotate(&*local.store, &local.caller, &id, overlap, &local.by()).await?;
            print_json(&Issued::of(&key, &secret))
        }),
        Command::Revoke { vault, key, yes } => {
            confirm(yes, &format!("revoke access key {key} for good"))?;
            with_vault(&vault, async |local| {
                let id = id_of(local, &key).await?;
                manage::revoke(&*local.store, &local.caller, &id, &local.by()).await?;
                say(&format!("access key {id} is revoked\n"))
            })
        }
    }
}

/// The id of a key that is called by its id or by its name. What is neither is left as it is: nobody will find it.
async fn id_of(local: &Local, called: &str) -> Result<String, Failure> {
    let keys = manage::list(&*local.store, &local.caller, None).await?;
    let is_called = |key: &&AccessKey| key.grant.name == called && key.revoked_at.is_none();
    let named: Vec<&str> = keys.iter().filter(is_called).map(|key| key.id.as_str()).collect();
    match named[..] {
        _ if keys.iter().any(|key| key.id == called) => Ok(called.to_owned()),
        [] => Ok(called.to_owned()),
        [id] => Ok(id.to_owned()),
        _ => {
            Err(Failure::new(7, format!("several keys are named {called}; say which: {}", named.join(", "))))
        }
    }
}

async fn create(
    local: &Local,
    name: String,
    role: &str,
    project: Option<String>,
    limits: Limits,
) -> Result<(), Failure> {
    let role = KeyRole::from_name(role)
        .ok_or_else(|| Failure::new(2, format!("role '{role}' is not known; caller or project_admin")))?;
    let changes = changes(local, Some(name), limits)?;
    let new = NewAccessKey {
        name: changes.name.unwrap_or_default(),
        role,
        project,
        models: changes.models.unwrap_or_default(),
        providers: changes.providers.unwrap_or_default(),
        labels: changes.labels.unwrap_or_default(),
        expires_at: changes.expires_at.flatten(),
    };
    let (key, secret) = manage::create(&*local.store, &local.caller, new, &local.by()).await?;
    print_json(&Issued::of(&key, &secret))
}

fn changes(local: &Local, name: Option<String>, limits: Limits) -> Result<KeyChanges, Failure> {
    let Limits { models, providers, labels, expires } = limits;
    let labels: BTreeMap<String, String> = labels.into_iter().collect();
    let providers = manage::known_providers(&local.snapshot, providers)?;
    Ok(KeyChanges {
        name,
        models: Some(models).filter(|models| !models.is_empty()),
        providers: Some(providers).filter(|providers| !providers.is_empty()),
        labels: Some(labels).filter(|labels| !labels.is_empty()),
        expires_at: expires.map(|expiry| expiry.at(clock::wall())).transpose()?,
    })
}

fn list(as_json: bool, keys: &[AccessKey]) -> Result<(), Failure> {
    if as_json {
        return print_json(&json!(keys.iter().map(Row::of).collect::<Vec<_>>()));
    }
    let rows: Vec<Row<'_>> = keys.iter().map(Row::of).collect();
    print(false, &rows, &Row::HEAD, Row::line)
}

impl Expiry {
    fn at(self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        match self {
            Expiry::Never => Ok(None),
            Expiry::At(end) => Ok(Some(end)),
            Expiry::After(span) => now.checked_add(span).map(Some).map_err(|error| Failure::new(2, error)),
        }
    }
}

fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    let at = || text.parse().map(Expiry::At).ok();
    at().or_else(|| duration(text).ok().map(Expiry::After))
        .ok_or_else(|| "a time such as 2027-01-31T00:00:00Z, a span such as 90d, or never".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    if let Some(days) = days {
        return Ok(Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    }
    let span: Result<SignedDuration, _> = text.parse();
    span.ok().and_then(|span| span.try_into().ok()).ok_or_else(|| "a span such as 90d, 24h or 30m".to_owned())
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "must be NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_a_span_or_never() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let end = |text: &str| expiry(text).unwrap().at(now).unwrap().map(|end| end.to_string());
        assert_eq!(end("90d").as_deref(), Some("2026-04-01T00:00:00Z"));
        assert_eq!(end("24h").as_deref(), Some("2026-01-02T00:00:00Z"));
        assert_eq!(end("2027-01-31T00:00:00Z").as_deref(), Some("2027-01-31T00:00:00Z"));
        assert_eq!(end("never"), None);
        for odd in ["", "soon", "-1d", "d", "-5h"] {
            assert!(expiry(odd).is_err(), "{odd}");
        }
    }
}
