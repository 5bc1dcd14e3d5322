//! From a haul to vault, ledger and configuration file.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use store::{Credential, NewCredential, Secret, Store};

use super::haul::{Haul, Key};
use super::report::Report;
use crate::clock;
use crate::exit::Failure;

/// How far an import goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Intent {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Take the source's value where another one is stored here.
    pub overwrite: bool,
}

/// Rows of the ledger that are written at once.
const BATCH: usize = 500;

/// Puts keys and usage into the store and says what became of them. No store: nothing is there yet, and nothing is to be
/// written.
///
/// # Errors
/// The store fails. What was acknowledged before stays; the import may be run again.
pub async fn settle(haul: Haul, store: Option<&dyn Store>, intent: Intent) -> Result<Report, Failure> {
    let Haul { keys, usage, mut report, .. } = haul;
    let here = match store {
        Some(store) => store.credentials(None).await.map_err(failure)?,
        None => Vec::new(),
    };
    for key in keys {
        match store {
            Some(store) => settle_key(key, store, &here, intent, &mut report).await?,
            None => report.took(key.place.clone(), key.label(), key.remark),
        }
    }
    if let (Some(store), false) = (store, intent.dry_run) {
        for batch in usage.chunks(BATCH) {
            store.append(batch).await.map_err(failure)?;
        }
    }
    Ok(report)
}

async fn settle_key(
    key: Key,
    store: &dyn Store,
    here: &[Credential],
    intent: Intent,
    report: &mut Report,
) -> Result<(), Failure> {
    let label = key.label();
    let is_row = |row: &&Credential| {
        row.provider == key.provider && row.key_name == key.name && row.project == key.project
    };
    let held = here.iter().find(is_row);
    if let Some(row) = held.filter(|row| row.intact && !intent.overwrite) {
        let stored = store.open_credential(row.id).await.map_err(failure)?;
        if stored.expose() != key.secret.expose() {
            report.not(key.place, label, "another value is stored here; --overwrite takes the imported one");
            return Ok(());
        }
    } else if !intent.dry_run {
        let Key { provider, name: key_name, project, secret: api_key, .. } = key;
        let new = NewCredential { provider, key_name, project, api_key };
        store.put_credential(new, clock::wall()).await.map_err(failure)?;
        report.took(key.place, label, key.remark);
        return Ok(());
    }
    report.took(key.place, label, key.remark);
    Ok(())
}

fn failure(error: store::StoreError) -> Failure {
    Failure::new(if error.is_retryable() { 75 } else { 74 }, error)
}

/// Writes the configuration file, private and complete or not at all.
///
/// # Errors
/// 7: a file is there that is not to be replaced; 74: the system refuses.
pub fn write_config(path: &Path, text: &str, intent: Intent) -> Result<(), Failure> {
    if path.exists() && !intent.overwrite {
        let why = "is there already; choose another place with --to, or replace it with --overwrite";
        return Err(Failure::new(7, format!("{} {why}", path.display())));
    }
    if intent.dry_run {
        return Ok(());
    }
    let io = |error: std::io::Error| Failure::new(74, format!("cannot write {}: {error}", path.display()));
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
    }
    let unfinished = path.with_extension("yaml.new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    fs::rename(&unfinished, path).map_err(io)
}

/// What a key may hold: a header has to be able to carry it. White space around it is no part of it.
pub(super) fn usable(secret: Secret) -> Result<(Secret, Option<String>), &'static str> {
    let trimmed = secret.expose().trim();
    if trimmed.is_empty() {
        return Err("it is empty");
    }
    if !trimmed.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Err("it has characters that no header can carry");
    }
    match trimmed.len() == secret.expose().len() {
        true => Ok((secret, None)),
        false => {
            Ok((Secret::new(trimmed.to_owned()), Some("white space around the key was left out".to_owned())))
        }
    }
}
