//! The audit log: who changed what in the vault.

use jiff::Timestamp;
use uuid::Uuid;

/// On whose behalf something is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Such as `admin`, `key/ab12cd34` or `command line`; never a key.
    pub actor: String,
    /// The request that asked for it.
    pub request_id: Option<Uuid>,
    /// When.
    pub at: Timestamp,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Counts from 1 without a gap.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// On whose behalf.
    pub actor: String,
    /// What was done, such as `credential.stored`.
    pub action: String,
    /// To what, such as `credential/7`.
    pub target: String,
    /// The target as people know it, such as `acme/default of _global`.
    pub detail: String,
    /// The request that asked for it.
    pub request_id: Option<Uuid>,
}

/// What a check of the whole log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every entry follows from the one before it, and none is missing.
    Intact {
        /// How many there are.
        entries: i64,
    },
    /// This entry, or the one after it, was changed, removed or put in.
    BrokenAt {
        /// The first entry that does not follow from the one before it.
        seq: i64,
    },
    /// The entries are right, but the last ones are missing.
    Cut {
        /// The last entry that is there.
        seq: i64,
    },
}
