//! The master key: given as text, read from its file, or made together with a new vault. Which vault it belongs to
//! is checked elsewhere. The file has the form of mcp-llm-bridge's: 64 hexadecimal digits and a newline.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::secret::Secret;
use crate::vault::{Entropy, KEY_LEN, KeyBytes, RootKey};

/// Permission bits of everyone but the owner.
const OTHERS: u32 = 0o077;

/// Where the master key came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The caller gave it: environment, or a file that the environment names.
    Given,
    /// The key file, which was there.
    File(PathBuf),
    /// The key file, which was made just now.
    Generated(PathBuf),
}

impl KeySource {
    /// For messages: the file's path, or the setting.
    pub fn name(&self) -> String {
        match self {
            Self::Given => "LLM_GATEWAY_MASTER_KEY".into(),
            Self::File(path) | Self::Generated(path) => path.display().to_string(),
        }
    }
}

/// The key to use: the given one, else that of the file. `None` if there is neither.
pub(crate) fn find(given: Option<Secret>, file: &Path) -> Result<Option<(RootKey, KeySource)>, OpenError> {
    if let Some(text) = given {
        return Ok(Some((parse(text.expose(), &KeySource::Given)?, KeySource::Given)));
    }
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::io("look at", file)(error)),
        Ok(_) => {
            let source = KeySource::File(file.to_owned());
            Ok(Some((parse(&read(file)?, &source)?, source)))
        }
    }
}

/// Makes a key and its file, durable when this returns. There must be no key file, and the caller must hold the
/// directory's lock.
pub(crate) fn generate(file: &Path, entropy: &dyn Entropy) -> Result<(RootKey, KeySource), OpenError> {
    let directory = directory_of(file);
    require_private(directory)?;
    let root = RootKey::generate(entropy).map_err(|error| OpenError::Io {
        what: "make a master key for",
        path: directory.to_owned(),
        source: error.into(),
    })?;
    write(file, &root).map_err(OpenError::io("write the master key", file))?;
    Ok((root, KeySource::Generated(file.to_owned())))
}

/// The key that fits, of the key file and the one that is about to replace it.
pub(crate) fn matching(file: &Path, fits: impl Fn(&RootKey) -> bool) -> Option<RootKey> {
    // The present one twice: the next one may take its place between the first two looks.
    let places = [file.to_owned(), staged(file), file.to_owned()];
    let keys = places.into_iter().filter_map(|file| find(None, &file).ok().flatten());
    keys.map(|(root, _)| root).find(|root| fits(root))
}

/// Where the next master key waits until the vault is under it. While both files are there, either may be the right
/// one; so the caller must hold the directory's lock from `stage` to `promote`.
fn staged(file: &Path) -> PathBuf {
    file.with_extension("key.next")
}

/// Writes the next master key beside the present one, durably.
pub(crate) fn stage(file: &Path, root: &RootKey) -> io::Result<()> {
    write(&staged(file), root)
}

/// The next master key is the present one from now on.
pub(crate) fn promote(file: &Path) -> io::Result<()> {
    fs::rename(staged(file), file)?;
    File::open(directory_of(file))?.sync_all()
}

/// A rotation was broken off before the vault was under the next key: that key opens nothing.
pub(crate) fn discard_staged(file: &Path) -> io::Result<()> {
    match fs::remove_file(staged(file)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Under another name first, so that a kill in between leaves no half key behind.
fn write(file: &Path, root: &RootKey) -> io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut text = Zeroizing::new([b'\n'; 2 * KEY_LEN + 1]);
    hex::encode_to_slice(root.bytes().as_slice(), &mut text[..2 * KEY_LEN])
        .expect("there is room for two digits a byte");
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    out.write_all(text.as_slice())?;
    out.sync_all()?;
    fs::rename(&unfinished, file)?;
    File::open(directory_of(file))?.sync_all()
}

/// The file's text, if nobody else can have read or replaced it.
fn read(path: &Path) -> Result<Zeroizing<String>, OpenError> {
    require_private(directory_of(path))?;
    // Not following links, and not waiting for the other end of a pipe.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path);
    let file = file.map_err(|error| match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::LOOP) => {
            unsafe_file(path, "it is a symbolic link; put the file itself there")
        }
        _ => OpenError::io("read the master key", path)(error),
    })?;
    require_private_file(path, &file)?;
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(256).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => OpenError::KeyFormat { from: path.display().to_string() },
        _ => OpenError::io("read the master key", path)(error),
    })?;
    Ok(text)
}

fn require_private_file(path: &Path, file: &File) -> Result<(), OpenError> {
    let found = file.metadata().map_err(OpenError::io("look at", path))?;
    if !found.is_file() {
        return Err(unsafe_file(path, "it is not a regular file"));
    }
    if let Some(why) = owned_by_another(&found) {
        return Err(unsafe_file(path, &why));
    }
    if found.mode() & OTHERS != 0 {
        let why = format!("others may reach it (mode {:04o}); run `chmod 600` on it", found.mode() & 0o7777);
        return Err(unsafe_file(path, &why));
    }
    Ok(())
}

/// A key file is only as safe as its directory.
fn require_private(directory: &Path) -> Result<(), OpenError> {
    let found = fs::metadata(directory).map_err(OpenError::io("look at", directory))?;
    let open = (found.mode() & OTHERS != 0)
        .then(|| format!("others may reach it (mode {:04o}); run `chmod 700` on it", found.mode() & 0o7777));
    match owned_by_another(&found).or(open) {
        Some(why) => Err(OpenError::DataDirUnsafe { path: directory.to_owned(), why }),
        None => Ok(()),
    }
}

fn owned_by_another(found: &fs::Metadata) -> Option<String> {
    let ours = rustix::process::geteuid().as_raw();
    (found.uid() != ours).then(|| format!("it belongs to user {}, but this is user {ours}", found.uid()))
}

fn unsafe_file(path: &Path, why: &str) -> OpenError {
    OpenError::KeyFileUnsafe { path: path.to_owned(), why: why.to_owned() }
}

fn directory_of(file: &Path) -> &Path {
    file.parent().expect("the key file lies in the data directory")
}

fn parse(text: &str, source: &KeySource) -> Result<RootKey, OpenError> {
    let mut bytes = KeyBytes::new([0; KEY_LEN]);
    match hex::decode_to_slice(text.trim_ascii(), bytes.as_mut_slice()) {
        Ok(()) => Ok(RootKey::new(bytes)),
        Err(_) => Err(OpenError::KeyFormat { from: source.name() }),
    }
}
