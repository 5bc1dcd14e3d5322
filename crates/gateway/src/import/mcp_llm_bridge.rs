//! `import mcp-llm-bridge`: its `vault.db` and its master key.
//!
//! Credentials, files and usage are carried over, with their projects. Source of the layout: CONTRACT.md section 7, and
//! vaults written by mcp-llm-bridge 0.5.1 (npm, read 2026-11-25).

mod groups;
mod prices;
mod rows;
mod sealed;
mod usage;

use std::path::{Path, PathBuf};

use policy::Snapshot;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{NewAuthFile, Secret};

use self::rows::Rows;
use self::sealed::MasterKey;
use super::haul::{File, Haul, Key};
use super::settle::usable;
use crate::catalog::Catalogue;
use crate::exit::Failure;
use crate::manage::files;

/// The tables whose rows have a meaning here or there, and what becomes of those that have none here.
const LEFT_BEHIND: [(&str, &str); 4] = [
    ("api_keys", "only their hashes are kept there; create new ones"),
    ("user_quotas", "quotas belong to access keys here"),
    ("security_profiles", "profiles have no counterpart"),
    ("comparison_results", "comparisons are not kept here"),
];

/// Reads the vault at `source`, a file or the directory that holds it. `given` is a master key from the environment;
/// `snapshot` knows the programs that files may belong to.
///
/// # Errors
/// 4: there is no vault; 65: it is none of mcp-llm-bridge; 74: it cannot be read; 78: no key opens it.
pub async fn read(source: &Path, given: Option<Secret>, snapshot: &Snapshot) -> Result<Haul, Failure> {
    let path = if source.is_dir() { source.join("vault.db") } else { source.to_owned() };
    let mut connection = connect(&path).await?;
    let rows = Rows::read(&mut connection).await.map_err(|error| unreadable(&path, error))?;
    if !rows.is_of_mcp_llm_bridge() {
        let what =
            "is no vault of mcp-llm-bridge: it has no table 'credentials' with the columns that are known";
        return Err(Failure::new(65, format!("{} {what}", path.display())));
    }
    let key = master_key(&path, given, &rows)?;
    let mut haul = Haul::default();
    take_credentials(&rows, key.as_ref(), &mut haul);
    take_files(&rows, key.as_ref(), snapshot, &mut haul);
    groups::take(&mut connection, snapshot, &mut haul).await.map_err(|error| unreadable(&path, error))?;
    usage::take(&mut connection, &mut haul).await.map_err(|error| unreadable(&path, error))?;
    prices::take(&mut connection, &mut haul).await.map_err(|error| unreadable(&path, error))?;
    for (table, why) in LEFT_BEHIND {
        let count = rows::count(&mut connection, table).await.map_err(|error| unreadable(&path, error))?;
        if count > 0 {
            haul.report.not(None, format!("{count} rows of {table}"), why);
        }
    }
    // It was only read.
    let _ = connection.close().await;
    Ok(haul)
}

/// Without a write-ahead log SQLite need not even make side files; with one, changes wait in it and are read too.
async fn connect(path: &Path) -> Result<SqliteConnection, Failure> {
    if !path.is_file() {
        let why = "is not there; name the vault.db of mcp-llm-bridge, or its directory";
        return Err(Failure::new(4, format!("{} {why}", path.display())));
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let options =
        SqliteConnectOptions::new().filename(path).read_only(true).immutable(!PathBuf::from(log).exists());
    options.disable_statement_logging().connect().await.map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: sqlx::Error) -> Failure {
    Failure::new(74, format!("{} cannot be read: {error}", path.display()))
}

/// The first key that opens a row: the one given, then that of the file beside the vault. `None`: there are no rows.
fn master_key(vault: &Path, given: Option<Secret>, rows: &Rows) -> Result<Option<MasterKey>, Failure> {
    if rows.sealed().next().is_none() {
        return Ok(None);
    }
    let file = vault.with_file_name("master.key");
    let beside = std::fs::read_to_string(&file).ok().map(Secret::new);
    if given.is_none() && beside.is_none() {
        let why = format!("{} is missing: restore it, or set LLM_GATEWAY_MASTER_KEY", file.display());
        return Err(Failure::new(78, format!("the master key of {} {why}", vault.display())));
    }
    let mut keys = given.into_iter().chain(beside).filter_map(|text| MasterKey::parse(&text));
    keys.find(|key| rows.sealed().any(|sealed| key.open(sealed).is_some())).map(Some).ok_or_else(|| {
        let why = "neither LLM_GATEWAY_MASTER_KEY nor the key file beside it opens a single row";
        Failure::new(78, format!("no key for {}: {why}", vault.display()))
    })
}

fn take_credentials(rows: &Rows, key: Option<&MasterKey>, haul: &mut Haul) {
    for row in &rows.credentials {
        let what = format!("credential {}/{} ({})", row.provider, row.name, row.project);
        let Some(secret) = key.and_then(|key| key.open(&row.sealed)) else {
            haul.report.not(place(row.id), what, SHUT);
            continue;
        };
        match usable(secret) {
            Ok((secret, remark)) => {
                let (provider, renamed) = provider(&row.provider);
                let remark =
                    [renamed, remark].into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
                let (name, project) = (row.name.clone(), row.project.clone());
                let other_name = format!("{}-{}", row.provider, row.name);
                haul.add(Key { provider, name, project, secret, place: place(row.id), remark }, &other_name);
            }
            Err(why) => haul.report.not(place(row.id), what, why),
        }
    }
}

const SHUT: &str = "its row does not open with this master key";

/// Auth files of command-line programs, whose names have to be safe here.
fn take_files(rows: &Rows, key: Option<&MasterKey>, snapshot: &Snapshot, haul: &mut Haul) {
    for row in &rows.files {
        let place = Some(format!("files:{}", row.id));
        let what = format!("file {}/{} ({})", row.provider, row.name, row.project);
        let Some(content) = key.and_then(|key| key.open(&row.sealed)) else {
            haul.report.not(place, what, SHUT);
            continue;
        };
        let (provider, file_name, project) = (row.provider.clone(), row.name.clone(), row.project.clone());
        match files::checked(snapshot, NewAuthFile { provider, file_name, project, content }) {
            Ok(file) => {
                let renamed = file.provider != row.provider;
                let remark = renamed.then(|| format!("'{}' is called {} here", row.provider, file.provider));
                haul.files.push(File { file, place, remark });
            }
            Err(fault) => haul.report.not(place, what, fault.client_message("-")),
        }
    }
}

fn place(id: i64) -> Option<String> {
    Some(format!("credentials:{id}"))
}

/// The provider's id here, and what to say about it.
fn provider(name: &str) -> (String, Option<String>) {
    let catalogue = Catalogue::embedded();
    if let Some(row) = catalogue.provider(name) {
        let remark = (row.id != name).then(|| format!("'{name}' is called {} here", row.id));
        return (row.id.clone(), remark);
    }
    // A credential of a program stands under the program's name there: `copilot` for `copilot-cli`.
    let agent =
        catalogue.agents.iter().find(|agent| agent.id == name || agent.id.strip_suffix("-cli") == Some(name));
    if let Some(agent) = agent {
        let remark = (agent.id != name).then(|| format!("'{name}' is called {} here", agent.id));
        return (agent.id.clone(), remark);
    }
    let remark = format!("no provider '{name}' is known; add a section of that name to the file to use it");
    (name.to_owned(), Some(remark))
}
