//! From a haul to vault, ledger and configuration file.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use store::{self, AuthFile, By, Credential, NewCredential, Secret, Store};

use super::haul::{File, Group, Haul, Key};
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

/// Puts keys, files and usage into the store and says what became of them. No store: nothing is there yet, and nothing
/// is to be written.
///
/// # Errors
/// The store fails. What was acknowledged before stays; the import may be run again.
pub async fn settle(haul: Haul, store: Option<&dyn Store>, intent: Intent) -> Result<Report, Failure> {
    let Haul { keys, files, groups, usage, mut report, .. } = haul;
    let Some(store) = store else {
        keys.into_iter().for_each(|key| report.took(key.place.clone(), key.label(), key.remark));
        files.into_iter().for_each(|file| report.took(file.place.clone(), file.label(), file.remark));
        for group in groups {
            report.took(group.place, format!("group {}", group.name), group.remark);
        }
        return Ok(report);
    };
    let here = store.credentials(None).await.map_err(failure)?;
    for key in keys {
        settle_key(key, store, &here, intent, &mut report).await?;
    }
    let here = store.files(None).await.map_err(failure)?;
    for file in files {
        settle_file(file, store, &here, intent, &mut report).await?;
    }
    let here = store.groups().await.map_err(failure)?;
    for group in groups {
        settle_group(group, store, &here, intent, &mut report).await?;
    }
    if !intent.dry_run {
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
    let (place, label, remark) = (key.place.clone(), key.label(), key.remark.clone());
    let Key { provider, name: key_name, project, secret: api_key, .. } = key;
    let is_row =
        |row: &&Credential| (&row.provider, &row.key_name, &row.project) == (&provider, &key_name, &project);
    let held = match here.iter().find(is_row).filter(|row| row.intact) {
        Some(row) => Some(store.open_credential(row.id).await.map_err(failure)?),
        None => None,
    };
    match Fate::of(held.as_ref(), &api_key, intent) {
        Fate::Kept => {
            report.not(place, label, KEPT);
            return Ok(());
        }
        Fate::Written => {
            let new = NewCredential { provider, key_name, project, api_key };
            store.put_credential(new, &by()).await.map_err(failure)?;
        }
        Fate::Fine => {}
    }
    report.took(place, label, remark);
    Ok(())
}

async fn settle_file(
    file: File,
    store: &dyn Store,
    here: &[AuthFile],
    intent: Intent,
    report: &mut Report,
) -> Result<(), Failure> {
    let label = file.label();
    let File { file, place, remark } = file;
    let is_row = |row: &&AuthFile| {
        (&row.provider, &row.file_name, &row.project) == (&file.provider, &file.file_name, &file.project)
    };
    let held = match here.iter().find(is_row).filter(|row| row.intact) {
        Some(row) => Some(store.open_file(row.id).await.map_err(failure)?),
        None => None,
    };
    match Fate::of(held.as_ref(), &file.content, intent) {
        Fate::Kept => {
            report.not(place, label, KEPT);
            return Ok(());
        }
        Fate::Written => drop(store.put_file(file, &by()).await.map_err(failure)?),
        Fate::Fine => {}
    }
    report.took(place, label, remark);
    Ok(())
}

async fn settle_group(
    group: Group,
    store: &dyn Store,
    here: &[store::Group],
    intent: Intent,
    report: &mut Report,
) -> Result<(), Failure> {
    let Group { id, name, rule, place, remark } = group;
    let label = format!("group {name}");
    let held = here.iter().find(|held| held.id == id);
    match held.map(|held| held.rule == rule && held.name == name) {
        Some(false) if !intent.overwrite => {
            report.not(place, label, KEPT);
            return Ok(());
        }
        Some(false) if !intent.dry_run => {
            store.update_group(&id, &name, rule, &by()).await.map_err(failure)?;
        }
        None if !intent.dry_run => {
            store.create_group(&id, &name, rule, &by()).await.map_err(failure)?;
        }
        _ => {}
    }
    report.took(place, label, remark);
    Ok(())
}

const KEPT: &str = "another value is stored here; --overwrite takes the imported one";

/// What happens to a secret of the source.
enum Fate {
    /// What is here stays.
    Kept,
    /// It is stored.
    Written,
    /// It is here already, or would be stored.
    Fine,
}

impl Fate {
    fn of(held: Option<&Secret>, imported: &Secret, intent: Intent) -> Self {
        match held {
            Some(held) if held.expose() == imported.expose() => Fate::Fine,
            Some(_) if !intent.overwrite => Fate::Kept,
            _ if intent.dry_run => Fate::Fine,
            _ => Fate::Written,
        }
    }
}

/// Who stands in the audit log.
fn by() -> By {
    By { actor: "import".to_owned(), request_id: None, at: clock::wall() }
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
    let mut file =
        fs::File::options().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(io)?;
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
