//! The directory and the files of a store: made with the right modes, and locked while a store is being opened.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{Access, access};
use tracing::warn;

use crate::error::OpenError;

/// How often to look whether another process has opened the same store, and how many times: ten seconds in all.
const GLANCE: Duration = Duration::from_millis(5);
const GLANCES: u32 = 2_000;

/// Where everything is. While it lives, no other process opens a store in the same directory.
pub(super) struct Place {
    pub database: PathBuf,
    pub key_file: PathBuf,
    _turns: Vec<File>,
}

impl Place {
    /// Makes the directories if need be, and waits for its turn.
    pub(super) fn prepare(data_dir: PathBuf, db_path: Option<PathBuf>) -> Result<Self, OpenError> {
        let database = db_path.unwrap_or_else(|| data_dir.join("vault.db"));
        make_directory(&data_dir)?;
        let directory = directory_of(&database);
        make_directory(directory)?;
        let mut turns = vec![lock(&data_dir)?];
        if !same(&data_dir, directory) {
            turns.push(lock(directory)?);
        }
        Ok(Self { key_file: data_dir.join("master.key"), database, _turns: turns })
    }

    /// Where a new database is made before it gets its name: a file of that name is always complete.
    pub(super) fn unfinished(&self) -> PathBuf {
        with_suffix(&self.database, ".new")
    }

    /// Whether there is a write-ahead log beside the database: changes wait in it, or a process has it open.
    pub(super) fn has_wal(database: &Path) -> bool {
        with_suffix(database, "-wal").exists()
    }

    /// Refuses early what could only be read.
    pub(super) fn require_writable(&self) -> Result<(), OpenError> {
        for path in [&self.database, directory_of(&self.database)] {
            if access(path, Access::WRITE_OK).is_err() {
                return Err(OpenError::ReadOnly { path: path.to_owned() });
            }
        }
        Ok(())
    }

    /// Takes the database away from everyone but its owner. The side files get their mode from it.
    pub(super) fn make_private(&self) {
        for path in
            [self.database.clone(), with_suffix(&self.database, "-wal"), with_suffix(&self.database, "-shm")]
        {
            let Ok(found) = fs::metadata(&path) else { continue };
            let mode = found.permissions().mode() & 0o7777;
            if mode & 0o077 == 0 {
                continue;
            }
            match fs::set_permissions(&path, Permissions::from_mode(0o600)) {
                Ok(()) => {
                    warn!(path = %path.display(), "{} had mode {mode:04o}; it is 0600 now", path.display())
                }
                Err(error) => {
                    warn!(path = %path.display(), %error, "{} has mode {mode:04o} and keeps it", path.display());
                }
            }
        }
    }
}

/// The directory that a file lies in, also for a bare name.
pub(super) fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// `path` with `suffix` after its last letter, as SQLite names its side files.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn make_directory(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => OpenError::ReadOnly { path: path.to_owned() },
        _ => OpenError::io("make the directory", path)(error),
    })?;
    // What will be promised to be durable must also be found again.
    let parent = directory_of(path);
    File::open(parent)
        .and_then(|parent| parent.sync_all())
        .map_err(OpenError::io("write the directory", parent))
}

/// Held for milliseconds while a store opens. Some network file systems have no locks; there, one start at a time is
/// the operator's care.
pub(super) fn lock(directory: &Path) -> Result<File, OpenError> {
    let file = File::open(directory).map_err(OpenError::io("open the directory", directory))?;
    for _ in 0..GLANCES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(file),
            Err(TryLockError::Error(error)) => {
                return Err(OpenError::io("lock the directory", directory)(error));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(GLANCE),
        }
    }
    Err(OpenError::Locked { path: directory.to_owned() })
}

/// Whether two paths lead to one directory, which must not be locked twice.
fn same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}
