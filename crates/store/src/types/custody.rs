//! What care of the vault as a whole comes to.

/// What a look at the whole vault found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Credentials, files and access keys.
    pub rows: u64,
    /// Entries of the audit log.
    pub audit_entries: i64,
    /// One sentence for each thing that is wrong, and what to do about it. Whatever is not named is well.
    pub complaints: Vec<String>,
}

/// What a restore did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Rows that the backup has, written again.
    pub brought_back: u64,
    /// Rows that the backup does not have, removed.
    pub taken_away: u64,
}
