//! From a directory to an open store, in the order that keeps keys and data safe.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use super::connect::{Writers, options};
use super::errors::opening;
use super::inspect::{Found, Identity, identity, look, require_version};
use super::place::{Place, directory_of, with_suffix};
use super::schema;
use crate::error::OpenError;
use crate::master_key::{self, KeySource};
use crate::vault::{self, RootKey, SystemEntropy, Vault};
use crate::{OpenOptions, Opened};

/// The number of a new vault's key-encryption key.
const FIRST_KEK: u32 = 1;

/// Looks before it touches: whose database, which key, do they belong together. Only then does it write.
pub(crate) async fn open(options: OpenOptions) -> Result<Opened, OpenError> {
    let place = prepare(&options).await?;
    let found = look(&place.database).await?;
    let (root, key_source) = find_key(options, &place, &found)?;
    if found == Found::Nothing {
        create(&place, &root).await?;
    }
    let identity = identity(&place.database).await?;
    require_match(&identity, &root, &key_source, &place.database)?;
    let store = connect(&place, &identity, &root).await?;
    let created = found == Found::Nothing;
    Ok(Opened { store: Arc::new(store), created, key_source, database: place.database.clone() })
}

/// On a thread of its own, since it may have to wait for another process that is opening the same store.
async fn prepare(options: &OpenOptions) -> Result<Place, OpenError> {
    let (data_dir, db_path) = (options.data_dir.clone(), options.db_path.clone());
    tokio::task::spawn_blocking(|| Place::prepare(data_dir, db_path)).await.map_err(|error| {
        OpenError::Io { what: "prepare", path: options.data_dir.clone(), source: error.into() }
    })?
}

/// A key is made only when there is no database either.
fn find_key(options: OpenOptions, place: &Place, found: &Found) -> Result<(RootKey, KeySource), OpenError> {
    match (master_key::find(options.master_key, &place.key_file)?, found) {
        (Some(key), _) => Ok(key),
        (None, Found::Nothing) => master_key::generate(&place.key_file, &SystemEntropy),
        (None, Found::Ours) => {
            Err(OpenError::KeyMissing { database: place.database.clone(), key_file: place.key_file.clone() })
        }
    }
}

fn require_match(
    identity: &Identity,
    root: &RootKey,
    source: &KeySource,
    database: &Path,
) -> Result<(), OpenError> {
    if identity.format != vault::FORMAT {
        let (found, known) = (identity.format.into(), vault::FORMAT.into());
        return Err(OpenError::NewerSchema { path: database.to_owned(), found, known });
    }
    if !root.matches(identity.vault, &identity.key_check) {
        return Err(OpenError::KeyWrong { database: database.to_owned(), from: source.name() });
    }
    Ok(())
}

/// Opens the connections that write; those that read are opened when they are needed.
async fn connect(place: &Place, identity: &Identity, root: &RootKey) -> Result<SqliteStore, OpenError> {
    place.require_writable()?;
    place.make_private();
    let path = &place.database;
    if identity.schema < schema::LATEST {
        migrate(path, identity.schema).await.map_err(opening(path))?;
    }
    let writers = Writers::open(path).await.map_err(opening(path))?;
    let vault = Vault::new(identity.vault, identity.kek_no, root, Box::new(SystemEntropy));
    Ok(SqliteStore::new(path, vault, writers))
}

async fn migrate(path: &Path, from: i64) -> sqlx::Result<()> {
    let mut connection = options(path).synchronous(SqliteSynchronous::Full).connect().await?;
    schema::migrate(&mut connection, from).await?;
    connection.close().await
}

/// Makes the database under another name and renames it when it is complete and on the disk, so that a kill in
/// between leaves no vault without a key check.
async fn create(place: &Place, root: &RootKey) -> Result<(), OpenError> {
    let unfinished = place.unfinished();
    let io = |what| OpenError::io(what, &place.database);
    for leftover in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(with_suffix(&unfinished, leftover));
    }
    let file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished);
    let file = file.map_err(io("make the database"))?;
    let id = vault::fresh_id(&SystemEntropy).map_err(|error| OpenError::Io {
        what: "make an id for",
        path: place.database.clone(),
        source: error.into(),
    })?;
    fill(&unfinished, id, root).await?;
    file.sync_all().map_err(io("write the database"))?;
    fs::rename(&unfinished, &place.database).map_err(io("name the database"))?;
    let directory = File::open(directory_of(&place.database)).map_err(io("open the directory of"))?;
    directory.sync_all().map_err(io("write the directory of"))
}

async fn fill(path: &Path, id: Uuid, root: &RootKey) -> Result<(), OpenError> {
    // Without waiting for the disk: a half-made file is thrown away, a whole one is synced by the caller.
    let fast = options(path).journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off);
    let mut connection = fast.connect().await.map_err(opening(path))?;
    require_version(&mut connection, path).await?;
    write_vault(&mut connection, id, root).await.map_err(opening(path))?;
    connection.close().await.map_err(opening(path))
}

async fn write_vault(connection: &mut SqliteConnection, id: Uuid, root: &RootKey) -> sqlx::Result<()> {
    schema::found(connection).await?;
    schema::migrate(connection, 0).await?;
    sqlx::query("INSERT INTO vault (one, id, format, key_check, kek_no) VALUES (1, ?, ?, ?, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(vault::FORMAT)
        .bind(root.check(id).as_slice())
        .bind(FIRST_KEK)
        .execute(&mut *connection)
        .await?;
    // Last, while nothing waits for the disk: the first real connection would wait for it four times.
    sqlx::query("PRAGMA journal_mode = WAL").execute(connection).await?;
    Ok(())
}
