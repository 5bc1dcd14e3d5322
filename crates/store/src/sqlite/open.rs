//! From a directory to an open store, in the order that keeps keys and data safe.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use super::connect::{Writers, options};
use super::errors::opening;
use super::inspect::{Found, Identity, identity, look, reader, require_version};
use super::place::{Place, directory_of, with_suffix};
use super::unlock::{Lock, LockRow, Unlocked};
use super::upgrade::{give_macs, upgrade};
use super::{schema, state};
use crate::error::{OpenError, StoreError};
use crate::master_key::{self, KeySource};
use crate::vault::{self, RootKey, SystemEntropy};
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
    let root = fitting(&identity, root, &key_source, &place)?;
    let store = connect(&place, &identity, &root, &key_source).await?;
    let created = found == Found::Nothing;
    Ok(Opened { store: Arc::new(store), created, key_source, database: place.database.clone() })
}

/// Copies a backup to where the database should be, complete or not at all.
pub(crate) async fn place_backup(options: OpenOptions, from: &Path) -> Result<(), OpenError> {
    let place = prepare(&options).await?;
    if place.database.exists() {
        return Err(OpenError::Exists { path: place.database.clone() });
    }
    if look(from).await? == Found::Nothing {
        return Err(OpenError::io("read the backup", from)(io::ErrorKind::NotFound.into()));
    }
    let (root, source) = find_key(options, &place, &Found::Ours)?;
    fitting(&identity(from).await?, root, &source, &place)?;
    let unfinished = place.unfinished();
    let copy = || -> io::Result<()> {
        // With the mode of the database from the first byte on.
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        io::copy(&mut File::open(from)?, &mut file)?;
        file.sync_all()?;
        fs::rename(&unfinished, &place.database)?;
        File::open(directory_of(&place.database))?.sync_all()
    };
    copy().map_err(OpenError::io("put the backup at", &place.database))
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

/// The key that belongs to the vault: the one that was found, or the one that was to replace it when a change of the
/// master key was broken off.
fn fitting(
    identity: &Identity,
    root: RootKey,
    source: &KeySource,
    place: &Place,
) -> Result<RootKey, OpenError> {
    if identity.format > vault::FORMAT {
        let (found, known) = (identity.format.into(), vault::FORMAT.into());
        return Err(OpenError::NewerSchema { path: place.database.clone(), found, known });
    }
    let fits = |root: &RootKey| root.matches(identity.vault, identity.format, &identity.key_check);
    let wrong = || OpenError::KeyWrong { database: place.database.clone(), from: source.name() };
    let KeySource::File(file) = source else {
        return if fits(&root) { Ok(root) } else { Err(wrong()) };
    };
    let io = OpenError::io("write the master key", file);
    if fits(&root) {
        master_key::discard_staged(file).map_err(io)?;
        return Ok(root);
    }
    let next = master_key::matching(file, fits).ok_or_else(wrong)?;
    master_key::promote(file).map_err(io)?;
    Ok(next)
}

/// Opens the connections that write; those that read are opened when they are needed.
async fn connect(
    place: &Place,
    identity: &Identity,
    root: &RootKey,
    key_source: &KeySource,
) -> Result<SqliteStore, OpenError> {
    place.require_writable()?;
    place.make_private();
    let path = &place.database;
    if identity.schema < schema::LATEST {
        upgrade(path, identity, root).await.map_err(refused(path))?;
    }
    let unlocked = unlock(path, root).await.map_err(refused(path))?;
    let writers = Writers::open(path).await.map_err(opening(path))?;
    let key_file = (*key_source != KeySource::Given).then(|| place.key_file.clone());
    Ok(SqliteStore::new(Lock::new(path.clone(), key_file, unlocked), writers))
}

/// Still only reads.
async fn unlock(path: &Path, root: &RootKey) -> Result<Unlocked, StoreError> {
    let mut reader = reader(path).await?;
    let row = LockRow::read(&mut reader).await?;
    let unlocked = Unlocked::new(&row, root, Arc::new(SystemEntropy))?;
    state::warn_if_changed(&mut reader, &unlocked).await?;
    reader.close().await?;
    Ok(unlocked)
}

/// A store's error while it is being opened.
fn refused(path: &Path) -> impl Fn(StoreError) -> OpenError {
    let path = path.to_owned();
    move |error| {
        let path = path.clone();
        match error {
            StoreError::Busy => OpenError::Locked { path },
            StoreError::ReadOnly => OpenError::ReadOnly { path },
            StoreError::Corrupt(_) | StoreError::Tampered { .. } => {
                OpenError::Corrupt { path, what: error.to_string() }
            }
            other => OpenError::Io { what: "open the vault", path, source: other.into() },
        }
    }
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
    write_vault(&mut connection, id, root).await.map_err(refused(path))?;
    connection.close().await.map_err(opening(path))
}

async fn write_vault(connection: &mut SqliteConnection, id: Uuid, root: &RootKey) -> Result<(), StoreError> {
    schema::found(connection).await?;
    schema::migrate(connection, 0).await?;
    sqlx::query("INSERT INTO vault (one, id, format, key_check, kek_no) VALUES (1, ?, ?, ?, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(vault::FORMAT)
        .bind(root.check(id, vault::FORMAT).as_slice())
        .bind(FIRST_KEK)
        .execute(&mut *connection)
        .await?;
    give_macs(connection, id, FIRST_KEK, root).await?;
    // Last, while nothing waits for the disk: the first real connection would wait for it four times.
    sqlx::query("PRAGMA journal_mode = WAL").execute(connection).await?;
    Ok(())
}
