//! What the vault seals: credentials, and auth files of command-line programs.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use thiserror::Error;

use crate::secret::Secret;

/// A credential to be stored. One of the same provider, name and project is replaced and keeps its id.
#[derive(Debug)]
pub struct NewCredential {
    /// Id of the provider that the key is for.
    pub provider: String,
    /// Tells several keys of one provider apart; `default` by custom.
    pub key_name: String,
    /// The project that may use it, or `GLOBAL`.
    pub project: String,
    /// The key itself.
    pub api_key: Secret,
}

/// A stored credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Stable for the life of the row, and never given to another.
    pub id: i64,
    /// Id of the provider that the key is for.
    pub provider: String,
    /// Tells several keys of one provider apart.
    pub key_name: String,
    /// The project that may use it, or `GLOBAL`.
    pub project: String,
    /// The start of the key as people may see it; only `***` where the sealed value does not open.
    pub masked_value: String,
    /// Whether the sealed value opens. If not, its row was changed outside the gateway.
    pub intact: bool,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When its key was last replaced.
    pub updated_at: Timestamp,
}

/// An auth file to be stored. One of the same provider, name and project is replaced and keeps its id.
#[derive(Debug)]
pub struct NewAuthFile {
    /// The program that reads the file, such as `claude`.
    pub provider: String,
    /// A bare file name, such as `auth.json`.
    pub file_name: String,
    /// The project that may use it, or `GLOBAL`.
    pub project: String,
    /// What is in the file.
    pub content: Secret,
}

/// What an auth file is at a moment: no other content of this or of a later file has the same. Written as text it is
/// for comparing only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub(crate) row: i64,
    pub(crate) number: i64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.row, self.number)
    }
}

/// The text is none that a version was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a version of a file, such as 7.3")]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let (row, number) = text.split_once('.').ok_or(NoVersion)?;
        let part = |text: &str| text.parse().map_err(|_| NoVersion);
        Ok(Self { row: part(row)?, number: part(number)? })
    }
}

/// A stored auth file, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthFile {
    /// Stable for the life of the row, and never given to another.
    pub id: i64,
    /// The program that reads the file.
    pub provider: String,
    /// A bare file name.
    pub file_name: String,
    /// The project that may use it, or `GLOBAL`.
    pub project: String,
    /// What to name when the content is to be replaced only if nobody else has replaced it since.
    pub version: Version,
    /// Whether the sealed content opens. If not, its row was changed outside the gateway.
    pub intact: bool,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When its content was last replaced.
    pub updated_at: Timestamp,
}
