//! Access keys as they are kept: what each may do, never the key itself.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What the holder of an access key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// Call models, and see its own usage.
    Caller,
    /// Besides, manage the credentials, files and keys of its project.
    ProjectAdmin,
}

impl KeyRole {
    /// Every role, in the order of declaration.
    pub const ALL: [Self; 2] = [Self::Caller, Self::ProjectAdmin];

    /// Its name in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::ProjectAdmin => "project_admin",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// An access key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccessKey {
    /// For people, the log and the ledger. Need not be unique.
    pub name: String,
    /// What its holder may do.
    pub role: KeyRole,
    /// The only project it may act for; `None`: any.
    pub project: Option<String>,
    /// Patterns of model names, `*` for any run of characters; empty: all models.
    pub models: Vec<String>,
    /// Ids of providers; empty: all providers.
    pub providers: Vec<String>,
    /// Free words of whoever manages the keys.
    pub labels: BTreeMap<String, String>,
    /// From then on it opens nothing.
    pub expires_at: Option<Timestamp>,
}

/// What of an access key is to be changed; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChanges {
    #[allow(missing_docs)]
    pub name: Option<String>,
    #[allow(missing_docs)]
    pub models: Option<Vec<String>>,
    #[allow(missing_docs)]
    pub providers: Option<Vec<String>>,
    #[allow(missing_docs)]
    pub labels: Option<BTreeMap<String, String>>,
    /// `Some(None)`: it does not expire any more.
    pub expires_at: Option<Option<Timestamp>>,
}

/// A stored access key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Eight characters, part of the key itself: people recognise a key by `gw_<id>`.
    pub id: String,
    /// What was decided when it was made, or since.
    pub grant: NewAccessKey,
    /// The last four characters of the key.
    pub ending: String,
    /// Until when the key before the last rotation is accepted too.
    pub old_until: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
    #[allow(missing_docs)]
    pub created_at: Timestamp,
    #[allow(missing_docs)]
    pub updated_at: Timestamp,
    /// Since when it opens nothing any more.
    pub revoked_at: Option<Timestamp>,
    /// Whether the row is as the gateway wrote it. If not, the key opens nothing.
    pub intact: bool,
}

impl AccessKey {
    /// Whether it opens the door at this moment.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        let expired = self.grant.expires_at.is_some_and(|end| end <= now);
        self.intact && self.revoked_at.is_none() && !expired
    }
}
