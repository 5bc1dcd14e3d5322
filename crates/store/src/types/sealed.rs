//! What the vault seals: credentials, and auth files of command-line programs.

use jiff::Timestamp;

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
    /// Whether the sealed content opens. If not, its row was changed outside the gateway.
    pub intact: bool,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When its content was last replaced.
    pub updated_at: Timestamp,
}
